//! Settings of the chat. Must not know where they come from.

use std::num::NonZeroU32;
use std::time::Duration;

/// Rules and limits of one server; `None` means no limit.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Whether accounts can be created without an invite.
    pub registration_open: bool,
    /// Whether guests are allowed.
    pub guests: bool,
    /// Whether registration and guests are allowed from public addresses too.
    pub open_to_all: bool,
    /// Idle time after which a guest account is deleted.
    pub guests_expire_after: Duration,
    /// Minimum length of a new password, characters.
    pub password_min: u32,
    /// PBKDF2 rounds for new passwords.
    pub pbkdf2_rounds: u32,
    /// Lifetime of an access token.
    pub access_ttl: Duration,
    /// Idle time after which a session expires.
    pub refresh_ttl: Duration,
    /// Failed logins per minute from one address to one account; see `limits::keys` for the other keys.
    pub logins_per_minute: Option<NonZeroU32>,
    /// New accounts per minute from one address.
    pub registrations_per_minute: Option<NonZeroU32>,
    /// Wrong access keys per minute of one person, and wrong codes of links per minute from one address.
    pub wrong_keys_per_minute: Option<NonZeroU32>,
    /// Messages per second of one person.
    pub messages_per_second: Option<NonZeroU32>,
    /// Burst of messages of one person.
    pub messages_burst: u32,
    /// Other actions that are sent to other people, per second of one person.
    pub actions_per_second: Option<NonZeroU32>,
    /// Burst of such actions.
    pub actions_burst: u32,
    /// Maximum size of a file, bytes.
    pub file_size_max: u64,
    /// Allowed media types, like `application/pdf` or `image/*`; `None` allows all.
    pub file_types: Option<Vec<String>>,
    /// Total size of the files of one person, bytes.
    pub file_quota: Option<u64>,
    /// Maximum number of pixels of a picture that is decoded.
    pub picture_pixels_max: u64,
    /// Maximum memory for decoding a picture, bytes.
    pub picture_memory_max: u64,
    /// Maximum number of connections of one person.
    pub connections_per_user: Option<NonZeroU32>,
    /// A connection that has sent activity signals counts as away if the last one is older than this.
    pub away_after: Duration,
}

impl Settings {
    /// Whether files of that media type are allowed.
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
