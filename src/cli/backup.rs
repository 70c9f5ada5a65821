//! `parlor backup`: a sound copy of the database, taken while the server runs.

use std::fs;
use std::path::{Path, PathBuf};

use super::{Failure, print};
use crate::config::Config;
use crate::store;

#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// Where the copy goes
    file: PathBuf,
    /// Replace FILE if it is there
    #[arg(long)]
    force: bool,
}

pub(super) fn run(args: &Args, config: &Config) -> Result<(), Failure> {
    refuse_to_replace(&args.file, args.force)?;
    let db = &config.server.db;
    let failed =
        |what: &dyn std::fmt::Display| Failure::failed(format!("no backup was made, {what}"));
    store::backup(db, &args.file).map_err(|error| failed(&error))?;
    let bytes = fs::metadata(&args.file)
        .map_err(|error| failed(&error))?
        .len();
    print(&format!(
        "copied {} to {}, {bytes} bytes, checked\n",
        db.display(),
        args.file.display()
    ))
}

fn refuse_to_replace(file: &Path, force: bool) -> Result<(), Failure> {
    // The link itself counts: what it points to may be somebody's only copy.
    let Ok(found) = fs::symlink_metadata(file) else {
        return Ok(());
    };
    let mend = match (found.is_dir(), force) {
        (true, _) => "is a folder: name a file in it",
        (false, false) => "is there already: choose another name or use --force",
        (false, true) => return Ok(()),
    };
    Err(Failure::failed(format!(
        "no backup was made, {} {mend}",
        file.display()
    )))
}
