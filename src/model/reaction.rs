//! Emoji reactions to messages.

use super::text::emoji_key;
use super::{Invalid, UserId};

/// Maximum length of an emoji, characters: a family with skin tones, or a flag made of tag letters.
const EMOJI_MAX: usize = 16;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Emoji(String);

impl Emoji {
    /// Checks that the text is exactly one emoji.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let chars: Vec<char> = text.chars().take(EMOJI_MAX + 1).collect();
        if chars.len() <= EMOJI_MAX && is_one(&chars) {
            Ok(Self(text.to_owned()))
        } else {
            Err(Invalid::new("emoji", "must be one emoji"))
        }
    }

    /// Returns the form in which emoji are compared: ❤ and ❤️ are equal.
    pub fn key(&self) -> String {
        emoji_key(&self.0)
    }

    /// Returns the emoji as given.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Reactions to a message with one emoji.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reaction {
    pub emoji: String,
    /// Number of people.
    pub count: u32,
    /// The first [`Reaction::NAMED_MAX`] of them.
    pub people: Vec<UserId>,
}

impl Reaction {
    /// Maximum number of people listed per emoji.
    pub const NAMED_MAX: usize = 100;
    /// Maximum number of different emoji per message.
    pub const DIFFERENT_MAX: usize = 20;
}

fn is_one(chars: &[char]) -> bool {
    match chars {
        [first, second] if is_flag_letter(*first) => is_flag_letter(*second),
        ['0'..='9' | '#' | '*', '\u{20e3}'] | ['0'..='9' | '#' | '*', SHOW, '\u{20e3}'] => true,
        _ => chars.split(|c| *c == JOIN).all(is_part),
    }
}

/// Whether this is one symbol with optional variation selector and skin tone, or a black flag with tag letters.
fn is_part(chars: &[char]) -> bool {
    let Some((sign, rest)) = chars.split_first() else {
        return false;
    };
    let rest = rest.strip_prefix(&[SHOW]).unwrap_or(rest);
    let is_end = match rest {
        [] => true,
        [skin] | [skin, SHOW] => is_skin(*skin),
        letters => letters
            .iter()
            .all(|c| matches!(c, '\u{e0020}'..='\u{e007f}')),
    };
    is_sign(*sign) && !is_skin(*sign) && is_end
}

/// Zero-width joiner.
const JOIN: char = '\u{200d}';
/// Variation selector 16: emoji presentation.
const SHOW: char = '\u{fe0f}';

fn is_skin(c: char) -> bool {
    matches!(c, '\u{1f3fb}'..='\u{1f3ff}')
}

fn is_flag_letter(c: char) -> bool {
    matches!(c, '\u{1f1e6}'..='\u{1f1ff}')
}

/// Whether `c` is in a block of pictographs, or one of the few pictographs elsewhere.
fn is_sign(c: char) -> bool {
    matches!(c, '©' | '®' | '‼' | '⁉' | '™' | 'ℹ' | '〰' | '〽' | '㊗' | '㊙' | 'Ⓜ'
        | '\u{2190}'..='\u{21ff}' | '\u{2300}'..='\u{23ff}' | '\u{25a0}'..='\u{27bf}' | '\u{2900}'..='\u{297f}'
        | '\u{2b00}'..='\u{2bff}' | '\u{1f000}'..='\u{1f1e5}' | '\u{1f200}'..='\u{1faff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_single_emoji_is_accepted() {
        for emoji in [
            "👍",
            "👍🏽",
            "❤️",
            "❤",
            "👩‍👩‍👧‍👦",
            "🏳️‍🌈",
            "🇩🇪",
            "🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}",
            "1️⃣",
            "#⃣",
            "☝🏻",
            "👩🏽‍❤️‍💋‍👨🏿",
            "🤷🏼‍♀️",
            "✔️",
            "⭐",
            "㊗️",
            "🫠",
            "Ⓜ️",
        ] {
            assert!(Emoji::parse(emoji).is_ok(), "{emoji}");
        }
    }

    #[test]
    fn text_and_several_emoji_are_refused() {
        for text in [
            "",
            " ",
            "a",
            "ok",
            "👍👍",
            "👍 ",
            " 👍",
            "1",
            "#",
            "🇩",
            "🇩🇪🇫🇷",
            "\u{200d}",
            "👍\u{200d}",
            "\u{fe0f}",
            "<b>",
            "👍\0",
            "ä",
            "字",
            "🏽🏽",
            "👍a",
        ] {
            assert!(Emoji::parse(text).is_err(), "{text:?}");
        }
        assert!(Emoji::parse(&["👍"; 17].join("\u{200d}")).is_err());
    }
}
