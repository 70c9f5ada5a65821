//! Visibility of characters.

use unicode_normalization::char::is_combining_mark;

/// Whether a name has a visible character. Combining marks alone do not count: people cannot tell them apart.
pub(in crate::model) fn is_visible(name: &str) -> bool {
    name.chars().any(|c| is_shown(c) && !is_combining_mark(c))
}

/// Whether a message has a visible character.
pub(in crate::model) fn shows_something(text: &str) -> bool {
    text.chars().any(is_shown)
}

fn is_shown(c: char) -> bool {
    !c.is_whitespace() && !c.is_control() && !is_unseen(c)
}

/// Whether `c` is a control character, blank, invisible or changes text direction; not allowed in names. Joiners are
/// allowed: emoji and some scripts need them.
pub fn is_hidden(c: char) -> bool {
    c.is_control()
        || is_blank(c)
        || matches!(c, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{17b4}' | '\u{17b5}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e001f}')
}

/// Whether `c` joins or separates letters (Persian, Indic scripts) and emoji, or selects a glyph variant.
pub(in crate::model) fn is_joiner(c: char) -> bool {
    matches!(c, '\u{200c}' | '\u{200d}' | '\u{fe00}'..='\u{fe0f}' | '\u{e0020}'..='\u{e007f}')
}

/// Whether `c` shows nothing: Default_Ignorable_Code_Point, and blank characters that are not white space.
pub(super) fn is_unseen(c: char) -> bool {
    is_blank(c)
        || matches!(c, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}')
}

/// Whether `c` is a filler or an empty cell: Hangul, Braille, a musical null notehead.
fn is_blank(c: char) -> bool {
    matches!(
        c,
        '\u{115f}' | '\u{1160}' | '\u{2800}' | '\u{3164}' | '\u{ffa0}' | '\u{1d159}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invisible_characters_are_not_visible() {
        for text in [
            "",
            " ",
            "\u{3164}",
            "\u{2800}\u{2800}",
            "\u{200d}",
            "\u{fe0f}",
            "\u{301}",
            "\u{115f}\u{1160}",
            "\u{e0020}",
        ] {
            assert!(!is_visible(text), "{text:?}");
        }
        for text in ["a", "-", "👁\u{fe0f}", "e\u{301}", "佐", "…"] {
            assert!(is_visible(text), "{text:?}");
            assert!(shows_something(text), "{text:?}");
        }
    }

    #[test]
    fn a_lone_combining_mark_is_allowed_in_messages_but_not_as_a_name() {
        for mark in ["\u{301}", "\u{93e}", "\u{e31}"] {
            assert!(shows_something(mark) && !is_visible(mark), "{mark:?}");
        }
        assert!(!shows_something("\u{200b}\u{3164} \u{202e}\n\u{feff}"));
    }
}
