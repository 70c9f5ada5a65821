//! What is marked up within a line: where it begins and how far it goes. Must not know HTML.

use crate::model::{is_gap, name_key};

use super::Called;

/// No username is longer, characters.
const NAME_MAX: usize = 64;

/// What is marked up already: nothing is so twice.
#[derive(Clone, Copy, Default)]
pub(super) struct Around {
    pub bold: bool,
    pub italic: bool,
}

/// What is marked up within a line.
pub(super) enum Span {
    /// Between so many backticks.
    Code(usize),
    Bold,
    Italic,
    Link,
    Mention(bool),
}

/// What begins there, and how many characters belong to it.
pub(super) fn span(
    called: &[Called],
    chars: &[char],
    at: usize,
    around: Around,
) -> Option<(Span, usize)> {
    let before = at.checked_sub(1).map(|before| chars[before]);
    let rest = &chars[at..];
    match rest[0] {
        '`' if before != Some('`') => code_span(rest),
        '*' | '_' => emphasis(rest, before, around),
        '@' | '＠' if before.is_none_or(is_gap) => mention(called, &rest[1..]),
        'h' | 'H' | 'm' | 'M' if !before.is_some_and(char::is_alphanumeric) => {
            address(rest).map(|length| (Span::Link, length))
        }
        _ => None,
    }
}

/// The longest name that is called.
fn mention(called: &[Called], rest: &[char]) -> Option<(Span, usize)> {
    if called.is_empty() {
        return None;
    }
    (1..=rest.len().min(NAME_MAX)).rev().find_map(|length| {
        if !rest.get(length).is_none_or(|next| is_gap(*next)) {
            return None;
        }
        let key = name_key(&rest[..length].iter().collect::<String>());
        let found = called.iter().find(|called| called.key == key)?;
        Some((Span::Mention(found.is_me), length + 1))
    })
}

fn code_span(rest: &[char]) -> Option<(Span, usize)> {
    let marks = run(rest, 0);
    let mut at = marks;
    while at < rest.len() {
        let found = run(rest, at);
        if found == marks && at > marks {
            return Some((Span::Code(marks), at + marks));
        }
        at += found.max(1);
    }
    None
}

/// How many backticks stand there.
fn run(chars: &[char], at: usize) -> usize {
    chars[at..].iter().take_while(|c| **c == '`').count()
}

fn emphasis(rest: &[char], before: Option<char>, around: Around) -> Option<(Span, usize)> {
    if !around.bold && rest.starts_with(&['*', '*']) {
        return bold(rest).map(|length| (Span::Bold, length));
    }
    let mark = rest[0];
    let opens = !around.italic
        && before.is_none_or(|before| !before.is_alphanumeric() && before != mark)
        && rest
            .get(1)
            .is_some_and(|next| !next.is_whitespace() && *next != mark);
    let closes = |at: usize| {
        !rest[at - 1].is_whitespace()
            && rest[at - 1] != mark
            && rest
                .get(at + 1)
                .is_none_or(|next| !next.is_alphanumeric() && *next != mark)
    };
    let end = opens.then(|| end_of(rest, 2, |at| rest[at] == mark && closes(at)))?;
    end.map(|end| (Span::Italic, end + 1))
}

fn bold(rest: &[char]) -> Option<usize> {
    if rest.get(2).is_none_or(|next| next.is_whitespace()) {
        return None;
    }
    let closes = |at: usize| {
        rest[at] == '*'
            && rest.get(at + 1) == Some(&'*')
            && rest.get(at + 2) != Some(&'*')
            && !rest[at - 1].is_whitespace()
    };
    end_of(rest, 3, closes).map(|end| end + 2)
}

/// The first place from `at` on where something ends; what is between backticks does not count.
fn end_of(rest: &[char], mut at: usize, ends: impl Fn(usize) -> bool) -> Option<usize> {
    while at < rest.len() {
        if ends(at) {
            return Some(at);
        }
        let code = (rest[at] == '`').then(|| code_span(&rest[at..])).flatten();
        at += code.map_or(1, |(_, length)| length);
    }
    None
}

/// How long the address is that begins there; a full stop after it is not part of it.
fn address(rest: &[char]) -> Option<usize> {
    let scheme = ["https://", "http://", "mailto:"]
        .into_iter()
        .find(|scheme| begins(rest, scheme))?;
    let ends = |c: &char| c.is_whitespace() || c.is_control() || matches!(c, '<' | '>' | '"' | '`');
    let mut length = rest.iter().position(ends).unwrap_or(rest.len());
    while length > scheme.len() && is_tail(&rest[..length]) {
        length -= 1;
    }
    let body = &rest[scheme.len()..length];
    let is_good = match scheme {
        "mailto:" => body.iter().position(|c| *c == '@').is_some_and(|at| at > 0),
        _ => body
            .first()
            .is_some_and(|c| c.is_alphanumeric() || *c == '['),
    };
    is_good.then_some(length)
}

fn begins(rest: &[char], scheme: &str) -> bool {
    rest.len() >= scheme.len()
        && scheme
            .chars()
            .zip(rest)
            .all(|(a, b)| a == b.to_ascii_lowercase())
}

/// Whether the last character belongs to the sentence rather than to the address.
fn is_tail(address: &[char]) -> bool {
    let count = |wanted: char| address.iter().filter(|c| **c == wanted).count();
    match address.last() {
        Some('.' | ',' | ';' | ':' | '!' | '?' | '\'' | '*' | '_' | '~') => true,
        Some(')') => count(')') > count('('),
        Some(']') => count(']') > count('['),
        Some('}') => count('}') > count('{'),
        _ => false,
    }
}
