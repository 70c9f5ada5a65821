//! Settings that name servers: origins of web sites, and host names.

use toml::de::DeValue;

use super::value::{Value, is_authority, list_from_text, list_from_toml, list_to_toml};

/// Origins that may use the API from a browser.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origins {
    Any,
    /// Listed origins, each `scheme://host` with an optional `:port`.
    Only(Vec<String>),
}

impl Origins {
    /// Whether pages of this origin may use the API.
    pub fn allows(&self, origin: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Only(list) => list.iter().any(|one| one.eq_ignore_ascii_case(origin)),
        }
    }

    fn from_list(list: Vec<String>) -> Option<Self> {
        match list.as_slice() {
            [star] if star == "*" => Some(Self::Any),
            _ => list
                .iter()
                .all(|one| is_origin(one))
                .then_some(Self::Only(list)),
        }
    }
}

/// Whether the text is `scheme://host[:port]` and nothing else, as browsers send it.
fn is_origin(text: &str) -> bool {
    text.split_once("://").is_some_and(|(scheme, rest)| {
        let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
        !scheme.is_empty() && scheme.chars().all(is_part) && is_authority(rest)
    })
}

impl Value for Origins {
    const WANTED: &'static str = r#"["*"] for all, or a list of origins such as ["https://chat.example.org"], without a path"#;

    fn from_text(text: &str) -> Option<Self> {
        Self::from_list(list_from_text(text)?)
    }

    fn from_toml(value: &DeValue<'_>) -> Option<Self> {
        Self::from_list(list_from_toml(value)?)
    }

    fn to_toml(&self) -> String {
        match self {
            Self::Any => list_to_toml(&["*".to_owned()]),
            Self::Only(list) => list_to_toml(list),
        }
    }
}

/// Origins of web sites, each `scheme://host` with an optional `:port`, in lower case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OriginList(pub Vec<String>);

impl OriginList {
    fn from_list(list: &[String]) -> Option<Self> {
        let all = list.iter().all(|one| is_origin(one));
        all.then(|| Self(list.iter().map(|one| one.to_ascii_lowercase()).collect()))
    }
}

impl Value for OriginList {
    const WANTED: &'static str = r#"a list of origins such as ["https://app.example.org"], without a path; "*" is not possible"#;

    fn from_text(text: &str) -> Option<Self> {
        Self::from_list(&list_from_text(text)?)
    }

    fn from_toml(value: &DeValue<'_>) -> Option<Self> {
        Self::from_list(&list_from_toml(value)?)
    }

    fn to_toml(&self) -> String {
        list_to_toml(&self.0)
    }
}

/// Whether browsers can send the host of `scheme://host[:port][/path]` unchanged.
pub(super) fn has_plain_host(url: &str) -> bool {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split('/').next().unwrap_or_default();
    let is_ipv6 = authority
        .strip_prefix('[')
        .and_then(|rest| rest.split_once(']'))
        .is_some_and(|(address, _)| address.parse::<std::net::Ipv6Addr>().is_ok());
    is_ipv6 || host(authority.split(':').next().unwrap_or_default()).is_some()
}

/// Host names, in lower case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hosts(pub Vec<String>);

impl Hosts {
    fn from_list(list: &[String]) -> Option<Self> {
        list.iter()
            .map(|one| host(one))
            .collect::<Option<_>>()
            .map(Self)
    }
}

/// Returns a valid host name in lower case, without the trailing dot. It must not have a scheme, port or path.
fn host(text: &str) -> Option<String> {
    let name = text.strip_suffix('.').unwrap_or(text);
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let is_label = |label: &str| !label.is_empty() && label.chars().all(is_part);
    let is_host = name.len() <= 253 && name.split('.').all(is_label);
    is_host.then(|| name.to_ascii_lowercase())
}

impl Value for Hosts {
    const WANTED: &'static str =
        r#"a list of host names such as ["chat.example.org"], without scheme, port and path"#;

    fn from_text(text: &str) -> Option<Self> {
        Self::from_list(&list_from_text(text)?)
    }

    fn from_toml(value: &DeValue<'_>) -> Option<Self> {
        Self::from_list(&list_from_toml(value)?)
    }

    fn to_toml(&self) -> String {
        list_to_toml(&self.0)
    }
}
