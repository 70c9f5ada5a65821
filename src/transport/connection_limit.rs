//! Limits the number of open connections, in total and per address. Independent of the protocols used on them.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ipnet::IpNet;
use tokio::sync::Notify;

/// Maximum numbers of open connections.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Limit for all listeners that share the gate.
    pub total: usize,
    /// Limit for one IPv4 address or one IPv6 /64 network.
    pub per_address: usize,
    /// Networks to which only `total` applies: reverse proxies, whose clients all have the proxy's address.
    pub exempt: Vec<IpNet>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            total: 16_384,
            per_address: 1_024,
            exempt: Vec::new(),
        }
    }
}

/// Connections that one network may always have, as long as any are free.
const SHARE_MIN: usize = 16;

/// Counts open connections, including upgraded ones, for as long as their [`Slot`]s live.
#[derive(Debug)]
pub struct Gate {
    limits: Limits,
    open: Mutex<Open>,
    emptied: Notify,
}

#[derive(Debug, Default)]
struct Open {
    total: usize,
    by_household: HashMap<IpAddr, usize>,
    by_site: HashMap<IpAddr, usize>,
}

/// Permit of one connection. Given back on drop.
#[derive(Debug)]
pub struct Slot {
    gate: Arc<Gate>,
    /// The address for which the connection is counted; `None` for an exempt network.
    address: Option<IpAddr>,
}

impl Slot {
    /// Whether the address is in an exempt network.
    pub fn is_exempt(&self) -> bool {
        self.address.is_none()
    }

    /// Whether more than half of all permits are in use.
    pub fn is_scarce(&self) -> bool {
        self.gate.count() > self.gate.limits.total / 2
    }
}

impl Gate {
    /// Creates a gate without connections.
    pub fn new(limits: Limits) -> Arc<Self> {
        Arc::new(Self {
            limits,
            open: Mutex::default(),
            emptied: Notify::new(),
        })
    }

    /// Returns a permit for a connection from `ip`, or `None` if a limit is reached.
    ///
    /// Besides the fixed limits, an IPv4 address or IPv6 /48 may not hold more permits than are still free. However
    /// many connections a few networks open, some permits are left for others.
    pub fn enter(self: &Arc<Self>, ip: IpAddr) -> Option<Slot> {
        let ip = ip.to_canonical();
        let exempt = self.limits.exempt.iter().any(|net| net.contains(&ip));
        let address = (!exempt).then_some(ip);
        let mut open = self.open();
        let free = self.limits.total.saturating_sub(open.total);
        if free == 0 {
            return None;
        }
        if let Some(address) = address {
            let here = |map: &HashMap<_, _>, key| map.get(&key).copied().unwrap_or(0);
            if here(&open.by_household, household(address)) >= self.limits.per_address
                || here(&open.by_site, site(address)) >= free.max(SHARE_MIN)
            {
                return None;
            }
            *open.by_household.entry(household(address)).or_default() += 1;
            *open.by_site.entry(site(address)).or_default() += 1;
        }
        open.total += 1;
        Some(Slot {
            gate: Arc::clone(self),
            address,
        })
    }

    /// Returns the number of open connections.
    pub fn count(&self) -> usize {
        self.open().total
    }

    /// Waits until no connection is open.
    pub async fn emptied(&self) {
        loop {
            let mut notified = std::pin::pin!(self.emptied.notified());
            notified.as_mut().enable();
            if self.count() == 0 {
                return;
            }
            notified.await;
        }
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn leave(&self, address: Option<IpAddr>) {
        let mut open = self.open();
        open.total -= 1;
        if let Some(address) = address {
            count_down(&mut open.by_household, household(address));
            count_down(&mut open.by_site, site(address));
        }
        let empty = open.total == 0;
        drop(open);
        if empty {
            self.emptied.notify_waiters();
        }
    }
}

fn count_down(counts: &mut HashMap<IpAddr, usize>, key: IpAddr) {
    if let Entry::Occupied(mut count) = counts.entry(key) {
        *count.get_mut() -= 1;
        if *count.get() == 0 {
            count.remove();
        }
    }
    // Frees memory after many addresses have left.
    if counts.capacity() > 1024 && counts.len() < counts.capacity() / 8 {
        counts.shrink_to(counts.len() * 2);
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.gate.leave(self.address);
    }
}

/// Returns the network of one household: an IPv4 address or an IPv6 /64, in which single addresses cost nothing.
fn household(ip: IpAddr) -> IpAddr {
    ipv6_prefix(ip, 64)
}

/// Returns the largest network that one customer of a provider gets: an IPv4 address or an IPv6 /48.
fn site(ip: IpAddr) -> IpAddr {
    ipv6_prefix(ip, 48)
}

fn ipv6_prefix(ip: IpAddr, bits: u32) -> IpAddr {
    match ip {
        IpAddr::V4(_) => ip,
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() & (u128::MAX << (128 - bits))).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gate(total: usize, per_address: usize) -> Arc<Gate> {
        Gate::new(Limits {
            total,
            per_address,
            exempt: vec!["10.0.0.0/8".parse().unwrap()],
        })
    }
    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn connections_are_limited_per_address_and_released() {
        let gate = gate(10, 1);
        let slot = gate.enter(ip("192.0.2.1")).unwrap();
        assert!(gate.enter(ip("192.0.2.1")).is_none());
        assert!(gate.enter(ip("::ffff:192.0.2.1")).is_none());
        assert!(gate.enter(ip("192.0.2.2")).is_some());
        drop(slot);
        assert!(gate.enter(ip("192.0.2.1")).is_some());
        assert_eq!(gate.count(), 0);
        assert!(gate.open().by_household.is_empty() && gate.open().by_site.is_empty());
    }

    #[test]
    fn an_ipv6_network_counts_as_one_address() {
        let gate = gate(10, 1);
        let _slot = gate.enter(ip("2001:db8::1")).unwrap();
        assert!(gate.enter(ip("2001:db8::ffff")).is_none());
        assert!(gate.enter(ip("2001:db8:0:1::1")).is_some());
    }

    #[test]
    fn a_few_networks_cannot_take_all_connections() {
        let gate = gate(1000, 1000);
        let mut taken = Vec::new();
        for network in 0..5 {
            let from = ip(&format!("192.0.2.{network}"));
            taken.extend(std::iter::from_fn(|| gate.enter(from)));
        }
        let free = 1000 - gate.count();
        assert!(free > 0, "{free}");
        let newcomer =
            std::iter::from_fn(|| gate.enter(ip("198.51.100.1"))).take(SHARE_MIN.min(free));
        assert_eq!(newcomer.count(), SHARE_MIN.min(free));
    }

    #[test]
    fn ipv6_networks_of_one_site_share_half_of_the_permits() {
        let gate = gate(1000, 10);
        let slots: Vec<_> = (0..1000)
            .filter_map(|n| gate.enter(ip(&format!("2001:db8:0:{n:x}::1"))))
            .collect();
        assert_eq!(slots.len(), 500);
        assert!(gate.enter(ip("2001:db8:1::1")).is_some());
    }

    #[test]
    fn the_total_limit_includes_exempt_addresses() {
        let gate = gate(2, 1);
        let _slots = [gate.enter(ip("10.0.0.1")), gate.enter(ip("10.0.0.1"))].map(Option::unwrap);
        assert!(gate.enter(ip("10.0.0.1")).is_none());
        assert!(gate.enter(ip("192.0.2.1")).is_none());
    }
}
