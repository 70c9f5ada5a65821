//! Forwarding headers of proxies: `X-Forwarded-For` and `-Proto`, `Forwarded` (RFC 7239), `X-Real-IP`.

use std::net::{IpAddr, SocketAddr};

use super::super::HeaderMap;

/// Headers that only proxies send, in addition to those that begin with [`PREFIX`].
const MARKS: [&str; 3] = ["forwarded", "x-real-ip", "via"];
const PREFIX: &str = "x-forwarded";

/// The client behind the proxies.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Client {
    /// Address of the client, or the last hop that is known.
    pub address: IpAddr,
    /// Whether the client uses https, if a trusted proxy says so.
    pub https: Option<bool>,
    pub doubt: Option<Doubt>,
}

/// Reason why a client's address is uncertain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Doubt {
    /// The address that was found forwards for others but is not trusted.
    Untrusted,
    /// A trusted proxy does not name its client, or the header cannot be parsed.
    Unreadable,
}

/// Finds the client of a request from `peer`: the last hop that is not a trusted proxy.
pub(super) fn client(
    peer: IpAddr,
    headers: &HeaderMap,
    is_trusted: impl Fn(IpAddr) -> bool,
) -> Client {
    let mut address = peer.to_canonical();
    if !is_trusted(address) {
        return Client {
            address,
            https: None,
            doubt: is_marked(headers).then_some(Doubt::Untrusted),
        };
    }
    let hops = hops(headers);
    let mut rest = hops.iter().rev();
    let mut doubt = hops.is_empty().then_some(Doubt::Unreadable);
    while is_trusted(address)
        && let Some(hop) = rest.next()
    {
        match parse_hop(hop) {
            Some(next) => address = next,
            None => {
                doubt = Some(Doubt::Unreadable);
                break;
            }
        }
    }
    if doubt.is_none() && rest.next().is_some() {
        doubt = Some(Doubt::Untrusted);
    }
    let scheme = scheme(headers);
    if scheme == Some(None) {
        doubt = Some(Doubt::Unreadable);
    }
    Client {
        address,
        https: scheme.flatten(),
        doubt,
    }
}

fn is_marked(headers: &HeaderMap) -> bool {
    headers
        .keys()
        .map(warp::http::HeaderName::as_str)
        .any(|name| MARKS.contains(&name) || name.starts_with(PREFIX))
}

/// Returns all hops, the client first. A header value that is not text is a hop that cannot be parsed.
fn hops(headers: &HeaderMap) -> Vec<String> {
    if headers.contains_key("x-forwarded-for") {
        return parts(headers, "x-forwarded-for");
    }
    if headers.contains_key("forwarded") {
        let elements = parts(headers, "forwarded");
        return elements
            .iter()
            .map(|element| parameter(element, "for").unwrap_or_default())
            .collect();
    }
    parts(headers, "x-real-ip")
}

/// Whether the client's browser uses https: `None` without a header, `Some(None)` if it cannot be parsed.
fn scheme(headers: &HeaderMap) -> Option<Option<bool>> {
    let said = match headers.contains_key("x-forwarded-proto") {
        // Each proxy may have appended its own; the first one is the client's.
        true => parts(headers, "x-forwarded-proto").into_iter().next(),
        false if headers.contains_key("x-forwarded-for") => None,
        false => parts(headers, "forwarded")
            .first()
            .and_then(|element| parameter(element, "proto")),
    }?;
    // Some proxies send the scheme of the WebSocket.
    Some(match said.to_ascii_lowercase().as_str() {
        "https" | "wss" => Some(true),
        "http" | "ws" => Some(false),
        _ => None,
    })
}

/// Elements of a list, over all headers of that name.
fn parts(headers: &HeaderMap, name: &str) -> Vec<String> {
    let values = headers.get_all(name).iter();
    values
        .flat_map(|value| value.to_str().unwrap_or_default().split(','))
        .map(|part| part.trim().to_owned())
        .collect()
}

/// Returns a parameter of `for=192.0.2.60;proto=http`, without quotes.
fn parameter(element: &str, name: &str) -> Option<String> {
    let pairs = element.split(';').filter_map(|pair| pair.split_once('='));
    pairs
        .map(|(key, value)| (key.trim(), value.trim()))
        .find(|(key, _)| key.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.trim_matches('"').to_owned())
}

/// Parses `203.0.113.7`, `203.0.113.7:4711`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:4711` or `fe80::1%eth0`.
fn parse_hop(text: &str) -> Option<IpAddr> {
    let bare = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(text);
    let bare = match bare.split_once('%') {
        Some((address, _)) if !bare.contains(']') => address,
        _ => bare,
    };
    let address = bare
        .parse()
        .or_else(|_| text.parse::<SocketAddr>().map(|socket| socket.ip()));
    address.ok().map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(
        peer: &str,
        headers: &[(&'static str, &str)],
    ) -> (String, Option<bool>, Option<Doubt>) {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        let proxies: [IpAddr; 2] = ["10.0.0.1", "10.0.0.2"].map(|address| address.parse().unwrap());
        let found = client(peer.parse().unwrap(), &map, |address| {
            proxies.contains(&address)
        });
        (found.address.to_string(), found.https, found.doubt)
    }

    #[test]
    #[expect(clippy::too_many_lines, reason = "one long table")]
    fn the_client_is_the_last_untrusted_hop() {
        let known = |address: &str| (address.to_owned(), None, None);
        let doubtful = |address: &str, doubt| (address.to_owned(), None, Some(doubt));
        let table: &[(&str, &[(&'static str, &str)], _)] = &[
            ("192.168.1.9", &[], known("192.168.1.9")),
            ("::ffff:192.168.1.9", &[], known("192.168.1.9")),
            (
                "10.0.0.1",
                &[("x-forwarded-for", "192.168.1.9")],
                known("192.168.1.9"),
            ),
            (
                "10.0.0.1",
                &[("x-forwarded-for", "192.168.1.9, 10.0.0.2")],
                known("192.168.1.9"),
            ),
            (
                "10.0.0.1",
                &[
                    ("x-forwarded-for", "192.168.1.9"),
                    ("x-forwarded-for", "10.0.0.2"),
                ],
                known("192.168.1.9"),
            ),
            (
                "10.0.0.1",
                &[("x-forwarded-for", "10.0.0.2")],
                known("10.0.0.2"),
            ),
            (
                "10.0.0.1",
                &[("forwarded", "for=\"[2001:db8::1]:4711\"")],
                known("2001:db8::1"),
            ),
            (
                "10.0.0.1",
                &[("forwarded", "For=192.168.1.9, for=10.0.0.2")],
                known("192.168.1.9"),
            ),
            (
                "10.0.0.1",
                &[("x-real-ip", "192.168.1.9")],
                known("192.168.1.9"),
            ),
            // The proxy's own header counts, not the one that the client sent.
            (
                "10.0.0.1",
                &[
                    ("x-forwarded-for", "203.0.113.9"),
                    ("forwarded", "for=192.168.1.9"),
                ],
                known("203.0.113.9"),
            ),
            // An untrusted address forwards for another one.
            (
                "10.0.0.1",
                &[("x-forwarded-for", "203.0.113.9, 192.168.1.9")],
                doubtful("192.168.1.9", Doubt::Untrusted),
            ),
            (
                "192.168.1.9",
                &[("x-forwarded-for", "192.168.1.9")],
                doubtful("192.168.1.9", Doubt::Untrusted),
            ),
            (
                "192.168.1.9",
                &[("x-forwarded-proto", "https")],
                doubtful("192.168.1.9", Doubt::Untrusted),
            ),
            (
                "192.168.1.9",
                &[("forwarded", "for=192.168.1.9")],
                doubtful("192.168.1.9", Doubt::Untrusted),
            ),
            (
                "192.168.1.9",
                &[("x-real-ip", "192.168.1.9")],
                doubtful("192.168.1.9", Doubt::Untrusted),
            ),
            // A trusted proxy sends no header, or one that cannot be parsed.
            ("10.0.0.1", &[], doubtful("10.0.0.1", Doubt::Unreadable)),
            (
                "10.0.0.1",
                &[("x-forwarded-for", "")],
                doubtful("10.0.0.1", Doubt::Unreadable),
            ),
            (
                "10.0.0.1",
                &[("x-forwarded-for", "garbage")],
                doubtful("10.0.0.1", Doubt::Unreadable),
            ),
            (
                "10.0.0.1",
                &[("x-forwarded-for", "garbage, 10.0.0.2")],
                doubtful("10.0.0.2", Doubt::Unreadable),
            ),
            (
                "10.0.0.1",
                &[("forwarded", "for=unknown")],
                doubtful("10.0.0.1", Doubt::Unreadable),
            ),
            (
                "10.0.0.1",
                &[("forwarded", "proto=https")],
                ("10.0.0.1".to_owned(), Some(true), Some(Doubt::Unreadable)),
            ),
            (
                "10.0.0.1",
                &[
                    ("x-forwarded-for", "192.168.1.9"),
                    ("x-forwarded-proto", "gopher"),
                ],
                doubtful("192.168.1.9", Doubt::Unreadable),
            ),
        ];
        for (peer, headers, found) in table {
            assert_eq!(&asked(peer, headers), found, "{peer} {headers:?}");
        }
    }

    #[test]
    fn the_first_forwarded_scheme_is_used() {
        for (proto, https) in [
            ("https", Some(true)),
            ("https, http", Some(true)),
            ("HTTPS,http", Some(true)),
            ("wss", Some(true)),
            ("http, https", Some(false)),
            ("", None),
        ] {
            let headers = [
                ("x-forwarded-for", "192.168.1.9"),
                ("x-forwarded-proto", proto),
            ];
            assert_eq!(asked("10.0.0.1", &headers).1, https, "{proto}");
        }
        assert_eq!(
            asked("192.168.1.9", &[("x-forwarded-proto", "https")]).1,
            None
        );
    }

    #[test]
    fn hops_are_parsed_with_and_without_ports() {
        for hop in [
            "10.0.0.1",
            "10.0.0.1:80",
            "::ffff:10.0.0.1",
            "[::ffff:10.0.0.1]",
            "[::ffff:10.0.0.1]:80",
        ] {
            assert_eq!(parse_hop(hop), Some(IpAddr::from([10, 0, 0, 1])), "{hop}");
        }
        for hop in ["fe80::1%eth0", "[fe80::1%eth0]", "[fe80::1]:80"] {
            assert_eq!(parse_hop(hop), "fe80::1".parse().ok(), "{hop}");
        }
        for hop in ["unknown", "", "10.0.0", "[10.0.0.1", "_hidden"] {
            assert_eq!(parse_hop(hop), None, "{hop}");
        }
    }
}
