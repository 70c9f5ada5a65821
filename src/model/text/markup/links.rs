//! Start and end of URLs and e-mail addresses in a line, in any script.

use super::super::signs::{is_letter, is_sentence_sign};
use super::super::visible::{is_joiner, is_unseen};
use super::count;

/// Brackets that belong to a URL only in pairs.
const PAIRS: [(char, char); 3] = [('(', ')'), ('[', ']'), ('{', '}')];
/// Schemes that become links.
pub(super) const SCHEMES: [&str; 3] = ["https://", "http://", "mailto:"];
pub(super) const WWW: &str = "www.";

/// Whether a line may contain a URL without a scheme.
pub(super) fn may_have_www(line: &str) -> bool {
    let mut rest = line.as_bytes().windows(WWW.len());
    rest.any(|text| text.eq_ignore_ascii_case(WWW.as_bytes()))
}

/// Whether `rest` begins with `scheme`, ignoring ASCII case.
pub(super) fn begins(rest: &[char], scheme: &str) -> bool {
    rest.len() >= scheme.len()
        && scheme
            .chars()
            .zip(rest)
            .all(|(a, b)| a == b.to_ascii_lowercase())
}

/// Whether `c` ends a URL: white space, quotation marks and closing punctuation of any script, invisible characters.
pub(super) fn stops_address(c: char) -> bool {
    let may_be_within = matches!(c, '\u{2013}'..='\u{2015}' | '\u{2019}' | '\u{2026}');
    c.is_whitespace()
        || c.is_control()
        || matches!(c, '<' | '>' | '"' | '`')
        || (is_sentence_sign(c) && !may_be_within)
        || (is_unseen(c) && !is_joiner(c))
}

/// Returns the length of a URL without trailing characters that belong to the sentence.
pub(super) fn without_tail(address: &[char]) -> usize {
    const TAIL: &str = ".,;:!?'*_~\\";
    count(address.len());
    let of = |wanted: char| address.iter().filter(|c| **c == wanted).count();
    let open = PAIRS.map(|(begin, _)| of(begin));
    let mut closed = PAIRS.map(|(_, end)| of(end));
    let mut length = address.len();
    while let Some(last) = address[..length].last() {
        let pair = PAIRS.iter().position(|(_, end)| end == last);
        let is_tail = match pair {
            Some(pair) => closed[pair] > open[pair],
            None => TAIL.contains(*last) || is_sentence_sign(*last),
        };
        if !is_tail {
            break;
        }
        if let Some(pair) = pair {
            closed[pair] -= 1;
        }
        length -= 1;
    }
    length
}

/// Returns the length of the host at the start of `rest`, which follows `www.`, and whether a path may follow. The host
/// must contain a dot.
pub(super) fn host(rest: &[char]) -> Option<(usize, bool)> {
    let length = rest.iter().take_while(|c| is_host(**c)).count();
    count(length);
    let follows = rest.get(length);
    let dots = rest[..length]
        .iter()
        .rev()
        .take_while(|c| !is_letter(**c))
        .count();
    let host = &rest[..length - dots];
    let is_good = host.first().is_some_and(|c| is_letter(*c)) && host.contains(&'.');
    let goes_on = dots == 0 && matches!(follows, Some('/' | '?' | '#' | ':'));
    is_good.then_some((host.len(), goes_on))
}

fn is_host(c: char) -> bool {
    is_letter(c) || matches!(c, '-' | '.')
}

/// Returns start and end of each e-mail address in a line.
pub(super) fn mail_addresses(line: &[char]) -> Vec<(usize, usize)> {
    let signs = line.iter().enumerate().filter(|(_, c)| **c == '@');
    signs
        .filter_map(|(at, _)| Some((local_part(line, at)?, domain(line, at + 1)?)))
        .collect()
}

/// Returns the start of the part before the `@`.
fn local_part(line: &[char], at: usize) -> Option<usize> {
    let is_local = |c: &&char| is_letter(**c) || matches!(c, '.' | '_' | '-' | '+' | '%');
    let length = line[..at].iter().rev().take_while(is_local).count();
    count(length);
    let start = at - length;
    let is_path = start > 0 && matches!(line[start - 1], '/' | '@');
    let marks = line[start..at]
        .iter()
        .take_while(|c| !is_letter(**c))
        .count();
    let ends_well = at.checked_sub(1).is_some_and(|last| line[last] != '.');
    (!is_path && marks < length && ends_well).then_some(start + marks)
}

/// Returns the end of the part after the `@`.
fn domain(line: &[char], from: usize) -> Option<usize> {
    let length = line[from..].iter().take_while(|c| is_host(**c)).count();
    count(length);
    let end = line[from..from + length]
        .iter()
        .rposition(|c| is_letter(*c))
        .map(|last| from + last + 1)?;
    let domain = &line[from..end];
    let last_dot = domain.iter().rposition(|c| *c == '.')?;
    let top = &domain[last_dot + 1..];
    let is_good = is_letter(domain[0])
        && top.len() > 1
        && top.iter().all(|c| c.is_alphabetic())
        && !domain.windows(2).any(|two| two == ['.', '.']);
    is_good.then_some(end)
}
