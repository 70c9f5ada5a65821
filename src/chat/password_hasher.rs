//! Password hashing on dedicated threads, so that logins never stall chat. Must not know whose password it is.

mod queue;

use std::net::IpAddr;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use pbkdf2::password_hash::{Error, PasswordHasher, PasswordVerifier};
use pbkdf2::phc::PasswordHash;
use pbkdf2::{Params, Pbkdf2};
use tokio::sync::oneshot;

use crate::model::{ChosenPassword, Password, UserId};

use super::ChatError;
use super::rate_limit::client_network;
use super::worker_pool::lower_priority;
use queue::{Class, Queue};

/// Number of hashes computed at the same time.
const THREADS: usize = 2;

/// Purpose of a hash. Each lane has its own queue, and lanes take turns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Lane {
    /// Logins from this network to accounts that have not logged in from it before.
    Stranger(IpAddr),
    /// Logins to an account from where it has logged in before, and its owner's own actions.
    Known(UserId),
    /// New accounts from this network.
    Newcomer(IpAddr),
}

impl Lane {
    pub(super) fn stranger(address: IpAddr) -> Self {
        Self::Stranger(client_network(address))
    }

    pub(super) fn newcomer(address: IpAddr) -> Self {
        Self::Newcomer(client_network(address))
    }

    fn class(self) -> Class {
        match self {
            Self::Stranger(_) | Self::Known(_) => Class::First,
            Self::Newcomer(_) => Class::Second,
        }
    }
}

type Job = Box<dyn FnOnce(&Pbkdf2) + Send>;

/// State shared by the handles and the threads.
#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    wake: Condvar,
}

#[derive(Default)]
struct State {
    queue: Queue<Lane, Job>,
    ended: bool,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ends the threads when the last handle is dropped.
struct Threads(Arc<Shared>);

impl Drop for Threads {
    fn drop(&mut self) {
        self.0.lock().ended = true;
        self.0.wake.notify_all();
    }
}

/// Hashes and verifies passwords with PBKDF2-HMAC-SHA256, in PHC form.
#[derive(Clone)]
pub struct Hasher {
    threads: Arc<Threads>,
    rounds: u32,
    decoy: Arc<str>,
}

/// Result of a password check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verified {
    /// The password is wrong, or the account has none.
    No,
    Yes,
    /// The password is right, but its hash should be replaced: it has other rounds than today's, or an earlier version
    /// made it.
    Outdated,
}

impl Hasher {
    /// Starts the threads. New hashes use `rounds` iterations.
    pub fn start(rounds: u32) -> Result<Self, ChatError> {
        let pbkdf2 = scheme(rounds).map_err(ChatError::internal)?;
        // Comparing with it takes as long as with a real hash, so that the time does not tell which accounts exist.
        let decoy = pbkdf2
            .hash_password(&rand::random::<[u8; 16]>())
            .map_err(ChatError::internal)?;
        let threads = Arc::new(Threads(Arc::default()));
        for number in 0..THREADS {
            let shared = threads.0.clone();
            std::thread::Builder::new()
                .name(format!("hasher-{number}"))
                .spawn(move || work(&shared, &pbkdf2))
                .map_err(ChatError::internal)?;
        }
        Ok(Self {
            threads,
            rounds,
            decoy: decoy.to_string().into(),
        })
    }

    /// Returns the PHC string for a new password.
    pub(super) async fn hash(
        &self,
        lane: Lane,
        password: &ChosenPassword,
    ) -> Result<String, ChatError> {
        self.hash_bytes(lane, password.reveal().to_vec()).await
    }

    /// Returns the PHC string that replaces an outdated one.
    pub(super) async fn rehash(
        &self,
        lane: Lane,
        password: &Password,
    ) -> Result<String, ChatError> {
        self.hash_bytes(lane, password.reveal().to_vec()).await
    }

    async fn hash_bytes(&self, lane: Lane, bytes: Vec<u8>) -> Result<String, ChatError> {
        self.run(lane, move |pbkdf2| {
            pbkdf2.hash_password(&bytes).map(|hash| hash.to_string())
        })
        .await?
        .map_err(ChatError::internal)
    }

    /// Checks a password against a hash. Takes the same time if there is no hash.
    pub(super) async fn verify(
        &self,
        lane: Lane,
        password: Password,
        hash: Option<String>,
    ) -> Result<Verified, ChatError> {
        let (known, rounds) = (hash.is_some(), self.rounds);
        let hash = hash.unwrap_or_else(|| self.decoy.to_string());
        self.run(lane, move |pbkdf2| {
            match compare(pbkdf2, rounds, &password, &hash) {
                verified if known => verified,
                _ => Verified::No,
            }
        })
        .await
    }

    /// Runs a job when its turn comes. Fails with [`ChatError::Busy`] if too many wait.
    async fn run<T: Send + 'static>(
        &self,
        lane: Lane,
        job: impl FnOnce(&Pbkdf2) -> T + Send + 'static,
    ) -> Result<T, ChatError> {
        let (reply, answer) = oneshot::channel();
        let job: Job = Box::new(move |pbkdf2| {
            // The caller may have stopped waiting.
            if !reply.is_closed() {
                let _ = reply.send(job(pbkdf2));
            }
        });
        // Dropping the displaced job makes its caller fail with `Busy`.
        let shared = &self.threads.0;
        let displaced = shared.lock().queue.push(lane, lane.class(), job);
        drop(displaced);
        shared.wake.notify_one();
        answer.await.map_err(|_| ChatError::Busy)
    }
}

/// Returns the PHC string for a new password, computed on the calling thread: for programs with nothing else to do.
pub(super) fn hash_here(password: &ChosenPassword, rounds: u32) -> Result<String, Error> {
    let hash = scheme(rounds)?.hash_password(password.reveal())?;
    Ok(hash.to_string())
}

fn scheme(rounds: u32) -> Result<Pbkdf2, Error> {
    let params = Params::new(rounds)?;
    Ok(Pbkdf2::new(pbkdf2::Algorithm::Pbkdf2Sha256, params))
}

fn compare(pbkdf2: &Pbkdf2, rounds: u32, password: &Password, hash: &str) -> Verified {
    let Ok(hash) = PasswordHash::new(hash) else {
        return Verified::No;
    };
    let is_right = |bytes: &[u8]| pbkdf2.verify_password(bytes, &hash).is_ok();
    if is_right(password.reveal()) {
        return match Params::try_from(&hash) {
            Ok(params) if params.rounds() == rounds => Verified::Yes,
            _ => Verified::Outdated,
        };
    }
    // Earlier versions hashed the password as it was typed.
    match password.as_typed() {
        Some(typed) if is_right(typed) => Verified::Outdated,
        _ => Verified::No,
    }
}

fn work(shared: &Shared, pbkdf2: &Pbkdf2) {
    lower_priority();
    while let Some(job) = next(shared) {
        job(pbkdf2);
    }
}

/// Waits for a job; `None` if there will be no more.
fn next(shared: &Shared) -> Option<Job> {
    let mut state = shared.lock();
    loop {
        if state.ended {
            return None;
        }
        if let Some(job) = state.queue.pop() {
            return Some(job);
        }
        state = shared
            .wake
            .wait(state)
            .unwrap_or_else(PoisonError::into_inner);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LANE: Lane = Lane::Known(UserId(1));

    fn chosen(text: &str) -> ChosenPassword {
        ChosenPassword::parse(text, 1).unwrap()
    }

    async fn verify(hasher: &Hasher, typed: &str, hash: Option<String>) -> Verified {
        let typed = Password::parse(typed).unwrap();
        hasher.verify(LANE, typed, hash).await.unwrap()
    }

    #[tokio::test]
    async fn only_the_right_password_verifies() {
        let hasher = Hasher::start(1000).unwrap();
        let hash = hasher.hash(LANE, &chosen("secret")).await.unwrap();
        assert!(hash.starts_with("$pbkdf2-sha256$i=1000,l=32$"), "{hash}");
        for (typed, expected) in [("secret", Verified::Yes), ("Secret", Verified::No)] {
            let verified = verify(&hasher, typed, Some(hash.clone())).await;
            assert_eq!(verified, expected, "{typed}");
        }
        assert_eq!(verify(&hasher, "secret", None).await, Verified::No);
    }

    #[tokio::test]
    async fn a_hash_with_other_rounds_verifies_as_outdated() {
        let hasher = Hasher::start(1000).unwrap();
        let hash = hasher.hash(LANE, &chosen("secret")).await.unwrap();
        let today = Hasher::start(2000).unwrap();
        let verified = verify(&today, "secret", Some(hash)).await;
        assert_eq!(verified, Verified::Outdated);
    }

    #[tokio::test]
    async fn passwords_verify_in_any_unicode_composition() {
        let hasher = Hasher::start(1000).unwrap();
        let hash = hasher.hash(LANE, &chosen("e\u{301}clair")).await.unwrap();
        for typed in ["e\u{301}clair", "\u{e9}clair"] {
            assert_eq!(
                verify(&hasher, typed, Some(hash.clone())).await,
                Verified::Yes
            );
        }
        // An earlier version hashed the password as typed: that hash still matches the same typed text.
        let old = Pbkdf2::new(pbkdf2::Algorithm::Pbkdf2Sha256, Params::new(1000).unwrap());
        let old = old.hash_password("e\u{301}clair".as_bytes()).unwrap();
        let old = Some(old.to_string());
        let verified = verify(&hasher, "e\u{301}clair", old).await;
        assert_eq!(verified, Verified::Outdated);
    }

    #[tokio::test]
    async fn a_flood_from_one_address_does_not_block_other_logins() {
        let hasher = Hasher::start(1000).unwrap();
        let flood = Lane::stranger([10, 0, 0, 1].into());
        let wrong = || Password::parse("wrong").unwrap();
        let flood: Vec<_> = (0..500)
            .map(|_| {
                let hasher = hasher.clone();
                tokio::spawn(async move { hasher.verify(flood, wrong(), None).await })
            })
            .collect();
        tokio::task::yield_now().await;
        assert_eq!(verify(&hasher, "right", None).await, Verified::No);
        let mut refused = 0;
        for one in flood {
            refused += u32::from(one.await.unwrap().is_err());
        }
        assert!(refused > 0, "the queue of one address is unbounded");
    }
}
