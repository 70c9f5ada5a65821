//! Parser for inline markup: the start and end of spans within a line.
//!
//! The time is linear in the length of the line. Everything that needs look-ahead (the end of a code span, of emphasis,
//! of a link) is computed once per line, from its end to its beginning; then a span is found without a search.

use std::collections::HashMap;

use super::super::signs::{is_gap, is_letter, is_picture, may_close_before, may_open_after};
use super::links::{SCHEMES, WWW, begins, host, mail_addresses, stops_address, without_tail};
use super::{MENTION_MAX, Reader, count};

/// "Nowhere": greater than any index in a line.
const NOWHERE: usize = usize::MAX;

/// Part of a line being parsed, and the formatting around it. Bold and italic do not nest in themselves.
#[derive(Clone, Copy)]
pub(super) struct Part {
    pub start: usize,
    pub end: usize,
    pub bold: bool,
    pub italic: bool,
}

/// Inline formatting.
#[derive(Clone, Copy)]
pub(super) enum Span {
    /// Delimited by that many backticks.
    Code(usize),
    Bold,
    Italic,
    /// Link, with the scheme that its text lacks.
    Link(&'static str),
    Mention,
}

/// Characters of a line, and tables with look-ahead for every index.
pub(super) struct Line {
    pub chars: Vec<char>,
    /// End of the code span that begins at an index; 0 if none does.
    code: Vec<usize>,
    /// Whether an index is within a code span.
    in_code: Vec<bool>,
    /// Marks after a backslash, and backslashes that are not shown.
    escaped: Vec<bool>,
    hidden: Vec<bool>,
    /// Number of letters, digits and pictographs before an index: emphasis must contain one.
    solid: Vec<usize>,
    /// End of the e-mail address that begins at an index.
    mail: HashMap<usize, usize>,
    /// Next index at which `*…*`, `_…_` and `**…**` may end.
    star: Vec<usize>,
    underscore: Vec<usize>,
    bold: Vec<usize>,
    /// Next index that ends any URL, and index of the next `@`.
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
            escaped: vec![false; length],
            hidden: vec![false; length],
            solid: Vec::with_capacity(length + 1),
            mail: HashMap::new(),
            star: vec![NOWHERE; length + 1],
            underscore: vec![NOWHERE; length + 1],
            bold: vec![NOWHERE; length + 1],
            stop: vec![length; length + 1],
            sign: vec![NOWHERE; length + 1],
            chars,
        };
        line.find_code();
        line.find_escapes();
        line.look_ahead();
        line.mail = mail_addresses(&line.chars).into_iter().collect();
        line
    }

    /// Whether the backslash at this index is markup and not shown.
    pub(super) fn hides(&self, at: usize) -> bool {
        self.hidden[at]
    }

    /// Finds code spans: from a run of backticks to the next run of the same length, left to right. A span does not
    /// begin within a word or after a backslash.
    fn find_code(&mut self) {
        let runs = self.backtick_runs();
        let mut next_of_length = HashMap::new();
        let mut partner = vec![None; runs.len()];
        for (place, (_, length)) in runs.iter().enumerate().rev() {
            partner[place] = next_of_length.insert(*length, place);
        }
        let mut place = 0;
        while place < runs.len() {
            let begin = runs[place].0;
            let is_inside = begin > 0 && is_letter(self.chars[begin - 1]);
            let opens = !is_inside && !self.is_behind_backslash(begin);
            let Some(last) = partner[place].filter(|_| opens) else {
                place += 1;
                continue;
            };
            let (start, end) = (begin, runs[last].0 + runs[last].1);
            self.code[start] = end;
            self.in_code[start..end].fill(true);
            place = last + 1;
        }
    }

    /// Returns start and length of each run of backticks.
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

    /// Two backslashes do not escape: they occur in Windows paths.
    fn is_behind_backslash(&self, at: usize) -> bool {
        let is_backslash = |back: usize| at >= back && self.chars[at - back] == '\\';
        is_backslash(1) && !is_backslash(2)
    }

    /// Finds escaped marks. A backslash is hidden where its mark could have opened markup, or closed what another
    /// escaped mark could have opened. Any other backslash is part of the text (`¯\_(ツ)_/¯`).
    fn find_escapes(&mut self) {
        let length = self.chars.len();
        let is_mark = |c: char| matches!(c, '*' | '_' | '`' | '@' | '＠');
        for at in 1..length {
            count(1);
            self.escaped[at] =
                is_mark(self.chars[at]) && !self.in_code[at] && self.is_behind_backslash(at);
        }
        // The character after each mark, skipping other escaped marks.
        let mut after: Vec<Option<char>> = vec![None; length];
        for at in (0..length).rev() {
            after[at] = match self.escaped.get(at + 2) {
                Some(true) => after[at + 2],
                _ => self.chars.get(at + 1).copied(),
            };
        }
        let mut before: Vec<Option<char>> = vec![None; length];
        let mut open: HashMap<char, usize> = HashMap::new();
        for at in 1..length {
            if !self.escaped[at] {
                continue;
            }
            before[at] = at.checked_sub(2).and_then(|back| match self.escaped[back] {
                true => before[back],
                false => Some(self.chars[back]),
            });
            let is_blank = |c: Option<char>| c.is_none_or(char::is_whitespace);
            let mark = self.chars[at];
            let opened = open.entry(mark).or_default();
            if matches!(mark, '@' | '＠') {
                self.hidden[at - 1] =
                    before[at].is_none_or(is_gap) && after[at].is_some_and(is_letter);
            } else if may_open_after(before[at]) && !is_blank(after[at]) {
                *opened += 1;
                self.hidden[at - 1] = true;
            } else if *opened > 0 && may_close_before(after[at]) && !is_blank(before[at]) {
                *opened -= 1;
                self.hidden[at - 1] = true;
            }
        }
    }

    fn look_ahead(&mut self) {
        let length = self.chars.len();
        let mut solid = 0;
        self.solid.push(0);
        for c in &self.chars {
            solid += usize::from(c.is_alphanumeric() || is_picture(*c));
            self.solid.push(solid);
        }
        for at in (0..length).rev() {
            count(1);
            let c = self.chars[at];
            let next = |ends: bool, after: usize| if ends { at } else { after };
            let italic = |mark| c == mark && self.closes_italic(at, length);
            let bold = self.closes_bold(at, length);
            let (star, underscore) = (italic('*'), italic('_'));
            self.star[at] = next(star, self.star[at + 1]);
            self.underscore[at] = next(underscore, self.underscore[at + 1]);
            self.bold[at] = next(bold, self.bold[at + 1]);
            self.stop[at] = next(stops_address(c), self.stop[at + 1]);
            self.sign[at] = next(c == '@', self.sign[at + 1]);
        }
    }

    /// Returns the span that begins at `at`, and its end.
    pub(super) fn span(
        &self,
        reader: &mut impl Reader,
        at: usize,
        part: Part,
    ) -> Option<(Span, usize)> {
        count(1);
        let before = (at > part.start).then(|| self.chars[at - 1]);
        if let Some(end) = self.mail.get(&at).filter(|end| **end <= part.end) {
            return Some((Span::Link("mailto:"), *end));
        }
        match self.chars[at] {
            '`' => self.code_span(at, part.end),
            _ if self.escaped[at] => None,
            '*' | '_' => self.emphasis(at, before, part),
            '@' | '＠' if before.is_none_or(is_gap) => self.mention(reader, at + 1, part.end),
            'h' | 'H' | 'm' | 'M' if !before.is_some_and(is_letter) => self.address(at, part.end),
            'w' | 'W' if self.may_be_www(before) => self.www(at, part.end),
            _ => None,
        }
    }

    fn code_span(&self, at: usize, end: usize) -> Option<(Span, usize)> {
        let code_end = Some(self.code[at]).filter(|code_end| (1..=end).contains(code_end))?;
        let marks = self.chars[at..].iter().take_while(|c| **c == '`').count();
        count(marks);
        Some((Span::Code(marks), code_end))
    }

    fn mention(&self, reader: &mut impl Reader, from: usize, end: usize) -> Option<(Span, usize)> {
        // One more than the longest name, to see where a name ends.
        let near = from..end.min(from + MENTION_MAX + 1);
        let length = self.in_code[near].iter().take_while(|code| !**code).count();
        let length = reader.find_name(&self.chars[from..from + length])?;
        Some((Span::Mention, from + length))
    }

    fn emphasis(&self, at: usize, before: Option<char>, part: Part) -> Option<(Span, usize)> {
        let mark = self.chars[at];
        let next = self.chars[at..part.end].get(1).copied();
        if !may_open_after(before) {
            return None;
        }
        if !part.bold && mark == '*' && next == Some('*') {
            return self.bold_end(at, part.end).map(|end| (Span::Bold, end));
        }
        let opens = !part.italic && next.is_some_and(|next| !next.is_whitespace() && next != mark);
        if !opens {
            return None;
        }
        let ends = if mark == '*' {
            &self.star
        } else {
            &self.underscore
        };
        let last = part.end - 1;
        let closes_last = || self.chars[last] == mark && self.closes_italic(last, part.end);
        let end = match ends.get(at + 2) {
            Some(end) if *end <= last => *end,
            Some(_) if last >= at + 2 && closes_last() => last,
            _ => return None,
        };
        self.is_solid(at + 1, end)
            .then_some((Span::Italic, end + 1))
    }

    /// Whether the range has something to emphasise. Marks and signs alone are an emoticon.
    fn is_solid(&self, from: usize, to: usize) -> bool {
        self.solid[to] > self.solid[from]
    }

    fn is_ordinary(&self, at: usize) -> bool {
        self.in_code[at] || self.escaped[at]
    }

    /// Whether italic may end at `at`, in a part that ends at `end`.
    fn closes_italic(&self, at: usize, end: usize) -> bool {
        let mark = self.chars[at];
        let before = at.checked_sub(1).map(|before| self.chars[before]);
        !self.is_ordinary(at)
            && before.is_some_and(|before| !before.is_whitespace() && before != mark)
            && may_close_before(self.chars[..end].get(at + 1).copied())
    }

    fn bold_end(&self, at: usize, end: usize) -> Option<usize> {
        if self.chars[..end].get(at + 2)?.is_whitespace() {
            return None;
        }
        let last = end - 2;
        let close = match self.bold.get(at + 3) {
            Some(found) if *found <= last => *found,
            Some(_) if last >= at + 3 && self.closes_bold(last, end) => last,
            _ => return None,
        };
        self.is_solid(at + 2, close).then_some(close + 2)
    }

    fn closes_bold(&self, at: usize, end: usize) -> bool {
        let line = &self.chars[..end];
        line[at] == '*'
            && line.get(at + 1) == Some(&'*')
            && !self.is_ordinary(at)
            && at > 0
            && !line[at - 1].is_whitespace()
            && may_close_before(line.get(at + 2).copied())
    }

    /// Returns the link that begins with a scheme at `at`; a full stop after it is not part of it.
    fn address(&self, at: usize, end: usize) -> Option<(Span, usize)> {
        let part = &self.chars[at..end];
        let scheme = SCHEMES.into_iter().find(|scheme| begins(part, scheme))?;
        let (body, stop) = (at + scheme.len(), self.stop[at].min(end));
        let is_good = match scheme {
            "mailto:" => self.sign[body] > body && self.sign[body] < stop,
            _ => self.chars[body..stop]
                .first()
                .is_some_and(|c| c.is_alphanumeric() || *c == '['),
        };
        is_good.then(|| (Span::Link(""), body + without_tail(&self.chars[body..stop])))
    }

    fn may_be_www(&self, before: Option<char>) -> bool {
        before.is_none_or(|c| !is_letter(c) && !matches!(c, '/' | '.' | '-' | '_' | '@' | ':'))
    }

    fn www(&self, at: usize, end: usize) -> Option<(Span, usize)> {
        let stop = self.stop[at].min(end);
        if !begins(&self.chars[at..stop], WWW) {
            return None;
        }
        let body = at + WWW.len();
        let (length, goes_on) = host(&self.chars[body..stop])?;
        let length = match goes_on {
            true => without_tail(&self.chars[body..stop]),
            false => length,
        };
        Some((Span::Link("https://"), body + length))
    }
}
