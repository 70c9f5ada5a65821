//! Test support. [`TestServer`] runs the real server on a free port with a real file in a temporary folder, removed on
//! drop. [`Persona`]s act on it through the public protocol only, by HTTP ([`Persona::get`] …) or over a [`Socket`].
//! Every wait has a deadline; nothing sleeps. A test changes the one setting it is about with
//! [`TestServer::start_with`].

#![allow(dead_code, reason = "several test binaries share it, none needs all")]

mod cable;
mod driven;
mod events;
pub mod foreign;
mod forms;
mod http;
mod pages;
mod people;
mod poller;
mod process;
mod raw;
mod server;
mod shapes;
mod socket;

use std::time::Duration;

pub use cable::Cable;
pub use driven::Driven;
pub use events::EventSocket;
pub use forms::{Form, only_file, picture, url};
pub use http::{Client, Reply, first_line, hang_up_after, raw};
pub use pages::{Pages, between, submit};
pub use people::{Persona, id, register};
pub use poller::Poller;
pub use process::{Process, run};
pub use raw::RawSocket;
pub use server::{PASSWORD, TestServer, count_rows, upgraded};
pub use shapes::*;
pub use socket::Socket;

/// Deadline of every wait: long enough for a busy machine, reached by failing tests only.
pub const DEADLINE: Duration = Duration::from_secs(60);

/// Advances tokio's clock for everything on this test's thread.
pub async fn skip(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}

/// Waits for a future.
///
/// # Panics
/// If the deadline passes.
pub async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(DEADLINE, future)
        .await
        .unwrap_or_else(|_| panic!("{what} did not happen in time"))
}

/// Polls a condition that nothing signals.
///
/// # Panics
/// If the deadline passes.
pub async fn until(what: &str, is_so: impl Fn() -> bool) {
    let state = async {
        while !is_so() {
            tokio::task::yield_now().await;
        }
    };
    within(what, state).await;
}
