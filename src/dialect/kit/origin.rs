//! Determines where a request comes from: the client behind a proxy, the origin of the page, and the host name used.
//!
//! Two decisions depend on it. *Same origin*: the page was served under the host name that the request is sent to.
//! Cookies and forms require this; a web site that resolves to this server's address (DNS rebinding) has no cookie of
//! it. *Local*: the request needs no account. The client's address, the page's origin and the host must all belong to
//! the local network.

mod forwarded;
mod host;

use std::net::{IpAddr, SocketAddr};

use crate::chat::{Cause, Remote};

use super::{HeaderMap, Kit};
use forwarded::{Client, Doubt};

/// Longest `Host` that is accepted, with port, in bytes.
const HOST_MAX: usize = 261;

/// The operator's settings about this server's names and its proxies.
#[derive(Clone, Debug, Default)]
pub struct Network {
    /// The URL that people use, if it differs from the one the server sees.
    pub public_url: Option<String>,
    /// Proxies whose forwarding headers are trusted.
    pub trusted_proxies: Vec<ipnet::IpNet>,
    /// Names of this server in addition to those of `host::is_local`, in lower case.
    pub hosts: Vec<String>,
    /// Origins whose pages may use what needs no account, like this server's own pages.
    pub trusted_origins: Vec<String>,
}

impl Kit {
    /// Returns the client's address, and the reason why the request does not count as local, if it does not.
    pub(super) fn locate(&self, peer: SocketAddr, headers: &HeaderMap) -> (IpAddr, Option<Remote>) {
        let client = self.client(peer, headers);
        (client.address, self.remote(peer, &client, headers))
    }

    /// Returns the client's address, and whether a trusted proxy forwarded the request.
    pub fn client_of(&self, peer: SocketAddr, headers: &HeaderMap) -> (IpAddr, bool) {
        let is_proxied = self.is_trusted(peer.ip().to_canonical());
        (self.client(peer, headers).address, is_proxied)
    }

    /// Returns `http` or `https`, as the client's browser sees it.
    pub(super) fn scheme(&self, peer: SocketAddr, headers: &HeaderMap) -> &'static str {
        let https = self.client(peer, headers).https.unwrap_or_else(|| {
            // If the proxy does not say, requests for the public host name have the scheme of the public URL.
            let (scheme, name) = self.public().unwrap_or_default();
            let by_public = text(headers, "host").and_then(host::name_of).as_ref() == Some(&name)
                || self.is_public_origin(headers);
            scheme == "https" && by_public
        });
        if https { "https" } else { "http" }
    }

    /// Returns the base URL of this server as the client knows it, without a trailing slash. Empty if it is unknown.
    pub(super) fn base_url(&self, peer: SocketAddr, headers: &HeaderMap) -> String {
        if let Some(url) = &self.network.public_url {
            return url.trim_end_matches('/').to_owned();
        }
        let host = text(headers, "host").filter(|host| host.len() <= HOST_MAX);
        host.map_or_else(String::new, |host| {
            format!("{}://{host}", self.scheme(peer, headers))
        })
    }

    /// Whether the request comes from a page of the origin that it is sent to, or from no page at all.
    pub(super) fn is_same_origin(&self, peer: SocketAddr, headers: &HeaderMap) -> bool {
        !headers.contains_key("origin")
            || text(headers, "origin").is_some_and(|origin| self.is_own(peer, headers, origin))
    }

    /// Whether the referring page has the origin that the request is sent to.
    pub(super) fn is_own_referer(&self, peer: SocketAddr, headers: &HeaderMap) -> bool {
        text(headers, "referer")
            .is_some_and(|referer| self.is_own(peer, headers, origin_of(referer)))
    }

    /// Whether the page is in a secure context: browsers ignore some headers otherwise.
    pub(super) fn is_secure_context(&self, peer: SocketAddr, headers: &HeaderMap) -> bool {
        let name = text(headers, "host").and_then(host::name_of);
        name.is_some_and(|name| host::is_loopback(&name)) || self.scheme(peer, headers) == "https"
    }

    fn client(&self, peer: SocketAddr, headers: &HeaderMap) -> Client {
        forwarded::client(peer.ip(), headers, |address| self.is_trusted(address))
    }

    fn is_trusted(&self, address: IpAddr) -> bool {
        let proxies = &self.network.trusted_proxies;
        proxies.iter().any(|network| network.contains(&address))
    }

    fn remote(&self, peer: SocketAddr, client: &Client, headers: &HeaderMap) -> Option<Remote> {
        let remote = |cause, seen: &str| {
            let seen = seen.to_owned();
            Some(Remote { cause, seen })
        };
        let address = client.address.to_string();
        if client.doubt == Some(Doubt::Unreadable) {
            return remote(Cause::Forwarding, &address);
        }
        if !is_private(client.address) {
            return remote(Cause::Address, &address);
        }
        if client.doubt == Some(Doubt::Untrusted) {
            return remote(Cause::Proxy, &address);
        }
        if !self.is_own_host(headers) {
            return remote(Cause::Host, text(headers, "host").unwrap_or_default());
        }
        match headers.contains_key("origin") {
            true => {
                let origin = text(headers, "origin").unwrap_or_default();
                let trusted = &self.network.trusted_origins;
                let is_trusted = self.is_own(peer, headers, origin)
                    || trusted.iter().any(|one| is_same(one, origin));
                match is_trusted {
                    true => None,
                    false => remote(Cause::Origin, origin),
                }
            }
            false => None,
        }
    }

    /// Whether `Host` is a name that only this server can have.
    fn is_own_host(&self, headers: &HeaderMap) -> bool {
        let Some(name) = text(headers, "host").and_then(host::name_of) else {
            return false;
        };
        let is_public = || self.public().is_some_and(|(_, public)| public == name);
        host::is_local(&name) || self.network.hosts.contains(&name) || is_public()
    }

    fn is_own(&self, peer: SocketAddr, headers: &HeaderMap, origin: &str) -> bool {
        let public = self.network.public_url.as_deref();
        let host = text(headers, "host").filter(|host| host::name_of(host).is_some());
        let is_this = |host: &str| {
            let this = format!("{}://{host}", self.scheme(peer, headers));
            is_same(&this, origin)
        };
        public.is_some_and(|url| is_same(origin_of(url), origin)) || host.is_some_and(is_this)
    }

    fn is_public_origin(&self, headers: &HeaderMap) -> bool {
        let (public, origin) = (self.network.public_url.as_deref(), text(headers, "origin"));
        public
            .zip(origin)
            .is_some_and(|(url, origin)| is_same(origin_of(url), origin))
    }

    /// Returns scheme and host name of `server.public_url`.
    fn public(&self) -> Option<(&str, String)> {
        let (scheme, authority) =
            origin_of(self.network.public_url.as_deref()?).split_once("://")?;
        Some((scheme, host::name_of(authority)?))
    }
}

/// Returns a header that occurs exactly once. Repeated headers may be an attempt to make proxy and server read
/// different values.
fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut all = headers.get_all(name).iter();
    let first = all.next().filter(|_| all.next().is_none());
    first.and_then(|value| value.to_str().ok())
}

/// Whether two origins are the same. Browsers leave out the default port.
fn is_same(one: &str, other: &str) -> bool {
    fn plain(origin: &str) -> String {
        let origin = origin.to_ascii_lowercase();
        let usual = match origin.split_once("://") {
            Some(("https", _)) => ":443",
            _ => ":80",
        };
        origin.strip_suffix(usual).unwrap_or(&origin).to_owned()
    }
    plain(one) == plain(other)
}

/// Returns `https://chat.example` for `https://chat.example/path`.
fn origin_of(url: &str) -> &str {
    let host = url.find("://").map_or(0, |place| place + 3);
    url[host..].find('/').map_or(url, |end| &url[..host + end])
}

/// Whether the address is loopback, RFC 1918, RFC 4193 or link-local. 100.64.0.0/10 is not private: carriers share it
/// among strangers.
fn is_private(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(v4) => v4.is_loopback() || v4.is_private() || v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local(),
    }
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
    fn default_ports_are_equal_to_omitted_ones() {
        for (one, other, same) in [
            ("https://a.example", "https://A.example:443", true),
            ("http://a.example:80", "http://a.example", true),
            ("http://a.example:443", "http://a.example", false),
            ("http://a.example", "https://a.example", false),
            ("http://a.example:8080", "http://a.example:8081", false),
        ] {
            assert_eq!(is_same(one, other), same, "{one} {other}");
        }
    }

    #[test]
    fn only_addresses_of_local_networks_are_private() {
        for address in [
            "127.0.0.1",
            "192.168.1.2",
            "10.0.0.1",
            "172.31.0.1",
            "169.254.1.1",
            "::1",
            "fd00::1",
            "fe80::1",
            "::ffff:10.0.0.1",
        ] {
            assert!(is_private(address.parse().unwrap()), "{address}");
        }
        for address in [
            "8.8.8.8",
            "100.64.0.9",
            "172.32.0.1",
            "0.0.0.0",
            "2001:db8::1",
            "::ffff:8.8.8.8",
        ] {
            assert!(!is_private(address.parse().unwrap()), "{address}");
        }
    }
}
