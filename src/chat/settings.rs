//! What an operator decides about the chat. Must not know where settings come from.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::Duration;

/// Rules and limits of one server; `None` is no limit.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Whether anybody may make an account.
    pub registration_open: bool,
    /// Whether guests are let in.
    pub guests: bool,
    /// Whether registration and guests are answered to public addresses too.
    pub open_to_all: bool,
    /// A guest ends after this time without use.
    pub guests_expire_after: Duration,
    /// Rounds of PBKDF2 for new passwords.
    pub pbkdf2_rounds: u32,
    /// How long an access token is good.
    pub access_ttl: Duration,
    /// How long a session lives without use.
    pub refresh_ttl: Duration,
    /// Failed logins per minute of one address for one account.
    pub logins_per_minute: Option<NonZeroU32>,
    /// New accounts per minute from one address.
    pub registrations_per_minute: Option<NonZeroU32>,
    /// Wrong access keys per minute of one person.
    pub wrong_keys_per_minute: Option<NonZeroU32>,
    /// Messages per second of one person.
    pub messages_per_second: Option<NonZeroU32>,
    /// Messages one person may send at once.
    pub messages_burst: u32,
    /// The largest file, bytes.
    pub file_size_max: u64,
    /// Types of files that are taken, like `application/pdf` or `image/*`; `None` is all.
    pub file_types: Option<Vec<String>>,
    /// Bytes of all files one person keeps here.
    pub file_quota: Option<u64>,
    /// Pixels of the largest picture that is decoded.
    pub picture_pixels_max: u64,
    /// Bytes of memory that decoding a picture may take.
    pub picture_memory_max: u64,
    /// Connections one person may have.
    pub connections_per_user: Option<NonZeroU32>,
    /// A connection that has ever sent a sign of life is away when the last one is older.
    pub away_after: Duration,
}

impl Settings {
    /// Whether somebody at `address` may make an account.
    pub fn may_register(&self, address: IpAddr) -> bool {
        self.registration_open && self.is_near(address)
    }

    /// Whether somebody at `address` may come as a guest.
    pub fn may_visit(&self, address: IpAddr) -> bool {
        self.guests && self.is_near(address)
    }

    /// Whether files of that type are taken.
    pub fn takes_type(&self, media_type: &str) -> bool {
        let kind = media_type.split_once('/').map_or("", |(kind, _)| kind);
        let fits = |allowed: &String| match allowed.strip_suffix("/*") {
            Some(all_of) => all_of == kind,
            None => allowed == media_type,
        };
        self.file_types
            .as_ref()
            .is_none_or(|types| types.iter().any(fits))
    }

    fn is_near(&self, address: IpAddr) -> bool {
        self.open_to_all || is_private(address)
    }
}

/// Loopback, private, link-local and carrier-internal ranges: a house or a VPN.
fn is_private(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(v4) => {
            let shared = v4.octets()[0] == 100 && v4.octets()[1] & 0xc0 == 64;
            v4.is_loopback() || v4.is_private() || v4.is_link_local() || shared
        }
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_house_is_private_and_the_world_is_not() {
        for address in [
            "127.0.0.1",
            "192.168.1.2",
            "10.0.0.1",
            "100.64.0.9",
            "::1",
            "fd00::1",
            "fe80::1",
            "::ffff:10.0.0.1",
        ] {
            assert!(is_private(address.parse().unwrap()), "{address}");
        }
        for address in ["8.8.8.8", "100.128.0.1", "2001:db8::1", "::ffff:8.8.8.8"] {
            assert!(!is_private(address.parse().unwrap()), "{address}");
        }
    }
}
