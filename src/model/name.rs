//! Names, e-mail addresses and access keys as people type them: validated once by parsing.

use std::fmt;

use unicode_normalization::UnicodeNormalization;
use unicode_security::{MixedScript, RestrictionLevel, RestrictionLevelDetection};

use super::Invalid;
use super::text::{composed, email_key, is_hidden, is_visible, look, name_key};

/// Unique name of an account: 1–48 characters, no `@`, no control or invisible characters, no leading or trailing
/// space.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Username(String);

impl Username {
    /// Validates a name.
    ///
    /// Refuses names that mix scripts as no language does (a Cyrillic `а` among Latin letters), because such names
    /// imitate others.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        const FIELD: &str = "username";
        let name = one_line(FIELD, text, 48)?;
        if name != text {
            return Err(Invalid::new(FIELD, "must not begin or end with a blank"));
        }
        if name.contains('@') {
            return Err(Invalid::new(FIELD, "must not contain @"));
        }
        if name.chars().any(|c| c.is_whitespace() && c != ' ') {
            return Err(Invalid::new(
                FIELD,
                "must not contain other blanks than spaces",
            ));
        }
        let known = name.check_restriction_level(RestrictionLevel::HighlyRestrictive);
        if !known && !name.is_single_script() {
            return Err(Invalid::new(FIELD, "must not mix alphabets"));
        }
        Ok(Self(name.to_owned()))
    }

    /// Returns the name as typed.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the form in which names are compared: NFKC, lower case.
    pub fn key(&self) -> String {
        name_key(&self.0)
    }

    /// Returns the form that is equal for names that look alike, see [`look`].
    pub fn looks(&self) -> String {
        look(&self.0)
    }
}

/// Display name: 1–100 characters for people, 1–64 for rooms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownName(String);

impl ShownName {
    pub fn of_person(text: &str) -> Result<Self, Invalid> {
        one_line("display_name", text, 100).map(|name| Self(name.to_owned()))
    }

    pub fn of_room(text: &str) -> Result<Self, Invalid> {
        one_line("name", text, 64).map(|name| Self(name.to_owned()))
    }

    /// Returns the trimmed name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// E-mail address: at most 254 characters, one `@` with something on both sides, stored in lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Email(String);

impl Email {
    /// Checks the shape only; no mail is ever sent.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        const FIELD: &str = "email";
        let address = email_key(one_line(FIELD, text, 254)?);
        let good = address.split_once('@').is_some_and(|(name, host)| {
            !name.is_empty() && !host.is_empty() && !host.contains('@')
        });
        if !good || address.contains(char::is_whitespace) {
            return Err(Invalid::new(FIELD, "is not an e-mail address"));
        }
        Ok(Self(address))
    }

    /// Returns the forms in which an address typed at log-in may be stored: NFC, and the form used by earlier versions.
    pub fn stored_forms(typed: &str) -> [String; 2] {
        [email_key(typed), typed.trim().to_lowercase()]
    }

    /// Returns the address in lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Access key of a private room: 1–64 characters. `Debug` does not print it.
#[derive(Clone, PartialEq, Eq)]
pub struct Key(String);

impl Key {
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        one_line("access_key", text, 64).map(|key| Self(key.to_owned()))
    }

    /// Returns the trimmed key.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the forms in which the key may be stored: as typed, NFC and NFD.
    pub fn stored_forms(&self) -> [String; 3] {
        let apart = self.0.nfd().collect();
        [self.0.clone(), composed(&self.0), apart]
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(…)")
    }
}

/// Returns `text` trimmed, if it is one line of 1 to `max` characters, none of them hidden and at least one visible.
pub(super) fn one_line<'a>(
    field: &'static str,
    text: &'a str,
    max: usize,
) -> Result<&'a str, Invalid> {
    let line = text.trim();
    if line.is_empty() {
        return Err(Invalid::new(field, "must not be empty"));
    }
    if line.chars().count() > max {
        return Err(Invalid::new(field, "is too long"));
    }
    if line.chars().any(is_hidden) {
        return Err(Invalid::new(
            field,
            "must not contain control or invisible characters",
        ));
    }
    if !is_visible(line) {
        return Err(Invalid::new(field, "must have something to see"));
    }
    Ok(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_names_are_compared_without_case_and_width() {
        let wide = Username::parse("Ｊüｒｇｅｎ").unwrap();
        assert_eq!(wide.key(), Username::parse("jÜrgen").unwrap().key());
    }

    #[test]
    fn invalid_and_deceptive_user_names_are_refused() {
        for name in [
            "",
            " ",
            " ann",
            "a@b",
            "a\0b",
            "a\u{202e}b",
            "a\u{200b}b",
            "\u{430}nn",
            "a\u{a0}b",
            "\u{3164}",
            "a\u{3164}b",
            "\u{2800}",
            "\u{200d}",
            "\u{301}",
            &"x".repeat(49),
        ] {
            assert!(Username::parse(name).is_err(), "{name:?}");
        }
    }

    #[test]
    fn user_names_of_one_language_are_accepted() {
        for name in [
            "ann",
            "Анна",
            "佐藤さん",
            "김철수",
            "Zoë-2",
            "δοκιμή",
            "x".repeat(48).as_str(),
            "ann smith",
        ] {
            assert!(Username::parse(name).is_ok(), "{name:?}");
        }
    }

    #[test]
    fn look_alikes_are_detected() {
        let (latin, cyrillic) = (
            Username::parse("scope").unwrap(),
            Username::parse("ѕсоре").unwrap(),
        );
        assert_ne!(latin.key(), cyrillic.key());
        assert_eq!(latin.looks(), cyrillic.looks());
    }

    #[test]
    fn names_need_a_visible_character() {
        for name in [
            "\u{3164}",
            "\u{2800}",
            "\u{200d}\u{200d}",
            "\u{fe0f}",
            "\u{301}\u{302}",
            "\u{a0}",
        ] {
            assert!(ShownName::of_person(name).is_err(), "{name:?}");
            assert!(ShownName::of_room(name).is_err(), "{name:?}");
            assert!(Username::parse(name).is_err(), "{name:?}");
        }
        assert!(ShownName::of_person("👩\u{200d}🚀").is_ok());
    }
}
