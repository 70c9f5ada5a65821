//! What people write, taken apart: a little Markdown, links, and where somebody may be mentioned. The grammar is that of
//! the page's `markup.js`; `tests/markup.json` holds both to it. What is no markup stays as it was typed.
//!
//! A line is code (between lines of three backticks), a quote (`> `), an item of a list (`- `, `* `, `1. `) or text.
//! Within a line there are `` `code` ``, `**bold**`, `*italic*`, `_italic_`, addresses (`https://…`, `www.…`,
//! `mailto:…`, `name@host`) and `@names`. Emphasis needs a word's border on both sides. A backslash before a mark makes it
//! an ordinary character; the backslash itself is hidden only where the mark could have been markup.
//!
//! Whatever the text, the time is linear in its length; `tests/markup_worst.json` holds texts made to need more.

mod line;
mod links;
#[cfg(test)]
mod steps;

use line::{Line, Part, Span};

/// Counts what is looked at, so that tests can tell how the work grows with the text.
#[cfg(not(test))]
fn count(_steps: usize) {}
#[cfg(test)]
pub(crate) use steps::STEPS_TAKEN;
#[cfg(test)]
use steps::count;

/// Quotes within quotes, so deep.
const DEPTH_MAX: usize = 3;
/// No username is longer, characters.
pub const MENTION_MAX: usize = 64;

/// A part of a text that holds others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Element {
    /// Lines of text.
    Paragraph,
    /// Lines behind `>`.
    Quote,
    /// A list without numbers.
    Bullets,
    /// A list whose first number this is.
    Numbers(u32),
    /// An item of a list; its number, if that is not the next one.
    Item(Option<u32>),
    /// Lines of code.
    CodeBlock,
    /// Code within a line.
    Code,
    /// `**…**`
    Bold,
    /// `*…*` or `_…_`
    Italic,
}

/// What is told of a text, from its beginning to its end.
pub trait Reader {
    /// An element begins.
    fn begin(&mut self, element: Element);
    /// The element that began last ends.
    fn end(&mut self, element: Element);
    /// A character of the text.
    fn char(&mut self, c: char);
    /// An address; `scheme` is what it lacks at its beginning.
    fn link(&mut self, scheme: &'static str, address: &[char]);
    /// Here somebody may be mentioned: how many characters of `name` are a name, of what stands behind the `@` and may
    /// belong to it (at most one more than [`MENTION_MAX`]).
    fn find_name(&mut self, name: &[char]) -> Option<usize>;
    /// The mention that was found last, with its `@`.
    fn mention(&mut self, text: &[char]);
    /// A backslash that is not part of the text.
    fn hidden(&mut self) {}
}

/// Reads a text.
pub fn read(text: &str, reader: &mut impl Reader) {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let lines: Vec<&str> = text.split('\n').collect();
    Walker { reader }.blocks(&lines, 0);
}

/// The block that a line begins, and the line without its marker.
#[derive(Clone, Copy)]
enum Block<'a> {
    Fence,
    Quote(&'a str),
    Bullet(&'a str),
    Number(u32, &'a str),
    Text(&'a str),
    /// Text whose mark is escaped.
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
                // An arrow, a face, more than a number.
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

    /// Blocks of one sort stand together.
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

    /// Lines up to the fence; answers how many, with the fence.
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
