//! Client info: where a request comes from, and the rules for requests from outside the local network.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::{Chat, ChatError};

/// Minimum interval between two warnings of one cause about different clients, origins or hosts.
const WARN_EVERY: Duration = Duration::from_secs(60);
/// Maximum length of a header in the log, characters.
const SEEN_MAX: usize = 100;

/// Network address and user agent of a client.
#[derive(Clone, Debug)]
pub struct ClientInfo {
    /// Address of the client itself, not of a proxy.
    pub address: IpAddr,
    /// Reason why the request does not count as local; `None` if it does.
    pub remote: Option<Remote>,
    pub user_agent: String,
}

/// A request that counts as coming from the internet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remote {
    pub cause: Cause,
    /// Address, origin or host on which the decision is based, for the log.
    pub seen: String,
}

/// Reason why a request counts as coming from the internet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cause {
    /// The client's address is not in a local network.
    Address,
    /// A client that is not a trusted proxy sends forwarding headers.
    Proxy,
    /// A trusted proxy sends no forwarding header, or one that cannot be parsed.
    Forwarding,
    /// The request comes from a page of another web site.
    Origin,
    /// `Host` is not a name of this server.
    Host,
}

impl Cause {
    /// Returns the setting that controls this check.
    pub fn setting(self) -> &'static str {
        match self {
            Self::Address => "auth.open_to",
            Self::Proxy | Self::Forwarding => "server.trusted_proxies",
            Self::Origin => "cors.trusted_origins",
            Self::Host => "server.hosts",
        }
    }

    /// Returns a short reason that names the setting.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Address => "only for the local network (setting auth.open_to)",
            Self::Proxy => {
                "the request came through a proxy that is not trusted (setting server.trusted_proxies)"
            }
            Self::Forwarding => {
                "the proxy did not say for whom it asks (setting server.trusted_proxies)"
            }
            Self::Origin => {
                "pages of other web sites count as the internet (setting cors.trusted_origins)"
            }
            Self::Host => {
                "the server does not know itself under this host name (setting server.hosts)"
            }
        }
    }
}

/// Time and subject of the last warning of each kind.
#[derive(Default)]
pub(super) struct Warnings(Mutex<HashMap<&'static str, (Instant, String)>>);

impl Warnings {
    /// Whether a warning should be logged: at most once a minute, and never twice in a row about the same subject.
    fn is_due(&self, warning: &'static str, seen: &str) -> bool {
        let mut logged = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_known = |(at, last): &(Instant, String)| last == seen || at.elapsed() < WARN_EVERY;
        if logged.get(warning).is_some_and(is_known) {
            return false;
        }
        logged.insert(warning, (Instant::now(), seen.to_owned()));
        true
    }
}

impl Chat {
    /// Checks that the client may create an account without an invite.
    ///
    /// # Errors
    /// [`ChatError::RegistrationClosed`] with the cause.
    pub fn may_register(&self, visitor: &ClientInfo) -> Result<(), ChatError> {
        match self.core.settings.registration_open {
            true => self
                .admits(visitor)
                .map_err(|cause| ChatError::RegistrationClosed(Some(cause))),
            false => Err(ChatError::RegistrationClosed(None)),
        }
    }

    /// Checks that the client may log in as a guest.
    ///
    /// # Errors
    /// [`ChatError::GuestsDisabled`] with the cause.
    pub fn may_visit(&self, visitor: &ClientInfo) -> Result<(), ChatError> {
        match self.core.settings.guests {
            true => self
                .admits(visitor)
                .map_err(|cause| ChatError::GuestsDisabled(Some(cause))),
            false => Err(ChatError::GuestsDisabled(None)),
        }
    }

    /// Logs why a refused request did not count as local, if a wrong setting may be the cause.
    pub fn warn_remote(&self, remote: &Remote) {
        let (reason, seen) = (remote.cause.reason(), shortened(&remote.seen));
        if remote.cause == Cause::Address || !self.core.warnings.is_due(reason, &seen) {
            return;
        }
        tracing::warn!(
            ?seen,
            setting = remote.cause.setting(),
            "a request counts as coming from the internet: {}",
            reason
        );
    }

    /// Logs that a form of another origin was refused, because behind a proxy a wrong setting may be the cause.
    pub fn warn_foreign_form(&self, seen: &str, expected: &str) {
        let (seen, expected) = (shortened(seen), shortened(expected));
        if self.core.warnings.is_due("form", &seen) {
            tracing::warn!(
                ?seen,
                ?expected,
                "refused a form from another origin: see server.public_url and server.trusted_proxies"
            );
        }
    }

    fn admits(&self, visitor: &ClientInfo) -> Result<(), Cause> {
        match &visitor.remote {
            Some(remote) if !self.core.settings.open_to_all => {
                self.warn_remote(remote);
                Err(remote.cause)
            }
            _ => Ok(()),
        }
    }
}

/// Truncates a header for the log.
fn shortened(text: &str) -> String {
    text.chars().take(SEEN_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_warning_is_rate_limited_per_cause() {
        let warnings = Warnings::default();
        assert!(warnings.is_due("host", "a.example"));
        assert!(!warnings.is_due("host", "a.example"));
        assert!(!warnings.is_due("host", "b.example"));
        assert!(warnings.is_due("origin", "http://a.example"));
    }

    #[test]
    fn every_reason_names_its_setting() {
        for cause in [
            Cause::Address,
            Cause::Proxy,
            Cause::Forwarding,
            Cause::Origin,
            Cause::Host,
        ] {
            assert!(cause.reason().contains(cause.setting()), "{cause:?}");
        }
    }
}
