//! The forms in which text is compared: names, e-mail addresses, passwords, emoji.

use unicode_normalization::UnicodeNormalization;

/// Maximum length of typed text that is compared with names, characters; longer than any name in any form.
const TYPED_MAX: usize = 256;

/// What names are compared by: NFKC, lower case. For looking up what somebody typed; of a text that is longer than any
/// name the beginning, which is no name either.
pub fn name_key(text: &str) -> String {
    text.chars()
        .take(TYPED_MAX)
        .nfkc()
        .collect::<String>()
        .to_lowercase()
        .nfkc()
        .collect()
}

/// What e-mail addresses are compared by: lower case, composed.
pub(in crate::model) fn email_key(address: &str) -> String {
    composed(&address.trim().to_lowercase())
}

/// NFC.
pub(in crate::model) fn composed(text: &str) -> String {
    text.nfc().collect()
}

/// The form in which passwords are compared (RFC 8265, OpaqueString): composed, every blank a space.
pub(in crate::model) fn prepared_password(text: &str) -> String {
    let blank = |c: char| {
        matches!(
            c,
            '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}'
        )
    };
    text.chars()
        .map(|c| if blank(c) { ' ' } else { c })
        .nfc()
        .collect()
}

/// What emoji are compared by: without U+FE0F, which only asks for a picture rather than a letter and which some
/// keyboards leave out.
pub fn emoji_key(emoji: &str) -> String {
    emoji.replace('\u{fe0f}', "")
}
