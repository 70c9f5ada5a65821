//! Ownership of a database: a lock on `<db>.lock`, whose content names the owner, and one on the database file itself,
//! which also holds if the file has another name or `<db>.lock` was removed. Must not depend on what the owner does
//! with the database.
//!
//! Both are `flock` locks, which do not interact with SQLite's own (`fcntl`). But closing any descriptor of a file
//! releases all `fcntl` locks that the process has on it: the database's descriptor here is opened before SQLite opens
//! the file, and closed after it.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

use rustix::fs::OFlags;
use rustix::io::Errno;

use super::error::StoreError;
use super::paths;

/// Ownership of a database until dropped; the system releases it when the process dies.
#[derive(Debug)]
pub(super) struct Lock {
    beside: File,
    /// `None` while there is no file, and where it cannot be locked.
    database: Option<File>,
}

/// Outcome of an attempt to lock a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Attempt {
    /// Locked until the file is closed.
    Locked,
    /// Another process has locked it.
    Held,
    /// The file system has no lock that would not conflict with SQLite's own.
    Unsupported,
}

impl Lock {
    /// Takes the lock of `db`. If another process holds it, the error names that process.
    pub(super) fn acquire(db: &Path) -> Result<Self, StoreError> {
        let path = paths::beside(db, ".lock");
        let mut beside = open(&path, db)?;
        match beside.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(StoreError::Locked {
                    path: db.to_owned(),
                    holder: signature(&mut beside),
                });
            }
            Err(TryLockError::Error(e)) => return Err(StoreError::io(&path, e)),
        }
        // Only now: if the lock were held, this would open and close a descriptor of the database for nothing.
        let database = lock_database(db)?;
        // Only a hint for people: the lock itself decides.
        let _ = sign(&mut beside);
        Ok(Self { beside, database })
    }

    /// Releases the file that is about to be replaced; `<db>.lock` still excludes other owners.
    pub(super) fn release_database(&mut self) {
        self.database = None;
    }

    /// Takes over the file that replaced the database; it is locked already if that is possible.
    pub(super) fn take_database(&mut self, file: File) {
        self.database = Some(file);
    }
}

impl Drop for Lock {
    /// Closing the files is not enough: a child that this process is starting has copies of the descriptors until it
    /// runs.
    fn drop(&mut self) {
        if let Some(database) = &self.database {
            let _ = database.unlock();
        }
        let _ = self.beside.unlock();
    }
}

/// Tries to lock a file without waiting.
pub(super) fn attempt(file: &File) -> io::Result<Attempt> {
    if locks_collide(file) {
        return Ok(Attempt::Unsupported);
    }
    match file.try_lock() {
        Ok(()) => Ok(Attempt::Locked),
        Err(TryLockError::WouldBlock) => Ok(Attempt::Held),
        Err(TryLockError::Error(e)) if e.kind() == io::ErrorKind::Unsupported => {
            Ok(Attempt::Unsupported)
        }
        Err(TryLockError::Error(e)) => Err(e),
    }
}

fn lock_database(db: &Path) -> Result<Option<File>, StoreError> {
    let failed = |e| StoreError::io(db, e);
    let file = match paths::open_itself(db, false) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened.map_err(failed)?,
    };
    match attempt(&file).map_err(failed)? {
        Attempt::Locked => Ok(Some(file)),
        Attempt::Unsupported => Ok(None),
        Attempt::Held => Err(StoreError::Locked {
            path: db.to_owned(),
            holder: None,
        }),
    }
}

/// Whether `flock` conflicts with SQLite: on network file systems it becomes a `fcntl` lock on the whole file.
#[cfg(target_os = "linux")]
fn locks_collide(file: &File) -> bool {
    /// NFS, SMB, SMB 2 and later, CIFS, 9P: `statfs(2)`.
    const NETWORK: [u32; 5] = [0x6969, 0x517b, 0xfe53_4d42, 0xff53_4d42, 0x0102_1997];
    rustix::fs::fstatfs(file).is_ok_and(|found| NETWORK.contains(&(found.f_type as u32)))
}

#[cfg(not(target_os = "linux"))]
fn locks_collide(_: &File) -> bool {
    false
}

/// Opens the lock file; a new one gets the owner and mode of the database.
fn open(path: &Path, db: &Path) -> Result<File, StoreError> {
    let failed = |e: io::Error| {
        if e.raw_os_error() == Some(Errno::LOOP.raw_os_error()) {
            unfit(path, "is a symbolic link: remove it")
        } else if e.kind() == io::ErrorKind::PermissionDenied {
            unfit(
                path,
                "belongs to another user: remove it when no parlor runs",
            )
        } else {
            StoreError::io(path, e)
        }
    };
    let mut options = OpenOptions::new();
    options.read(true).write(true).create_new(true).mode(0o600);
    options.custom_flags(OFlags::NOFOLLOW.bits().cast_signed());
    match options.open(path) {
        Ok(file) => {
            paths::make_like(&file, db).map_err(failed)?;
            return Ok(file);
        }
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
        Err(e) => return Err(StoreError::io(path, e)),
    }
    let file = match paths::open_itself(path, true) {
        // A file that an earlier version created as root can at least be locked.
        Err(e) if e.kind() == io::ErrorKind::PermissionDenied => paths::open_itself(path, false),
        opened => opened,
    };
    let file = file.map_err(failed)?;
    let found = file.metadata().map_err(failed)?;
    if !found.is_file() || found.nlink() > 1 {
        return Err(unfit(path, "is not a file of its own: remove it"));
    }
    paths::give_to_owner(&file, db);
    Ok(file)
}

fn unfit(path: &Path, why: &'static str) -> StoreError {
    StoreError::Unfit {
        path: path.to_owned(),
        why: why.into(),
    }
}

fn sign(file: &mut File) -> io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "{}", std::process::id())
}

fn signature(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.take(16).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_owner_is_told_the_process_of_the_first() {
        let dir = tempfile::tempdir().unwrap();
        let db = dir.path().join("chat.db");
        let first = Lock::acquire(&db).unwrap();
        let refused = Lock::acquire(&db).unwrap_err();
        let me = std::process::id();
        assert!(matches!(refused, StoreError::Locked { holder: Some(id), .. } if id == me));
        drop(first);
        Lock::acquire(&db).unwrap();
    }

    #[test]
    fn duplicated_descriptors_do_not_keep_the_lock() {
        let dir = tempfile::tempdir().unwrap();
        let db = dir.path().join("chat.db");
        paths::create_private(&db).unwrap();
        let lock = Lock::acquire(&db).unwrap();
        let _inherited = lock.beside.try_clone().unwrap();
        let _too = lock.database.as_ref().unwrap().try_clone().unwrap();
        drop(lock);
        Lock::acquire(&db).unwrap();
    }

    #[test]
    fn the_database_is_locked_even_without_its_lock_file() {
        let dir = tempfile::tempdir().unwrap();
        let db = dir.path().join("chat.db");
        paths::create_private(&db).unwrap();
        let first = Lock::acquire(&db).unwrap();
        std::fs::remove_file(paths::beside(&db, ".lock")).unwrap();
        let refused = Lock::acquire(&db).unwrap_err();
        assert!(matches!(refused, StoreError::Locked { holder: None, .. }));
        drop(first);
        Lock::acquire(&db).unwrap();
    }

    #[test]
    fn the_lock_file_has_the_databases_mode_and_is_never_a_link() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let db = dir.path().join("chat.db");
        let file = paths::create_private(&db).unwrap();
        file.set_permissions(std::fs::Permissions::from_mode(0o640))
            .unwrap();
        drop(Lock::acquire(&db).unwrap());
        let path = paths::beside(&db, ".lock");
        assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o777, 0o640);

        let victim = dir.path().join("victim");
        std::fs::write(&victim, "precious").unwrap();
        std::fs::remove_file(&path).unwrap();
        std::os::unix::fs::symlink(&victim, &path).unwrap();
        let refused = Lock::acquire(&db).unwrap_err().to_string();
        assert!(
            refused.ends_with("chat.db.lock is a symbolic link: remove it"),
            "{refused}"
        );
        std::fs::remove_file(&path).unwrap();
        std::fs::hard_link(&victim, &path).unwrap();
        assert!(Lock::acquire(&db).is_err());
        assert_eq!(std::fs::read_to_string(&victim).unwrap(), "precious");
    }
}
