//! The settings that are a choice among names.

use std::collections::BTreeSet;

use toml::de::DeValue;

use super::value::{Value, list_from_text, list_from_toml, list_to_toml, quoted};

/// Declares an enum whose values are written as fixed words.
macro_rules! choice {
    ($(#[$about:meta])* $Kind:ident, $wanted:literal {
        $($(#[$meaning:meta])* $Choice:ident = $word:literal,)*
    }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $Kind {
            $($(#[$meaning])* $Choice,)*
        }

        impl $Kind {
            /// The word that stands for it in settings.
            pub const fn word(self) -> &'static str {
                match self {
                    $(Self::$Choice => $word,)*
                }
            }
        }

        impl Value for $Kind {
            const WANTED: &'static str = $wanted;

            fn from_text(text: &str) -> Option<Self> {
                match text {
                    $($word => Some(Self::$Choice),)*
                    _ => None,
                }
            }

            fn to_toml(&self) -> String {
                quoted(self.word())
            }
        }
    };
}

choice! {
    /// Whether anybody may make an account.
    Registration, r#""open" or "closed""# {
        /// Anybody within reach (see [`Reach`]) may.
        Open = "open",
        /// Only admins make accounts.
        Closed = "closed",
    }
}

choice! {
    /// From where open registration and guests are answered.
    Reach, r#""private" (the local network) or "any" (the whole internet)"# {
        /// Only from private-range, link-local and loopback addresses.
        Private = "private",
        /// From every address.
        Any = "any",
    }
}

choice! {
    /// How a log line looks.
    LogFormat, r#""auto" (text on a terminal, else JSON), "text" or "json""# {
        /// Text on a terminal, else JSON.
        Auto = "auto",
        /// For people.
        Text = "text",
        /// For programs, an object a line.
        Json = "json",
    }
}

choice! {
    /// The least important log line that is written.
    LogLevel, r#""error", "warn", "info", "debug" or "trace""# {
        /// Something is lost or broken.
        Error = "error",
        /// Something needs attention.
        Warn = "warn",
        /// What an operator wants to see.
        Info = "info",
        /// What a developer wants to see.
        Debug = "debug",
        /// Everything.
        Trace = "trace",
    }
}

/// The dialects that can be opened by `compat.open`.
pub const DIALECTS: &[&str] = &["team", "komunikator", "back_chat", "chat_app", "realtime"];

/// Which dialects restore the holes their documents describe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OpenDialects {
    /// None: the safe default.
    None,
    /// Every dialect.
    All,
    /// These, named as in [`DIALECTS`].
    Only(BTreeSet<String>),
}

impl OpenDialects {
    /// Whether this dialect (named as in [`DIALECTS`]) is open.
    pub fn includes(&self, dialect: &str) -> bool {
        match self {
            Self::None => false,
            Self::All => true,
            Self::Only(names) => names.contains(dialect),
        }
    }

    fn only(names: Vec<String>) -> Option<Self> {
        let known = names.iter().all(|name| DIALECTS.contains(&name.as_str()));
        match names.is_empty() {
            true => Some(Self::None),
            false => known.then(|| Self::Only(names.into_iter().collect())),
        }
    }
}

impl Value for OpenDialects {
    const WANTED: &'static str = "true, false or a list of \"team\", \"komunikator\", \
                                  \"back_chat\", \"chat_app\", \"realtime\"";

    fn from_text(text: &str) -> Option<Self> {
        match text {
            "true" => Some(Self::All),
            "false" => Some(Self::None),
            _ => Self::only(list_from_text(text)?),
        }
    }

    fn from_toml(value: &DeValue<'_>) -> Option<Self> {
        match value.as_bool() {
            Some(true) => Some(Self::All),
            Some(false) => Some(Self::None),
            None => Self::only(list_from_toml(value)?),
        }
    }

    fn to_toml(&self) -> String {
        match self {
            Self::None => "false".to_owned(),
            Self::All => "true".to_owned(),
            Self::Only(names) => list_to_toml(names),
        }
    }
}
