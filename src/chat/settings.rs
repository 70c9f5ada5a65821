//! What an operator decides about the chat. Must not know where settings come from.

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
    /// The shortest password that people may choose, characters.
    pub password_min: u32,
    /// Rounds of PBKDF2 for new passwords.
    pub pbkdf2_rounds: u32,
    /// How long an access token is good.
    pub access_ttl: Duration,
    /// How long a session lives without use.
    pub refresh_ttl: Duration,
    /// Failed logins per minute from one address for one account; see `limits::keys` for the other keys.
    pub logins_per_minute: Option<NonZeroU32>,
    /// New accounts per minute from one address.
    pub registrations_per_minute: Option<NonZeroU32>,
    /// Wrong access keys per minute of one person, and wrong codes of links from one address.
    pub wrong_keys_per_minute: Option<NonZeroU32>,
    /// Messages per second of one person.
    pub messages_per_second: Option<NonZeroU32>,
    /// Messages one person may send at once.
    pub messages_burst: u32,
    /// Actions other than messages that others are told of, per second of one person.
    pub actions_per_second: Option<NonZeroU32>,
    /// Such actions that one person may do at once.
    pub actions_burst: u32,
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
}
