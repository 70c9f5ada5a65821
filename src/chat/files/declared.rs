//! The media type that a sender declares.

/// The type of files of which nothing better is known.
const UNKNOWN: &str = "application/octet-stream";

/// What the sender says the file is, if that is a media type. Pictures are known by their bytes alone.
pub(super) fn media_type(declared: &str) -> String {
    let essence = declared.split(';').next().unwrap_or_default().trim();
    let is_word = |word: &str| {
        !word.is_empty()
            && word
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "!#$&^_.+-".contains(c))
    };
    let words = essence.split_once('/');
    let is_good = words.is_some_and(|(kind, rest)| is_word(kind) && is_word(rest));
    let essence = essence.to_ascii_lowercase();
    if is_good && essence.len() <= 100 && !essence.starts_with("image/") {
        essence
    } else {
        UNKNOWN.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_media_type_is_two_words_and_never_a_picture() {
        for (declared, expected) in [
            ("text/plain; charset=utf-8", "text/plain"),
            ("Application/PDF", "application/pdf"),
            ("image/png", UNKNOWN),
            ("IMAGE/svg+xml", UNKNOWN),
            ("text/html\r\nx: y", UNKNOWN),
            ("a b/c", UNKNOWN),
            ("", UNKNOWN),
        ] {
            assert_eq!(media_type(declared), expected, "{declared:?}");
        }
    }
}
