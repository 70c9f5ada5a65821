//! Honest clients chat while attackers do their worst: is everything delivered, in order, in time, and is the memory
//! given back?
//!
//! `cargo build --release && cargo run --release --example siege` starts `target/release/parlor` (or `PARLOR_BINARY`)
//! with its default settings on loopback, measures a quiet stretch, a stretch under attack and the memory a minute
//! later, prints a table and exits with 1 if a promise was broken. `--seconds N` sets the length of both stretches
//! (default 20). Everything is bounded and stays on 127.0.0.0/8. Figures: docs/reliability.md.

#![allow(missing_docs, clippy::expect_used)]

mod attackers;
mod honest;
mod http;
mod server;

use std::process::ExitCode;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use honest::{Audience, Heard};
use server::Server;

/// How much slower than in quiet the slowest hundredth of the deliveries may be.
const SLOWER_AT_MOST: f64 = 5.0;
/// How much more memory may be held a minute after the attackers went.
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
    eprintln!("honest clients come …");
    let audience = Audience::gather(server.address, 100).await;
    audience.chat(Duration::from_secs(5)).await;
    eprintln!("quiet …");
    let memory_before = server.rss();
    let quiet = audience.chat(stretch).await;

    eprintln!("the attackers prepare …");
    let attackers = attackers::prepare(server.address, audience.room).await;
    eprintln!("the attack …");
    let cpu = server.cpu();
    let attack = attackers.begin();
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

    println!("| | quiet | under attack | after |\n|---|---|---|---|");
    row("delivered", [&quiet, &besieged, &after], |heard| {
        heard.delivered.to_string()
    });
    row(
        "lost, doubled, out of order",
        [&quiet, &besieged, &after],
        |heard| format!("{}, {}, {}", heard.lost, heard.doubled, heard.misordered),
    );
    row(
        "p50 / p99 / worst ms",
        [&quiet, &besieged, &after],
        |heard| {
            format!(
                "{:.1} / {:.1} / {:.1}",
                heard.quantile(0.5),
                heard.quantile(0.99),
                heard.quantile(1.0)
            )
        },
    );
    println!("| memory MiB | {memory_before:.1} | {memory_under_attack:.1} | {memory_after:.1} |");
    println!(
        "\nhonest logins under attack: {} of {} at the first try, slowest {:.1} s; server CPU {cpu:.1} s",
        logins.succeeded,
        logins.tried,
        logins.slowest.as_secs_f64()
    );
    println!("attacks: {counts}");

    let slower = besieged.quantile(0.99) / quiet.quantile(0.99);
    let memory = memory_after / memory_before;
    println!("p99 {slower:.1} × quiet, memory {memory:.2} × before");
    let broken = [&quiet, &besieged, &after]
        .iter()
        .any(|heard| heard.is_broken());
    let kept = !broken
        && slower <= SLOWER_AT_MOST
        && memory <= MEMORY_AT_MOST
        && logins.succeeded == logins.tried;
    match kept {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}

fn row(name: &str, stretches: [&Heard; 3], cell: impl Fn(&Heard) -> String) {
    let cells = stretches.map(cell).join(" | ");
    println!("| {name} | {cells} |");
}
