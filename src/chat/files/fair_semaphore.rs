//! A fair semaphore: limits how many permits each network and each account holds while others wait.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use crate::model::UserId;

/// Maximum number of waiters.
const WAITING: usize = 1024;
/// Maximum number of waiters of one account.
const WAITING_OF_ONE: usize = 16;

/// Account and network for which a permit is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Who {
    pub(super) account: UserId,
    /// The IPv4 address or the IPv6 /64 network, since a household usually has a /64 of its own.
    pub(super) network: IpAddr,
}

impl Who {
    pub(super) fn new(account: UserId, address: IpAddr) -> Self {
        let network = match address.to_canonical() {
            IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() & (u128::MAX << 64)).into(),
            v4 => v4,
        };
        Self { account, network }
    }
}

pub(super) struct FairSemaphore {
    places: usize,
    of_one: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    next_id: u64,
    holding: Vec<Entry>,
    waiting: Vec<Waiting>,
    /// When each account that holds a permit or waits was last granted one.
    served: HashMap<UserId, u64>,
}

#[derive(Clone, Copy)]
struct Entry {
    id: u64,
    who: Who,
}

struct Waiting {
    entry: Entry,
    granted: oneshot::Sender<()>,
}

/// A permit or, until it is granted, a position in the queue. Given back on drop.
pub(super) struct Turn {
    turns: Arc<FairSemaphore>,
    pub(super) id: u64,
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.turns.leave(self.id);
    }
}

impl FairSemaphore {
    /// Creates `places` permits, of which one account may hold `of_one`.
    pub(super) fn new(places: usize, of_one: usize) -> Arc<Self> {
        Arc::new(Self {
            places,
            of_one,
            state: Mutex::default(),
        })
    }

    /// Waits for a permit. Returns `None` if too many wait already.
    pub(super) async fn take(self: &Arc<Self>, who: Who) -> Option<Turn> {
        let (turn, granted) = self.join(who)?;
        granted.await.ok().map(|()| turn)
    }

    /// Whether all permits are held.
    pub(super) fn is_full(&self) -> bool {
        self.state().holding.len() >= self.places
    }

    fn join(self: &Arc<Self>, who: Who) -> Option<(Turn, oneshot::Receiver<()>)> {
        let mut state = self.state();
        let of_this = |waiting: &&Waiting| waiting.entry.who.account == who.account;
        if state.waiting.iter().filter(of_this).count() >= WAITING_OF_ONE {
            return None;
        }
        if state.waiting.len() >= WAITING && !state.drop_one_for(who) {
            return None;
        }
        let (granted, receiver) = oneshot::channel();
        state.next_id += 1;
        let id = state.next_id;
        let entry = Entry { id, who };
        state.waiting.push(Waiting { entry, granted });
        self.grant(&mut state);
        drop(state);
        let turns = Arc::clone(self);
        Some((Turn { turns, id }, receiver))
    }

    fn leave(&self, id: u64) {
        let mut state = self.state();
        state.holding.retain(|entry| entry.id != id);
        state.waiting.retain(|waiting| waiting.entry.id != id);
        self.grant(&mut state);
        let State {
            holding,
            waiting,
            served,
            ..
        } = &mut *state;
        served.retain(|account, _| {
            holding.iter().any(|entry| entry.who.account == *account)
                || waiting.iter().any(|w| w.entry.who.account == *account)
        });
    }

    /// Grants free permits, first to waiters whose network and account hold the fewest, then to those served longest
    /// ago.
    fn grant(&self, state: &mut State) {
        while state.holding.len() < self.places {
            let waiting = state.waiting.iter().enumerate();
            let eligible = waiting
                .filter(|(_, waiting)| state.held_by_account(waiting.entry.who) < self.of_one);
            let first = eligible.min_by_key(|(_, waiting)| {
                let Entry { id, who } = waiting.entry;
                let served = state.served.get(&who.account).copied().unwrap_or_default();
                (
                    state.held_by_network(who),
                    state.held_by_account(who),
                    served,
                    id,
                )
            });
            let Some((at, _)) = first else { return };
            let Waiting { entry, granted } = state.waiting.remove(at);
            state.next_id += 1;
            state.served.insert(entry.who.account, state.next_id);
            state.holding.push(entry);
            // If the receiver no longer waits, dropping its `Turn` gives the permit back.
            let _ = granted.send(());
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn held_by_network(&self, who: Who) -> usize {
        let is_of = |entry: &&Entry| entry.who.network == who.network;
        self.holding.iter().filter(is_of).count()
    }

    fn held_by_account(&self, who: Who) -> usize {
        let is_of = |entry: &&Entry| entry.who.account == who.account;
        self.holding.iter().filter(is_of).count()
    }

    /// Drops the last waiter of the network and account with the most waiters, unless those of `who` have as many.
    fn drop_one_for(&mut self, who: Who) -> bool {
        let mut networks: HashMap<IpAddr, usize> = HashMap::new();
        let mut accounts: HashMap<UserId, usize> = HashMap::new();
        for Waiting { entry, .. } in &self.waiting {
            *networks.entry(entry.who.network).or_default() += 1;
            *accounts.entry(entry.who.account).or_default() += 1;
        }
        let share = |who: Who| {
            let network = networks.get(&who.network).copied().unwrap_or_default();
            (
                network,
                accounts.get(&who.account).copied().unwrap_or_default(),
            )
        };
        let waiting = self.waiting.iter().enumerate();
        let most = waiting.max_by_key(|(at, w)| (share(w.entry.who), *at));
        match most {
            Some((at, worst)) if share(worst.entry.who) > share(who) => {
                self.waiting.remove(at);
                true
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn who(account: i64, address: &str) -> Who {
        Who::new(UserId(account), address.parse().unwrap())
    }

    /// Joins the queue. The receiver tells whether the permit was granted.
    fn join(turns: &Arc<FairSemaphore>, who: Who) -> (Turn, oneshot::Receiver<()>) {
        turns.join(who).unwrap()
    }

    fn has(place: &mut (Turn, oneshot::Receiver<()>)) -> bool {
        place.1.try_recv().is_ok()
    }

    #[test]
    fn accounts_take_turns_regardless_of_their_queue_length() {
        let turns = FairSemaphore::new(1, 1);
        let held = join(&turns, who(1, "10.0.0.1"));
        let mut of_one: Vec<_> = (0..4).map(|_| join(&turns, who(1, "10.0.0.1"))).collect();
        let mut other = join(&turns, who(2, "10.0.0.1"));
        drop(held);
        assert!(has(&mut other));
        assert!(!of_one.iter_mut().any(has));
        drop(other);
        assert!(has(&mut of_one[0]));
    }

    #[test]
    fn accounts_of_one_address_share_one_turn() {
        let turns = FairSemaphore::new(2, 1);
        let held = [1, 2].map(|account| join(&turns, who(account, "2001:db8::1")));
        let mut same = join(&turns, who(3, "2001:db8::2"));
        let mut other = join(&turns, who(4, "10.0.0.1"));
        drop(held);
        assert!(has(&mut other) && has(&mut same));
        let turns = FairSemaphore::new(2, 1);
        let [first, _second] = [1, 2].map(|account| join(&turns, who(account, "2001:db8::1")));
        let mut same = join(&turns, who(3, "2001:db8::2"));
        let mut other = join(&turns, who(4, "10.0.0.1"));
        drop(first);
        assert!(has(&mut other) && !has(&mut same));
    }

    #[test]
    fn a_full_queue_evicts_an_entry_for_another_address() {
        let turns = FairSemaphore::new(1, 1);
        let _held = join(&turns, who(0, "10.0.0.1"));
        let mut waiting: Vec<_> = (0..WAITING as i64)
            .map(|n| join(&turns, who(1 + n / WAITING_OF_ONE as i64, "10.0.0.1")))
            .collect();
        assert!(turns.join(who(1, "10.0.0.1")).is_none());
        let _other = join(&turns, who(9_999, "10.0.0.2"));
        let gone = |place: &mut (Turn, oneshot::Receiver<()>)| {
            place.1.try_recv() == Err(oneshot::error::TryRecvError::Closed)
        };
        assert_eq!(
            waiting
                .iter_mut()
                .filter_map(|w| gone(w).then_some(()))
                .count(),
            1
        );
    }

    #[test]
    fn dropped_turns_leave_no_state() {
        let turns = FairSemaphore::new(1, 1);
        let (held, waiting) = (
            join(&turns, who(1, "10.0.0.1")),
            join(&turns, who(2, "10.0.0.1")),
        );
        drop(waiting);
        drop(held);
        let state = turns.state();
        assert!(state.holding.is_empty() && state.waiting.is_empty() && state.served.is_empty());
    }
}
