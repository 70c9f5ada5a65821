//! Paths and durable file operations beside the database. Must not depend on the content of the files.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{Access, OFlags};

use super::error::StoreError;

/// Returns the canonical absolute path of a database, so that a link and its target share one lock.
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

/// Returns the folder that a file is in; `.` for a bare name.
pub(super) fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// Appends `suffix` to the name, as SQLite names its own companion files.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Like [`resolve`], but does not follow a symbolic link in the last component.
pub(super) fn resolve_folder(path: &Path) -> Result<PathBuf, StoreError> {
    resolve_new(path).map_err(|e| StoreError::io(path, e))
}

/// Creates an empty file that only its owner may read: a database holds password hashes.
pub(super) fn create_private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create_new(true);
    options.mode(0o600);
    options.open(path)
}

/// Opens a file without following a symbolic link and without blocking on a pipe.
pub(super) fn open_itself(path: &Path, write: bool) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(write);
    options.custom_flags((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed());
    options.open(path)
}

/// Gives `file`, if this process runs as root, to the owner of the database `db`, or of its folder if there is no
/// database: a server that runs as another user must be able to open it.
pub(super) fn give_to_owner(file: &File, db: &Path) {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let owner = fs::metadata(db).or_else(|_| fs::metadata(folder(db)));
    let given = owner
        .and_then(|owner| std::os::unix::fs::fchown(file, Some(owner.uid()), Some(owner.gid())));
    if let Err(error) = given {
        tracing::warn!(db = %db.display(), %error, "cannot give a new file the owner of the database");
    }
}

/// Gives a new file the owner as [`give_to_owner`] does, and the mode of the database, if there is one.
pub(super) fn make_like(file: &File, db: &Path) -> io::Result<()> {
    give_to_owner(file, db);
    match fs::metadata(db) {
        Ok(found) => file.set_permissions(Permissions::from_mode(found.mode() & 0o666)),
        Err(_) => Ok(()),
    }
}

/// Whether `path` names the open `file`.
pub(super) fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    let open = file.metadata()?;
    match fs::symlink_metadata(path) {
        Ok(named) => Ok((open.dev(), open.ino()) == (named.dev(), named.ino())),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(e) => Err(e),
    }
}

/// Returns the size of a file in bytes, 0 if there is none.
pub(super) fn size(path: &Path) -> Result<u64, StoreError> {
    match fs::metadata(path) {
        Ok(found) => Ok(found.len()),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(0),
        Err(e) => Err(StoreError::io(path, e)),
    }
}

/// Removes a file if it exists.
pub(super) fn remove(path: &Path) -> Result<(), StoreError> {
    match fs::remove_file(path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(StoreError::io(path, e)),
        _ => Ok(()),
    }
}

/// Syncs the folder of a file, so that created, renamed and removed entries are durable.
pub(super) fn sync_folder(of: &Path) -> Result<(), StoreError> {
    let synced = File::open(folder(of)).and_then(|folder| folder.sync_all());
    synced.map_err(|e| StoreError::io(of, e))
}

/// Refuses a database with a second name (hard link): SQLite looks for the WAL beside the name it is given, so data
/// written under one name would be missing, or destroyed, under the other. Also refuses a mount point.
pub(super) fn refuse_other_names(path: &Path) -> Result<(), StoreError> {
    let found = match fs::metadata(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(e) => return Err(StoreError::io(path, e)),
        Ok(found) => found,
    };
    if found.is_file() && found.nlink() > 1 {
        let other = same_file_in(folder(path), path, &found);
        let other = other.map_or_else(String::new, |name| format!(", {}", name.display()));
        return Err(StoreError::Unfit {
            path: path.to_owned(),
            why: format!(
                "has a second name (hard link){other}: remove one of them, and make copies with parlor backup"
            )
            .into(),
        });
    }
    refuse_mount_point(path)
}

/// Refuses a database that is mounted as a single file, as containers may do: its WAL would stay outside.
pub(super) fn refuse_mount_point(path: &Path) -> Result<(), StoreError> {
    if !path.is_file() || !is_mount_point(path) {
        return Ok(());
    }
    Err(StoreError::Unfit {
        path: path.to_owned(),
        why: "is mounted as a single file, its log would stay outside: mount the folder it is in"
            .into(),
    })
}

/// Returns another name of `file` in `folder`.
fn same_file_in(folder: &Path, path: &Path, file: &fs::Metadata) -> Option<PathBuf> {
    let entries = fs::read_dir(folder).ok()?;
    let same = |entry: &fs::DirEntry| {
        let found = fs::symlink_metadata(entry.path());
        found.is_ok_and(|found| (found.dev(), found.ino()) == (file.dev(), file.ino()))
    };
    let mut others = entries.flatten().filter(same).map(|entry| entry.path());
    others.find(|other| other.file_name() != path.file_name())
}

#[cfg(target_os = "linux")]
fn is_mount_point(path: &Path) -> bool {
    use rustix::fs::{AtFlags, CWD, StatxAttributes, StatxFlags, statx};
    statx(CWD, path, AtFlags::empty(), StatxFlags::BASIC_STATS)
        .is_ok_and(|found| found.stx_attributes.contains(StatxAttributes::MOUNT_ROOT))
}

#[cfg(not(target_os = "linux"))]
fn is_mount_point(_: &Path) -> bool {
    false
}

/// Checks that this user may read `path` and, with `write`, write it.
pub(super) fn check_access(path: &Path, write: bool) -> Result<(), StoreError> {
    let write = if write {
        Access::WRITE_OK
    } else {
        Access::empty()
    };
    rustix::fs::access(path, Access::READ_OK | write).map_err(|e| StoreError::io(path, e.into()))
}

/// Returns the space that this user may still use beside `path`, in bytes.
pub(super) fn free_space(path: &Path) -> Result<u64, StoreError> {
    let stat = rustix::fs::statvfs(folder(path)).map_err(|e| StoreError::io(path, e.into()))?;
    Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_resolves_to_the_path_of_its_target() {
        let dir = tempfile::tempdir().unwrap();
        let real = dir.path().join("real.db");
        create_private(&real).unwrap();
        let link = dir.path().join("link.db");
        std::os::unix::fs::symlink(&real, &link).unwrap();
        assert_eq!(resolve(&link).unwrap(), resolve(&real).unwrap());
    }

    #[test]
    fn a_nonexistent_path_is_made_absolute() {
        let new = resolve(Path::new("not-there.db")).unwrap();
        assert!(new.is_absolute() && new.ends_with("not-there.db"));
        let error = resolve(Path::new("no-such-folder/x.db")).unwrap_err();
        assert!(error.to_string().starts_with("no-such-folder/x.db: "));
    }
}
