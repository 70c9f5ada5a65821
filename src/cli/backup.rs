//! `parlor backup`: copies the database consistently, also while the server runs.

use std::path::PathBuf;

use super::{Failure, interrupt, print};
use crate::config::Config;
use crate::store;

#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// Path of the copy
    file: PathBuf,
    /// Replace FILE if it exists
    #[arg(long)]
    force: bool,
}

pub(super) fn run(args: Args, config: &Config) -> Result<(), Failure> {
    let db = config.server.db.clone();
    let done = format!("copied {} to {}", db.display(), args.file.display());
    let made = interrupt::run(move |stop| store::backup(&db, &args.file, args.force, stop))?;
    let bytes = made.map_err(|error| Failure::failed(format!("no backup was made, {error}")))?;
    print(&format!("{done}, {bytes} bytes, checked\n"))
}
