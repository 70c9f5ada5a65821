//! `parlor backup` and `parlor restore`, also when they are interrupted.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use parlor::store::{OpenOptions, Store};
use rustix::fs::{CWD, FileType, Mode, mknodat};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use super::user::Files;
use super::{inode, parlor, text};

/// Deadline of every wait, reached by failing tests only.
const DEADLINE: Duration = Duration::from_secs(60);

/// A folder with a database of 150 MB, which takes a while to copy.
struct Large {
    folder: TempDir,
    db: PathBuf,
}

impl Large {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let db = folder.path().join("chat.db");
        drop(Store::open(&db, &OpenOptions::default()).unwrap());
        let large = Self { folder, db };
        large.unlocked();
        let conn = rusqlite::Connection::open(&large.db).unwrap();
        let fill = "INSERT INTO settings VALUES ('filler', zeroblob(150000000))";
        conn.execute_batch(fill).unwrap();
        drop(conn);
        large
    }

    /// Waits until the dropped store has unlocked the database.
    fn unlocked(&self) {
        wait_for("the end of the store", || {
            Store::open(&self.db, &OpenOptions::default())
                .ok()
                .map(drop)
        });
        wait_for("the end of the log", || {
            (!self.folder.path().join("chat.db-wal").exists()).then_some(())
        });
    }

    fn names(&self) -> Vec<String> {
        names(self.folder.path())
    }

    fn backup(&self, name: &str) -> Child {
        let mut command = Command::new(env!("CARGO_BIN_EXE_parlor"));
        command.env_clear().current_dir(&self.folder);
        command.args(["--db", "chat.db", "backup", name]);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        command.spawn().unwrap()
    }

    /// Starts a backup and sends it `signal` as soon as it has created a file.
    fn stopped_backup(&self, name: &str, signal: Signal) -> (ExitStatus, String) {
        let child = self.backup(name);
        wait_for("the draft", || {
            let begun = |name: &String| !name.starts_with("chat.db");
            self.names().iter().any(begun).then_some(())
        });
        kill_process(Pid::from_child(&child), signal).unwrap();
        end(child)
    }
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// Waits for the process; returns its exit status and its standard error.
fn end(mut child: Child) -> (ExitStatus, String) {
    let mut said = String::new();
    child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut said)
        .unwrap();
    (child.wait().unwrap(), said)
}

fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begun.elapsed() < DEADLINE, "{what} did not come");
        std::thread::yield_now();
    }
}

#[test]
fn of_two_backups_to_the_same_file_one_succeeds() {
    let large = Large::new();
    let both = [large.backup("copy.db"), large.backup("copy.db")];
    let mut ends = both.map(end);
    ends.sort_by_key(|(status, _)| !status.success());
    let codes = [ends[0].0.code(), ends[1].0.code()];
    assert_eq!(codes, [Some(0), Some(1)], "{ends:?}");
    assert!(ends[1].1.contains("copy.db exists"), "{ends:?}");
    assert_eq!(large.names(), ["chat.db", "chat.db.lock", "copy.db"]);
    let copy = large.folder.path().join("copy.db");
    assert!(Store::open(&copy, &OpenOptions::default()).is_ok());
}

#[test]
fn an_interrupted_backup_leaves_no_files() {
    let large = Large::new();
    for signal in [Signal::TERM, Signal::INT] {
        let (status, said) = large.stopped_backup("copy.db", signal);
        assert_eq!(status.code(), Some(1), "{signal:?} {said}");
        assert_eq!(
            said,
            "parlor: no backup was made, stopped before it was done\n"
        );
        assert_eq!(large.names(), ["chat.db", "chat.db.lock"], "{signal:?}");
    }
}

#[test]
fn the_next_backup_removes_the_files_of_a_killed_one() {
    let large = Large::new();
    let (status, _) = large.stopped_backup("monday.db", Signal::KILL);
    assert_eq!(status.code(), None);
    let left = large.names();
    assert!(
        left.iter().any(|name| !name.starts_with("chat.db")),
        "{left:?}"
    );
    let (status, said) = end(large.backup("tuesday.db"));
    assert!(status.success(), "{said}");
    assert_eq!(large.names(), ["chat.db", "chat.db.lock", "tuesday.db"]);
}

#[test]
fn a_backup_replaces_only_regular_files_not_in_use() {
    let files = Files::with_people();
    let folder = files.db.parent().unwrap();
    let at = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let (pipe, link, target) = (at("pipe"), at("link"), at("target"));
    mknodat(CWD, &pipe, FileType::Fifo, Mode::RUSR, 0).unwrap();
    fs::write(&target, "precious").unwrap();
    std::os::unix::fs::symlink(&target, &link).unwrap();
    let used = at("used.db");
    let _server = Store::open(used.as_ref(), &OpenOptions::default()).unwrap();
    let old = at("old.db");
    fs::write(&old, "old").unwrap();
    fs::write(at("old.db-wal"), "of another database").unwrap();

    let db = files.db.to_str().unwrap();
    for (dest, why) in [
        (&pipe, "is not a regular file"),
        (&link, "is not a regular file"),
        (&used, "is the database of a running parlor"),
        (&old, "old.db-wal is left of another database"),
    ] {
        let before = (inode(dest), fs::symlink_metadata(dest).unwrap().file_type());
        let output = parlor(&["--db", db, "backup", "--force", dest], &[]);
        let said = text(&output.stderr);
        assert!(
            said.starts_with("parlor: no backup was made, ") && said.contains(why),
            "{said}"
        );
        assert_eq!((said.lines().count(), output.status.code()), (1, Some(1)));
        let after = (inode(dest), fs::symlink_metadata(dest).unwrap().file_type());
        assert_eq!(after, before, "{dest}");
    }
    assert_eq!(fs::read_to_string(&target).unwrap(), "precious");
}

/// Runs `parlor restore`; returns its standard output, or its one line of standard error.
fn restore(db: &Path, from: &Path) -> Result<String, String> {
    let (db, from) = (db.to_str().unwrap(), from.to_str().unwrap());
    let output = parlor(&["--db", db, "restore", from], &[]);
    if output.status.success() {
        return Ok(text(&output.stdout).to_owned());
    }
    let said = text(&output.stderr);
    assert_eq!(
        (output.status.code(), said.lines().count()),
        (Some(1), 1),
        "{said}"
    );
    assert!(said.starts_with("parlor: nothing was restored, "), "{said}");
    Err(said.to_owned())
}

fn back_up(files: &Files) -> PathBuf {
    let copy = files.db.with_file_name("copy.db");
    let (db, to) = (files.db.to_str().unwrap(), copy.to_str().unwrap());
    let output = parlor(&["--db", db, "backup", to], &[]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    copy
}

#[test]
fn a_restore_keeps_the_previous_database() {
    let files = Files::with_people();
    let copy = back_up(&files);
    files.done("add cleo --password-stdin");
    let said = restore(&files.db, &copy).unwrap();
    assert_eq!(files.list().len(), 2, "ann and bob");
    assert!(copy.exists());
    let kept = said.trim_end().rsplit(' ').next().unwrap();
    assert!(
        said.contains("bytes, checked\nwhat was there before is kept as "),
        "{said}"
    );
    assert!(kept.contains("chat.db.before-restore-20"), "{kept}");
    let before = parlor(&["--db", kept, "user", "list", "--json"], &[]);
    assert!(text(&before.stdout).contains("\"cleo\""));
    // Without an existing database, nothing is kept.
    let other = files.db.with_file_name("other.db");
    assert_eq!(restore(&other, &copy).unwrap().lines().count(), 1);
}

#[test]
fn a_restore_moves_away_a_foreign_write_ahead_log() {
    let files = Files::with_people();
    let copy = back_up(&files);
    let store = Store::open(&files.db, &OpenOptions::default()).unwrap();
    let crashed = Files::new();
    let name = |files: &Files, suffix: &str| {
        let mut name = files.db.clone().into_os_string();
        name.push(suffix);
        PathBuf::from(name)
    };
    // The write-ahead log of a crash, next to a backup that was copied over the database by hand.
    fs::copy(name(&files, "-wal"), name(&crashed, "-wal")).unwrap();
    fs::copy(&copy, &crashed.db).unwrap();
    drop(store);
    let log = fs::read(name(&crashed, "-wal")).unwrap();
    assert!(log.len() > 4096);
    let said = crashed.refused("list");
    assert!(
        said.contains("chat.db-wal does not belong to") && said.contains("parlor restore"),
        "{said}"
    );
    let to = crashed.db.with_file_name("again.db");
    let (db, to) = (crashed.db.to_str().unwrap(), to.to_str().unwrap());
    let output = parlor(&["--db", db, "backup", to], &[]);
    assert!(
        text(&output.stderr).contains("does not belong to"),
        "{output:?}"
    );
    assert_eq!(fs::read(name(&crashed, "-wal")).unwrap(), log);
    assert_eq!(fs::read(&crashed.db).unwrap(), fs::read(&copy).unwrap());

    let said = restore(&crashed.db, &copy).unwrap();
    assert_eq!(crashed.list().len(), 2);
    let kept = said.trim_end().rsplit(' ').next().unwrap();
    assert_eq!(fs::read(format!("{kept}-wal")).unwrap(), log);
}

#[test]
fn a_restore_refuses_damaged_files_and_databases_in_use() {
    let files = Files::with_people();
    let copy = back_up(&files);
    let before = fs::read(&files.db).unwrap();
    let at = |name: &str| files.db.with_file_name(name);
    fs::write(at("text"), "shopping list\n".repeat(100)).unwrap();
    let whole = fs::read(&copy).unwrap();
    fs::write(at("half.db"), &whole[..whole.len() / 2]).unwrap();
    let mut damaged = whole.clone();
    damaged[whole.len() / 2..].fill(7);
    fs::write(at("damaged.db"), damaged).unwrap();
    fs::write(at("crashed.db"), &whole).unwrap();
    fs::write(at("crashed.db-wal"), "more").unwrap();
    rusqlite::Connection::open(at("newer.db"))
        .and_then(|db| {
            db.execute_batch(
                "PRAGMA application_id = 0x5061726c; PRAGMA user_version = 999; CREATE TABLE t (a)",
            )
        })
        .unwrap();
    for (name, why) in [
        ("none.db", "none.db: No such file"),
        ("text", "text is not an SQLite file"),
        ("half.db", "half.db is damaged"),
        ("damaged.db", "damaged.db is damaged"),
        ("crashed.db", "crashed.db is not complete without"),
        ("newer.db", "newer.db has schema version 999"),
        ("chat.db", "is the database itself"),
    ] {
        let said = restore(&files.db, &at(name)).unwrap_err();
        assert!(said.contains(why), "{said}");
        assert_eq!(fs::read(&files.db).unwrap(), before, "{name}");
    }
    let server = Store::open(&files.db, &OpenOptions::default()).unwrap();
    let said = restore(&files.db, &copy).unwrap_err();
    assert!(
        said.contains("chat.db is in use by another parlor"),
        "{said}"
    );
    drop(server);
    let drafts = names(files.db.parent().unwrap());
    assert!(
        !drafts.iter().any(|name| name.ends_with(".draft")),
        "{drafts:?}"
    );
}
