//! What people write, as HTML: a little Markdown, links, and who is called. The grammar is that of `assets/markup.js`;
//! `tests/markup.json` holds both to it. Must not know messages or pages.
//!
//! A line is code (between lines of three backticks), a quote (`> `), an item of a list (`- `, `* `, `+ `, `1. `, `1) `) or
//! text. Within a line there are `` `code` ``, `**bold**`, `*italic*`, `_italic_`, addresses and `@names`.

mod spans;

use spans::{Around, Span, span};

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
        called,
        html: String::with_capacity(text.len() + 16),
        plain: true,
    };
    writer.blocks(&lines, 0);
    Markup {
        html: writer.html,
        plain: writer.plain,
    }
}

/// What a line begins.
#[derive(PartialEq)]
enum Line<'a> {
    Fence,
    Quote(&'a str),
    Bullet(&'a str),
    Number(u32, &'a str),
    Text,
}

impl<'a> Line<'a> {
    fn of(line: &'a str, depth: usize) -> Self {
        if let Some(rest) = line.strip_prefix("```") {
            let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '+' | '-');
            if rest.trim_end().chars().all(is_word) {
                return Self::Fence;
            }
        }
        match line.strip_prefix('>') {
            Some(rest) if depth < DEPTH_MAX => Self::Quote(rest.strip_prefix(' ').unwrap_or(rest)),
            _ => Self::item(line.trim_start_matches([' ', '\t'])).unwrap_or(Self::Text),
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
}

struct Writer<'a> {
    called: &'a [Called],
    html: String,
    plain: bool,
}

impl Writer<'_> {
    fn blocks(&mut self, lines: &[&str], depth: usize) {
        let mut at = 0;
        while at < lines.len() {
            let same = |matches: fn(&Line<'_>) -> bool| {
                let rest = lines[at..].iter();
                rest.take_while(|line| matches(&Line::of(line, depth)))
                    .count()
            };
            let count = match Line::of(lines[at], depth) {
                Line::Fence => self.code(&lines[at + 1..]) + 1,
                Line::Quote(_) => same(|line| matches!(line, Line::Quote(_))),
                Line::Bullet(_) => same(|line| matches!(line, Line::Bullet(_))),
                Line::Number(..) => same(|line| matches!(line, Line::Number(..))),
                Line::Text => same(|line| *line == Line::Text),
            };
            let block = &lines[at..(at + count).min(lines.len())];
            match Line::of(lines[at], depth) {
                Line::Fence => {}
                Line::Quote(_) => self.quote(block, depth),
                Line::Bullet(_) => self.list(block, depth, "<ul>", "</ul>"),
                Line::Number(1, _) => self.list(block, depth, "<ol>", "</ol>"),
                Line::Number(first, _) => {
                    self.list(block, depth, &format!("<ol start=\"{first}\">"), "</ol>");
                }
                Line::Text => self.paragraph(block),
            }
            at += count;
        }
        self.plain &= self.html.matches("<p>").count() < 2;
    }

    /// Lines up to the fence; answers how many, with the fence.
    fn code(&mut self, lines: &[&str]) -> usize {
        let end = lines.iter().position(|line| line.trim_end() == "```");
        let code = lines[..end.unwrap_or(lines.len())].join("\n");
        self.wrap("<pre><code>", "</code></pre>", |writer| writer.text(&code));
        end.map_or(lines.len(), |end| end + 1)
    }

    fn quote(&mut self, lines: &[&str], depth: usize) {
        let inner: Vec<_> = lines.iter().map(|line| rest_of(line, depth)).collect();
        self.wrap("<blockquote>", "</blockquote>", |writer| {
            writer.blocks(&inner, depth + 1);
        });
    }

    fn list(&mut self, lines: &[&str], depth: usize, open: &str, close: &str) {
        self.wrap(open, close, |writer| {
            for line in lines {
                writer.wrap("<li>", "</li>", |writer| writer.line(rest_of(line, depth)));
            }
        });
    }

    fn paragraph(&mut self, lines: &[&str]) {
        let is_full = |line: &&str| !line.trim().is_empty();
        let Some(first) = lines.iter().position(is_full) else {
            return;
        };
        let last = lines.iter().rposition(is_full).unwrap_or(first);
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
        let chars: Vec<char> = line.chars().collect();
        self.inline(&chars, Around::default());
    }

    fn inline(&mut self, chars: &[char], around: Around) {
        let (mut at, mut from) = (0, 0);
        while at < chars.len() {
            let Some((span, length)) = span(self.called, chars, at, around) else {
                at += 1;
                continue;
            };
            self.chars(&chars[from..at]);
            self.write(&chars[at..at + length], &span, around);
            at += length;
            from = at;
        }
        self.chars(&chars[from..]);
    }

    fn write(&mut self, chars: &[char], span: &Span, around: Around) {
        let inner = |marks: usize| &chars[marks..chars.len() - marks];
        match *span {
            Span::Code(marks) => {
                self.wrap("<code>", "</code>", |writer| writer.chars(inner(marks)));
            }
            Span::Bold => self.wrap("<strong>", "</strong>", |writer| {
                let around = Around {
                    bold: true,
                    ..around
                };
                writer.inline(inner(2), around);
            }),
            Span::Italic => self.wrap("<em>", "</em>", |writer| {
                let around = Around {
                    italic: true,
                    ..around
                };
                writer.inline(inner(1), around);
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
        match c {
            '&' => self.html.push_str("&amp;"),
            '<' => self.html.push_str("&lt;"),
            '>' => self.html.push_str("&gt;"),
            '"' => self.html.push_str("&quot;"),
            c => self.html.push(c),
        }
    }
}

/// A line of a quote or a list without its mark.
fn rest_of(line: &str, depth: usize) -> &str {
    match Line::of(line, depth) {
        Line::Quote(rest) | Line::Bullet(rest) | Line::Number(_, rest) => rest,
        Line::Fence | Line::Text => line,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn the_shared_cases_hold() {
        let cases: Vec<Value> =
            serde_json::from_str(include_str!("../../tests/markup.json")).unwrap();
        assert!(cases.len() > 50);
        for case in cases {
            let names = case["names"].as_array().into_iter().flatten();
            let called: Vec<_> = names
                .map(|name| Called {
                    key: name.as_str().unwrap().to_owned(),
                    is_me: name == "me",
                })
                .collect();
            let text = case["text"].as_str().unwrap();
            assert_eq!(render(text, &called).html, case["html"], "{text}");
        }
    }

    #[test]
    fn a_text_full_of_marks_is_soon_done_with() {
        for unit in ["*a ", "_", "`", "**a", "> ", "http://a)", "@", "- *`"] {
            render(&unit.repeat(4000 / unit.len()), &[]);
        }
    }

    #[test]
    fn plain_is_what_reads_as_it_was_written() {
        for (text, plain) in [
            ("a\nb", true),
            ("see https://a.b.", true),
            ("*a*", false),
            ("> a", false),
            ("", true),
        ] {
            assert_eq!(render(text, &[]).plain, plain, "{text}");
        }
    }
}
