//! Settings that are a choice among words.

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
            /// Returns the word used in settings.
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
    /// Whether anybody may create an account.
    Registration, r#""open" or "closed""# {
        /// Anybody within reach (see [`Reach`]) may.
        Open = "open",
        /// Only admins create accounts.
        Closed = "closed",
    }
}

choice! {
    /// Networks from which open registration and guest access are available.
    Reach, r#""private" (the local network) or "any" (the whole internet)"# {
        /// Only private, link-local and loopback addresses.
        Private = "private",
        /// All addresses.
        Any = "any",
    }
}

choice! {
    /// Format of log lines.
    LogFormat, r#""auto" (text on a terminal, else JSON), "text" or "json""# {
        /// Text on a terminal, else JSON.
        Auto = "auto",
        /// Text for people.
        Text = "text",
        /// One JSON object per line.
        Json = "json",
    }
}

choice! {
    /// Least severe level that is logged.
    LogLevel, r#""error", "warn", "info", "debug" or "trace""# {
        Error = "error",
        Warn = "warn",
        Info = "info",
        Debug = "debug",
        Trace = "trace",
    }
}

/// Dialects that can be opened with `compat.open`.
pub const DIALECTS: &[&str] = &["team", "komunikator", "back_chat", "chat_app", "realtime"];

/// Dialects that restore the insecure features of their original APIs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OpenDialects {
    /// The secure default.
    None,
    All,
    /// Names as in [`DIALECTS`].
    Only(BTreeSet<String>),
}

impl OpenDialects {
    /// Whether that dialect (named as in [`DIALECTS`]) is open.
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
