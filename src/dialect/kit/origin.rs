//! Where a request really comes from: behind a proxy, and from which page.

use std::net::{IpAddr, SocketAddr};

use super::{HeaderMap, Kit};

/// The longest host that is one, with its port, bytes.
const HOST_MAX: usize = 261;

impl Kit {
    /// The client's own address: the last one in `X-Forwarded-For` that is no proxy of ours.
    pub(super) fn client_address(&self, peer: SocketAddr, headers: &HeaderMap) -> IpAddr {
        let mut address = peer.ip().to_canonical();
        let forwarded = headers.get_all("x-forwarded-for").iter().rev();
        let hops = forwarded
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.rsplit(','));
        for hop in hops {
            if !self.trusts(address) {
                break;
            }
            let Some(next) = parse_hop(hop.trim()) else {
                break;
            };
            address = next;
        }
        address
    }

    /// `http` or `https`, as the client's browser sees it.
    pub(super) fn scheme(&self, peer: SocketAddr, headers: &HeaderMap) -> &'static str {
        let forwarded = headers
            .get("x-forwarded-proto")
            .and_then(|value| value.to_str().ok());
        match forwarded {
            Some("https") if self.trusts(peer.ip().to_canonical()) => "https",
            _ if self
                .public_url
                .as_deref()
                .is_some_and(|url| url.starts_with("https:"))
                && forwarded.is_none() =>
            {
                "https"
            }
            _ => "http",
        }
    }

    /// The address of this server as the client knows it, without a slash at its end; empty if nobody can know.
    pub(super) fn base_url(&self, peer: SocketAddr, headers: &HeaderMap) -> String {
        if let Some(url) = &self.public_url {
            return url.trim_end_matches('/').to_owned();
        }
        let host = headers.get("host").and_then(|value| value.to_str().ok());
        let host = host.filter(|host| host.len() <= HOST_MAX);
        host.map_or_else(String::new, |host| {
            format!("{}://{host}", self.scheme(peer, headers))
        })
    }

    /// Whether the request comes from one of our own pages, or from no page at all.
    pub(super) fn is_own_origin(&self, peer: SocketAddr, headers: &HeaderMap) -> bool {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let Some(value) = headers.get("origin") else {
            return true;
        };
        let Ok(origin) = value.to_str() else {
            return false;
        };
        let public = self
            .public_url
            .as_deref()
            .is_some_and(|url| origin_of(url).eq_ignore_ascii_case(origin));
        let host = text("host").unwrap_or_default();
        public || origin.eq_ignore_ascii_case(&format!("{}://{host}", self.scheme(peer, headers)))
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.trusted_proxies
            .iter()
            .any(|network| network.contains(&address))
    }
}

/// `203.0.113.7`, `203.0.113.7:4711`, `2001:db8::1` or `[2001:db8::1]:4711`.
fn parse_hop(text: &str) -> Option<IpAddr> {
    let address = text
        .parse()
        .or_else(|_| text.parse::<SocketAddr>().map(|socket| socket.ip()));
    address.ok().map(|address: IpAddr| address.to_canonical())
}

/// `https://chat.example` of `https://chat.example/path`.
fn origin_of(url: &str) -> &str {
    let host = url.find("://").map_or(0, |place| place + 3);
    url[host..].find('/').map_or(url, |end| &url[..host + end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_a_url_without_its_path() {
        assert_eq!(
            origin_of("https://chat.example/a/b"),
            "https://chat.example"
        );
        assert_eq!(origin_of("http://10.0.0.1:8080"), "http://10.0.0.1:8080");
    }

    #[test]
    fn hops_come_with_and_without_ports() {
        for hop in [
            "10.0.0.1",
            "10.0.0.1:80",
            "::ffff:10.0.0.1",
            "[::ffff:10.0.0.1]:80",
        ] {
            assert_eq!(parse_hop(hop), Some(IpAddr::from([10, 0, 0, 1])), "{hop}");
        }
        assert_eq!(parse_hop("unknown"), None);
    }
}
