//! Search queries: parsing of words and filters, matching and snippets. Independent of how messages are stored or
//! indexed.

use std::ops::Range;

use unicode_normalization::UnicodeNormalization;

use super::text::{Piece, PieceKind, cut, is_literal, pieces, whole_characters};
use super::{File, Invalid, Millis, RoomId};

/// Maximum length of a query, characters.
const LINE_MAX: usize = 300;
/// Maximum length of a snippet, characters.
const SNIPPET_MAX: usize = 200;
/// Maximum number of characters in a snippet before the first hit.
const SNIPPET_LEAD: usize = 40;

/// Parsed query. A message must match all parts; if a filter is given several times, any one of its values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SearchLine {
    pub terms: Vec<Term>,
    /// User names of senders, as typed.
    pub from: Vec<String>,
    pub rooms: Vec<RoomWord>,
    /// Inclusive lower bound.
    pub since: Option<Millis>,
    /// Exclusive upper bound.
    pub until: Option<Millis>,
    /// Whether only messages with files match.
    pub with_file: bool,
}

/// Room named in a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RoomWord {
    /// `in:#3`, by id.
    Id(RoomId),
    /// `in:@ann`, the direct room with that person.
    With(String),
    /// `in:kitchen`, all rooms of that name.
    Name(String),
}

impl SearchLine {
    /// Parses a query. `day` returns the start of a time or day, if the word names one. Words that are no filter become
    /// terms.
    ///
    /// # Errors
    /// If the line has more than 300 characters.
    pub fn parse(line: &str, day: impl Fn(&str) -> Option<Millis>) -> Result<Self, Invalid> {
        if line.chars().count() > LINE_MAX {
            return Err(Invalid::new("q", "is too long"));
        }
        let mut found = Self::default();
        for word in split(line) {
            if !found.filter(&word, &day) {
                let term = Term::parse(&word).filter(|term| !found.terms.contains(term));
                found.terms.extend(term);
            }
        }
        Ok(found)
    }

    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    fn filter(&mut self, word: &Word<'_>, day: impl Fn(&str) -> Option<Millis>) -> bool {
        let value = word.text;
        let key = word.key.to_ascii_lowercase();
        match key.as_str() {
            _ if value.is_empty() => return false,
            "from" => self.from.push(value.to_owned()),
            "in" => self.rooms.push(RoomWord::parse(value)),
            "has" if value.eq_ignore_ascii_case("file") => self.with_file = true,
            "before" | "after" => {
                let Some(at) = day(value) else { return false };
                let (ours, keep): (_, fn(Millis, Millis) -> Millis) = match key.as_str() {
                    "before" => (&mut self.until, Ord::min),
                    _ => (&mut self.since, Ord::max),
                };
                *ours = Some(ours.map_or(at, |other| keep(other, at)));
            }
            _ => return false,
        }
        true
    }
}

impl RoomWord {
    fn parse(value: &str) -> Self {
        let id = value.strip_prefix('#').and_then(|id| id.parse().ok());
        match (id, value.strip_prefix('@')) {
            (Some(id), _) => Self::Id(RoomId(id)),
            (_, Some(name)) => Self::With(name.to_owned()),
            _ => Self::Name(value.to_owned()),
        }
    }
}

/// Part of a query: `text`, `"some text"`, `key:text` or `key:"some text"`.
struct Word<'a> {
    key: &'a str,
    text: &'a str,
    quoted: bool,
    whole: &'a str,
}

fn split(line: &str) -> Vec<Word<'_>> {
    let mut words = Vec::new();
    let mut rest = line.trim_start();
    while !rest.is_empty() {
        let key_end = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(0);
        let key = match rest[key_end..].starts_with(':') {
            true => &rest[..key_end],
            false => "",
        };
        let from = if key.is_empty() { 0 } else { key.len() + 1 };
        let (text, end, quoted) = value(&rest[from..]);
        words.push(Word {
            key,
            text,
            quoted,
            whole: &rest[..from + end],
        });
        rest = rest[from + end..].trim_start();
    }
    words
}

/// Returns the value at the start of `rest`, the index of its end, and whether it was quoted.
fn value(rest: &str) -> (&str, usize, bool) {
    if let Some(inner) = rest.strip_prefix('"')
        && let Some(end) = inner.find('"')
    {
        return (&inner[..end], end + 2, true);
    }
    let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
    (&rest[..end], end, false)
}

/// Pieces that must follow each other in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
    pub pieces: Vec<Piece>,
    /// Whether the last word also matches as a prefix.
    pub open: bool,
    /// Signs required before and after each piece: `C++`, `#tag`, `a_b`. Empty if any will do.
    signs: Vec<(String, String)>,
}

impl Term {
    /// Minimum length of a word that matches as a prefix, characters.
    pub const OPEN_MIN: usize = 3;

    fn parse(word: &Word<'_>) -> Option<Self> {
        let text = if word.key.is_empty() {
            word.text
        } else {
            word.whole
        };
        let pieces = pieces(text);
        let signs = signs(text, &pieces);
        let last = pieces.last()?;
        let long = last.text.chars().count() >= Self::OPEN_MIN;
        let ends = signs.last().is_some_and(|(_, after)| after.is_empty());
        Some(Self {
            open: !word.quoted && last.kind == PieceKind::Word && long && ends,
            pieces,
            signs,
        })
    }

    /// Returns the byte ranges in `text` that match this term; `cut` are the pieces of `text`.
    pub fn hits(&self, text: &str, cut: &[Piece]) -> Vec<Range<usize>> {
        let found = cut.windows(self.pieces.len());
        found
            .filter(|found| self.fits(found))
            .filter_map(|found| self.with_signs(text, found))
            .collect()
    }

    fn fits(&self, found: &[Piece]) -> bool {
        let last = self.pieces.len() - 1;
        self.pieces
            .iter()
            .zip(found)
            .enumerate()
            .all(|(i, (want, is))| {
                let same = want.text == is.text
                    || (self.open
                        && i == last
                        && is.kind == want.kind
                        && is.text.starts_with(&want.text));
                // The first piece may be preceded by anything; pieces typed without a gap must have none in the text.
                same && (i == 0 || is.glued || !want.glued)
            })
    }

    /// Returns the bytes of a match including the required signs; `None` if these are missing.
    fn with_signs(&self, text: &str, found: &[Piece]) -> Option<Range<usize>> {
        let mut whole: Option<Range<usize>> = None;
        for (piece, (before, after)) in found.iter().zip(&self.signs) {
            let (start, end) = (piece.at.start, piece.at.end);
            let lead = length_of(text[..start].char_indices().rev(), before.chars().rev())?;
            let tail = length_of(text[end..].char_indices(), after.chars())?;
            let first = whole.map_or(start - lead, |whole| whole.start);
            whole = Some(first..end + tail);
        }
        whole
    }
}

/// Returns the number of bytes at the start of `text` that equal `signs` after NFKC; `None` if they differ.
fn length_of(
    mut text: impl Iterator<Item = (usize, char)>,
    signs: impl Iterator<Item = char>,
) -> Option<usize> {
    let mut length = 0;
    for sign in signs {
        let (_, c) = text.next()?;
        if !std::iter::once(c).nfkc().eq([sign]) {
            return None;
        }
        length += c.len_utf8();
    }
    Some(length)
}

/// Returns the signs before and after each piece that are part of the query: those next to a piece, and everything
/// between two pieces without white space between them.
fn signs(text: &str, pieces: &[Piece]) -> Vec<(String, String)> {
    let mut signs = vec![(String::new(), String::new()); pieces.len()];
    let mut end = 0;
    for place in 0..=pieces.len() {
        let next = pieces.get(place).map_or(text.len(), |piece| piece.at.start);
        let gap = text.get(end..next).unwrap_or_default();
        let is_inner = place > 0 && place < pieces.len();
        let is_one = is_inner && gap.contains(is_literal) && !gap.contains(char::is_whitespace);
        let (after, before) = match is_one {
            true => (gap, gap),
            false => (
                &gap[..gap.len() - gap.trim_start_matches(is_literal).len()],
                &gap[gap.trim_end_matches(is_literal).len()..],
            ),
        };
        if place > 0 {
            signs[place - 1].1 = after.nfkc().collect();
        }
        if let Some(piece) = pieces.get(place) {
            signs[place].0 = before.nfkc().collect();
            end = piece.at.end;
        }
    }
    signs
}

/// Returns the searchable text of a message: its content, followed by the names of its files.
pub fn searched(content: &str, files: &[File]) -> String {
    let names = files.iter().map(|file| file.name.as_str());
    let lines: Vec<_> = [content]
        .into_iter()
        .filter(|text| !text.is_empty())
        .chain(names)
        .collect();
    lines.join("\n")
}

/// Returns all hits of `terms` in `text`, sorted; `None` if one of them has none.
pub fn all_hits(terms: &[Term], text: &str) -> Option<Vec<Range<usize>>> {
    let cut = pieces(text);
    let mut all = Vec::new();
    for term in terms {
        let hits = term.hits(text, &cut);
        if hits.is_empty() {
            return None;
        }
        all.extend(hits);
    }
    all.sort_by_key(|hit| (hit.start, hit.end));
    Some(all)
}

/// Part of a snippet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fragment {
    pub text: String,
    /// Whether it matches the query.
    pub hit: bool,
}

/// Returns the part of `text` around the first of `hits` (sorted), in fragments. Omissions are shown as `…`.
pub fn snippet(text: &str, hits: &[Range<usize>]) -> Vec<Fragment> {
    let first = hits.first().map_or(0, |hit| hit.start);
    let start = whole_characters(text, back(text, first, SNIPPET_LEAD)..text.len()).start;
    let end = start + cut(&text[start..], SNIPPET_MAX).len();
    let mut shown = Vec::new();
    let mut push = |text: &str, hit| {
        if !text.is_empty() {
            let text = text.to_owned();
            shown.push(Fragment { text, hit });
        }
    };
    push(if start > 0 { "…" } else { "" }, false);
    let mut at = start;
    for hit in hits {
        let hit = whole_characters(text, hit.clone());
        let (from, to) = (hit.start.max(at), hit.end.min(end));
        if from < to {
            push(&text[at..from], false);
            push(&text[from..to], true);
            at = to;
        }
    }
    push(&text[at..end], false);
    push(if end < text.len() { "…" } else { "" }, false);
    shown
}

/// Returns the start of a snippet, at most `lead` characters before `at`: the beginning of the text, or after white
/// space.
fn back(text: &str, at: usize, lead: usize) -> usize {
    let before = &text[..at];
    let Some((start, _)) = before.char_indices().rev().nth(lead) else {
        return 0;
    };
    let blank = before[start..].find(char::is_whitespace);
    blank.map_or(start, |blank| {
        let after = &before[start + blank..];
        at - after.trim_start().len()
    })
}
