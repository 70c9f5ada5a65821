//! Finds what is marked up within a line: where a span begins and how far it goes. Must not know HTML.
//!
//! The time is linear in the line. What needs a look ahead (the end of a code span, of emphasis, of an address) is
//! computed once per line, from its end to its beginning; a span is then found without a search.

use std::collections::HashMap;

use crate::model::{is_gap, name_key};

use super::{Called, count};

/// No username is longer, characters.
const NAME_MAX: usize = 64;
/// Characters that are compared with names in one message: enough for every `@` that can mention somebody.
const NAME_CHARS: usize = 6400;
/// Stands for "nowhere": behind every place of a line.
const NOWHERE: usize = usize::MAX;
/// Brackets that belong to an address only in pairs.
const PAIRS: [(char, char); 3] = [('(', ')'), ('[', ']'), ('{', '}')];
/// How addresses begin.
const SCHEMES: [&str; 3] = ["https://", "http://", "mailto:"];

/// The part of a line that is read, and what is marked up around it: nothing is so twice.
#[derive(Clone, Copy)]
pub(super) struct Part {
    pub start: usize,
    pub end: usize,
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

/// Whom a message mentions, and how much of it may still be compared with their names.
pub(super) struct Names<'a> {
    called: &'a [Called],
    chars_left: usize,
}

impl<'a> Names<'a> {
    pub(super) fn new(called: &'a [Called]) -> Self {
        Self {
            called,
            chars_left: NAME_CHARS,
        }
    }

    fn key(&mut self, chars: &[char]) -> String {
        count(chars.len());
        self.chars_left = self.chars_left.saturating_sub(chars.len());
        name_key(&chars.iter().collect::<String>())
    }

    /// The longest name that `rest` begins with: whether it is the reader's, and its length.
    fn find(&mut self, rest: &[char]) -> Option<(bool, usize)> {
        let key = self.key(rest);
        let called = self.called;
        let begins = |called: &&Called| {
            count(1);
            let after = key.strip_prefix(called.key.as_str());
            after.is_some_and(|after| after.chars().next().is_none_or(is_gap))
        };
        let mut begun: Vec<_> = called.iter().filter(begins).collect();
        begun.sort_by_key(|called| std::cmp::Reverse(called.key.len()));
        begun
            .into_iter()
            .find_map(|called| Some((called.is_me, self.length(rest, &called.key)?)))
    }

    /// How many characters of `rest` make up a name; as many as it has unless they were typed in another form.
    fn length(&mut self, rest: &[char], name: &str) -> Option<usize> {
        let usual = name.chars().count();
        let others = (1..=NAME_MAX).filter(|length| *length != usual);
        [usual].into_iter().chain(others).find(|length| {
            *length <= rest.len()
                && self.chars_left >= *length
                && rest.get(*length).is_none_or(|next| is_gap(*next))
                && self.key(&rest[..*length]) == name
        })
    }
}

/// A line, and for every place in it what comes next.
pub(super) struct Line {
    pub chars: Vec<char>,
    /// Where the code span ends that begins at a place; 0 if none does.
    code: Vec<usize>,
    /// Whether a place is within a code span.
    in_code: Vec<bool>,
    /// The next place from here on where `*…*`, `_…_` and `**…**` may end.
    star: Vec<usize>,
    underscore: Vec<usize>,
    bold: Vec<usize>,
    /// The next place from here on that no address goes beyond, and the next `@`.
    stop: Vec<usize>,
    sign: Vec<usize>,
}

impl Line {
    pub(super) fn new(chars: Vec<char>) -> Self {
        let length = chars.len();
        count(length);
        let mut line = Self {
            code: vec![0; length],
            in_code: vec![false; length],
            star: vec![NOWHERE; length + 1],
            underscore: vec![NOWHERE; length + 1],
            bold: vec![NOWHERE; length + 1],
            stop: vec![length; length + 1],
            sign: vec![NOWHERE; length + 1],
            chars,
        };
        line.find_code();
        line.look_ahead();
        line
    }

    /// Code spans: a run of backticks up to the next run of the same length, from left to right.
    fn find_code(&mut self) {
        let runs = self.backtick_runs();
        let mut next_of_length = HashMap::new();
        let mut partner = vec![None; runs.len()];
        for (place, (_, length)) in runs.iter().enumerate().rev() {
            partner[place] = next_of_length.insert(*length, place);
        }
        let mut place = 0;
        while place < runs.len() {
            let Some(last) = partner[place] else {
                place += 1;
                continue;
            };
            let (start, end) = (runs[place].0, runs[last].0 + runs[last].1);
            self.code[start] = end;
            self.in_code[start..end].fill(true);
            place = last + 1;
        }
    }

    /// Where runs of backticks begin, and how long they are.
    fn backtick_runs(&self) -> Vec<(usize, usize)> {
        let mut runs: Vec<(usize, usize)> = Vec::new();
        for (at, c) in self.chars.iter().enumerate() {
            count(1);
            match runs.last_mut() {
                _ if *c != '`' => {}
                Some((start, length)) if *start + *length == at => *length += 1,
                _ => runs.push((at, 1)),
            }
        }
        runs
    }

    fn look_ahead(&mut self) {
        let length = self.chars.len();
        for at in (0..length).rev() {
            count(1);
            let c = self.chars[at];
            let next = |ends: bool, after: usize| if ends { at } else { after };
            let italic = |mark| c == mark && !self.in_code[at] && self.closes_italic(at, length);
            let bold = !self.in_code[at] && self.closes_bold(at, length);
            let (star, underscore) = (italic('*'), italic('_'));
            self.star[at] = next(star, self.star[at + 1]);
            self.underscore[at] = next(underscore, self.underscore[at + 1]);
            self.bold[at] = next(bold, self.bold[at + 1]);
            self.stop[at] = next(stops_address(c), self.stop[at + 1]);
            self.sign[at] = next(c == '@', self.sign[at + 1]);
        }
    }

    /// What begins there, and where it ends.
    pub(super) fn span(
        &self,
        names: &mut Names<'_>,
        at: usize,
        part: Part,
    ) -> Option<(Span, usize)> {
        count(1);
        let before = (at > part.start).then(|| self.chars[at - 1]);
        match self.chars[at] {
            '`' => self.code_span(at),
            '*' | '_' => self.emphasis(at, before, part),
            '@' | '＠' if before.is_none_or(is_gap) => self.mention(names, at + 1, part.end),
            'h' | 'H' | 'm' | 'M' if !before.is_some_and(char::is_alphanumeric) => {
                Some((Span::Link, self.address(at, part.end)?))
            }
            _ => None,
        }
    }

    fn code_span(&self, at: usize) -> Option<(Span, usize)> {
        let end = Some(self.code[at]).filter(|end| *end > 0)?;
        let marks = self.chars[at..].iter().take_while(|c| **c == '`').count();
        count(marks);
        Some((Span::Code(marks), end))
    }

    fn mention(&self, names: &mut Names<'_>, from: usize, end: usize) -> Option<(Span, usize)> {
        if names.called.is_empty() || names.chars_left <= NAME_MAX {
            return None;
        }
        count(NAME_MAX);
        // One more than a name has, to see where it ends.
        let near = from..end.min(from + NAME_MAX + 1);
        let length = self.in_code[near].iter().take_while(|code| !**code).count();
        let (is_me, length) = names.find(&self.chars[from..from + length])?;
        Some((Span::Mention(is_me), from + length))
    }

    fn emphasis(&self, at: usize, before: Option<char>, part: Part) -> Option<(Span, usize)> {
        let mark = self.chars[at];
        let next = self.chars[at..part.end].get(1).copied();
        if !part.bold && mark == '*' && next == Some('*') {
            return self.bold_end(at, part.end).map(|end| (Span::Bold, end));
        }
        let opens = !part.italic
            && before.is_none_or(|before| !before.is_alphanumeric() && before != mark)
            && next.is_some_and(|next| !next.is_whitespace() && next != mark);
        if !opens {
            return None;
        }
        let ends = if mark == '*' {
            &self.star
        } else {
            &self.underscore
        };
        let last = part.end - 1;
        let closes_last = || {
            self.chars[last] == mark && !self.in_code[last] && self.closes_italic(last, part.end)
        };
        match ends.get(at + 2) {
            Some(end) if *end <= last => Some((Span::Italic, end + 1)),
            Some(_) if last >= at + 2 && closes_last() => Some((Span::Italic, part.end)),
            _ => None,
        }
    }

    /// Whether emphasis may end there, in a part that ends at `end`.
    fn closes_italic(&self, at: usize, end: usize) -> bool {
        let mark = self.chars[at];
        let before = at.checked_sub(1).map(|before| self.chars[before]);
        before.is_some_and(|before| !before.is_whitespace() && before != mark)
            && self.chars[..end]
                .get(at + 1)
                .is_none_or(|next| !next.is_alphanumeric() && *next != mark)
    }

    fn bold_end(&self, at: usize, end: usize) -> Option<usize> {
        if self.chars[..end].get(at + 2)?.is_whitespace() {
            return None;
        }
        let last = end - 2;
        match self.bold.get(at + 3) {
            Some(found) if *found <= last => Some(found + 2),
            Some(_) if last >= at + 3 && !self.in_code[last] && self.closes_bold(last, end) => {
                Some(end)
            }
            _ => None,
        }
    }

    fn closes_bold(&self, at: usize, end: usize) -> bool {
        let line = &self.chars[..end];
        line[at] == '*'
            && line.get(at + 1) == Some(&'*')
            && line.get(at + 2) != Some(&'*')
            && at > 0
            && !line[at - 1].is_whitespace()
    }

    /// Where the address ends that begins there; a full stop after it is not part of it.
    fn address(&self, at: usize, end: usize) -> Option<usize> {
        let part = &self.chars[at..end];
        let scheme = SCHEMES.into_iter().find(|scheme| begins(part, scheme))?;
        let (body, stop) = (at + scheme.len(), self.stop[at].min(end));
        let is_good = match scheme {
            "mailto:" => self.sign[body] > body && self.sign[body] < stop,
            _ => self.chars[body..stop]
                .first()
                .is_some_and(|c| c.is_alphanumeric() || *c == '['),
        };
        is_good.then(|| body + without_tail(&self.chars[body..stop]))
    }
}

fn stops_address(c: char) -> bool {
    c.is_whitespace() || c.is_control() || matches!(c, '<' | '>' | '"' | '`')
}

fn begins(rest: &[char], scheme: &str) -> bool {
    rest.len() >= scheme.len()
        && scheme
            .chars()
            .zip(rest)
            .all(|(a, b)| a == b.to_ascii_lowercase())
}

/// How much of an address is left without the signs at its end that belong to the sentence.
fn without_tail(address: &[char]) -> usize {
    count(address.len());
    let of = |wanted: char| address.iter().filter(|c| **c == wanted).count();
    let open = PAIRS.map(|(begin, _)| of(begin));
    let mut closed = PAIRS.map(|(_, end)| of(end));
    let mut length = address.len();
    while let Some(last) = address[..length].last() {
        let pair = PAIRS.iter().position(|(_, end)| end == last);
        let is_tail = match (last, pair) {
            ('.' | ',' | ';' | ':' | '!' | '?' | '\'' | '*' | '_' | '~', _) => true,
            (_, Some(pair)) => closed[pair] > open[pair],
            _ => false,
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
