//! Concurrent attempts: how many are made, wait or are refused.

use std::net::IpAddr;
use std::sync::atomic::{AtomicU32, Ordering};

use futures_util::FutureExt;
use futures_util::future::join_all;

use crate::model::UserId;

use super::super::keys::{self, Account};
use super::*;

fn attempts(per_minute: u32) -> Attempts {
    Attempts::new(NonZeroU32::new(per_minute))
}

fn address(n: u8) -> IpAddr {
    IpAddr::from([10, 0, 0, n])
}

fn login(n: u8, user: i64) -> Vec<Key> {
    keys::of_login(address(n), Account::Known(UserId(user)), false)
}

/// Work that lets other tasks run in between, as hashing does.
async fn slow<T>(result: Result<T, ChatError>) -> Result<T, ChatError> {
    for _ in 0..5 {
        tokio::task::yield_now().await;
    }
    result
}

async fn fail(attempts: &Attempts, keys: Vec<Key>) -> Result<(), ChatError> {
    attempts
        .attempt(keys, slow(Err(ChatError::BadCredentials)))
        .await
}

fn is_limited(result: &Result<(), ChatError>) -> bool {
    matches!(result, Err(ChatError::Limited(_)))
}

#[tokio::test]
async fn concurrent_guesses_are_limited_even_if_a_later_one_is_right() {
    let (attempts, made) = (attempts(10), AtomicU32::new(0));
    let guess = async |n: u32| {
        let work = async {
            made.fetch_add(1, Ordering::Relaxed);
            slow(if n == 58 {
                Ok(())
            } else {
                Err(ChatError::BadCredentials)
            })
            .await
        };
        attempts.attempt(login(1, 1), work).await
    };
    let answers = join_all((0..1500).map(guess)).await;
    assert_eq!(made.load(Ordering::Relaxed), 10);
    assert_eq!(answers.iter().filter(|one| !is_limited(one)).count(), 10);
    assert!(answers.iter().all(Result::is_err));
}

#[tokio::test]
async fn concurrent_right_attempts_are_queued_and_all_succeed() {
    let (attempts, under_way) = (attempts(2), AtomicU32::new(0));
    let work = || async {
        assert!(under_way.fetch_add(1, Ordering::Relaxed) < 2);
        let done = slow(Ok(())).await;
        under_way.fetch_sub(1, Ordering::Relaxed);
        done
    };
    let all = (0..60).map(|_| attempts.attempt(login(1, 1), work()));
    assert!(join_all(all).await.iter().all(Result::is_ok));
    assert!(attempts.shared.lock().table.is_empty());
}

#[tokio::test]
async fn a_dropped_attempt_counts_as_a_failure() {
    let attempts = attempts(1);
    let never = std::future::pending::<Result<(), ChatError>>();
    let begun = attempts.attempt(login(1, 1), never);
    assert!(timeout(Duration::from_millis(1), begun).await.is_err());
    assert!(is_limited(
        &attempts.attempt(login(1, 1), slow(Ok(()))).await
    ));
}

#[tokio::test]
async fn server_errors_return_the_permit() {
    let attempts = attempts(1);
    for error in [ChatError::Busy, ChatError::Full, ChatError::Internal] {
        let answer: Result<(), _> = attempts.attempt(login(1, 1), slow(Err(error))).await;
        assert!(!is_limited(&answer));
    }
    assert!(attempts.attempt(login(1, 1), slow(Ok(()))).await.is_ok());
}

#[tokio::test]
async fn a_cancelled_waiter_does_not_block_others() {
    let attempts = attempts(1);
    let (go, gone) = oneshot::channel::<()>();
    let first = attempts.attempt(login(1, 1), async {
        gone.await.map_err(|_| ChatError::BadCredentials)
    });
    let others = async {
        tokio::task::yield_now().await;
        let waiting = attempts.attempt(login(1, 1), slow(Ok(())));
        assert!(timeout(Duration::from_millis(1), waiting).await.is_err());
        let waiting = attempts.attempt(login(1, 1), slow(Ok(())));
        go.send(()).unwrap();
        waiting.await
    };
    let (first, last) = tokio::join!(first, others);
    assert!(first.is_ok() && last.is_ok());
    assert!(attempts.shared.lock().table.is_empty());
}

#[tokio::test]
async fn permits_of_all_keys_are_taken_or_none() {
    let attempts = attempts(1);
    // Account and address together are used up. A refused attempt must not be charged to the address alone.
    assert!(!is_limited(&fail(&attempts, login(1, 1)).await));
    for _ in 0..9 {
        assert!(is_limited(&fail(&attempts, login(1, 1)).await));
    }
    assert!(!is_limited(&fail(&attempts, login(1, 2)).await));
}

#[tokio::test]
async fn one_address_with_many_names_and_one_name_from_many_addresses_are_limited() {
    let by_name = attempts(2);
    let answers = join_all((0..50).map(|user| fail(&by_name, login(1, user)))).await;
    assert_eq!(answers.iter().filter(|one| !is_limited(one)).count(), 6);
    let by_address = attempts(2);
    let answers = join_all((0..50).map(|n| fail(&by_address, login(n, 1)))).await;
    assert_eq!(answers.iter().filter(|one| !is_limited(one)).count(), 10);
}

#[tokio::test]
async fn ipv6_networks_of_one_site_share_a_limit() {
    let attempts = attempts(1);
    let keys = |n: u16| {
        let ip = IpAddr::from([0x2001, 0xdb8, 1, n, 0, 0, 0, 1]);
        keys::of_login(ip, Account::Unknown(n.into()), false)
    };
    let answers = join_all((0..50).map(|n| fail(&attempts, keys(n)))).await;
    assert_eq!(answers.iter().filter(|one| !is_limited(one)).count(), 10);
}

#[tokio::test]
async fn a_known_address_has_its_own_limit() {
    let attempts = attempts(2);
    for n in 10..60 {
        let _ = fail(&attempts, login(n, 1)).await;
    }
    assert!(is_limited(&fail(&attempts, login(1, 1)).await));
    let known = || keys::of_login(address(1), Account::Known(UserId(1)), true);
    assert!(attempts.attempt(known(), slow(Ok(()))).await.is_ok());
    let answers = join_all((0..9).map(|_| fail(&attempts, known()))).await;
    assert_eq!(answers.iter().filter(|one| !is_limited(one)).count(), 2);
}

#[tokio::test]
async fn attempts_beyond_the_waiting_limit_are_refused_at_once() {
    let attempts = attempts(1);
    let never = || std::future::pending::<Result<(), ChatError>>();
    let mut all: Vec<_> = (0..WAITING_PER_KEY + 1)
        .map(|_| Box::pin(attempts.attempt(login(1, 1), never())))
        .collect();
    for one in &mut all {
        assert!(one.as_mut().now_or_never().is_none());
    }
    assert!(is_limited(&attempts.attempt(login(1, 1), never()).await));
}
