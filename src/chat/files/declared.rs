//! Media type declared by the sender.

/// Media type of files about which nothing better is known.
const UNKNOWN: &str = "application/octet-stream";

/// Returns the declared media type if it is well-formed. Image types are ignored: images are recognized by their bytes.
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
    fn declared_media_types_are_validated_and_never_images() {
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
