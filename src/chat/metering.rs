//! How much of others' attention one person may take: everything that others are told of is counted here, by who does it.

use std::time::Duration;

use crate::model::UserId;

use super::limits::attempts::Attempts;
use super::limits::keys::KnownAddresses;
use super::limits::{Meter, Rate};
use super::{Caller, Chat, ChatError, Settings};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

/// Signs of typing and reading per second of one person, and at once. They are light: one too many is left out.
const SIGNALS_PER_SECOND: u32 = 10;
const SIGNALS_BURST: u32 = 60;

/// What an action costs: as others are told of it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Cost {
    /// One room, or who is in it.
    Place = 1,
    /// An account, of which all its rooms are told.
    Account = 3,
}

/// All limits per person, account and address; `None` is no limit.
pub(super) struct Limits {
    pub(super) logins: Attempts,
    /// Access keys of rooms.
    pub(super) room_keys: Attempts,
    /// Codes of links.
    pub(super) codes: Attempts,
    /// Names and e-mail addresses that may be taken.
    pub(super) names: Attempts,
    pub(super) known: KnownAddresses,
    pub(super) registrations: Option<Meter<std::net::IpAddr>>,
    messages: Option<Meter<UserId>>,
    actions: Option<Meter<UserId>>,
    signals: Option<Meter<UserId>>,
}

impl Limits {
    pub(super) fn new(settings: &Settings) -> Self {
        let actions = settings.actions_per_second;
        Self {
            logins: Attempts::new(settings.logins_per_minute),
            room_keys: Attempts::new(settings.wrong_keys_per_minute),
            codes: Attempts::new(settings.wrong_keys_per_minute),
            names: Attempts::new(settings.logins_per_minute),
            known: KnownAddresses::default(),
            registrations: settings
                .registrations_per_minute
                .map(|n| Meter::new(Rate::new(n.get(), MINUTE, n.get()))),
            messages: settings
                .messages_per_second
                .map(|n| Meter::new(Rate::new(n.get(), SECOND, settings.messages_burst))),
            actions: actions
                .map(|n| Meter::new(Rate::new(n.get(), SECOND, settings.actions_burst))),
            signals: actions
                .map(|_| Meter::new(Rate::new(SIGNALS_PER_SECOND, SECOND, SIGNALS_BURST))),
        }
    }
}

impl Chat {
    /// Counts a message, or a change to one.
    pub(super) fn count_message(&self, caller: &Caller) -> Result<(), ChatError> {
        count(self.core.limits.messages.as_ref(), caller, 1)
    }

    /// Counts something else that others are told of.
    pub(super) fn count_action(&self, caller: &Caller, cost: Cost) -> Result<(), ChatError> {
        count(self.core.limits.actions.as_ref(), caller, cost as u32)
    }

    /// Counts coming into a room or leaving it, where a dialect tells those who watch it.
    ///
    /// # Errors
    /// [`ChatError::Limited`].
    pub fn count_passage(&self, caller: &Caller) -> Result<(), ChatError> {
        self.count_action(caller, Cost::Place)
    }

    /// Counts a sign that the next one makes needless; `false` if it is one too many.
    pub(super) fn count_signal(&self, caller: &Caller) -> bool {
        count(self.core.limits.signals.as_ref(), caller, 1).is_ok()
    }
}

fn count(limit: Option<&Meter<UserId>>, caller: &Caller, cost: u32) -> Result<(), ChatError> {
    match limit {
        Some(limit) => limit.take(caller.id(), cost).map_err(ChatError::Limited),
        None => Ok(()),
    }
}
