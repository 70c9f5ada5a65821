//! What people write, as HTML: a little Markdown, links, and who is called. The grammar is that of `assets/markup.js`;
//! `tests/markup.json` holds both to it. Must not know messages or pages.
//!
//! A line is code (between lines of three backticks), a quote (`> `), an item of a list (`- `, `* `, `+ `, `1. `, `1) `) or
//! text. Within a line there are `` `code` ``, `**bold**`, `*italic*`, `_italic_`, addresses and `@names`.
//!
//! Whatever the text, the time is linear in its length; `tests/markup_worst.json` holds texts made to need more.

mod spans;

use spans::{Line, Names, Part, Span};

/// Quotes within quotes, so deep.
const DEPTH_MAX: usize = 3;

/// A text as HTML.
pub(super) struct Markup {
    pub html: String,
    /// Nothing but text, links and names: what one reads is what was written.
    pub plain: bool,
}

/// Somebody who is called in the text.
pub(super) struct Called {
    /// [`name_key`](crate::model::name_key) of the username.
    pub key: String,
    pub is_me: bool,
}

/// Renders a text in which those people are called.
pub(super) fn render(text: &str, called: &[Called]) -> Markup {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let lines: Vec<&str> = text.split('\n').collect();
    let mut writer = Writer {
        names: Names::new(called),
        html: String::with_capacity(text.len() + 16),
        plain: true,
        paragraphs: 0,
    };
    writer.blocks(&lines, 0);
    Markup {
        html: writer.html,
        plain: writer.plain && writer.paragraphs < 2,
    }
}

/// Counts what the renderer looks at, so that tests can tell how the work grows with the text.
#[cfg(not(test))]
fn count(_steps: usize) {}

#[cfg(test)]
use tests::count;

/// What a line begins, and the line without its mark.
#[derive(Clone, Copy)]
enum Block<'a> {
    Fence,
    Quote(&'a str),
    Bullet(&'a str),
    Number(u32, &'a str),
    Text(&'a str),
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
        match line.strip_prefix('>') {
            Some(rest) if depth < DEPTH_MAX => Self::Quote(rest.strip_prefix(' ').unwrap_or(rest)),
            _ => Self::item(line.trim_start_matches([' ', '\t'])).unwrap_or(Self::Text(line)),
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
            (0, "-" | "*" | "+") => Some(Self::Bullet(rest)),
            (1..=9, _) if marker.ends_with(['.', ')']) => {
                Some(Self::Number(marker[..digits].parse().ok()?, rest))
            }
            _ => None,
        }
    }

    fn rest(self) -> &'a str {
        match self {
            Self::Quote(rest) | Self::Bullet(rest) | Self::Number(_, rest) | Self::Text(rest) => {
                rest
            }
            Self::Fence => "",
        }
    }
}

struct Writer<'a> {
    names: Names<'a>,
    html: String,
    plain: bool,
    paragraphs: usize,
}

impl Writer<'_> {
    fn blocks(&mut self, lines: &[&str], depth: usize) {
        let begun: Vec<_> = lines.iter().map(|line| Block::of(line, depth)).collect();
        let mut at = 0;
        while at < lines.len() {
            let first = begun[at];
            if matches!(first, Block::Fence) {
                at += 1 + self.code(&lines[at + 1..]);
                continue;
            }
            let kind = std::mem::discriminant(&first);
            let same = begun[at..]
                .iter()
                .take_while(|next| std::mem::discriminant(*next) == kind);
            let block: Vec<_> = same.map(|block| block.rest()).collect();
            match first {
                Block::Fence => {}
                Block::Quote(_) => self.wrap("<blockquote>", "</blockquote>", |writer| {
                    writer.blocks(&block, depth + 1);
                }),
                Block::Bullet(_) => self.list(&block, "<ul>", "</ul>"),
                Block::Number(1, _) => self.list(&block, "<ol>", "</ol>"),
                Block::Number(first, _) => {
                    self.list(&block, &format!("<ol start=\"{first}\">"), "</ol>");
                }
                Block::Text(_) => self.paragraph(&block),
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
        let code = lines[..end.unwrap_or(lines.len())].join("\n");
        self.wrap("<pre><code>", "</code></pre>", |writer| writer.text(&code));
        end.map_or(lines.len(), |end| end + 1)
    }

    fn list(&mut self, items: &[&str], open: &str, close: &str) {
        self.wrap(open, close, |writer| {
            for item in items {
                writer.wrap("<li>", "</li>", |writer| writer.line(item));
            }
        });
    }

    fn paragraph(&mut self, lines: &[&str]) {
        let is_full = |line: &&str| !line.trim().is_empty();
        let Some(first) = lines.iter().position(is_full) else {
            return;
        };
        let last = lines.iter().rposition(is_full).unwrap_or(first);
        self.paragraphs += 1;
        self.html.push_str("<p>");
        for (place, line) in lines[first..=last].iter().enumerate() {
            if place > 0 {
                self.html.push('\n');
            }
            self.line(line);
        }
        self.html.push_str("</p>");
    }

    fn line(&mut self, line: &str) {
        if !line.contains(['`', '*', '_', '@', '＠', ':']) {
            return self.text(line);
        }
        let line = Line::new(line.chars().collect());
        let part = Part {
            start: 0,
            end: line.chars.len(),
            bold: false,
            italic: false,
        };
        self.inline(&line, part);
    }

    fn inline(&mut self, line: &Line, part: Part) {
        let (mut at, mut from) = (part.start, part.start);
        while at < part.end {
            let Some((span, end)) = line.span(&mut self.names, at, part) else {
                at += 1;
                continue;
            };
            self.chars(&line.chars[from..at]);
            self.write(
                line,
                &span,
                Part {
                    start: at,
                    end,
                    ..part
                },
            );
            (at, from) = (end, end);
        }
        self.chars(&line.chars[from..part.end]);
    }

    fn write(&mut self, line: &Line, span: &Span, part: Part) {
        let chars = &line.chars[part.start..part.end];
        let inner = |marks: usize| Part {
            start: part.start + marks,
            end: part.end - marks,
            ..part
        };
        match *span {
            Span::Code(marks) => self.wrap("<code>", "</code>", |writer| {
                writer.chars(&chars[marks..chars.len() - marks]);
            }),
            Span::Bold => self.wrap("<strong>", "</strong>", |writer| {
                writer.inline(
                    line,
                    Part {
                        bold: true,
                        ..inner(2)
                    },
                );
            }),
            Span::Italic => self.wrap("<em>", "</em>", |writer| {
                writer.inline(
                    line,
                    Part {
                        italic: true,
                        ..inner(1)
                    },
                );
            }),
            Span::Mention(is_me) => {
                let class = if is_me { "mention me" } else { "mention" };
                self.html.push_str(&format!("<span class=\"{class}\">"));
                self.chars(chars);
                self.html.push_str("</span>");
            }
            Span::Link => {
                self.html.push_str("<a href=\"");
                self.chars(chars);
                self.html.push_str("\" target=\"_blank\" rel=\"noopener\">");
                self.chars(chars);
                self.html.push_str("</a>");
            }
        }
    }

    /// An element for what is marked up.
    fn wrap(&mut self, open: &str, close: &str, write: impl FnOnce(&mut Self)) {
        self.plain = false;
        self.html.push_str(open);
        write(self);
        self.html.push_str(close);
    }

    fn chars(&mut self, chars: &[char]) {
        chars.iter().for_each(|c| self.char(*c));
    }

    fn text(&mut self, text: &str) {
        text.chars().for_each(|c| self.char(c));
    }

    fn char(&mut self, c: char) {
        count(1);
        match c {
            '&' => self.html.push_str("&amp;"),
            '<' => self.html.push_str("&lt;"),
            '>' => self.html.push_str("&gt;"),
            '"' => self.html.push_str("&quot;"),
            c => self.html.push(c),
        }
    }
}

#[cfg(test)]
mod tests;
