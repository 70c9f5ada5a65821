//! Password hashing on threads of its own, so that logins never stall chat. Must not know whose password it is.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};

use pbkdf2::password_hash::{Error, PasswordHasher, PasswordVerifier};
use pbkdf2::phc::PasswordHash;
use pbkdf2::{Params, Pbkdf2};
use tokio::sync::oneshot;

use crate::model::Password;

use super::ChatError;

/// So many hashes are made at once.
const THREADS: usize = 2;
/// So many logins may wait; the next one is told to come back.
const QUEUE: usize = 64;

type Job = Box<dyn FnOnce(&Pbkdf2) + Send>;

/// Hashes and verifies passwords with PBKDF2-HMAC-SHA256, in PHC form.
#[derive(Clone)]
pub struct Hasher {
    jobs: SyncSender<Job>,
    rounds: u32,
    decoy: Arc<str>,
}

/// What a comparison said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verified {
    /// The password is wrong, or there is none.
    No,
    /// It is right.
    Yes,
    /// It is right, but its hash was made with other rounds than today's.
    Outdated,
}

impl Hasher {
    /// Starts the threads; `rounds` is what new hashes cost.
    pub fn start(rounds: u32) -> Result<Self, ChatError> {
        let pbkdf2 = scheme(rounds).map_err(ChatError::internal)?;
        // Costs as much to compare with as a real one, whoever it is that does not exist.
        let decoy = pbkdf2
            .hash_password(&rand::random::<[u8; 16]>())
            .map_err(ChatError::internal)?;
        let (jobs, queue) = sync_channel::<Job>(QUEUE);
        let queue = Arc::new(Mutex::new(queue));
        for number in 0..THREADS {
            let queue = queue.clone();
            std::thread::Builder::new()
                .name(format!("hasher-{number}"))
                .spawn(move || work(&queue, &pbkdf2))
                .map_err(ChatError::internal)?;
        }
        Ok(Self {
            jobs,
            rounds,
            decoy: decoy.to_string().into(),
        })
    }

    /// The PHC string for a new password.
    pub async fn hash(&self, password: Password) -> Result<String, ChatError> {
        self.run(move |pbkdf2| {
            pbkdf2
                .hash_password(password.reveal())
                .map(|hash| hash.to_string())
        })
        .await?
        .map_err(ChatError::internal)
    }

    /// Compares; takes the same time when there is no hash to compare with.
    pub async fn verify(
        &self,
        password: Password,
        hash: Option<String>,
    ) -> Result<Verified, ChatError> {
        let (known, rounds) = (hash.is_some(), self.rounds);
        let hash = hash.unwrap_or_else(|| self.decoy.to_string());
        self.run(
            move |pbkdf2| match compare(pbkdf2, rounds, &password, &hash) {
                verified if known => verified,
                _ => Verified::No,
            },
        )
        .await
    }

    async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Pbkdf2) -> T + Send + 'static,
    ) -> Result<T, ChatError> {
        let (reply, answer) = oneshot::channel();
        let job: Job = Box::new(move |pbkdf2| {
            // Whoever asked may have gone; nobody misses the answer then.
            let _ = reply.send(job(pbkdf2));
        });
        self.jobs.try_send(job).map_err(|_| ChatError::Busy)?;
        answer.await.map_err(|_| ChatError::Busy)
    }
}

/// The PHC string for a new password, made on this very thread: for a program that has nothing else to do.
pub(super) fn hash_here(password: &Password, rounds: u32) -> Result<String, Error> {
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
    if pbkdf2.verify_password(password.reveal(), &hash).is_err() {
        return Verified::No;
    }
    match Params::try_from(&hash) {
        Ok(params) if params.rounds() == rounds => Verified::Yes,
        _ => Verified::Outdated,
    }
}

fn work(queue: &Mutex<Receiver<Job>>, pbkdf2: &Pbkdf2) {
    yield_to_chat();
    loop {
        let job = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        match job {
            Ok(job) => job(pbkdf2),
            Err(_) => return,
        }
    }
}

/// Hashing takes what the rest leaves over. On Linux a thread has a niceness of its own.
fn yield_to_chat() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::setpriority_process(None, 19) {
        tracing::debug!(%error, "password hashing runs at normal priority");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_right_password_is_right() {
        let hasher = Hasher::start(1000).unwrap();
        let hash = hasher
            .hash(Password::parse("secret").unwrap())
            .await
            .unwrap();
        assert!(hash.starts_with("$pbkdf2-sha256$i=1000,l=32$"), "{hash}");
        for (typed, expected) in [("secret", Verified::Yes), ("Secret", Verified::No)] {
            let verified = hasher
                .verify(Password::parse(typed).unwrap(), Some(hash.clone()))
                .await
                .unwrap();
            assert_eq!(verified, expected, "{typed}");
        }
        assert_eq!(
            hasher
                .verify(Password::parse("secret").unwrap(), None)
                .await
                .unwrap(),
            Verified::No
        );
    }

    #[tokio::test]
    async fn a_hash_of_other_rounds_is_right_but_outdated() {
        let hash = Hasher::start(1000)
            .unwrap()
            .hash(Password::parse("secret").unwrap())
            .await
            .unwrap();
        let today = Hasher::start(2000).unwrap();
        let verified = today
            .verify(Password::parse("secret").unwrap(), Some(hash))
            .await
            .unwrap();
        assert_eq!(verified, Verified::Outdated);
    }
}
