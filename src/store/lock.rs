//! `<db>.lock`: says that a process owns the database. Must not know what the owner does with it.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::Path;

use super::error::StoreError;
use super::paths;

/// Ownership of a database until dropped; the system takes it back when the process dies.
#[derive(Debug)]
pub(super) struct Lock {
    file: File,
}

impl Lock {
    /// Takes the lock of `db` or says who holds it.
    pub(super) fn acquire(db: &Path) -> Result<Self, StoreError> {
        let path = paths::beside(db, ".lock");
        let mut file = open(&path).map_err(|e| StoreError::io(&path, e))?;
        match file.try_lock() {
            Ok(()) => {
                // Only a hint for people: the lock itself is what counts.
                let _ = sign(&mut file);
                Ok(Self { file })
            }
            Err(TryLockError::WouldBlock) => Err(StoreError::Locked {
                path: db.to_owned(),
                holder: signature(&mut file),
            }),
            Err(TryLockError::Error(e)) => Err(StoreError::io(&path, e)),
        }
    }
}

impl Drop for Lock {
    /// Closing the file is not enough: a child that this process is just starting has a copy of it until it runs.
    fn drop(&mut self) {
        let _ = self.file.unlock();
    }
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
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
    fn the_second_owner_is_told_who_the_first_is() {
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
    fn a_copy_of_the_file_does_not_keep_it() {
        let dir = tempfile::tempdir().unwrap();
        let db = dir.path().join("chat.db");
        let lock = Lock::acquire(&db).unwrap();
        let _inherited = lock.file.try_clone().unwrap();
        drop(lock);
        Lock::acquire(&db).unwrap();
    }
}
