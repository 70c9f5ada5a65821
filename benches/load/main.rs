//! The load generator: starts the release server on one core, loads it from another, and prints one table.
//!
//! `cargo bench --bench load` measures everything, `cargo bench --bench load -- A C` only some shapes. `--seconds` and
//! `--runs` change the duration. docs/performance.md describes the shapes.

#![allow(clippy::expect_used)]

mod api;
mod client;
mod crowd;
mod filled;
mod floor;
mod meter;
mod process;
mod rooms;
mod shapes;
mod table;
mod uuids;

use std::time::Duration;

use crowd::Stretches;
use table::Table;

fn main() {
    let words: Vec<String> = std::env::args()
        .skip(1)
        .filter(|word| word != "--bench")
        .collect();
    if let [first, address] = &words[..]
        && first == "floor"
    {
        return floor::serve(address);
    }
    process::pin_self();
    parlor::transport::listener::raise_descriptor_limit().expect("descriptors");
    let number = |flag: &str, default: u64| {
        let at = words.iter().position(|word| word == flag);
        at.and_then(|at| words.get(at + 1)?.parse().ok())
            .unwrap_or(default)
    };
    let stretches = Stretches {
        warm_up: Duration::from_secs(2),
        each: Duration::from_secs(number("--seconds", 5)),
        runs: number("--runs", 3) as usize,
    };
    let named = |shape: &str| words.iter().any(|word| word == shape);
    let all = !shapes::ALL.iter().any(|(name, _)| named(name));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = runtime.expect("a runtime");
    let mut table = Table::default();
    for (name, measure) in shapes::ALL.iter().filter(|(name, _)| all || named(name)) {
        eprintln!("shape {name} …");
        // Writes of one shape must not slow down the next.
        rustix::fs::sync();
        tokio::task::LocalSet::new().block_on(&runtime, measure(stretches, &mut table));
    }
    print!("{table}");
}
