//! Rate limits per person on everything that is sent to other people.

use std::time::Duration;

use crate::model::UserId;

use super::rate_limit::attempts::Attempts;
use super::rate_limit::keys::KnownAddresses;
use super::rate_limit::{Meter, Rate};
use super::{Caller, Chat, ChatError, Settings};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

/// Typing and read signals of one person: permits per second, and burst. Signals beyond the limit are dropped.
const SIGNALS_PER_SECOND: u32 = 10;
const SIGNALS_BURST: u32 = 60;

/// Cost of an action in permits, by how many people receive it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Cost {
    /// A change to one room or its members.
    Place = 1,
    /// A change to an account, which is sent to all its rooms.
    Account = 3,
}

/// All limits per person, account and address; `None` means no limit.
pub(super) struct Limits {
    pub(super) logins: Attempts,
    /// Wrong access keys of rooms.
    pub(super) room_keys: Attempts,
    /// Wrong codes of links.
    pub(super) codes: Attempts,
    /// User names and e-mail addresses that turn out to be taken.
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
    /// Takes a permit for a message or a change to one.
    pub(super) fn count_message(&self, caller: &Caller) -> Result<(), ChatError> {
        count(self.core.limits.messages.as_ref(), caller, 1)
    }

    /// Takes permits for any other action that is sent to other people.
    pub(super) fn count_action(&self, caller: &Caller, cost: Cost) -> Result<(), ChatError> {
        count(self.core.limits.actions.as_ref(), caller, cost as u32)
    }

    /// Takes a permit for entering or leaving a room, in dialects that announce this to the room's subscribers.
    ///
    /// # Errors
    /// [`ChatError::Limited`].
    pub fn count_passage(&self, caller: &Caller) -> Result<(), ChatError> {
        self.count_action(caller, Cost::Place)
    }

    /// Takes a permit for a signal that the next one supersedes; `false` if it should be dropped.
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
