//! The name in the `Host` header, and whether it is local. A web site that resolves to this server's address (DNS
//! rebinding) reaches it under its own name.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Longest host name, in bytes.
const NAME_MAX: usize = 253;
/// Suffixes that public DNS does not delegate (RFC 6762, RFC 8375, ICANN's `.internal`, and `.lan` by convention).
const LOCAL_ENDINGS: [&str; 4] = [".local", ".lan", ".home.arpa", ".internal"];

/// Returns the name of `name:port`: in lower case, without brackets, zone and trailing dot.
pub(super) fn name_of(authority: &str) -> Option<String> {
    if let Some(rest) = authority.strip_prefix('[') {
        let (address, port) = rest.split_once(']')?;
        let address = address.split('%').next().unwrap_or_default();
        let address: Ipv6Addr = address.parse().ok()?;
        return is_port(port).then(|| address.to_string());
    }
    let (name, port) = authority
        .find(':')
        .map_or((authority, ""), |colon| authority.split_at(colon));
    let name = name.strip_suffix('.').unwrap_or(name);
    let is_name = !name.is_empty()
        && name.len() <= NAME_MAX
        && name.split('.').all(is_label)
        && is_port(port);
    is_name.then(|| name.to_ascii_lowercase())
}

/// Whether a [`name_of`] can only belong to this machine or its local network.
pub(super) fn is_local(name: &str) -> bool {
    is_address(name)
        || !name.contains('.')
        || LOCAL_ENDINGS.iter().any(|ending| name.ends_with(ending))
}

/// Whether browsers treat pages under that name as a secure context without https.
pub(super) fn is_loopback(name: &str) -> bool {
    let address: Option<IpAddr> = name.parse().ok();
    name == "localhost" || address.is_some_and(|address| address.is_loopback())
}

fn is_address(name: &str) -> bool {
    name.parse::<Ipv4Addr>().is_ok() || name.parse::<Ipv6Addr>().is_ok()
}

fn is_label(label: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    !label.is_empty() && label.chars().all(is_part)
}

/// Whether the text is empty or a port like `:8080`.
fn is_port(text: &str) -> bool {
    text.is_empty()
        || text
            .strip_prefix(':')
            .is_some_and(|digits| digits.len() <= 5 && digits.bytes().all(|b| b.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_name_is_parsed_from_the_header() {
        for (authority, name) in [
            ("chat.lan:8080", Some("chat.lan")),
            ("CHAT.Lan.", Some("chat.lan")),
            ("chat.lan.:80", Some("chat.lan")),
            ("nas", Some("nas")),
            ("192.168.1.2:8080", Some("192.168.1.2")),
            ("[::1]:8080", Some("::1")),
            ("[FE80::1%25eth0]:8080", Some("fe80::1")),
            ("[fe80::1%eth0]", Some("fe80::1")),
            ("", None),
            (".", None),
            ("a..b", None),
            ("a b", None),
            ("user@nas", None),
            ("nas:80a", None),
            ("nas:80:90", None),
            ("[::1", None),
            ("[::1]x", None),
            ("[evil.example]", None),
            ("::1", None),
            ("evil.example\u{e9}", None),
        ] {
            assert_eq!(name_of(authority).as_deref(), name, "{authority}");
        }
    }

    #[test]
    fn names_of_a_local_network_are_local() {
        for name in [
            "localhost",
            "nas",
            "chat.local",
            "chat.lan",
            "a.b.home.arpa",
            "chat.internal",
            "10.0.0.1",
            "fe80::1",
        ] {
            assert!(is_local(name), "{name}");
        }
        for name in [
            "evil.example",
            "local.example",
            "chat.lan.evil.example",
            "10.0.0.1.evil.example",
            "127.1",
            "evillan.example",
        ] {
            assert!(!is_local(name), "{name}");
        }
    }
}
