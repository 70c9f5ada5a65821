//! `parlor version`: prints the version, as text or JSON.

use std::env::consts::{ARCH, OS};

use super::{Failure, print};
use crate::store;

#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Commit of the build, from the build environment: building does not require git.
const COMMIT: Option<&str> = option_env!("PARLOR_COMMIT");

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let target = format!("{ARCH}-{OS}");
    if args.json {
        let json = serde_json::json!({
            "version": VERSION,
            "commit": COMMIT,
            "target": target,
            "sqlite": store::sqlite_version(),
            "schema": store::SCHEMA_VERSION,
        });
        return print(&format!("{json}\n"));
    }
    let commit = COMMIT
        .map(|commit| format!(" ({commit})"))
        .unwrap_or_default();
    let (sqlite, schema) = (store::sqlite_version(), store::SCHEMA_VERSION);
    print(&format!(
        "parlor {VERSION}{commit}\ntarget {target}\nSQLite {sqlite}\nschema {schema}\n"
    ))
}
