//! URLs that clients supply and that pages or programs may load: a file of this server, or an http(s) URL of another
//! host.
//!
//! They are checked when they are stored and again when they are read, because earlier versions stored URLs that are
//! refused now. The page's script implements the first rule too (`ownFile` in `assets/dom.js`); `tests/addresses.json`
//! tests both.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::Invalid;
use super::text::is_hidden;

/// Maximum length of a URL, bytes.
const LENGTH_MAX: usize = 2048;
/// Characters that must be percent-encoded in a URL.
const NEVER: &str = "\"<>\\^`{|}";

/// A file of this server, as `/files/<number>/<name>` with an optional `?k=<signature>`, or an absolute http(s) URL of
/// another host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebUrl(String);

impl WebUrl {
    /// Parses a URL from a client; `own_hosts` are the names of this server, with or without ports. An absolute URL of
    /// a file of this server is reduced to its path.
    ///
    /// # Errors
    /// If it is anything else, in particular any other path of this server.
    pub fn parse(field: &'static str, text: &str, own_hosts: &[&str]) -> Result<Self, Invalid> {
        let refused = Invalid::new(field, "must be an http or https address");
        let text = text.trim();
        let local = match host_and_rest(text) {
            Some((host, rest)) if own_hosts.iter().any(|own| is_same(host, host_name(own))) => rest,
            _ => text,
        };
        Self::stored(local).ok_or(refused)
    }

    /// Parses a URL from the database; `None` if it is not valid by today's rules.
    pub fn stored(text: &str) -> Option<Self> {
        let fits = text.len() <= LENGTH_MAX && (is_own_file(text) || is_elsewhere(text));
        fits.then(|| Self(text.to_owned()))
    }

    /// Placeholder where a URL is required but the stored one is invalid; never resolves (RFC 6761).
    pub fn unusable() -> Self {
        Self("http://unusable.invalid/".to_owned())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the path if it is a file of this server.
    pub fn own_path(&self) -> Option<&str> {
        Some(self.as_str()).filter(|path| path.starts_with('/'))
    }

    /// Whether the URL is on that host; ports are ignored.
    pub fn is_of(&self, host: &str) -> bool {
        host_and_rest(&self.0).is_some_and(|(own, _)| is_same(own, host_name(host)))
    }
}

/// Whether `text` is `/files/<number>/<name>` exactly as this server writes it, so that no other spelling leads to
/// another path.
fn is_own_file(text: &str) -> bool {
    let Some((id, rest)) = text
        .strip_prefix("/files/")
        .and_then(|rest| rest.split_once('/'))
    else {
        return false;
    };
    let (name, pass) = match rest.split_once("?k=") {
        Some((name, pass)) => (name, Some(pass)),
        None => (rest, None),
    };
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'~');
    id.parse::<i64>().is_ok_and(|id| id > 0)
        && id.bytes().all(|b| b.is_ascii_digit())
        && !id.starts_with('0')
        && is_name(name)
        && pass.is_none_or(|pass| !pass.is_empty() && pass.bytes().all(is_plain))
}

/// Whether `name` is one path segment in which only bytes that need it are percent-encoded.
fn is_name(name: &str) -> bool {
    let mut parts = name.split('%');
    let is_plain = |part: &str| {
        part.bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'~'))
    };
    let is_encoded = |part: &str| {
        let byte = part
            .get(..2)
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        let is_needed =
            byte.is_some_and(|b| !b.is_ascii_control() && !matches!(b, b'/' | b'\\' | b'.'));
        is_needed && part.as_bytes()[0] != b'+' && is_plain(&part[2..])
    };
    !matches!(name, "" | "." | "..") && parts.next().is_some_and(is_plain) && parts.all(is_encoded)
}

/// Whether `text` is an absolute http(s) URL of a host other than the reader's own machine.
fn is_elsewhere(text: &str) -> bool {
    let Some((host, rest)) = host_and_rest(text) else {
        return false;
    };
    let is_good = |c: char| !c.is_whitespace() && !NEVER.contains(c) && !is_hidden(c);
    is_host(host) && rest.chars().all(is_good)
}

/// Returns the host of an absolute http(s) URL and the part after the port; nothing is percent-decoded.
fn host_and_rest(text: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = text.split_once("://")?;
    if !scheme.eq_ignore_ascii_case("http") && !scheme.eq_ignore_ascii_case("https") {
        return None;
    }
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, rest) = rest.split_at(end);
    let host = host_name(authority);
    let port = &authority[host.len()..];
    let is_port =
        |port: &str| port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_ok();
    let is_good = port.is_empty() || port.strip_prefix(':').is_some_and(is_port);
    is_good.then_some((host, rest))
}

/// Returns `chat.lan` for `chat.lan:8080`, `http://chat.lan/a` or `chat.lan`.
pub fn host_name(authority: &str) -> &str {
    let start = authority.find("://").map_or(0, |at| at + 3);
    let authority = &authority[start..];
    let authority = &authority[..authority.find('/').unwrap_or(authority.len())];
    let end = match authority.find(']') {
        Some(end) if authority.starts_with('[') => end + 1,
        _ => authority.find(':').unwrap_or(authority.len()),
    };
    &authority[..end]
}

/// Whether `host` is a name or address that all programs parse alike. Refuses loopback and unspecified addresses and
/// `localhost`.
fn is_host(host: &str) -> bool {
    if let Some(address) = address_of(host) {
        return !address.is_loopback() && !address.is_unspecified();
    }
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
    };
    let last = host.rsplit('.').next().unwrap_or_default();
    // Browsers parse `2130706433` and `0x7f.1` as IPv4 addresses.
    let is_number = last.starts_with(|c: char| c.is_ascii_digit());
    let is_here = last.eq_ignore_ascii_case("localhost");
    host.len() <= 253 && host.split('.').all(is_label) && !is_number && !is_here
}

fn is_same(host: &str, own: &str) -> bool {
    let addresses = address_of(host).zip(address_of(own));
    host.eq_ignore_ascii_case(own) || addresses.is_some_and(|(one, other)| one == other)
}

fn address_of(host: &str) -> Option<IpAddr> {
    let inner = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    match inner {
        Some(inner) => Some(IpAddr::V6(inner.parse::<Ipv6Addr>().ok()?).to_canonical()),
        None => Some(IpAddr::V4(host.parse::<Ipv4Addr>().ok()?)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn the_shared_cases_hold() {
        let cases: Value =
            serde_json::from_str(include_str!("../../tests/addresses.json")).unwrap();
        let all = |kind: &str| {
            let texts = cases[kind].as_array().unwrap().iter();
            texts.map(|text| text.as_str().unwrap().to_owned())
        };
        for text in all("own") {
            let url = WebUrl::stored(&text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(url.own_path(), Some(text.as_str()));
        }
        for text in all("others") {
            let url = WebUrl::stored(&text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(url.own_path(), None, "{text}");
        }
        for text in all("neither") {
            assert_eq!(WebUrl::stored(&text), None, "{text}");
            assert!(WebUrl::parse("a", &text, &[]).is_err(), "{text}");
        }
    }

    #[test]
    fn urls_of_this_server_must_be_file_urls() {
        let own = [
            "chat.lan:8080",
            "https://chat.example/",
            "10.0.0.1",
            "[2001:db8::1]:80",
        ];
        for host in [
            "http://chat.lan",
            "https://CHAT.lan:99",
            "http://chat.example",
            "http://10.0.0.1:8",
            "http://[::ffff:10.0.0.1]",
            "http://[2001:DB8:0::1]",
        ] {
            let parse = |path: &str| WebUrl::parse("a", &format!("{host}{path}"), &own);
            assert_eq!(
                parse("/files/7/a?k=b").unwrap().as_str(),
                "/files/7/a?k=b",
                "{host}"
            );
            for path in [
                "",
                "/",
                "/auth/logout",
                "/files/../auth/logout",
                "/files/7/a#b",
            ] {
                assert!(parse(path).is_err(), "{host}{path}");
            }
        }
        assert!(WebUrl::parse("a", "http://other.lan/auth/logout", &own).is_ok());
        assert!(
            WebUrl::parse("a", "http://other.lan/a", &own)
                .unwrap()
                .is_of("other.lan:1")
        );
    }

    #[test]
    fn the_placeholder_for_unusable_urls_can_be_stored() {
        let text = WebUrl::unusable().as_str().to_owned();
        assert_eq!(WebUrl::stored(&text), Some(WebUrl::unusable()));
    }
}
