//! Forms in which names, e-mail addresses, passwords and emoji are compared.

use unicode_normalization::UnicodeNormalization;

/// Maximum length of typed text that is compared with names, characters; longer than any name in any form.
const TYPED_MAX: usize = 256;

/// Returns the form in which names are compared: NFKC, lower case. Longer text is cut; no name is that long, so it
/// still matches none.
pub fn name_key(text: &str) -> String {
    text.chars()
        .take(TYPED_MAX)
        .nfkc()
        .collect::<String>()
        .to_lowercase()
        .nfkc()
        .collect()
}

/// Returns the form in which e-mail addresses are compared: trimmed, lower case, NFC.
pub(in crate::model) fn email_key(address: &str) -> String {
    composed(&address.trim().to_lowercase())
}

/// Converts to NFC.
pub(in crate::model) fn composed(text: &str) -> String {
    text.nfc().collect()
}

/// Returns the form in which passwords are compared (RFC 8265, OpaqueString): NFC, every Unicode space as U+0020.
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

/// Returns the form in which emoji are compared: without U+FE0F, which only selects emoji presentation and which some
/// keyboards omit.
pub fn emoji_key(emoji: &str) -> String {
    emoji.replace('\u{fe0f}', "")
}
