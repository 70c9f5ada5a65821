//! Combines the sources of settings and reports all errors, one line each.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt::{self, Write as _};
use std::ops::Range;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::value::{Raw, database_path};
use super::{Config, SETTINGS, Setting};

/// Settings that have a command-line flag.
#[derive(Clone, Debug, Default)]
pub struct Flags {
    /// `--db`
    pub db: Option<PathBuf>,
    /// `--listen`
    pub listen: Option<String>,
}

/// Source of a setting's value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    Default,
    /// Path and line number.
    File(PathBuf, usize),
    /// Name of the environment variable.
    Env(String),
    /// Name of the command-line flag.
    Flag(&'static str),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path, line) => write!(f, "{} line {line}", path.display()),
            Self::Env(name) => write!(f, "environment {name}"),
            Self::Flag(name) => f.write_str(name),
        }
    }
}

/// All errors in the settings, one line each: what is wrong, where, and how to correct it.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", problems.join("\n"))]
pub struct ConfigError {
    /// At least one line.
    pub problems: Vec<String>,
}

/// The effective settings and their sources.
#[derive(Clone, Debug)]
pub struct Loaded {
    pub config: Config,
    origins: BTreeMap<&'static str, Origin>,
}

impl Loaded {
    /// Returns the source of the setting `key` (such as `server.listen`).
    pub fn origin(&self, key: &str) -> &Origin {
        self.origins.get(key).unwrap_or(&Origin::Default)
    }

    /// Formats all settings as TOML that can be parsed again, with their sources as comments.
    pub fn to_toml(&self) -> String {
        let mut text = String::new();
        let mut section = "";
        for setting in SETTINGS {
            if setting.section != section {
                let gap = if section.is_empty() { "" } else { "\n" };
                section = setting.section;
                let _ = writeln!(text, "{gap}[{section}]");
            }
            let (name, value) = (setting.name, (setting.show)(&self.config));
            let _ = writeln!(text, "{name} = {value} # {}", self.origin(setting.key));
        }
        text
    }
}

/// Loads the settings. `flags` override the environment `env`, which overrides the file `file`, which overrides the
/// defaults.
///
/// # Errors
/// If a source cannot be read, contains an unknown setting, or contains an invalid value.
pub fn load(
    file: Option<&Path>,
    env: impl IntoIterator<Item = (OsString, OsString)>,
    flags: Flags,
) -> Result<Loaded, ConfigError> {
    let mut loader = Loader::default();
    if let Some(path) = file {
        loader.add_file(path);
    }
    loader.add_env(env);
    loader.add_flags(flags);
    loader.finish()
}

#[derive(Default)]
struct Loader {
    config: Config,
    origins: BTreeMap<&'static str, Origin>,
    problems: Vec<String>,
}

impl Loader {
    fn add_file(&mut self, path: &Path) {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) => {
                let path = path.display();
                self.problems
                    .push(format!("cannot read the settings, {path}: {error}"));
                return;
            }
        };
        match DeTable::parse(&text) {
            Ok(table) => File { path, text: &text }.add_table(self, "", table.get_ref()),
            Err(error) => self.problems.push(not_toml(path, &text, &error)),
        }
    }

    fn add_env(&mut self, env: impl IntoIterator<Item = (OsString, OsString)>) {
        let is_ours = |name: &str| name.starts_with(PREFIX) || name == WS_URL;
        let mut ours = BTreeMap::new();
        for (name, value) in env {
            let Some(name) = name.to_str().filter(|name| is_ours(name)) else {
                continue;
            };
            match value.into_string() {
                Ok(value) => drop(ours.insert(name.to_owned(), value)),
                Err(_) => self.problems.push(format!(
                    "the value is not UTF-8, environment {name}: write it in UTF-8"
                )),
            }
        }
        // Compose files pass an empty WS_URL if it is not set.
        let ws_url = ours.remove(WS_URL).filter(|value| !value.is_empty());
        if let (Some(value), Some(setting)) = (ws_url, find("web.ws_url")) {
            self.put(
                setting,
                Raw::Text(&value),
                Origin::Env(WS_URL.to_owned()),
                &format!("{value:?}"),
            );
        }
        for (name, value) in &ours {
            self.add_variable(name, value, &ours);
        }
    }

    fn add_variable(&mut self, name: &str, value: &str, all: &BTreeMap<String, String>) {
        let origin = Origin::Env(name.to_owned());
        if let Some(setting) = SETTINGS.iter().find(|one| one.variable() == name) {
            return self.put(setting, Raw::Text(value), origin, &format!("{value:?}"));
        }
        let plain = name.strip_suffix("_FILE").unwrap_or(name);
        match SETTINGS.iter().find(|one| one.variable() == plain) {
            Some(_) if all.contains_key(plain) => {
                self.problems.push(format!(
                    "{plain} and {name} are both set, environment: unset one of them"
                ));
            }
            Some(setting) => match std::fs::read_to_string(value) {
                // The file may contain a secret, so its content is never shown.
                Ok(text) => self.put(setting, Raw::Text(&text), origin, "not allowed"),
                Err(error) => self.problems.push(format!(
                    "cannot read {value:?}, environment {name}: {error}"
                )),
            },
            None => self.add_unknown_variable(name),
        }
    }

    /// Reports an unknown variable. Orchestrators set variables such as `PARLOR_PORT` for a service named parlor, so
    /// only a variable that contains `__`, or that differs from a known one only in the number of underscores, is an
    /// error.
    fn add_unknown_variable(&mut self, name: &str) {
        let squeezed = |name: &str| name.replace("__", "_");
        let variables: Vec<_> = SETTINGS.iter().map(Setting::variable).collect();
        let meant = variables.iter().find(|one| squeezed(one) == squeezed(name));
        if meant.is_some() || name.contains("__") {
            let meant = meant.cloned().or_else(|| nearest(name, variables));
            self.problems.push(format!(
                "unknown setting, environment {name}: {}",
                advice(meant)
            ));
        }
    }

    fn add_flags(&mut self, flags: Flags) {
        if let Some(db) = flags.db {
            // Not parsed as text, because a path need not be UTF-8.
            match database_path(&db) {
                Ok(()) => {
                    self.config.server.db = db;
                    self.origins.insert("server.db", Origin::Flag("--db"));
                }
                Err(mend) => self
                    .problems
                    .push(format!("server.db is {db:?}, --db: {mend}")),
            }
        }
        if let (Some(listen), Some(setting)) = (flags.listen, find("server.listen")) {
            let origin = Origin::Flag("--listen");
            self.put(setting, Raw::Text(&listen), origin, &format!("{listen:?}"));
        }
    }

    fn put(&mut self, setting: &Setting, raw: Raw<'_, '_>, origin: Origin, shown: &str) {
        match (setting.put)(&mut self.config, raw) {
            Ok(()) => drop(self.origins.insert(setting.key, origin)),
            Err(mend) => self
                .problems
                .push(format!("{} is {shown}, {origin}: {mend}", setting.key)),
        }
    }

    fn finish(mut self) -> Result<Loaded, ConfigError> {
        if self.problems.is_empty() {
            self.problems = self.config.contradictions();
        }
        match self.problems.is_empty() {
            true => Ok(Loaded {
                config: self.config,
                origins: self.origins,
            }),
            false => Err(ConfigError {
                problems: self.problems,
            }),
        }
    }
}

/// A settings file that is being parsed.
struct File<'a> {
    path: &'a Path,
    text: &'a str,
}

impl File<'_> {
    fn add_table(&self, loader: &mut Loader, prefix: &str, table: &DeTable<'_>) {
        let mut entries: Vec<_> = table.iter().collect();
        entries.sort_by_key(|(key, _)| key.span().start);
        for (key, value) in entries {
            let name = format!("{prefix}{}", key.get_ref());
            self.add_entry(loader, &name, key.span(), value);
        }
    }

    fn add_entry(
        &self,
        loader: &mut Loader,
        name: &str,
        at: Range<usize>,
        value: &Spanned<DeValue<'_>>,
    ) {
        let origin = Origin::File(self.path.to_owned(), line_of(self.text, at));
        if let Some(setting) = find(name) {
            let shown = self.shown(value.span());
            return loader.put(setting, Raw::Toml(value.get_ref()), origin, &shown);
        }
        let is_section = SETTINGS.iter().any(|one| one.section == name);
        match value.get_ref().as_table() {
            Some(table) if is_section || !table.is_empty() => {
                self.add_table(loader, &format!("{name}."), table);
            }
            None if is_section => {
                loader.problems.push(format!(
                    "{name} is a section, {origin}: write [{name}] and its settings below"
                ));
            }
            table => {
                let what = match table {
                    Some(_) => "section",
                    None => "setting",
                };
                let advice = advice(meant(name, table.is_some()));
                loader
                    .problems
                    .push(format!("unknown {what} {name}, {origin}: {advice}"));
            }
        }
    }

    /// Returns the value as written in the file, shortened to 60 characters.
    fn shown(&self, span: Range<usize>) -> String {
        let written = self.text.get(span).unwrap_or_default();
        let short: String = written
            .chars()
            .take(60)
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect();
        let cut = if short.len() < written.len() {
            "…"
        } else {
            ""
        };
        format!("{short}{cut}")
    }
}

const PREFIX: &str = "PARLOR_";
const WS_URL: &str = "WS_URL";

impl Setting {
    /// Returns the name of the environment variable for this setting.
    fn variable(&self) -> String {
        format!("{PREFIX}{}__{}", self.section, self.name).to_uppercase()
    }
}

fn find(key: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|setting| setting.key == key)
}

/// Guesses which setting, or which section (as `[name]`), was meant.
fn meant(name: &str, is_section: bool) -> Option<String> {
    let setting = || nearest(name, SETTINGS.iter().map(|one| one.key.to_owned()));
    let section = || {
        let written = name.split('.').next().unwrap_or_default();
        let known = SETTINGS.iter().map(|one| one.section.to_owned());
        nearest(written, known).map(|section| format!("[{section}]"))
    };
    let is_known = SETTINGS
        .iter()
        .any(|one| name.starts_with(&format!("{}.", one.section)));
    match is_section {
        _ if is_known => setting(),
        true => section().or_else(setting),
        false => setting().or_else(section),
    }
}

/// Formats the error for a file that is not valid TOML.
fn not_toml(path: &Path, text: &str, error: &toml::de::Error) -> String {
    let span = error.span().unwrap_or(0..0);
    let (path, line) = (path.display(), line_of(text, span.clone()));
    if error.message() == "duplicate key" {
        let key = text.get(span).unwrap_or_default().trim();
        return format!("{key} stands there twice, {path} line {line}: keep one of the two");
    }
    let why = error.message().replace('\n', ", ");
    format!("this is not TOML, {path} line {line}: {why}")
}

/// Returns the line number of the start of `span`, counted from 1.
fn line_of(text: &str, span: Range<usize>) -> usize {
    1 + text
        .bytes()
        .take(span.start)
        .filter(|byte| *byte == b'\n')
        .count()
}

/// Returns the most similar known name, if any is similar enough. A setting's name without its section counts too.
fn nearest(name: &str, known: impl IntoIterator<Item = String>) -> Option<String> {
    let likeness = |known: &str| {
        let last = known.rsplit_once('.').map_or(known, |(_, last)| last);
        let whole = strsim::normalized_damerau_levenshtein(name, known);
        whole.max(strsim::normalized_damerau_levenshtein(name, last))
    };
    let rated = known.into_iter().map(|known| (likeness(&known), known));
    rated
        .filter(|(rate, _)| *rate > 0.6)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, known)| known)
}

fn advice(meant: Option<String>) -> String {
    match meant {
        Some(meant) => format!("did you mean {meant}?"),
        None => "remove it; `parlor config print` lists all settings".to_owned(),
    }
}
