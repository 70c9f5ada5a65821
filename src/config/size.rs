//! Settings about files: sizes with a unit, and lists of media types.

use toml::de::DeValue;

use super::value::{Value, list_from_text, list_from_toml, list_to_toml, quoted};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ByteSize(pub u64);

impl ByteSize {
    /// Creates a size of `count` MiB.
    pub(super) const fn mib(count: u64) -> Self {
        Self(count << 20)
    }
}

/// Units of a size in bytes, the largest first.
const UNITS: [(&str, u64); 4] = [
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("B", 1),
];

impl Value for ByteSize {
    const WANTED: &'static str = r#"a size such as "25MiB" or "1GiB" (units B, KiB, MiB, GiB)"#;

    fn from_text(text: &str) -> Option<Self> {
        let unit_at = text.find(|c: char| !c.is_ascii_digit())?;
        let (number, unit) = text.split_at(unit_at);
        let (_, bytes) = UNITS.iter().find(|(name, _)| *name == unit.trim_start())?;
        number.parse::<u64>().ok()?.checked_mul(*bytes).map(Self)
    }

    fn to_toml(&self) -> String {
        let fits = |(_, unit): &&(&str, u64)| self.0 != 0 && self.0.is_multiple_of(*unit);
        let (name, unit) = UNITS.iter().find(fits).unwrap_or(&("B", 1));
        quoted(&format!("{}{name}", self.0 / unit))
    }
}

/// A limit; 0 means none.
impl Value for Option<ByteSize> {
    const WANTED: &'static str =
        r#"a size such as "1GiB" (units B, KiB, MiB, GiB), "0" for no limit"#;

    fn from_text(text: &str) -> Option<Self> {
        match text {
            "0" => Some(None),
            _ => ByteSize::from_text(text).map(|size| Some(size).filter(|size| size.0 > 0)),
        }
    }

    fn to_toml(&self) -> String {
        self.map_or_else(|| quoted("0"), |size| size.to_toml())
    }
}

/// Accepted media types of files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileTypes {
    Any,
    /// Types like `application/pdf`, or `image/*` for all types of a kind.
    Only(Vec<String>),
}

impl FileTypes {
    fn from_list(list: &[String]) -> Option<Self> {
        match list {
            [star] if star == "*" => Some(Self::Any),
            _ => list
                .iter()
                .all(|one| is_type(one))
                .then(|| Self::Only(list.iter().map(|one| one.to_ascii_lowercase()).collect())),
        }
    }
}

fn is_type(text: &str) -> bool {
    let is_word = |word: &str| {
        !word.is_empty()
            && word
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "!#$&^_.+-".contains(c))
    };
    text.split_once('/')
        .is_some_and(|(kind, rest)| is_word(kind) && (rest == "*" || is_word(rest)))
}

impl Value for FileTypes {
    const WANTED: &'static str =
        r#"["*"] for all, or a list of media types such as ["image/*", "application/pdf"]"#;

    fn from_text(text: &str) -> Option<Self> {
        Self::from_list(&list_from_text(text)?)
    }

    fn from_toml(value: &DeValue<'_>) -> Option<Self> {
        Self::from_list(&list_from_toml(value)?)
    }

    fn to_toml(&self) -> String {
        match self {
            Self::Any => list_to_toml(&["*".to_owned()]),
            Self::Only(list) => list_to_toml(list),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_parsed_and_printed_with_units() {
        for (text, bytes) in [
            ("25MiB", 25 << 20),
            ("1 GiB", 1 << 30),
            ("7B", 7),
            ("1500KiB", 1500 << 10),
        ] {
            let size = ByteSize::from_text(text).unwrap();
            assert_eq!(size.0, bytes, "{text}");
            let written = size.to_toml();
            assert_eq!(ByteSize::from_text(written.trim_matches('"')), Some(size));
        }
        for text in ["", "25", "MiB", "25MB", "-1B", "99999999999GiB", "1.5GiB"] {
            assert_eq!(ByteSize::from_text(text), None, "{text}");
        }
        assert_eq!(Option::<ByteSize>::from_text("0"), Some(None));
    }

    #[test]
    fn file_types_are_validated() {
        assert_eq!(FileTypes::from_text("*"), Some(FileTypes::Any));
        let some = FileTypes::from_text("image/*, Application/PDF").unwrap();
        assert_eq!(some.to_toml(), r#"["image/*", "application/pdf"]"#);
        for text in ["pdf", "*/*", "image/", "a b/c", "image/*,*"] {
            assert_eq!(FileTypes::from_text(text), None, "{text}");
        }
    }
}
