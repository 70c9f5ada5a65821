//! Tests whether honest clients are served while attackers do their worst: everything delivered, in order and in time,
//! and memory freed afterwards.
//!
//! `cargo build --release && cargo run --release --example siege` starts `target/release/parlor` (or `PARLOR_BINARY`)
//! with its default settings on loopback, measures a quiet stretch, a stretch under attack and the memory a minute
//! later, prints a table and exits with 1 if a promise was broken. `--seconds N` sets the length of both stretches
//! (default 20). Everything is bounded and stays on 127.0.0.0/8. Figures: docs/reliability.md.

#![allow(clippy::expect_used)]

mod attackers;
mod honest;
mod http;
mod payloads;
mod server;

use std::process::ExitCode;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use attackers::Attack;
use honest::{Audience, Heard, Logins};
use server::Server;

/// Maximum ratio of the p99 latency under attack to that in quiet.
const SLOWER_AT_MOST: f64 = 5.0;
/// Maximum ratio of the memory a minute after the attack to that before.
const MEMORY_AT_MOST: f64 = 1.2;

fn main() -> ExitCode {
    parlor::transport::listener::raise_descriptor_limit().expect("descriptors");
    let words: Vec<String> = std::env::args().collect();
    let seconds = words
        .iter()
        .position(|word| word == "--seconds")
        .and_then(|at| words.get(at + 1)?.parse().ok())
        .unwrap_or(20);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    tokio::task::LocalSet::new().block_on(&runtime, siege(Duration::from_secs(seconds)))
}

async fn siege(stretch: Duration) -> ExitCode {
    let server = Server::start().await;
    // The clients that measure have computers of their own, too. Only root may do this; without it they measure their own
    // wait for the processor as well.
    let _ = rustix::process::setpriority_process(None, -10);
    eprintln!("honest clients come …");
    let audience = Audience::gather(server.address, 100).await;
    audience.use_everything().await;
    audience.chat(Duration::from_secs(5)).await;
    eprintln!("quiet …");
    let quiet = audience.chat(stretch).await;
    let memory_before = server.rss();

    eprintln!("the attack …");
    let attack = Attack::begin(server.address, audience.room).await;
    let cpu = server.cpu();
    sleep(Duration::from_secs(3)).await;
    let logins = tokio::task::spawn_local(honest::log_in_each_second(server.address, stretch));
    let besieged = audience.chat(stretch).await;
    let logins = logins.await.expect("logins");
    let memory_under_attack = server.rss();
    let cpu = server.cpu() - cpu;
    let counts = attack.stop();

    eprintln!("a minute of rest …");
    let begun = Instant::now();
    let after = audience.chat(Duration::from_secs(55)).await;
    sleep(Duration::from_secs(60).saturating_sub(begun.elapsed())).await;
    let memory_after = server.rss();

    let memory = [memory_before, memory_under_attack, memory_after];
    let kept = report([&quiet, &besieged, &after], memory, &logins);
    println!("server CPU under attack {cpu:.1} s; attacks: {counts}");
    match kept {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}

/// Prints the table. Returns whether every promise was kept.
fn report(stretches: [&Heard; 3], memory: [f64; 3], logins: &Logins) -> bool {
    println!("| | quiet | under attack | after |\n|---|---|---|---|");
    row("delivered", stretches, |heard| heard.delivered.to_string());
    row("lost, doubled, out of order", stretches, |heard| {
        format!("{}, {}, {}", heard.lost, heard.doubled, heard.misordered)
    });
    row("p50 / p99 / worst ms", stretches, |heard| {
        let [p50, p99, worst] = [0.5, 0.99, 1.0].map(|share| heard.quantile(share));
        format!("{p50:.1} / {p99:.1} / {worst:.1}")
    });
    let [before, under_attack, after] = memory;
    println!("| memory MiB | {before:.1} | {under_attack:.1} | {after:.1} |");
    println!(
        "\nhonest logins under attack: {} of {} at the first try, slowest {:.1} s",
        logins.succeeded,
        logins.tried,
        logins.slowest.as_secs_f64()
    );
    let slower = stretches[1].quantile(0.99) / stretches[0].quantile(0.99);
    println!(
        "p99 {slower:.1} × quiet, memory {:.2} × before",
        after / before
    );
    stretches.iter().all(|heard| !heard.is_broken())
        && slower <= SLOWER_AT_MOST
        && after / before <= MEMORY_AT_MOST
        && logins.succeeded == logins.tried
}

fn row(name: &str, stretches: [&Heard; 3], cell: impl Fn(&Heard) -> String) {
    let cells = stretches.map(cell).join(" | ");
    println!("| {name} | {cells} |");
}
