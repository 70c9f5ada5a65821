//! The database's location: hard links, file owners, and interrupted first starts.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, chown};
use std::path::Path;
use std::process::{Command, Stdio};

use parlor::store::{OpenOptions, Store};

use super::user::Files;
use super::{parlor, text};

/// A user id that no account has.
const SERVICE: u32 = 54_321;

/// Tries to start a server that must refuse; returns its standard error.
fn refused_start(db: &Path) -> String {
    let db = db.to_str().unwrap();
    let output = parlor(&["--db", db, "--listen", "127.0.0.1:0"], &[]);
    assert_eq!(output.status.code(), Some(1));
    text(&output.stderr).to_owned()
}

#[test]
fn a_database_with_a_hard_link_gets_no_second_server() {
    let files = Files::with_people();
    let other = tempfile::tempdir().unwrap();
    let second = other.path().join("chat.db");
    let server = Store::open(&files.db, &OpenOptions::default()).unwrap();
    fs::hard_link(&files.db, &second).unwrap();
    for db in [&second, &files.db] {
        let said = refused_start(db);
        assert!(said.contains("has a second name (hard link)"), "{said}");
    }
    let listed = parlor(&["--db", second.to_str().unwrap(), "user", "list"], &[]);
    assert_eq!(listed.status.code(), Some(1), "its log is elsewhere");
    let copy = other.path().join("copy.db");
    let args = [
        "--db",
        second.to_str().unwrap(),
        "backup",
        copy.to_str().unwrap(),
    ];
    assert_eq!(parlor(&args, &[]).status.code(), Some(1));
    assert_eq!(fs::read_dir(other.path()).unwrap().count(), 1);
    fs::remove_file(&second).unwrap();

    // The lock file is gone, but the database itself is locked as well.
    fs::remove_file(files.db.with_file_name("chat.db.lock")).unwrap();
    let said = refused_start(&files.db);
    assert!(
        said.contains("chat.db is in use by another parlor"),
        "{said}"
    );
    assert_eq!(files.list().len(), 2, "beside the server");
    drop(server);
}

#[test]
fn files_created_by_root_belong_to_the_folders_owner() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("only root can show this");
        return;
    }
    let files = Files::new();
    let folder = files.db.parent().unwrap();
    chown(folder, Some(SERVICE), Some(SERVICE)).unwrap();
    // Files that root creates first also belong to the owner of the folder.
    files.done("add ann --role admin --password-stdin");
    let server = Store::open(&files.db, &OpenOptions::default()).unwrap();
    files.list();
    let all = || {
        fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
    };
    assert!(all().count() > 3, "database, lock, log and its index");
    for path in all() {
        assert_eq!(
            fs::metadata(&path).unwrap().uid(),
            SERVICE,
            "{}",
            path.display()
        );
    }
    drop(server);
    // A lock file that an earlier version created as root.
    let lock = files.db.with_file_name("chat.db.lock");
    chown(&lock, Some(0), Some(0)).unwrap();
    files.list();
    assert_eq!(fs::metadata(&lock).unwrap().uid(), SERVICE);
}

#[test]
fn a_lock_file_that_is_a_symbolic_link_is_refused() {
    let files = Files::with_people();
    let victim = files.db.with_file_name("victim");
    fs::write(&victim, "precious").unwrap();
    let lock = files.db.with_file_name("chat.db.lock");
    fs::remove_file(&lock).unwrap();
    std::os::unix::fs::symlink(&victim, &lock).unwrap();
    let said = files.refused("list");
    assert!(
        said.contains("chat.db.lock is a symbolic link: remove it"),
        "{said}"
    );
    assert_eq!(fs::read_to_string(&victim).unwrap(), "precious");
}

/// Returns the names and sizes of the files in a folder.
fn state(folder: &Path) -> Vec<(String, u64)> {
    let entries = fs::read_dir(folder).unwrap().flatten();
    let mut state: Vec<_> = entries
        .filter_map(|entry| {
            let size = entry.metadata().ok()?.len();
            Some((entry.file_name().into_string().unwrap(), size))
        })
        .collect();
    state.sort();
    state
}

#[test]
fn a_killed_first_start_can_be_repeated() {
    for moment in 0.. {
        let files = Files::new();
        let folder = files.db.parent().unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_parlor"));
        command
            .env_clear()
            .args(["--listen", "127.0.0.1:0", "--db"])
            .arg(&files.db);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        // Killed after `moment` changes of its folder; it prints its address when the start is complete.
        let (mut changes, mut seen) = (0, state(folder));
        let through = std::thread::spawn({
            let mut stdout = child.stdout.take().unwrap();
            move || std::io::Read::read(&mut stdout, &mut [0; 1])
        });
        while changes <= moment && !through.is_finished() {
            let now = state(folder);
            changes += u32::from(now != seen);
            seen = now;
        }
        let all = through.is_finished();
        child.kill().unwrap();
        child.wait().unwrap();
        files.done("add ann --role admin --password-stdin");
        assert_eq!(files.list().len(), 1, "moment {moment}");
        assert!(
            !state(folder)
                .iter()
                .any(|(name, _)| name.ends_with(".draft"))
        );
        if all || moment == 40 {
            break;
        }
    }
}
