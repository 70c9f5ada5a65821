//! Which characters can be seen.

use unicode_normalization::char::is_combining_mark;

/// Returns whether a name has a visible character. Combining marks alone do not count: they cannot be told apart.
pub(in crate::model) fn is_visible(name: &str) -> bool {
    name.chars().any(|c| is_shown(c) && !is_combining_mark(c))
}

/// Returns whether a message has a visible character.
pub(in crate::model) fn shows_something(text: &str) -> bool {
    text.chars().any(is_shown)
}

fn is_shown(c: char) -> bool {
    !c.is_whitespace() && !c.is_control() && !is_unseen(c)
}

/// Control characters, and those that hide or turn text around: not allowed in names. Joiners stay: emoji and some
/// scripts need them.
pub fn is_hidden(c: char) -> bool {
    c.is_control()
        || is_blank(c)
        || matches!(c, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{17b4}' | '\u{17b5}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e001f}')
}

/// Joins or separates letters (Persian, Indic scripts) and emoji, or chooses how a character is drawn.
pub(in crate::model) fn is_joiner(c: char) -> bool {
    matches!(c, '\u{200c}' | '\u{200d}' | '\u{fe00}'..='\u{fe0f}' | '\u{e0020}'..='\u{e007f}')
}

/// Shows nothing: Default_Ignorable_Code_Point, and characters that are blank without being white space.
pub(super) fn is_unseen(c: char) -> bool {
    is_blank(c)
        || matches!(c, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}')
}

/// Fillers and empty cells: Hangul, Braille, a musical head without a note.
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
    fn what_cannot_be_seen_is_not_visible() {
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
    fn a_mark_alone_is_a_message_but_no_name() {
        for mark in ["\u{301}", "\u{93e}", "\u{e31}"] {
            assert!(shows_something(mark) && !is_visible(mark), "{mark:?}");
        }
        assert!(!shows_something("\u{200b}\u{3164} \u{202e}\n\u{feff}"));
    }
}
