//! Files that get their name only when they are complete. Must not depend on their content.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;

use super::error::StoreError;
use super::lock::{self, Attempt};
use super::paths;

/// Draft names are this, 16 hexadecimal digits and [`END`], whatever the name of the target, so that the next draft in
/// a folder removes those of a killed process.
const BEGIN: &str = "parlor-";
const END: &str = ".draft";
/// Names to try: another process may take a new draft for a stale one before it is locked.
const TRIES: u32 = 8;

/// A file in the folder of its target under a unique name. Locked while in use, removed when dropped.
pub(super) struct Draft {
    // Dropped first: other processes may remove a draft without a lock.
    name: Name,
    file: File,
    target: PathBuf,
}

/// Removes the file when dropped.
struct Name(PathBuf);

impl Drop for Name {
    fn drop(&mut self) {
        // The original error matters more than a leftover file; the next draft removes it.
        let _ = fs::remove_file(&self.0);
    }
}

impl Draft {
    /// Creates an empty draft of `target` that only its owner may read.
    pub(super) fn create(target: &Path) -> Result<Self, StoreError> {
        let folder = paths::folder(target);
        remove_left(folder);
        for _ in 0..TRIES {
            let path = folder.join(format!("{BEGIN}{:016x}{END}", rand::random::<u64>()));
            let file = match paths::create_private(&path) {
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists => continue,
                made => made.map_err(|e| StoreError::io(&path, e))?,
            };
            let name = Name(path);
            let locked = lock::attempt(&file).map_err(|e| StoreError::io(&name.0, e))?;
            if locked != Attempt::Held && paths::is_at(&file, &name.0).unwrap_or(false) {
                let target = target.to_owned();
                return Ok(Self { name, file, target });
            }
        }
        Err(StoreError::Busy)
    }

    pub(super) fn path(&self) -> &Path {
        &self.name.0
    }

    /// Returns the open file. While SQLite has it open, nothing else in this process may open and close it.
    pub(super) fn file(&self) -> &File {
        &self.file
    }

    /// Renames the file to its target such that a power cut leaves either the old state or the new one. The returned
    /// file is still locked.
    ///
    /// # Errors
    ///
    /// [`StoreError::Exists`] if the target exists by now; with `replace`, [`StoreError::Unfit`] unless it is a regular
    /// file.
    pub(super) fn publish(self, replace: bool) -> Result<File, StoreError> {
        let target = &self.target;
        let failed = |e| StoreError::io(target, e);
        self.file.sync_all().map_err(failed)?;
        check_target(target, replace)?;
        if replace {
            fs::rename(self.path(), target).map_err(failed)?;
        } else {
            rename_new(self.path(), target).map_err(|e| match e.kind() {
                io::ErrorKind::AlreadyExists => exists(target),
                _ => failed(e),
            })?;
        }
        if !paths::is_at(&self.file, target).map_err(failed)? {
            return Err(unfit(
                target,
                "is not what was written: somebody replaced it",
            ));
        }
        paths::sync_folder(target)?;
        Ok(self.file)
    }
}

/// Refuses a target that must not be replaced.
pub(super) fn check_target(target: &Path, replace: bool) -> Result<(), StoreError> {
    match fs::symlink_metadata(target) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(e) => Err(StoreError::io(target, e)),
        Ok(found) if found.is_dir() => Err(unfit(target, "is a folder: name a file in it")),
        // The target of a link may be somebody's only copy; a device must stay one.
        Ok(found) if !found.is_file() => {
            Err(unfit(target, "is not a regular file: choose another name"))
        }
        Ok(_) if replace => Ok(()),
        Ok(_) => Err(exists(target)),
    }
}

/// Whether a process has locked the file at `path`.
pub(super) fn is_locked(path: &Path) -> bool {
    let attempt = paths::open_itself(path, false).and_then(|file| lock::attempt(&file));
    matches!(attempt, Ok(Attempt::Held))
}

/// Renames without replacing an existing file.
fn rename_new(from: &Path, to: &Path) -> io::Result<()> {
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        // Some file systems cannot do that, but support hard links.
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {
            fs::hard_link(from, to)?;
            fs::remove_file(from)
        }
        renamed => Ok(renamed?),
    }
}

/// Removes the drafts in `folder` that no process uses.
fn remove_left(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if !is_draft(&entry.file_name().to_string_lossy()) {
            continue;
        }
        let Ok(file) = paths::open_itself(&path, false) else {
            continue;
        };
        let unused = matches!(lock::attempt(&file), Ok(Attempt::Locked));
        // Unless it was published while it was opened here.
        if unused && paths::is_at(&file, &path).unwrap_or(false) {
            let _ = fs::remove_file(&path);
        }
    }
}

fn is_draft(name: &str) -> bool {
    let middle = name
        .strip_prefix(BEGIN)
        .and_then(|rest| rest.strip_suffix(END));
    middle.is_some_and(|digits| digits.len() == 16 && digits.bytes().all(|b| b.is_ascii_hexdigit()))
}

fn exists(path: &Path) -> StoreError {
    StoreError::Exists {
        path: path.to_owned(),
    }
}

fn unfit(path: &Path, why: &'static str) -> StoreError {
    StoreError::Unfit {
        path: path.to_owned(),
        why: why.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<_> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn only_the_first_of_two_drafts_with_one_name_is_published() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("copy.db");
        let (one, two) = (
            Draft::create(&target).unwrap(),
            Draft::create(&target).unwrap(),
        );
        assert_ne!(one.path(), two.path());
        fs::write(one.path(), "one").unwrap();
        let published = one.publish(false).unwrap();
        assert!(paths::is_at(&published, &target).unwrap());
        let refused = two.publish(false).unwrap_err();
        assert!(matches!(refused, StoreError::Exists { .. }));
        assert_eq!(fs::read(&target).unwrap(), b"one");
        assert_eq!(names(dir.path()), ["copy.db"]);
    }

    #[test]
    fn only_a_regular_file_is_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        fs::write(&file, "old").unwrap();
        let link = dir.path().join("link");
        std::os::unix::fs::symlink(&file, &link).unwrap();
        for target in [&link, Path::new("/dev/null"), dir.path()] {
            assert!(check_target(target, true).is_err(), "{}", target.display());
            assert!(check_target(target, false).is_err(), "{}", target.display());
        }
        assert!(Draft::create(&link).unwrap().publish(true).is_err());
        Draft::create(&file).unwrap().publish(true).unwrap();
        assert_eq!(names(dir.path()), ["file", "link"]);
        assert_eq!(fs::read(&file).unwrap(), b"");
    }

    #[test]
    fn stale_drafts_are_removed_and_drafts_in_use_kept() {
        let dir = tempfile::tempdir().unwrap();
        let left = dir.path().join("parlor-0123456789abcdef.draft");
        let other = dir.path().join("parlor-notes.draft");
        fs::write(&left, "half").unwrap();
        fs::write(&other, "mine").unwrap();
        let one = Draft::create(&dir.path().join("a.db")).unwrap();
        let two = Draft::create(&dir.path().join("b.db")).unwrap();
        assert!(!left.exists() && other.exists());
        assert!(one.path().exists() && two.path().exists());
    }
}
