//! Cuts text between user-perceived characters (grapheme clusters, UAX 29), never within one.

use std::ops::Range;

use unicode_segmentation::{GraphemeCursor, UnicodeSegmentation};

/// Returns the beginning of `text`: at most `max` code points, cut between user-perceived characters. If the first
/// character alone is longer, it is cut.
pub fn cut(text: &str, max: usize) -> &str {
    match text.char_indices().nth(max) {
        Some((end, _)) => cut_bytes(text, end),
        None => text,
    }
}

/// Returns the beginning of `text`: at most `max` bytes, cut like [`cut`].
pub(in crate::model) fn cut_bytes(text: &str, max: usize) -> &str {
    let hard = text.floor_char_boundary(max);
    match border_before(text, hard) {
        0 => &text[..hard],
        end => &text[..end],
    }
}

/// Returns the first user-perceived character; empty if the text is.
pub fn first_character(text: &str) -> &str {
    text.graphemes(true).next().unwrap_or_default()
}

/// Returns the smallest range around `range` that cuts no user-perceived character.
pub fn whole_characters(text: &str, range: Range<usize>) -> Range<usize> {
    border_before(text, range.start)..border_after(text, range.end)
}

/// Returns the last boundary at or before `at`, which must lie between two code points.
fn border_before(text: &str, at: usize) -> usize {
    let mut cursor = GraphemeCursor::new(at, text.len(), true);
    match cursor.is_boundary(text, 0) {
        Ok(false) => cursor.prev_boundary(text, 0).ok().flatten().unwrap_or(0),
        _ => at,
    }
}

fn border_after(text: &str, at: usize) -> usize {
    let mut cursor = GraphemeCursor::new(at, text.len(), true);
    match cursor.is_boundary(text, 0) {
        Ok(false) => cursor
            .next_boundary(text, 0)
            .ok()
            .flatten()
            .unwrap_or(text.len()),
        _ => at,
    }
}

/// Removes leading blank lines and trailing white space. The first line keeps its indentation.
pub(in crate::model) fn trim_lines(text: &str) -> &str {
    let text = text.trim_end();
    let indented = text.len() - text.trim_start().len();
    let line = text[..indented]
        .rfind(['\n', '\r'])
        .map_or(0, |end| end + 1);
    &text[line..]
}

#[cfg(test)]
mod tests {
    use super::*;

    const FAMILY: &str = "👩\u{200d}👩\u{200d}👧\u{200d}👦";

    #[test]
    fn text_is_cut_between_graphemes() {
        for (text, max, expected) in [
            ("abc", 3, "abc"),
            ("abc", 2, "ab"),
            ("", 2, ""),
            ("ae\u{301}b", 2, "a"),
            ("ae\u{301}b", 3, "ae\u{301}"),
            (&format!("a{FAMILY}b"), 7, "a"),
            (&format!("a{FAMILY}b"), 8, &format!("a{FAMILY}")),
            ("🇩🇪🇫🇷", 3, "🇩🇪"),
            ("क्षेत्र", 2, "क्"),
            (FAMILY, 3, "👩\u{200d}👩"),
        ] {
            assert_eq!(cut(text, max), expected, "{text:?} {max}");
        }
        assert_eq!(cut_bytes("aé🇩🇪", 8), "aé");
        assert_eq!(first_character("🇩🇪a"), "🇩🇪");
        assert_eq!(
            whole_characters("ae\u{301}b", 1..2),
            1..4,
            "the accent belongs to its letter"
        );
    }

    #[test]
    fn blank_lines_are_trimmed_and_indentation_is_kept() {
        for (text, expected) in [
            ("\tif a:\n\t\tb", "\tif a:\n\t\tb"),
            ("\n  \n\ta\n", "\ta"),
            ("\r\n  a \t\n ", "  a"),
            (" \n\t ", ""),
            ("", ""),
        ] {
            assert_eq!(trim_lines(text), expected, "{text:?}");
        }
    }
}
