//! Rate limits. A [`Meter`] counts every action; [`Attempts`](attempts::Attempts) count only failures.

pub(super) mod attempts;
pub(super) mod keys;

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Maximum number of keys per limiter.
const KEYS_MAX: usize = 20_000;

/// Number of keys left after an eviction. Evicting many at once keeps the average cost of an insertion constant.
const KEYS_KEPT: usize = KEYS_MAX / 4 * 3;

/// A `burst` at once, then one permit per `interval` (the generic cell rate algorithm).
#[derive(Clone, Copy, Debug)]
pub(super) struct Rate {
    interval: Duration,
    burst: u32,
}

impl Rate {
    /// Creates a rate of `count` per `period`, of which `burst` may be taken at once.
    pub(super) fn new(count: u32, period: Duration, burst: u32) -> Self {
        Self {
            interval: period / count.max(1),
            burst: burst.max(1),
        }
    }

    /// Returns how long a key whose permits are paid off at `due` must wait before it may take `cost` more.
    fn wait(self, due: Instant, cost: u32, now: Instant) -> Duration {
        let owed = due.saturating_duration_since(now) + self.interval * cost;
        owed.saturating_sub(self.interval * self.burst)
    }

    /// Returns the time at which a key will have paid off `cost` more permits.
    fn charge(self, due: Instant, cost: u32, now: Instant) -> Instant {
        due.max(now) + self.interval * cost
    }
}

/// Limits all actions, whether or not they succeed.
pub(super) struct Meter<K> {
    rate: Rate,
    /// Time at which each key will have paid off all permits it took.
    due: Mutex<HashMap<K, Instant>>,
}

impl<K: Eq + Hash + Clone> Meter<K> {
    pub(super) fn new(rate: Rate) -> Self {
        Self {
            rate,
            due: Mutex::default(),
        }
    }

    /// Takes `cost` permits, at most a whole burst. If there are not enough, takes none and returns the time to wait.
    pub(super) fn take(&self, key: K, cost: u32) -> Result<(), Duration> {
        let (now, cost) = (Instant::now(), cost.min(self.rate.burst));
        let mut table = self.due.lock().unwrap_or_else(PoisonError::into_inner);
        let due = table.get(&key).copied().unwrap_or(now);
        let wait = self.rate.wait(due, cost, now);
        if !wait.is_zero() {
            return Err(wait);
        }
        evict(&mut table, now, |due| Some(*due));
        table.insert(key, self.rate.charge(due, cost, now));
        Ok(())
    }
}

/// Shrinks a full table: evicts keys without debt first, then those with the least debt, so that a flood of new keys
/// never clears the largest debts. `due` returns `None` for keys in use, which are kept.
fn evict<K: Eq + Hash + Clone, V>(
    table: &mut HashMap<K, V>,
    now: Instant,
    due: impl Fn(&V) -> Option<Instant>,
) {
    if table.len() < KEYS_MAX {
        return;
    }
    table.retain(|_, value| due(value).is_none_or(|due| due > now));
    let excess = table.len().saturating_sub(KEYS_KEPT);
    let mut debts: Vec<(Instant, K)> = table
        .iter()
        .filter_map(|(key, value)| due(value).map(|due| (due, key.clone())))
        .collect();
    if excess == 0 || debts.is_empty() {
        return;
    }
    let excess = excess.min(debts.len());
    debts.select_nth_unstable_by_key(excess - 1, |(due, _)| *due);
    for (_, key) in &debts[..excess] {
        table.remove(key);
    }
}

/// Returns the network that counts as one client: an IPv4 address, or an IPv6 network of 64 bits.
pub(super) fn client_network(address: IpAddr) -> IpAddr {
    prefix(address, 64)
}

/// Returns the network that one customer of a provider may own: an IPv4 address, or an IPv6 network of 48 bits.
fn site_network(address: IpAddr) -> IpAddr {
    prefix(address, 48)
}

fn prefix(address: IpAddr, bits: u32) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => {
            let rest = 128 - bits;
            IpAddr::V6((u128::from(v6) >> rest << rest).into())
        }
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn a_burst_is_allowed_then_one_permit_per_interval() {
        let meter = Meter::new(Rate::new(60, MINUTE, 5));
        assert!((0..5).all(|_| meter.take("a", 1).is_ok()));
        let wait = meter.take("a", 1).unwrap_err();
        assert!(
            wait <= Duration::from_secs(1) && wait > Duration::from_millis(900),
            "{wait:?}"
        );
        assert!(meter.take("b", 1).is_ok());
    }

    #[test]
    fn expensive_actions_take_several_permits() {
        let meter = Meter::new(Rate::new(1, MINUTE, 7));
        assert!(meter.take(1, 3).is_ok() && meter.take(1, 3).is_ok());
        assert!(meter.take(1, 3).is_err());
        assert!(meter.take(1, 1).is_ok());
        // The cost is capped at a whole burst: otherwise such an action would never be allowed.
        assert!(meter.take(2, 100).is_ok());
    }

    #[test]
    fn a_flood_of_new_keys_does_not_clear_a_debt() {
        let meter = Meter::new(Rate::new(1, MINUTE, 3));
        assert!((0..3).all(|_| meter.take(0, 1).is_ok()));
        for key in 1..=KEYS_MAX * 2 {
            assert!(meter.take(key, 1).is_ok());
        }
        assert!(meter.take(0, 1).is_err());
        assert!(meter.due.lock().unwrap().len() <= KEYS_MAX);
    }

    #[test]
    fn addresses_of_one_network_are_one_client() {
        let parse = |text: &str| text.parse().unwrap();
        let [a, b, c] = ["2001:db8::1", "2001:db8::ffff:2", "2001:db8:0:1::1"].map(parse);
        assert_eq!(client_network(a), client_network(b));
        assert_ne!(client_network(a), client_network(c));
        assert_eq!(site_network(a), site_network(c));
        assert_ne!(site_network(a), site_network(parse("2001:db8:1::1")));
        assert_eq!(client_network(parse("::ffff:10.0.0.1")), parse("10.0.0.1"));
    }
}
