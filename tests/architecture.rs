//! Architecture rules: allowed dependencies between modules, crates restricted to modules, maximum length of files.
//!
//! The rules are data ([`ROOMS`], [`CRATES`], [`TABLES`]). The checker reads a source tree and returns its violations,
//! so tests with planted violations prove that it finds them. `scan` parses Rust as far as paths need it.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};

use scan::Target;

#[path = "architecture/scan.rs"]
mod scan;

/// A module and the modules it may use besides itself. The first matching entry counts; `*` matches anything.
const ROOMS: &[(&str, &[&str])] = &[
    ("main", &["cli"]),
    ("lib", &[]),
    ("cli", &["server", "chat", "store", "model", "config"]),
    (
        "server",
        &[
            "web",
            "dialect",
            "dialect::*",
            "chat",
            "store",
            "model",
            "transport",
            "config",
        ],
    ),
    ("web", &["dialect::kit", "chat", "model"]),
    ("dialect", &["dialect::*", "chat", "model", "transport"]),
    ("dialect::kit", &["chat", "model", "transport"]),
    (
        "dialect::*",
        &["dialect::kit", "chat", "model", "transport"],
    ),
    ("chat", &["store", "model"]),
    ("store", &["model"]),
    ("model", &[]),
    ("transport", &[]),
    ("config", &[]),
];

/// Crates restricted to certain modules.
const CRATES: &[(&str, &[&str])] = &[
    ("rusqlite", &["store"]),
    ("r2d2", &["store"]),
    ("r2d2_sqlite", &["store"]),
    (
        "warp",
        &["server", "web", "dialect", "dialect::*", "transport"],
    ),
];

const LINES_MAX: usize = 400;

/// Files that consist of one long table and may exceed [`LINES_MAX`].
const TABLES: &[&str] = &["web/texts/en.rs", "web/texts/de.rs"];

#[test]
fn src_has_no_violations() {
    let found = violations(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    assert!(found.is_empty(), "\n{}\n", found.join("\n"));
}

#[test]
fn every_forbidden_dependency_is_found() {
    for (from, may_use) in ROOMS {
        for (to, _) in ROOMS
            .iter()
            .filter(|(to, _)| !["main", "lib", from].contains(to))
        {
            let code = format!("use crate::{}::Thing;\n", to.replace('*', "other"));
            let found = planted(&file_of(from), &code);
            assert_eq!(
                found.is_empty(),
                fits(may_use, to),
                "{from} uses {to}: {found:?}"
            );
        }
    }
}

#[test]
fn restricted_crates_are_found_outside_their_modules() {
    for (name, may) in CRATES {
        for (room, _) in ROOMS {
            let found = planted(&file_of(room), &format!("fn f() {{ {name}::go() }}\n"));
            assert_eq!(
                found.is_empty(),
                fits(may, room),
                "{room} names {name}: {found:?}"
            );
        }
    }
}

#[test]
fn paths_are_found_in_every_syntax() {
    let table = [
        (
            "chat/room.rs",
            "use crate::{model::{Room, User}, server::{self, run}};",
        ),
        ("chat/room.rs", "use super::super::server;"),
        ("chat/mod.rs", "pub(crate) use super::web::page as p;"),
        ("chat/room.rs", "fn f() -> crate::server::Server { todo() }"),
        (
            "chat/room.rs",
            "fn f() { let s: Vec<super::super::server::S> = g(); }",
        ),
        (
            "chat/room.rs",
            "mod tests { use super::super::super::server::S; }",
        ),
        (
            "chat/room.rs",
            "mod a { fn f() {} } use self::super::super::server::S;",
        ),
        (
            "chat/room.rs",
            "macro_rules! m { () => { $crate::server::run() } }",
        ),
        ("chat/room.rs", "use crate::*;"),
        ("chat/room.rs", "use crate::{self as all};"),
        ("chat/mod.rs", "use super::*;"),
        ("chat/room.rs", "use crate::Everything;"),
        ("chat/room.rs", "use parlor::server::run;"),
        ("chat/room.rs", "#[path = \"../server.rs\"] mod other;"),
        ("chat/room.rs", "include!(\"../server.rs\");"),
        ("chat/room.rs", "extern crate warp as w;"),
        ("chat/room.rs", "use {std::fmt, ::warp as w};"),
        (
            "chat/room.rs",
            "fn f(a: &'static str, b: char) { if b == '\\'' { ::warp::serve() } }",
        ),
        (
            "chat/room.rs",
            "const A: &str = r#\"\"\"#; fn f() { crate::server::run() }",
        ),
        ("dialect/team/ws.rs", "use super::super::native::wire;"),
        ("dialect/team/ws.rs", "use crate::dialect::{kit, native};"),
        ("dialect/team/ws.rs", "use crate::dialect;"),
        ("lib.rs", "pub use store::Store;"),
        ("main.rs", "fn main() { parlor::server::run() }"),
        ("extra.rs", "fn f() {}"),
    ];
    for (file, code) in table {
        assert_eq!(
            planted(file, code).len(),
            1,
            "{file}: {code}: {:?}",
            planted(file, code)
        );
    }
}

#[test]
fn text_that_is_no_path_and_allowed_paths_are_ignored() {
    let table = [
        (
            "chat/room.rs",
            "//! See [`crate::server`].\n/* crate::server::x /* warp:: */ */ fn f() {}",
        ),
        (
            "chat/room.rs",
            "const A: &str = \"crate::server::x \\\" warp::\"; const B: &[u8] = br##\"warp::\"# \"##;",
        ),
        (
            "chat/room.rs",
            "pub(in crate::chat) struct S; pub(crate) fn f(self) -> impl Fn() + use<'_> { g(self.warp) }",
        ),
        (
            "chat/room.rs",
            "use super::{Chat, people::People}; mod tests { use super::*; use super::super::Chat; }",
        ),
        (
            "chat/room.rs",
            "mod warp { pub fn go() {} } fn f() { self::warp::go(); model::may() }",
        ),
        (
            "dialect/mod.rs",
            "pub mod native; fn f() { native::routes(); self::team::routes() }",
        ),
        (
            "dialect/team/mod.rs",
            "use super::kit; use crate::chat::Chat;",
        ),
        (
            "main.rs",
            "fn main() -> std::process::ExitCode { parlor::cli::run() }",
        ),
    ];
    for (file, code) in table {
        assert!(
            planted(file, code).is_empty(),
            "{file}: {code}: {:?}",
            planted(file, code)
        );
    }
}

#[test]
fn every_file_begins_with_its_purpose() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let without: Vec<_> = files_below(&src)
        .into_iter()
        .filter(|path| path.extension().is_some_and(|end| end == "rs"))
        .filter(|path| !fs::read_to_string(path).unwrap().starts_with("//!"))
        .collect();
    assert!(without.is_empty(), "no `//!` line: {without:?}");
}

#[test]
fn files_that_are_too_long_are_found() {
    assert!(planted("chat/room.rs", &"\n".repeat(LINES_MAX)).is_empty());
    assert_eq!(
        planted("chat/room.rs", &"\n".repeat(LINES_MAX + 1)).len(),
        1
    );
    assert_eq!(
        planted("web/static/page.js", &"\n".repeat(LINES_MAX + 1)).len(),
        1
    );
}

/// Returns the violations in a tree that consists of this one file.
fn planted(file: &str, code: &str) -> Vec<String> {
    let tree = tempfile::tempdir().unwrap();
    let path = tree.path().join(file);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, code).unwrap();
    violations(tree.path())
}

/// Returns a file of the module, relative to `src`.
fn file_of(room: &str) -> String {
    match room {
        "main" | "lib" => format!("{room}.rs"),
        _ => format!("{}/mod.rs", room.replace("::", "/").replace('*', "planted")),
    }
}

/// Returns all violations in the tree `src`, each with file and line.
fn violations(src: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for path in files_below(src) {
        let Ok(text) = fs::read_to_string(&path) else {
            continue;
        };
        let file = path.strip_prefix(src).unwrap().to_str().unwrap();
        let lines = text.lines().count();
        if lines > LINES_MAX && !TABLES.contains(&file) {
            found.push(format!(
                "{file}: {lines} lines, more than {LINES_MAX}: divide it"
            ));
        }
        if file.ends_with(".rs") {
            found.extend(wrong_paths(file, &text));
        }
    }
    found
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = entries
        .flat_map(|path| {
            if path.is_dir() {
                files_below(&path)
            } else {
                vec![path]
            }
        })
        .collect();
    files.sort();
    files
}

fn wrong_paths(file: &str, text: &str) -> Vec<String> {
    let module = module_of(file);
    let from = match file {
        "main.rs" | "lib.rs" => file.trim_end_matches(".rs").to_owned(),
        _ => room_of(&module),
    };
    let Some(may_use) = rule_of(&from) else {
        return vec![format!(
            "{file}: there is no rule for the module {from}: add it to ROOMS"
        )];
    };
    let is_room = |name: &str| rule_of(name).is_some();
    let mut found: Vec<_> = scan::paths(text, &module, &is_room)
        .into_iter()
        .filter_map(|(line, target)| {
            Some(format!(
                "{file}:{line}: {}",
                wrong(&from, may_use, &target)?
            ))
        })
        .collect();
    found.dedup();
    found
}

/// Returns why `from` may not name the target, or `None` if it may.
fn wrong(from: &str, may_use: &[&str], target: &Target) -> Option<String> {
    match target {
        Target::Here(path) => {
            let to = room_of(path);
            match rule_of(&to).is_some() {
                true => {
                    (to != from && !fits(may_use, &to)).then(|| format!("{from} may not use {to}"))
                }
                false => Some(format!(
                    "crate::{to} is no module of the house: name a module, not the crate"
                )),
            }
        }
        Target::Elsewhere(name) => {
            let (_, may) = CRATES.iter().find(|(one, _)| one == name)?;
            (!fits(may, from)).then(|| format!("{from} may not name the crate {name}"))
        }
        Target::Detour(what) => Some(format!("{what} goes around these rules")),
    }
}

/// Returns the module of a file: `dialect/team/ws.rs` is `dialect::team::ws`.
fn module_of(file: &str) -> Vec<String> {
    let stem = file.trim_end_matches(".rs");
    let stem = stem.strip_suffix("/mod").unwrap_or(stem);
    match stem {
        "main" | "lib" => Vec::new(),
        _ => stem.split('/').map(str::to_owned).collect(),
    }
}

/// Returns the entry of [`ROOMS`] that a path inside the crate belongs to; each dialect is an entry of its own.
fn room_of(path: &[String]) -> String {
    let depth = if path.first().is_some_and(|one| one == "dialect") {
        2
    } else {
        1
    };
    path[..depth.min(path.len())].join("::")
}

fn rule_of(room: &str) -> Option<&'static [&'static str]> {
    ROOMS
        .iter()
        .find(|(name, _)| fits(&[name], room))
        .map(|(_, may_use)| *may_use)
}

fn fits(patterns: &[&str], room: &str) -> bool {
    let fits_one = |pattern: &&str| match pattern.strip_suffix('*') {
        Some(start) => room.starts_with(start),
        None => *pattern == room,
    };
    patterns.iter().any(fits_one)
}
