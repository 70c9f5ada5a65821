//! What somebody looks for: a line of text with words and filters, and where a message has them. Must not know how
//! messages are kept or found.

use std::ops::Range;

use unicode_normalization::UnicodeNormalization;

use super::text::{Piece, PieceKind, cut, is_literal, pieces, whole_characters};
use super::{File, Invalid, Millis, RoomId};

/// The longest line that is searched for, characters.
const LINE_MAX: usize = 300;
/// How much of a message a snippet shows, characters.
const SNIPPET_MAX: usize = 200;
/// How much of that stands before the first hit.
const SNIPPET_LEAD: usize = 40;

/// A line as typed, taken apart. All of it must fit a message; what it holds twice of a filter, any of these.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SearchLine {
    /// What must be in the text.
    pub terms: Vec<Term>,
    /// User names of senders, as typed.
    pub from: Vec<String>,
    /// Rooms.
    pub rooms: Vec<RoomWord>,
    /// Not before this time.
    pub since: Option<Millis>,
    /// Before this time.
    pub until: Option<Millis>,
    /// Only messages with files.
    pub with_file: bool,
}

/// A room, as somebody names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RoomWord {
    /// `in:#3`, by number.
    Id(RoomId),
    /// `in:@ann`, the direct room with that person.
    With(String),
    /// `in:kitchen`, all rooms of that name.
    Name(String),
}

impl SearchLine {
    /// Takes any text apart; `day` tells when a time or day begins, if the word is one. What is no filter is a term.
    ///
    /// # Errors
    /// A line of more than 300 characters.
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

    /// Nothing to look for.
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

/// A part of the line: `text`, `"some text"`, `key:text` or `key:"some text"`.
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

/// The value that `rest` begins with, where it ends, and whether it stood in quotes.
fn value(rest: &str) -> (&str, usize, bool) {
    if let Some(inner) = rest.strip_prefix('"')
        && let Some(end) = inner.find('"')
    {
        return (&inner[..end], end + 2, true);
    }
    let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
    (&rest[..end], end, false)
}

/// Pieces that must stand in a text one after the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
    /// What must be there.
    pub pieces: Vec<Piece>,
    /// The last word may go on.
    pub open: bool,
    /// Signs that must stand before and behind each piece: `C++`, `#tag`, `a_b`. Empty where any will do.
    signs: Vec<(String, String)>,
}

impl Term {
    /// Shorter words must be whole.
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

    /// Which bytes of a text, which was cut into `cut`, this term was found in.
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
                // The first piece begins anywhere; what was typed as one must be one.
                same && (i == 0 || is.glued || !want.glued)
            })
    }

    /// The bytes of what was found, with the signs that must be there; `None` if they are not.
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

/// How many bytes of a text are these signs, however wide they are; `None` if it goes on otherwise.
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

/// The signs before and behind each piece of a search that somebody means: those next to it, and all between two pieces
/// that no blank parts.
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

/// What of a message is searched: its text, and below it the names of its files.
pub fn searched(content: &str, files: &[File]) -> String {
    let names = files.iter().map(|file| file.name.as_str());
    let lines: Vec<_> = [content]
        .into_iter()
        .filter(|text| !text.is_empty())
        .chain(names)
        .collect();
    lines.join("\n")
}

/// Where all `terms` are in `text`; `None` if one of them is not.
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

/// A part of a snippet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fragment {
    /// A part of the message's text.
    pub text: String,
    /// Whether it is what was looked for.
    pub hit: bool,
}

/// The part of `text` around the first of `hits` (sorted), in fragments; cuts are shown by `…`.
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

/// Where `text` is to begin so that at most `lead` characters stand before `at`: at its own beginning, or after a blank.
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
