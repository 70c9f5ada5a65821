//! Paths and durable file operations beside the database. Must not know what the files hold.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::Access;

use super::error::StoreError;

/// The one absolute name of a database, so that a link and its target share one lock.
pub(super) fn resolve(path: &Path) -> Result<PathBuf, StoreError> {
    let found = match fs::canonicalize(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => resolve_new(path),
        found => found,
    };
    found.map_err(|e| StoreError::io(path, e))
}

fn resolve_new(path: &Path) -> io::Result<PathBuf> {
    let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
    Ok(fs::canonicalize(folder(path))?.join(name))
}

/// The folder a file is in; `.` for a bare name.
pub(super) fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// The same name with `suffix` appended, as SQLite names its own companions.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Makes an empty file that only its owner may read: a database holds password hashes.
pub(super) fn create_private(path: &Path) -> Result<(), StoreError> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
        .open(path)
        .map(drop)
        .map_err(|e| StoreError::io(path, e))
}

/// Removes a file that may not be there.
pub(super) fn remove(path: &Path) -> Result<(), StoreError> {
    match fs::remove_file(path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(StoreError::io(path, e)),
        _ => Ok(()),
    }
}

/// Gives a finished file its name such that a power cut leaves either the old or the new one.
pub(super) fn publish(made: &Path, name: &Path) -> Result<(), StoreError> {
    let sync = |path: &Path| File::open(path).and_then(|file| file.sync_all());
    sync(made)
        .and_then(|()| fs::rename(made, name))
        .and_then(|()| {
            if cfg!(unix) {
                sync(folder(name))
            } else {
                Ok(())
            }
        })
        .map_err(|e| StoreError::io(name, e))
}

/// Whether this user may read `path`, and write it where `write` is set; says what forbids it.
pub(super) fn check_access(path: &Path, write: bool) -> Result<(), StoreError> {
    let write = if write {
        Access::WRITE_OK
    } else {
        Access::empty()
    };
    rustix::fs::access(path, Access::READ_OK | write).map_err(|e| StoreError::io(path, e.into()))
}

/// Bytes that this user may still write beside `path`.
pub(super) fn free_space(path: &Path) -> Result<u64, StoreError> {
    let stat = rustix::fs::statvfs(folder(path)).map_err(|e| StoreError::io(path, e.into()))?;
    Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_and_its_target_have_one_name() {
        let dir = tempfile::tempdir().unwrap();
        let real = dir.path().join("real.db");
        create_private(&real).unwrap();
        let link = dir.path().join("link.db");
        std::os::unix::fs::symlink(&real, &link).unwrap();
        assert_eq!(resolve(&link).unwrap(), resolve(&real).unwrap());
    }

    #[test]
    fn a_name_that_does_not_exist_yet_is_made_absolute() {
        let new = resolve(Path::new("not-there.db")).unwrap();
        assert!(new.is_absolute() && new.ends_with("not-there.db"));
        let error = resolve(Path::new("no-such-folder/x.db")).unwrap_err();
        assert!(error.to_string().starts_with("no-such-folder/x.db: "));
    }
}
