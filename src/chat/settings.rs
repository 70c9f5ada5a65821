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
