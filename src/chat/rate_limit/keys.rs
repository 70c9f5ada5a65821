//! Keys under which failed attempts are counted: the client's network, the account, and both together.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::model::{UserId, name_key};

use super::{Rate, client_network, site_network};

const MINUTE: Duration = Duration::from_secs(60);

/// Number of people behind one address who may use up their limits at the same time.
const PEOPLE_PER_ADDRESS: u32 = 3;
/// The same for an IPv6 network of 48 bits.
const PEOPLE_PER_SITE: u32 = 10;
/// Number of addresses that may use up their limits on one account at the same time.
const ADDRESSES_PER_ACCOUNT: u32 = 5;
/// Factor by which an account's debt is paid off slower than an address's, so that guessing from many addresses does
/// not pay.
const ACCOUNT_SLOWER: u32 = 10;

/// Number of accounts whose addresses are remembered, and of addresses per account.
const ACCOUNTS_MAX: usize = 10_000;
const ADDRESSES_MAX: usize = 8;

/// Account whose password is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::chat) enum Account {
    /// An existing account, by any of its names.
    Known(UserId),
    /// Hash of a name that no account has.
    Unknown(u64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Subject {
    Client(IpAddr),
    Site(IpAddr),
    Account(Account),
    /// An account, for attempts of its own sessions only.
    Owner(UserId),
    Both(IpAddr, Account),
}

/// A subject and its limit: `times` the configured number of failures per `period`.
#[derive(Clone, Copy, Debug)]
pub(in crate::chat) struct Key {
    pub(super) subject: Subject,
    times: u32,
    period: Duration,
}

impl Key {
    fn new(subject: Subject, times: u32) -> Self {
        Self {
            subject,
            times,
            period: MINUTE,
        }
    }

    /// Returns the rate for a configured number of failures per minute.
    pub(super) fn rate(&self, per_minute: u32) -> Rate {
        let count = per_minute.saturating_mul(self.times);
        Rate::new(count, self.period, count)
    }

    fn slower(self, factor: u32) -> Self {
        Self {
            period: self.period * factor,
            ..self
        }
    }
}

/// Keys for a client that is not logged in and guesses a secret of no account: a link's code, an e-mail address in use.
pub(in crate::chat) fn of_client(address: IpAddr) -> Vec<Key> {
    vec![
        Key::new(Subject::Client(client_network(address)), 1),
        Key::new(Subject::Site(site_network(address)), PEOPLE_PER_SITE),
    ]
}

/// Keys for an account that is logged in and guesses anything but a password.
pub(in crate::chat) fn of_person(user: UserId, address: Option<IpAddr>) -> Vec<Key> {
    let mut keys = vec![Key::new(Subject::Account(Account::Known(user)), 1)];
    if let Some(address) = address {
        keys.extend(around(address));
    }
    keys
}

/// Keys for a login. If the account has logged in from that address before (`known`), only account and address together
/// count, so that clients elsewhere or behind the same address cannot lock the owner out.
pub(in crate::chat) fn of_login(address: IpAddr, account: Account, known: bool) -> Vec<Key> {
    let client = client_network(address);
    let mut keys = vec![Key::new(Subject::Both(client, account), 1)];
    if !known {
        keys.extend(around(address));
        let all = Key::new(Subject::Account(account), ADDRESSES_PER_ACCOUNT);
        keys.push(all.slower(ADDRESSES_PER_ACCOUNT * ACCOUNT_SLOWER));
    }
    keys
}

/// Key for the password of the account that is logged in. Independent of login failures, the owner's included.
pub(in crate::chat) fn of_owner(user: UserId) -> Vec<Key> {
    vec![Key::new(Subject::Owner(user), 1)]
}

fn around(address: IpAddr) -> [Key; 2] {
    let client = Subject::Client(client_network(address));
    let site = Subject::Site(site_network(address));
    [
        Key::new(client, PEOPLE_PER_ADDRESS),
        Key::new(site, PEOPLE_PER_SITE),
    ]
}

/// Networks from which accounts have logged in. Lost at a restart, after which owners have no exemption until they log
/// in again.
#[derive(Default)]
pub(in crate::chat) struct KnownAddresses {
    of: Mutex<HashMap<UserId, VecDeque<IpAddr>>>,
    hash: RandomState,
}

impl KnownAddresses {
    pub(in crate::chat) fn note(&self, user: UserId, address: IpAddr) {
        let client = client_network(address);
        let mut all = self.of.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= ACCOUNTS_MAX
            && !all.contains_key(&user)
            && let Some(other) = all.keys().next().copied()
        {
            all.remove(&other);
        }
        let known = all.entry(user).or_default();
        known.retain(|other| *other != client);
        known.push_back(client);
        if known.len() > ADDRESSES_MAX {
            known.pop_front();
        }
    }

    /// Whether an account has logged in from the network of an address.
    pub(in crate::chat) fn contains(&self, account: Account, address: IpAddr) -> bool {
        let Account::Known(user) = account else {
            return false;
        };
        let all = self.of.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(&user)
            .is_some_and(|known| known.contains(&client_network(address)))
    }

    /// Returns the account for a login name, whether or not it exists.
    pub(in crate::chat) fn account(&self, user: Option<UserId>, login: &str) -> Account {
        let unknown = || Account::Unknown(self.hash.hash_one(name_key(login.trim())));
        user.map_or_else(unknown, Account::Known)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_past_logins_are_known() {
        let (known, user) = (KnownAddresses::default(), UserId(1));
        let address = |n: u8| IpAddr::from([10, 0, 0, n]);
        let account = known.account(Some(user), "ann");
        assert!(!known.contains(account, address(1)));
        known.note(user, address(1));
        assert!(known.contains(account, address(1)));
        assert!(!known.contains(Account::Known(UserId(2)), address(1)));
        assert!(!known.contains(known.account(None, "ann"), address(1)));
        // The oldest of many addresses is evicted.
        (2..20).for_each(|n| known.note(user, address(n)));
        assert!(!known.contains(account, address(1)) && known.contains(account, address(19)));
    }

    #[test]
    fn memory_of_known_addresses_is_bounded() {
        let known = KnownAddresses::default();
        let address = IpAddr::from([10, 0, 0, 1]);
        (0..ACCOUNTS_MAX as i64 + 50).for_each(|id| known.note(UserId(id), address));
        assert!(known.of.lock().unwrap().len() <= ACCOUNTS_MAX);
    }
}
