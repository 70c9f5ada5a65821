//! Parses values of settings from text or TOML, and formats them as TOML. Independent of individual settings.

use std::fmt::Debug;
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU32;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ipnet::IpNet;
use toml::de::DeValue;

/// An unparsed value from one of the sources.
#[derive(Clone, Copy)]
pub(super) enum Raw<'a, 'i> {
    /// From the environment, where every value is text.
    Text(&'a str),
    /// From a file, where a number in quotes is an error.
    Toml(&'a DeValue<'i>),
}

/// A type of settings.
pub(super) trait Value: Sized {
    /// Description of valid values, to follow "write": an example, or all choices.
    const WANTED: &'static str;

    fn from_text(text: &str) -> Option<Self>;

    /// Parses a TOML value; by default it must be a string.
    fn from_toml(value: &DeValue<'_>) -> Option<Self> {
        Self::from_text(value.as_str()?)
    }

    fn to_toml(&self) -> String;

    /// Parses the value, or returns an instruction on how to correct it.
    fn read(raw: Raw<'_, '_>) -> Result<Self, String> {
        match raw {
            Raw::Text(text) => Self::from_text(text.trim()),
            Raw::Toml(value) => Self::from_toml(value),
        }
        .ok_or_else(|| format!("write {}", Self::WANTED))
    }
}

impl Value for bool {
    const WANTED: &'static str = "true or false";

    fn from_text(text: &str) -> Option<Self> {
        text.parse().ok()
    }

    fn from_toml(value: &DeValue<'_>) -> Option<Self> {
        value.as_bool()
    }

    fn to_toml(&self) -> String {
        self.to_string()
    }
}

impl Value for u32 {
    const WANTED: &'static str = "a whole number from 0 to 4294967295";

    fn from_text(text: &str) -> Option<Self> {
        text.parse().ok()
    }

    fn from_toml(value: &DeValue<'_>) -> Option<Self> {
        let integer = value.as_integer()?;
        Self::from_str_radix(integer.as_str(), integer.radix()).ok()
    }

    fn to_toml(&self) -> String {
        self.to_string()
    }
}

/// A limit; 0 means none.
impl Value for Option<NonZeroU32> {
    const WANTED: &'static str = "a whole number, 0 for no limit";

    fn from_text(text: &str) -> Option<Self> {
        u32::from_text(text).map(NonZeroU32::new)
    }

    fn from_toml(value: &DeValue<'_>) -> Option<Self> {
        u32::from_toml(value).map(NonZeroU32::new)
    }

    fn to_toml(&self) -> String {
        self.map_or(0, NonZeroU32::get).to_string()
    }
}

impl Value for PathBuf {
    const WANTED: &'static str = r#"a path such as "parlor.db""#;

    fn from_text(text: &str) -> Option<Self> {
        (!text.is_empty()).then(|| Self::from(text))
    }

    fn to_toml(&self) -> String {
        quoted(&self.to_string_lossy())
    }
}

impl Value for SocketAddr {
    const WANTED: &'static str = r#"an IP address and a port up to 65535 such as "0.0.0.0:8080", "127.0.0.1:8080" or "[::]:8080""#;

    fn from_text(text: &str) -> Option<Self> {
        text.parse().ok()
    }

    fn to_toml(&self) -> String {
        quoted(&self.to_string())
    }
}

impl Value for Option<SocketAddr> {
    const WANTED: &'static str =
        r#"an IP address and a port up to 65535 such as "0.0.0.0:8081", or "" for none"#;

    fn from_text(text: &str) -> Option<Self> {
        match text {
            "" => Some(None),
            _ => text.parse().ok().map(Some),
        }
    }

    fn to_toml(&self) -> String {
        quoted(&self.map(|address| address.to_string()).unwrap_or_default())
    }
}

impl Value for Option<String> {
    const WANTED: &'static str = r#"a text in quotes, or "" for none"#;

    fn from_text(text: &str) -> Option<Self> {
        Some((!text.is_empty()).then(|| text.to_owned()))
    }

    fn to_toml(&self) -> String {
        quoted(self.as_deref().unwrap_or_default())
    }
}

/// Networks. A single address is a network of its own.
impl Value for Vec<IpNet> {
    const WANTED: &'static str =
        r#"a list of networks such as ["127.0.0.1", "10.0.0.0/8", "fd00::/8"]"#;

    fn from_text(text: &str) -> Option<Self> {
        networks(&list_from_text(text)?)
    }

    fn from_toml(value: &DeValue<'_>) -> Option<Self> {
        networks(&list_from_toml(value)?)
    }

    fn to_toml(&self) -> String {
        list_to_toml(&self.iter().map(IpNet::to_string).collect::<Vec<_>>())
    }
}

fn networks(list: &[String]) -> Option<Vec<IpNet>> {
    let network = |text: &String| {
        let alone = || text.parse::<IpAddr>().ok().map(IpNet::from);
        text.parse().ok().or_else(alone)
    };
    list.iter().map(network).collect()
}

/// A number and a unit; several may be concatenated ("1h30m").
impl Value for Duration {
    const WANTED: &'static str = r#"a duration such as "5s", "1h" or "30d" (units ms, s, m, h, d)"#;

    fn from_text(text: &str) -> Option<Self> {
        let mut rest = text;
        let mut sum = (!rest.is_empty()).then_some(Self::ZERO)?;
        while !rest.is_empty() {
            let unit_at = rest.find(|c: char| !c.is_ascii_digit())?;
            let (number, tail) = rest.split_at(unit_at);
            let unit_end = tail
                .find(|c: char| c.is_ascii_digit())
                .unwrap_or(tail.len());
            let (unit, after) = tail.split_at(unit_end);
            let (_, ms) = UNITS.iter().find(|(name, _)| *name == unit)?;
            let part = number.parse::<u64>().ok()?.checked_mul(*ms)?;
            sum = sum.checked_add(Self::from_millis(part))?;
            rest = after;
        }
        Some(sum)
    }

    fn to_toml(&self) -> String {
        let ms = self.as_millis();
        let fits = |(_, unit): &&(&str, u64)| ms != 0 && ms.is_multiple_of(u128::from(*unit));
        let (name, unit) = UNITS.iter().find(fits).unwrap_or(&("ms", 1));
        quoted(&format!("{}{name}", ms / u128::from(*unit)))
    }
}

/// Units of a duration in milliseconds, the largest first.
const UNITS: [(&str, u64); 5] = [
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];

pub(super) const fn minutes(count: u64) -> Duration {
    Duration::from_secs(count * 60)
}

pub(super) const fn hours(count: u64) -> Duration {
    minutes(count * 60)
}

pub(super) const fn days(count: u64) -> Duration {
    hours(count * 24)
}

/// Parses `a, b`. An empty text is an empty list.
pub(super) fn list_from_text(text: &str) -> Option<Vec<String>> {
    let items = text.split(',').map(|item| item.trim().to_owned());
    match text {
        "" => Some(Vec::new()),
        _ => items
            .map(|item| (!item.is_empty()).then_some(item))
            .collect(),
    }
}

/// Parses a TOML array of strings.
pub(super) fn list_from_toml(value: &DeValue<'_>) -> Option<Vec<String>> {
    let text = |item: &toml::Spanned<DeValue<'_>>| item.get_ref().as_str().map(str::to_owned);
    value.as_array()?.iter().map(text).collect()
}

pub(super) fn list_to_toml<'a>(items: impl IntoIterator<Item = &'a String>) -> String {
    let items: Vec<_> = items.into_iter().map(|item| quoted(item)).collect();
    format!("[{}]", items.join(", "))
}

/// Formats `text` as a TOML string.
pub(super) fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}

/// Accepts every value.
pub(super) fn any<T>(_: &T) -> Result<(), String> {
    Ok(())
}

/// Returns a check that the value is in `range`.
pub(super) fn within<T>(range: RangeInclusive<T>) -> impl Fn(&T) -> Result<(), String>
where
    T: Value + PartialOrd + Debug,
{
    move |value| match range.contains(value) {
        true => Ok(()),
        false => Err(format!(
            "write at least {} and at most {}",
            range.start().to_toml(),
            range.end().to_toml()
        )),
    }
}

/// Checks the public URL. Pages, cookies and links have absolute paths, so the server cannot run below a path.
pub(super) fn http_url(url: &Option<String>) -> Result<(), String> {
    let rest = url.as_deref().and_then(|url| url.split_once("://"));
    let host_and_path = rest.and_then(|(scheme, rest)| Some((scheme, rest.split_once('/')?.0)));
    if let Some((scheme, host)) = host_and_path.filter(|(_, host)| is_authority(host)) {
        return Err(format!(
            "the server does not work below a path: give it a host name of its own, and write \"{scheme}://{host}\""
        ));
    }
    url_of(
        url.as_deref(),
        &["http://", "https://"],
        "https://chat.example.org",
    )
}

pub(super) fn ws_url(url: &Option<String>) -> Result<(), String> {
    url_of(
        url.as_deref(),
        &["ws://", "wss://"],
        "wss://chat.example.org",
    )
}

/// Checks a URL: no credentials (everybody would see them), no query, and no trailing slash, so that paths can be
/// appended.
fn url_of(url: Option<&str>, schemes: &[&str], example: &str) -> Result<(), String> {
    let is_good = |url: &str| {
        schemes
            .iter()
            .any(|scheme| url.strip_prefix(scheme).is_some_and(is_host_and_path))
    };
    match url.is_none_or(is_good) {
        true => Ok(()),
        false => Err(format!(
            "write an address such as \"{example}\", with a port from 1 to 65535 if it has one, and without a slash at its end"
        )),
    }
}

fn is_host_and_path(rest: &str) -> bool {
    let (authority, path) = rest.split_once('/').unwrap_or((rest, "-"));
    let is_bad =
        |c: char| matches!(c, '?' | '#' | '"' | '\\') || c.is_whitespace() || c.is_control();
    is_authority(authority) && !path.is_empty() && !path.ends_with('/') && !path.contains(is_bad)
}

/// Whether the text is a host with an optional port: `chat.example.org`, `10.0.0.1:8080` or `[fd00::1]:8080`.
pub(super) fn is_authority(text: &str) -> bool {
    let is_bad = |c: char| {
        matches!(
            c,
            '@' | '?' | '#' | '"' | '\\' | '/' | '*' | '[' | ']' | ':'
        ) || c.is_whitespace()
            || c.is_control()
    };
    let is_port = |port: &str| {
        port.bytes().all(|byte| byte.is_ascii_digit())
            && port.parse::<u16>().is_ok_and(|port| port > 0)
    };
    if let Some(rest) = text.strip_prefix('[') {
        return rest.split_once(']').is_some_and(|(address, rest)| {
            address.parse::<std::net::Ipv6Addr>().is_ok()
                && (rest.is_empty() || rest.strip_prefix(':').is_some_and(is_port))
        });
    }
    let (host, port) = match text.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (text, None),
    };
    !host.is_empty() && !host.contains(is_bad) && port.is_none_or(is_port)
}

/// Checks the path of the database, which need not exist.
pub(super) fn database_path(path: &impl AsRef<Path>) -> Result<(), String> {
    let path = path.as_ref();
    let is_folder = path.is_dir() || path.as_os_str().as_encoded_bytes().ends_with(b"/");
    match is_folder {
        false => Ok(()),
        true => Err(format!(
            "that is a folder: name a file in it, such as {:?}",
            path.join("parlor.db")
        )),
    }
}
