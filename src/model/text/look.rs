//! Detects names that look alike, so that nobody can take a name that reads as somebody else's (Unicode TR 39, and
//! stricter).

use unicode_normalization::UnicodeNormalization;
use unicode_security::skeleton;

use super::compare::name_key;
use super::visible::is_unseen;

/// Returns the skeleton of a name. Equal for names that may be mistaken for each other, and for a few that may not: see
/// [`are_alike`].
pub fn look(name: &str) -> String {
    let bare = |text: &str| -> String {
        let seen = text.nfkd().filter(|c| !is_overlooked(*c));
        seen.flat_map(char::to_lowercase).collect()
    };
    // `skeleton` is what splits letters with strokes into letter and mark.
    let skeleton: String = skeleton(&bare(&name_key(name))).collect();
    let letters = bare(&skeleton);
    let letters = letters.chars().map(|c| match c {
        '0' => 'o',
        '1' | 'i' => 'l',
        c => c,
    });
    letters.collect()
}

/// Whether two names with the same [`look`] may be mistaken for each other. ASCII letters are distinct (`Karl`, `Kari`;
/// `rn`, `m`), but digits are not distinct from letters, nor is `I` from `l`.
pub fn are_alike(one: &str, other: &str) -> bool {
    if !one.is_ascii() || !other.is_ascii() {
        return one == other || look(one) == look(other);
    }
    let is_alike = |(a, b): (char, char)| {
        let pair = |x: char, y: char| (a == x && b == y) || (a == y && b == x);
        let lower = (a.to_ascii_lowercase(), b.to_ascii_lowercase());
        let digit = matches!(
            lower,
            ('0', 'o') | ('o', '0') | ('1', 'l' | 'i') | ('l' | 'i', '1')
        );
        lower.0 == lower.1 || digit || pair('I', 'l')
    };
    one.len() == other.len() && one.chars().zip(other.chars()).all(is_alike)
}

/// Whether `c` is a mark on a letter (dot, stroke, ring), invisible, or white space.
fn is_overlooked(c: char) -> bool {
    let is_mark = matches!(c, '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}' | '\u{1ab0}'..='\u{1aff}'
        | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}' | '\u{fe20}'..='\u{fe2f}');
    is_mark || is_unseen(c) || c.is_whitespace()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn confusable_names_are_alike() {
        for name in [
            "owner",
            "OWNER",
            "ọwner",
            "o̵wner",
            "øwner",
            "ow\u{a0}ner",
            "ow\u{2009}ner",
            "0wner",
            "OWNER",
            "ow\u{200d}ner",
            "ow\u{34f}ner",
            "ow\u{3164}ner",
            "ow\u{2800}ner",
            "ｏｗｎｅｒ",
            "оwner",
            "οwner",
            "ówñer",
            "𝐨𝐰𝐧𝐞𝐫",
            "owne\u{20dd}r",
            "o\u{fe0f}wner",
        ] {
            assert_eq!(look(name), look("owner"), "{name:?}");
            assert!(are_alike(name, "owner"), "{name:?}");
            assert!(are_alike("owner", name), "{name:?}");
        }
        for (one, other) in [
            ("adm1n", "admin"),
            ("pauI", "paul"),
            ("paul1", "paull"),
            ("scope", "ѕсоре"),
            ("Öwner", "Owner"),
        ] {
            assert_eq!(look(one), look(other), "{one} {other}");
            assert!(are_alike(one, other), "{one} {other}");
        }
    }

    #[test]
    fn distinguishable_names_are_not_alike() {
        for (one, other) in [
            ("karl", "kari"),
            ("arnie", "amie"),
            ("ow ner", "owner"),
            ("ann", "anna"),
            ("ann1", "ann2"),
            ("佐藤", "伊藤"),
            ("か", "が"),
            ("कल", "काल"),
            ("ไก่", "ไข่"),
            ("Анна", "Инна"),
        ] {
            assert!(
                look(one) != look(other) || !are_alike(one, other),
                "{one} {other}"
            );
        }
    }
}
