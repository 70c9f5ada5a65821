//! Renders message text as HTML: a subset of Markdown, links and mentions, as parsed by `model`. The page's script
//! renders new messages in the same way; `tests/markup.json` tests both. Independent of messages and pages.

use crate::model::{Element, MENTION_MAX, Reader, is_gap, name_key, read};

/// Maximum number of characters compared with names in one message: enough for every `@` that can be a mention.
const NAME_CHARS: usize = 6400;

/// Rendered text.
pub(super) struct Markup {
    pub html: String,
    /// Whether it has only text, links and mentions, so that what is displayed equals the source.
    pub plain: bool,
}

/// A person mentioned in the text.
pub(super) struct Called {
    pub key: String,
    pub is_me: bool,
}

/// Renders a text that mentions the people in `called`.
pub(super) fn render(text: &str, called: &[Called]) -> Markup {
    let mut writer = Writer {
        names: Names {
            called,
            chars_left: NAME_CHARS,
            is_me: false,
        },
        html: String::with_capacity(text.len() + 32),
        plain: true,
        paragraphs: 0,
        depth: 0,
    };
    read(text, &mut writer);
    Markup {
        html: writer.html,
        plain: writer.plain && writer.paragraphs < 2,
    }
}

struct Writer<'a> {
    names: Names<'a>,
    html: String,
    plain: bool,
    paragraphs: usize,
    /// Number of open elements.
    depth: usize,
}

impl Writer<'_> {
    fn tag(element: Element) -> &'static str {
        match element {
            Element::Paragraph => "p",
            Element::Quote => "blockquote",
            Element::Bullets => "ul",
            Element::Numbers(_) => "ol",
            Element::Item(_) => "li",
            Element::CodeBlock => "pre",
            Element::Code => "code",
            Element::Bold => "strong",
            Element::Italic => "em",
        }
    }

    fn text(&mut self, chars: &[char]) {
        chars.iter().for_each(|c| self.char(*c));
    }
}

impl Reader for Writer<'_> {
    fn begin(&mut self, element: Element) {
        self.html.push('<');
        self.html.push_str(Self::tag(element));
        match element {
            Element::Paragraph => self.paragraphs += 1,
            Element::Numbers(first) if first != 1 => {
                self.html.push_str(&format!(" start=\"{first}\""));
            }
            Element::Item(Some(number)) => self.html.push_str(&format!(" value=\"{number}\"")),
            _ => {}
        }
        // Each block has the direction of its own text; code has that of the page.
        if self.depth == 0 && element != Element::CodeBlock {
            self.html.push_str(" dir=\"auto\"");
        }
        self.html.push('>');
        if element == Element::CodeBlock {
            self.html.push_str("<code>");
        }
        self.plain &= element == Element::Paragraph;
        self.depth += 1;
    }

    fn end(&mut self, element: Element) {
        if element == Element::CodeBlock {
            self.html.push_str("</code>");
        }
        self.html.push_str("</");
        self.html.push_str(Self::tag(element));
        self.html.push('>');
        self.depth -= 1;
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

    fn link(&mut self, scheme: &'static str, address: &[char]) {
        self.html.push_str("<a href=\"");
        self.html.push_str(scheme);
        self.text(address);
        self.html.push_str("\" target=\"_blank\" rel=\"noopener\">");
        self.text(address);
        self.html.push_str("</a>");
    }

    fn find_name(&mut self, name: &[char]) -> Option<usize> {
        self.names.find(name)
    }

    fn mention(&mut self, text: &[char]) {
        let class = if self.names.is_me {
            "mention me"
        } else {
            "mention"
        };
        self.html.push_str(&format!("<span class=\"{class}\">"));
        self.text(text);
        self.html.push_str("</span>");
    }

    fn hidden(&mut self) {
        self.plain = false;
    }
}

/// People mentioned in a message, with a budget for comparisons with their names.
struct Names<'a> {
    called: &'a [Called],
    chars_left: usize,
    /// Whether the last name found is the reader's.
    is_me: bool,
}

impl Names<'_> {
    fn key(&mut self, chars: &[char]) -> String {
        count(chars.len());
        self.chars_left = self.chars_left.saturating_sub(chars.len());
        name_key(&chars.iter().collect::<String>())
    }

    /// Returns the length of the longest name at the start of `rest`.
    fn find(&mut self, rest: &[char]) -> Option<usize> {
        if self.called.is_empty() || self.chars_left <= MENTION_MAX {
            return None;
        }
        let key = self.key(rest);
        let called = self.called;
        let begins = |called: &&Called| {
            count(1);
            let after = key.strip_prefix(called.key.as_str());
            after.is_some_and(|after| after.chars().next().is_none_or(is_gap))
        };
        let mut begun: Vec<_> = called.iter().filter(begins).collect();
        begun.sort_by_key(|called| std::cmp::Reverse(called.key.len()));
        let (is_me, length) = begun
            .into_iter()
            .find_map(|called| Some((called.is_me, self.length(rest, &called.key)?)))?;
        self.is_me = is_me;
        Some(length)
    }

    /// Returns how many characters of `rest` form `name`. Tries the name's own length first; it differs if the name was
    /// typed in another Unicode form.
    fn length(&mut self, rest: &[char], name: &str) -> Option<usize> {
        let usual = name.chars().count();
        let others = (1..=MENTION_MAX).filter(|length| *length != usual);
        [usual].into_iter().chain(others).find(|length| {
            *length <= rest.len()
                && self.chars_left >= *length
                && rest.get(*length).is_none_or(|next| is_gap(*next))
                && self.key(&rest[..*length]) == name
        })
    }
}

/// Counts comparisons with names, so that tests can check that the work is linear.
#[cfg(not(test))]
fn count(_steps: usize) {}

#[cfg(test)]
use tests::count;

#[cfg(test)]
mod tests;
