//! `parlor restore`: replaces the database with a backup.

use std::path::PathBuf;

use super::{Failure, interrupt, print};
use crate::config::Config;
use crate::store;

#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// The backup, which is copied
    file: PathBuf,
}

pub(super) fn run(args: Args, config: &Config) -> Result<(), Failure> {
    let db = config.server.db.clone();
    let from = args.file.display().to_string();
    let done = interrupt::run(move |stop| store::restore(&db, &args.file, stop))?;
    let done = done.map_err(|error| Failure::failed(format!("nothing was restored, {error}")))?;
    let kept = done.kept.map_or_else(String::new, |kept| {
        format!("what was there before is kept as {}\n", kept.display())
    });
    let (db, size) = (done.db.display(), done.size);
    print(&format!(
        "restored {db} from {from}, {size} bytes, checked\n{kept}"
    ))
}
