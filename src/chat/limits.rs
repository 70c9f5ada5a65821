//! How often somebody may do something. Must not know what it is.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// So many keys are remembered; beyond, those who did nothing wrong are forgotten first.
const KEYS_MAX: usize = 20_000;

/// A rate per key: a `burst` at once, then one each `interval` (the generic cell rate algorithm).
pub struct Limiter<K> {
    interval: Duration,
    burst: u32,
    /// When each key will have paid for all it did.
    due: Mutex<HashMap<K, Instant>>,
}

impl<K: Eq + Hash> Limiter<K> {
    /// `rate` per `period`, of which `burst` may come at once.
    pub fn new(rate: u32, period: Duration, burst: u32) -> Self {
        Self {
            interval: period / rate.max(1),
            burst: burst.max(1),
            due: Mutex::default(),
        }
    }

    /// Counts one; `Err` says how long to wait when it was one too many.
    pub fn take(&self, key: K) -> Result<(), Duration> {
        let now = Instant::now();
        let mut due = self.lock();
        make_room(&mut due, now);
        let at = due.entry(key).or_insert(now);
        let next = (*at).max(now) + self.interval;
        self.verdict(next, now)?;
        *at = next;
        Ok(())
    }

    /// Says what [`take`](Self::take) would say, and counts nothing.
    pub fn look(&self, key: &K) -> Result<(), Duration> {
        let now = Instant::now();
        let at = self.lock().get(key).copied().unwrap_or(now);
        self.verdict(at.max(now) + self.interval, now)
    }

    fn verdict(&self, next: Instant, now: Instant) -> Result<(), Duration> {
        let owed = next.saturating_duration_since(now);
        match owed.checked_sub(self.interval * self.burst) {
            None | Some(Duration::ZERO) => Ok(()),
            Some(wait) => Err(wait),
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<K, Instant>> {
        self.due.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Forgets whom nobody has to remember; if all have to be, everybody, because memory is bounded.
fn make_room<K: Eq + Hash>(due: &mut HashMap<K, Instant>, now: Instant) {
    if due.len() >= KEYS_MAX {
        due.retain(|_, at| *at > now);
        if due.len() >= KEYS_MAX {
            due.clear();
        }
    }
}

/// What an address is counted as: an IPv6 network of 64 bits is one customer.
pub fn neighbourhood(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6((u128::from(v6) >> 64 << 64).into()),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_and_then_one_each_interval() {
        let limiter = Limiter::new(60, Duration::from_secs(60), 5);
        assert!((0..5).all(|_| limiter.take("a").is_ok()));
        let wait = limiter.take("a").unwrap_err();
        assert!(
            wait <= Duration::from_secs(1) && wait > Duration::from_millis(900),
            "{wait:?}"
        );
        assert!(limiter.take("b").is_ok());
    }

    #[test]
    fn looking_counts_nothing() {
        let limiter = Limiter::new(1, Duration::from_secs(60), 1);
        assert!((0..9).all(|_| limiter.look(&1).is_ok()));
        assert!(limiter.take(1).is_ok());
        assert!(limiter.look(&1).is_err());
    }

    #[test]
    fn one_house_of_many_addresses_is_one_customer() {
        let [a, b, c] = ["2001:db8::1", "2001:db8::ffff:2", "2001:db8:0:1::1"]
            .map(|text| text.parse().unwrap());
        assert_eq!(neighbourhood(a), neighbourhood(b));
        assert_ne!(neighbourhood(a), neighbourhood(c));
    }
}
