//! How these tests work: [`TestServer`] is the real server on a free port with a real file in a folder of its own, gone
//! when it is dropped. [`Persona`]s act on it through the public protocol only, by HTTP ([`Persona::get`] …) or over a
//! [`Socket`]. Whatever is waited for has a deadline; nothing sleeps. A test says with [`TestServer::start_with`] the
//! one thing in the settings it is about.

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

/// Long enough for a busy machine; only a failing test waits for it.
pub const DEADLINE: Duration = Duration::from_secs(60);

/// Lets that much time pass at once, for everything on this test's thread.
pub async fn skip(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}

/// Waits for something that must happen.
///
/// # Panics
/// It does not happen in time.
pub async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(DEADLINE, future)
        .await
        .unwrap_or_else(|_| panic!("{what} did not happen in time"))
}

/// Waits for a state that nobody tells of.
///
/// # Panics
/// It does not come about in time.
pub async fn until(what: &str, is_so: impl Fn() -> bool) {
    let state = async {
        while !is_so() {
            tokio::task::yield_now().await;
        }
    };
    within(what, state).await;
}
