//! How many connections there may be, overall and per address. Must know nothing of what is said on them.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ipnet::IpNet;
use tokio::sync::Notify;

/// How many connections may be open at once.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Over all listeners that share the gate.
    pub total: usize,
    /// From one IPv4 address or one IPv6 /64 network.
    pub per_address: usize,
    /// Networks that only `total` binds: reverse proxies, behind which everybody has one address.
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

/// Counts open connections, upgraded ones included, for as long as their [`Slot`]s live.
#[derive(Debug)]
pub struct Gate {
    limits: Limits,
    open: Mutex<Open>,
    emptied: Notify,
}

#[derive(Debug, Default)]
struct Open {
    total: usize,
    by_address: HashMap<IpAddr, usize>,
}

/// One connection's place; given back on drop.
#[derive(Debug)]
pub struct Slot {
    gate: Arc<Gate>,
    /// The address the place is counted under; none for an exempt one.
    address: Option<IpAddr>,
}

impl Gate {
    /// A gate with nobody inside.
    pub fn new(limits: Limits) -> Arc<Self> {
        Arc::new(Self {
            limits,
            open: Mutex::default(),
            emptied: Notify::new(),
        })
    }

    /// A place for a connection from `ip`, unless a limit is reached.
    pub fn enter(self: &Arc<Self>, ip: IpAddr) -> Option<Slot> {
        let ip = ip.to_canonical();
        let exempt = self.limits.exempt.iter().any(|net| net.contains(&ip));
        let address = (!exempt).then(|| network(ip));
        let mut open = self.open();
        if open.total >= self.limits.total {
            return None;
        }
        if let Some(address) = address {
            let here = open.by_address.entry(address).or_default();
            if *here >= self.limits.per_address {
                return None;
            }
            *here += 1;
        }
        open.total += 1;
        Some(Slot {
            gate: Arc::clone(self),
            address,
        })
    }

    /// How many connections are open.
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
        if let Some(address) = address
            && let Some(here) = open.by_address.get_mut(&address)
        {
            *here -= 1;
            if *here == 0 {
                open.by_address.remove(&address);
            }
        }
        let empty = open.total == 0;
        drop(open);
        if empty {
            self.emptied.notify_waiters();
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.gate.leave(self.address);
    }
}

/// A household has a /64 of its own in IPv6, so single addresses would limit nobody.
fn network(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(_) => ip,
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() & (u128::MAX << 64)).into(),
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
    fn an_address_gets_its_share_and_gets_it_back() {
        let gate = gate(10, 1);
        let slot = gate.enter(ip("192.0.2.1")).unwrap();
        assert!(gate.enter(ip("192.0.2.1")).is_none());
        assert!(gate.enter(ip("::ffff:192.0.2.1")).is_none());
        assert!(gate.enter(ip("192.0.2.2")).is_some());
        drop(slot);
        assert!(gate.enter(ip("192.0.2.1")).is_some());
        assert_eq!(gate.count(), 0);
        assert!(gate.open().by_address.is_empty());
    }

    #[test]
    fn an_ipv6_network_counts_as_one_address() {
        let gate = gate(10, 1);
        let _slot = gate.enter(ip("2001:db8::1")).unwrap();
        assert!(gate.enter(ip("2001:db8::ffff")).is_none());
        assert!(gate.enter(ip("2001:db8:0:1::1")).is_some());
    }

    #[test]
    fn the_total_binds_exempt_addresses_too() {
        let gate = gate(2, 1);
        let _slots = [gate.enter(ip("10.0.0.1")), gate.enter(ip("10.0.0.1"))].map(Option::unwrap);
        assert!(gate.enter(ip("10.0.0.1")).is_none());
        assert!(gate.enter(ip("192.0.2.1")).is_none());
    }
}
