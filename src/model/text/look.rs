//! What a name looks like: so that nobody takes one that people read as somebody else's (Unicode TR 39, and stricter).

use unicode_normalization::UnicodeNormalization;
use unicode_security::skeleton;

use super::compare::name_key;
use super::visible::is_unseen;

/// What a name looks like. Equal for names that may be mistaken for each other, and for a few that may not: see
/// [`are_alike`].
pub fn look(name: &str) -> String {
    let bare = |text: &str| -> String {
        let seen = text.nfkd().filter(|c| !is_overlooked(*c));
        seen.flat_map(char::to_lowercase).collect()
    };
    // Letters with strokes have marks only in the skeleton.
    let skeleton: String = skeleton(&bare(&name_key(name))).collect();
    let letters = bare(&skeleton);
    let letters = letters.chars().map(|c| match c {
        '0' => 'o',
        '1' | 'i' => 'l',
        c => c,
    });
    letters.collect()
}

/// Whether two names of one [`look`] may be mistaken for each other. Plain letters are told apart (`Karl`, `Kari`; `rn`,
/// `m`), but not digits from letters, nor a capital `I` from a small `l`.
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

/// Marks on letters (dots, strokes, rings), what is not seen at all, and blanks.
fn is_overlooked(c: char) -> bool {
    let is_mark = matches!(c, '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}' | '\u{1ab0}'..='\u{1aff}'
        | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}' | '\u{fe20}'..='\u{fe2f}');
    is_mark || is_unseen(c) || c.is_whitespace()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_look_like_another_are_alike() {
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
    fn names_that_are_told_apart_are_not_alike() {
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
