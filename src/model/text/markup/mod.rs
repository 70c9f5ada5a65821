//! Parser of message text: a subset of Markdown, links, and mentions. The page's `markup.js` has the same grammar;
//! `tests/markup.json` tests both. Text that is not markup is kept as typed.
//!
//! A line is code (between lines of three backticks), a quote (`> `), a list item (`- `, `* `, `1. `) or text. Within a
//! line there are `` `code` ``, `**bold**`, `*italic*`, `_italic_`, links (`https://…`, `www.…`, `mailto:…`,
//! `name@host`) and `@names`. Emphasis needs a word boundary on both sides. A backslash before a mark makes it an
//! ordinary character; the backslash itself is hidden only where the mark could have been markup.
//!
//! The time is linear in the length of any text; `tests/markup_worst.json` holds texts designed to take longer.

mod line;
mod links;
#[cfg(test)]
mod steps;

use line::{Line, Part, Span};

/// Counts the characters visited, so that tests can check that the work is linear.
#[cfg(not(test))]
fn count(_steps: usize) {}
#[cfg(test)]
pub(crate) use steps::STEPS_TAKEN;
#[cfg(test)]
use steps::count;

/// Maximum depth of nested quotes.
const DEPTH_MAX: usize = 3;
/// Maximum length of a name in a mention, characters; no username is longer.
pub const MENTION_MAX: usize = 64;

/// Part of a text that contains other parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Element {
    /// Lines of text.
    Paragraph,
    /// Lines after `>`.
    Quote,
    /// Unordered list.
    Bullets,
    /// Ordered list, with its first number.
    Numbers(u32),
    /// List item, with its number if that is not the next one.
    Item(Option<u32>),
    /// Fenced code block.
    CodeBlock,
    /// Code within a line.
    Code,
    /// `**…**`
    Bold,
    /// `*…*` or `_…_`
    Italic,
}

/// Receives the parts of a text, from beginning to end.
pub trait Reader {
    fn begin(&mut self, element: Element);
    /// Called for the element that began last.
    fn end(&mut self, element: Element);
    /// Receives a character of the text.
    fn char(&mut self, c: char);
    /// Receives a link; `scheme` is the one that `address` lacks, or empty.
    fn link(&mut self, scheme: &'static str, address: &[char]);
    /// Returns how many characters of `name` are a name that can be mentioned. `name` is the text after an `@`, at most
    /// [`MENTION_MAX`] + 1 characters.
    fn find_name(&mut self, name: &[char]) -> Option<usize>;
    /// Receives the mention found last, with its `@`.
    fn mention(&mut self, text: &[char]);
    /// Called for a backslash that is not part of the text.
    fn hidden(&mut self) {}
}

/// Parses `text` and passes its parts to `reader`.
pub fn read(text: &str, reader: &mut impl Reader) {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let lines: Vec<&str> = text.split('\n').collect();
    Walker { reader }.blocks(&lines, 0);
}

/// Block that a line begins, with the line without its marker.
#[derive(Clone, Copy)]
enum Block<'a> {
    Fence,
    Quote(&'a str),
    Bullet(&'a str),
    Number(u32, &'a str),
    Text(&'a str),
    /// Text whose block marker is escaped.
    Escaped(&'a str),
}

impl<'a> Block<'a> {
    fn of(line: &'a str, depth: usize) -> Self {
        count(line.len() + 1);
        if let Some(rest) = line.strip_prefix("```") {
            let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '+' | '-');
            if rest.trim_end().chars().all(is_word) {
                return Self::Fence;
            }
        }
        if let Some(rest) = line.strip_prefix('\\')
            && Self::marked(rest, depth).is_some()
        {
            return Self::Escaped(rest);
        }
        Self::marked(line, depth).unwrap_or(Self::Text(line))
    }

    fn marked(line: &'a str, depth: usize) -> Option<Self> {
        match line.strip_prefix('>') {
            Some(rest) if depth < DEPTH_MAX => match rest.chars().next() {
                None | Some('>') => Some(Self::Quote(rest)),
                Some(' ') => Some(Self::Quote(&rest[1..])),
                // An arrow, an emoticon, "more than 5".
                Some(_) => None,
            },
            _ => Self::item(line.trim_start_matches([' ', '\t'])),
        }
    }

    fn item(line: &'a str) -> Option<Self> {
        let digits = line.len() - line.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (marker, rest) = line.split_at_checked(digits + 1)?;
        let rest = rest.strip_prefix(' ').map(str::trim)?;
        if rest.is_empty() {
            return None;
        }
        match (digits, marker) {
            (0, "-" | "*") => Some(Self::Bullet(rest)),
            (1..=9, _) if marker.ends_with('.') => {
                Some(Self::Number(marker[..digits].parse().ok()?, rest))
            }
            _ => None,
        }
    }

    /// Returns a number for the kind of block. Adjacent lines of one kind form one block.
    fn sort(self) -> u8 {
        match self {
            Self::Fence => 0,
            Self::Quote(_) => 1,
            Self::Bullet(_) => 2,
            Self::Number(..) => 3,
            Self::Text(_) | Self::Escaped(_) => 4,
        }
    }

    fn rest(self) -> &'a str {
        match self {
            Self::Quote(rest)
            | Self::Bullet(rest)
            | Self::Number(_, rest)
            | Self::Text(rest)
            | Self::Escaped(rest) => rest,
            Self::Fence => "",
        }
    }
}

struct Walker<'a, R> {
    reader: &'a mut R,
}

impl<R: Reader> Walker<'_, R> {
    fn blocks(&mut self, lines: &[&str], depth: usize) {
        let begun: Vec<_> = lines.iter().map(|line| Block::of(line, depth)).collect();
        let mut at = 0;
        while at < lines.len() {
            let sort = begun[at].sort();
            let same = begun[at..].iter().take_while(|next| next.sort() == sort);
            let block = &begun[at..at + same.count()];
            match begun[at] {
                Block::Fence => {
                    at += 1 + self.code(&lines[at + 1..]);
                    continue;
                }
                Block::Quote(_) => {
                    let rest: Vec<_> = block.iter().map(|block| block.rest()).collect();
                    self.wrap(Element::Quote, |walker| walker.blocks(&rest, depth + 1));
                }
                Block::Bullet(_) => self.list(Element::Bullets, block),
                Block::Number(first, _) => self.list(Element::Numbers(first), block),
                Block::Text(_) | Block::Escaped(_) => self.paragraph(block),
            }
            at += block.len();
        }
    }

    /// Reads lines up to the closing fence. Returns their number, including the fence.
    fn code(&mut self, lines: &[&str]) -> usize {
        let end = lines.iter().position(|line| {
            count(line.len() + 1);
            line.trim_end() == "```"
        });
        self.wrap(Element::CodeBlock, |walker| {
            for (place, line) in lines[..end.unwrap_or(lines.len())].iter().enumerate() {
                if place > 0 {
                    walker.char('\n');
                }
                line.chars().for_each(|c| walker.char(c));
            }
        });
        end.map_or(lines.len(), |end| end + 1)
    }

    fn list(&mut self, list: Element, items: &[Block<'_>]) {
        self.wrap(list, |walker| {
            let mut next = match list {
                Element::Numbers(first) => first,
                _ => 0,
            };
            for item in items {
                let number = match *item {
                    Block::Number(number, _) if number != next => Some(number),
                    _ => None,
                };
                next = number.unwrap_or(next).saturating_add(1);
                walker.wrap(Element::Item(number), |walker| walker.line(item.rest()));
            }
        });
    }

    fn paragraph(&mut self, lines: &[Block<'_>]) {
        let is_full = |line: &Block<'_>| !line.rest().trim().is_empty();
        let Some(first) = lines.iter().position(is_full) else {
            return;
        };
        let last = lines.iter().rposition(is_full).unwrap_or(first);
        self.wrap(Element::Paragraph, |walker| {
            for (place, line) in lines[first..=last].iter().enumerate() {
                if place > 0 {
                    walker.char('\n');
                }
                if matches!(line, Block::Escaped(_)) {
                    walker.reader.hidden();
                }
                walker.line(line.rest());
            }
        });
    }

    fn line(&mut self, line: &str) {
        if !line.contains(['`', '*', '_', '@', '＠', ':']) && !links::may_have_www(line) {
            return line.chars().for_each(|c| self.char(c));
        }
        let line = Line::new(line.chars().collect());
        let whole = Part {
            start: 0,
            end: line.chars.len(),
            bold: false,
            italic: false,
        };
        self.inline(&line, whole);
    }

    fn inline(&mut self, line: &Line, part: Part) {
        let (mut at, mut from) = (part.start, part.start);
        while at < part.end {
            let Some((span, end)) = line.span(self.reader, at, part) else {
                at += 1;
                continue;
            };
            self.text(line, from, at);
            let found = Part {
                start: at,
                end,
                ..part
            };
            self.span(line, span, found);
            (at, from) = (end, end);
        }
        self.text(line, from, part.end);
    }

    fn span(&mut self, line: &Line, span: Span, part: Part) {
        let chars = &line.chars[part.start..part.end];
        let inner = |marks: usize, bold: bool, italic: bool| Part {
            start: part.start + marks,
            end: part.end - marks,
            bold: part.bold || bold,
            italic: part.italic || italic,
        };
        match span {
            Span::Code(marks) => self.wrap(Element::Code, |walker| {
                let code = &chars[marks..chars.len() - marks];
                code.iter().for_each(|c| walker.char(*c));
            }),
            Span::Bold => self.wrap(Element::Bold, |walker| {
                walker.inline(line, inner(2, true, false));
            }),
            Span::Italic => self.wrap(Element::Italic, |walker| {
                walker.inline(line, inner(1, false, true));
            }),
            Span::Mention => self.reader.mention(chars),
            Span::Link(scheme) => self.reader.link(scheme, chars),
        }
    }

    fn wrap(&mut self, element: Element, inner: impl FnOnce(&mut Self)) {
        self.reader.begin(element);
        inner(self);
        self.reader.end(element);
    }

    fn text(&mut self, line: &Line, from: usize, to: usize) {
        for at in from..to {
            if line.hides(at) {
                self.reader.hidden();
            } else {
                self.char(line.chars[at]);
            }
        }
    }

    fn char(&mut self, c: char) {
        count(1);
        self.reader.char(c);
    }
}
