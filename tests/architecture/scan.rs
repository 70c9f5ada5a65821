//! Finds the paths in Rust source text. Does not know the rules.

/// Target of a path.
#[derive(Debug, PartialEq)]
pub enum Target {
    /// An absolute path inside this crate, without `crate`; empty for the crate itself.
    Here(Vec<String>),
    /// Another crate, or a name that the scanner cannot resolve, which then is local.
    Elsewhere(String),
    /// An inclusion of code that no path shows.
    Detour(String),
}

/// Returns all paths in a file of the module `module`, with their lines. `is_room` tells the top-level modules.
pub fn paths(
    text: &str,
    module: &[String],
    is_room: &dyn Fn(&str) -> bool,
) -> Vec<(usize, Target)> {
    let tokens = tokens(text);
    let mut walk = Walk {
        tokens: &tokens,
        at: 0,
        module: module.to_vec(),
        braces: Vec::new(),
        found: Vec::new(),
    };
    while walk.at < tokens.len() {
        walk.step();
    }
    let target = |path: &Found<'_>| target(path, is_room);
    walk.found
        .iter()
        .filter_map(|path| Some((path.line, target(path)?)))
        .collect()
}

struct Found<'a> {
    line: usize,
    module: Vec<String>,
    names: Vec<&'a str>,
}

fn target(path: &Found<'_>, is_room: &dyn Fn(&str) -> bool) -> Option<Target> {
    let (first, rest) = path.names.split_first()?;
    let mut here = match *first {
        "crate" | "parlor" => Vec::new(),
        "self" | "super" => path.module.clone(),
        "include!" | "#[path]" => return Some(Target::Detour((*first).to_owned())),
        name if path.module.is_empty() && is_room(name) => vec![name.to_owned()],
        name => return Some(Target::Elsewhere(name.to_owned())),
    };
    let after = if *first == "super" { &path.names } else { rest };
    for name in after {
        match *name {
            "super" => drop(here.pop()),
            "self" | "*" => {}
            _ => here.push((*name).to_owned()),
        }
    }
    Some(Target::Here(here))
}

struct Walk<'a> {
    tokens: &'a [(usize, &'a str)],
    at: usize,
    module: Vec<String>,
    /// For each open brace, whether it opened an inline module.
    braces: Vec<bool>,
    found: Vec<Found<'a>>,
}

impl<'a> Walk<'a> {
    fn token(&self, ahead: usize) -> &'a str {
        self.tokens
            .get(self.at + ahead)
            .map_or("", |(_, token)| *token)
    }

    fn push(&mut self, line: usize, names: Vec<&'a str>) {
        self.found.push(Found {
            line,
            module: self.module.clone(),
            names,
        });
    }

    fn step(&mut self) {
        let (line, token) = self.tokens[self.at];
        match (token, self.token(1), self.token(2)) {
            ("mod", name, "{") => {
                self.module.push(name.to_owned());
                self.braces.push(true);
                self.at += 3;
            }
            ("{", ..) => {
                self.braces.push(false);
                self.at += 1;
            }
            ("}", ..) => {
                if self.braces.pop() == Some(true) {
                    self.module.pop();
                }
                self.at += 1;
            }
            ("use", next, _) if next != "<" => {
                self.at += 1;
                self.use_tree(&[]);
            }
            ("extern", "crate", name) => {
                self.push(line, vec![name]);
                self.at += 3;
            }
            ("#", "[", "path") => {
                self.push(line, vec!["#[path]"]);
                self.at += 3;
            }
            ("include", "!", _) => {
                self.push(line, vec!["include!"]);
                self.at += 2;
            }
            _ if is_name(token) => self.body_path(),
            _ => self.at += 1,
        }
    }

    /// Parses `a::b::c`; a single name is not a path.
    fn body_path(&mut self) {
        let (line, first) = self.tokens[self.at];
        let mut names = vec![first];
        self.at += 1;
        while self.token(0) == "::" && is_name(self.token(1)) {
            names.push(self.token(1));
            self.at += 2;
        }
        if names.len() > 1 {
            self.push(line, names);
        }
    }

    /// Parses `a::{b, c::*, d as e}` with the names in `before` as prefix; stops behind the tree.
    fn use_tree(&mut self, before: &[&'a str]) {
        let mut names = before.to_vec();
        loop {
            let (line, token) = (
                self.tokens.get(self.at).map_or(0, |one| one.0),
                self.token(0),
            );
            self.at += 1;
            match token {
                "::" => {}
                "{" => {
                    while !matches!(self.token(0), "}" | "") {
                        self.use_tree(&names);
                    }
                    self.at += 1;
                    return;
                }
                "," | ";" | "" => return,
                "as" => self.at += 1,
                "}" => {
                    self.at -= 1;
                    return;
                }
                name => {
                    names.push(name);
                    if self.token(0) != "::" {
                        self.push(line, names.clone());
                    }
                }
            }
        }
    }
}

fn is_name(token: &str) -> bool {
    token.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

/// Splits into names and punctuation with their lines, `::` as one token. Comments, literals and lifetimes are left
/// out.
fn tokens(text: &str) -> Vec<(usize, &str)> {
    let mut tokens = Vec::new();
    let (mut rest, mut line) = (text, 1);
    while let Some(first) = rest.chars().next() {
        let length = length_of_next(rest, first);
        let (token, after) = rest.split_at(length);
        let is_skipped = first.is_whitespace()
            || ["//", "/*", "\"", "'"]
                .iter()
                .any(|start| token.starts_with(start))
            || token.ends_with(['"', '#']) && token.len() > 1;
        if !is_skipped {
            tokens.push((line, token));
        }
        line += token.matches('\n').count();
        rest = after;
    }
    tokens
}

fn length_of_next(rest: &str, first: char) -> usize {
    if let Some(length) = raw_text(rest) {
        return length;
    }
    match first {
        _ if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
        _ if rest.starts_with("/*") => block_comment(rest),
        _ if rest.starts_with("::") => 2,
        '"' => quoted(rest, '"'),
        '\'' => quote(rest),
        _ if first.is_alphanumeric() || first == '_' => rest
            .find(|c: char| !c.is_alphanumeric() && c != '_')
            .unwrap_or(rest.len()),
        _ => first.len_utf8(),
    }
}

/// Returns the length of `r"…"`, `br#"…"#` and the like, if one starts here.
fn raw_text(rest: &str) -> Option<usize> {
    let start = ["r", "br", "cr"]
        .iter()
        .find_map(|start| rest.strip_prefix(start))?;
    let body = start.trim_start_matches('#');
    let hashes = &start[..start.len() - body.len()];
    let inside = body.strip_prefix('"')?;
    let end = inside.find(&format!("\"{hashes}"))?;
    Some(rest.len() - inside.len() + end + 1 + hashes.len())
}

fn block_comment(rest: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < rest.len() {
        match &rest.as_bytes()[at..] {
            [b'/', b'*', ..] => (depth, at) = (depth + 1, at + 2),
            [b'*', b'/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
    rest.len()
}

/// Returns the length up to and including the closing `end`, skipping escaped characters.
fn quoted(rest: &str, end: char) -> usize {
    let mut is_escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match (is_escaped, c) {
            (true, _) => is_escaped = false,
            (false, '\\') => is_escaped = true,
            (false, c) if c == end => return at + c.len_utf8(),
            _ => {}
        }
    }
    rest.len()
}

/// Returns the length of a character literal, or of a lifetime.
fn quote(rest: &str) -> usize {
    let mut chars = rest.chars().skip(1);
    match (chars.next(), chars.next()) {
        (Some('\\'), _) | (Some(_), Some('\'')) => quoted(rest, '\''),
        _ => {
            1 + rest[1..]
                .find(|c: char| !c.is_alphanumeric() && c != '_')
                .unwrap_or(rest.len() - 1)
        }
    }
}
