//! Passwords: as typed at log-in, and as chosen for an account.

use std::fmt;

use super::Invalid;
use super::common_passwords::is_guessable;
use super::text::prepared_password;

const FIELD: &str = "password";

/// Password typed to log in: 1 to 128 characters. `Debug` does not print it.
#[derive(Clone)]
pub struct Password {
    prepared: String,
    /// As typed, if different: hashes of earlier versions were made from it.
    typed: Option<String>,
}

impl Password {
    /// Maximum length, characters.
    pub const MAX: usize = 128;

    /// Accepts any password that an account may have.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        match text.chars().count() {
            0 => Err(Invalid::new(FIELD, "must not be empty")),
            1..=Self::MAX => {
                let prepared = prepared_password(text);
                let typed = (prepared != text).then(|| text.to_owned());
                Ok(Self { prepared, typed })
            }
            _ => Err(Invalid::new(FIELD, "must have at most 128 characters")),
        }
    }

    /// Returns the bytes to hash.
    pub fn reveal(&self) -> &[u8] {
        self.prepared.as_bytes()
    }

    /// Returns the bytes as typed, if they differ from those to hash.
    pub fn as_typed(&self) -> Option<&[u8]> {
        self.typed.as_deref().map(str::as_bytes)
    }
}

/// Password chosen for an account; only this type is hashed for storage.
#[derive(Clone)]
pub struct ChosenPassword(Password);

impl ChosenPassword {
    /// Requires at least `min` characters and no control characters.
    pub fn parse(text: &str, min: u32) -> Result<Self, Invalid> {
        let password = Password::parse(text)?;
        if text.chars().any(char::is_control) {
            return Err(Invalid::new(FIELD, "must not contain control characters"));
        }
        let length = password.prepared.chars().count();
        if length < min as usize {
            return Err(Invalid::counted(
                FIELD,
                "must have at least {n} characters",
                min,
            ));
        }
        Ok(Self(password))
    }

    /// Refuses passwords that attackers try first: common ones, and those made of the account's own `names` and e-mail
    /// addresses.
    pub fn refuse_guessable(self, names: &[&str]) -> Result<Self, Invalid> {
        if is_guessable(&self.0.prepared, names) {
            return Err(Invalid::new(FIELD, "is too easy to guess"));
        }
        Ok(self)
    }

    /// Returns the bytes to hash.
    pub fn reveal(&self) -> &[u8] {
        self.0.reveal()
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

impl fmt::Debug for ChosenPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ChosenPassword(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_normalized() {
        let reveal = |text| Password::parse(text).unwrap().reveal().to_vec();
        assert_eq!(reveal("e\u{301}\u{a0}x"), reveal("\u{e9} x"));
        assert_eq!(reveal("e\u{301}\u{3000}x"), reveal("\u{e9} x"));
        // Case and width are significant.
        assert_ne!(reveal("A"), reveal("a"));
        assert_ne!(reveal("\u{ff21}"), reveal("A"));
        assert!(Password::parse("plain").unwrap().as_typed().is_none());
        let typed = Password::parse("e\u{301}").unwrap();
        assert_eq!(typed.as_typed(), Some("e\u{301}".as_bytes()));
    }

    #[test]
    fn a_new_password_needs_the_minimum_length() {
        for (text, min, good) in [
            ("1234567", 8, false),
            ("12345678", 8, true),
            ("x", 1, true),
            ("", 1, false),
            ("e\u{301}e\u{301}e\u{301}e\u{301}", 8, false),
            ("one\ntwo three", 8, false),
        ] {
            assert_eq!(ChosenPassword::parse(text, min).is_ok(), good, "{text:?}");
        }
        assert!(ChosenPassword::parse(&"x".repeat(129), 8).is_err());
        let short = ChosenPassword::parse("short", 12).unwrap_err();
        assert_eq!(
            short.to_string(),
            "password must have at least 12 characters"
        );
    }
}
