//! The command line: output, streams and exit codes.

#![allow(clippy::unwrap_used)]

use std::io::Write as _;
use std::os::unix::fs::MetadataExt as _;
use std::process::{Command, Output, Stdio};

use parlor::store::{OpenOptions, Store};

#[path = "cli/beside.rs"]
mod beside;
#[path = "cli/copies.rs"]
mod copies;
#[path = "cli/logs.rs"]
mod logs;
#[path = "cli/memory.rs"]
mod memory;
#[path = "cli/places.rs"]
mod places;
#[path = "cli/serve.rs"]
mod serve;
#[path = "cli/signals.rs"]
mod signals;
#[path = "cli/user.rs"]
mod user;

/// Runs the real binary in an empty folder and with only the environment `env`.
fn parlor(args: &[&str], env: &[(&str, &str)]) -> Output {
    parlor_with(args, env, "")
}

/// Like [`parlor`], with `stdin` as its standard input.
fn parlor_with(args: &[&str], env: &[(&str, &str)], stdin: &str) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_parlor"));
    command.args(args).env_clear().envs(env.iter().copied());
    command.current_dir(&folder).stdin(Stdio::piped());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // It may have exited without reading.
    let _ = child.stdin.take().unwrap().write_all(stdin.as_bytes());
    child.wait_with_output().unwrap()
}

/// Returns the inode number, which stays when a file is written to and changes when it is replaced.
fn inode(file: &str) -> u64 {
    std::fs::metadata(file).unwrap().ino()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[test]
fn usage_and_config_errors_are_one_line_with_exit_code_2() {
    let table = [
        (
            "--lisen x",
            "",
            "unexpected argument '--lisen' found, tip: a similar argument exists: '--listen', command line: see parlor --help",
        ),
        (
            "--listen :80",
            "",
            "server.listen is \":80\", --listen: write an IP address and a port up to 65535 such as \"0.0.0.0:8080\", \"127.0.0.1:8080\" or \"[::]:8080\"",
        ),
        (
            "verzion",
            "",
            "unrecognized subcommand 'verzion', tip: a similar subcommand exists: 'version', command line: see parlor --help",
        ),
        (
            "user lst",
            "",
            "unrecognized subcommand 'lst', tip: a similar subcommand exists: 'list', command line: see parlor user --help",
        ),
        (
            "user add",
            "",
            "the following required arguments were not provided: <NAME>, command line: see parlor user add --help",
        ),
        (
            "--db /tmp user list",
            "",
            "server.db is \"/tmp\", --db: that is a folder: name a file in it, such as \"/tmp/parlor.db\"",
        ),
        (
            "--listen [::]:80 version",
            "",
            "--listen and --no-backup belong to serve, command line: leave them out",
        ),
        (
            "--config none.toml",
            "",
            "cannot read the settings, none.toml: No such file or directory (os error 2)",
        ),
        (
            "config check",
            "loud",
            "log.level is \"loud\", environment PARLOR_LOG__LEVEL: write \"error\", \"warn\", \"info\", \"debug\" or \"trace\"",
        ),
    ];
    for (args, level, line) in table {
        let args: Vec<_> = args.split(' ').collect();
        let level = if level.is_empty() { "info" } else { level };
        let output = parlor(&args, &[("PARLOR_LOG__LEVEL", level)]);
        assert_eq!(text(&output.stderr), format!("parlor: {line}\n"));
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(output.stdout.is_empty(), "{args:?}");
    }
}

#[test]
fn config_print_shows_values_and_their_sources() {
    let env = [("PARLOR_LOG__LEVEL", "warn"), ("HOME", "/nowhere")];
    let output = parlor(&["config", "print", "--db", "x.db"], &env);
    let printed = text(&output.stdout);
    assert!(
        printed
            .starts_with("[server]\nlisten = \"0.0.0.0:8080\" # default\ndb = \"x.db\" # --db\n"),
        "{printed}"
    );
    assert!(
        printed.contains("\nlevel = \"warn\" # environment PARLOR_LOG__LEVEL\n"),
        "{printed}"
    );
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn config_check_accepts_the_sample_config_and_warns_of_risks() {
    let manual = concat!(env!("CARGO_MANIFEST_DIR"), "/config.toml");
    let output = parlor(&["--config", manual, "config", "check"], &[]);
    assert_eq!(
        (text(&output.stdout), output.status.code()),
        ("the settings are right\n", Some(0))
    );
    let output = parlor(&["config", "check"], &[("PARLOR_COMPAT__OPEN", "true")]);
    assert!(text(&output.stdout).starts_with("warning: compat.open = true "));
}

#[test]
fn a_backup_replaces_a_file_only_with_force() {
    let folder = tempfile::tempdir().unwrap();
    let db = folder.path().join("chat.db");
    let copy = folder.path().join("copy.db");
    Store::open(&db, &OpenOptions::default()).unwrap();
    let (db, copy) = (db.to_str().unwrap(), copy.to_str().unwrap());

    let made = parlor(&["--db", db, "backup", copy], &[]);
    assert!(made.status.success(), "{}", text(&made.stderr));
    let again = parlor(&["--db", db, "backup", copy], &[]);
    let line =
        format!("parlor: no backup was made, {copy} exists: choose another name or use --force\n");
    assert_eq!(
        (text(&again.stderr), again.status.code()),
        (line.as_str(), Some(1))
    );
    assert!(
        parlor(&["--db", copy, "backup", "--force", copy], &[])
            .status
            .code()
            == Some(1)
    );
    assert!(
        parlor(&["--db", db, "backup", "--force", copy], &[])
            .status
            .success()
    );
    assert!(Store::open(copy.as_ref(), &OpenOptions::default()).is_ok());
}

#[test]
fn a_backup_never_replaces_its_own_database() {
    let folder = tempfile::tempdir().unwrap();
    let db = folder.path().join("chat.db");
    let _server = Store::open(&db, &OpenOptions::default()).unwrap();
    for suffix in ["", "-wal", "-shm", ".lock"] {
        let victim = format!("{}{suffix}", db.display());
        let before = inode(&victim);
        let output = parlor(
            &["--db", db.to_str().unwrap(), "backup", "--force", &victim],
            &[],
        );
        assert_eq!(output.status.code(), Some(1), "{victim}");
        assert_eq!(inode(&victim), before, "{victim}");
    }
}

#[test]
fn a_backup_without_a_database_is_refused() {
    let output = parlor(&["backup", "copy.db"], &[]);
    let said = text(&output.stderr);
    assert!(
        said.starts_with("parlor: no backup was made, ") && said.contains("parlor.db"),
        "{said}"
    );
    assert_eq!((said.lines().count(), output.status.code()), (1, Some(1)));
}

#[test]
fn version_prints_text_or_json() {
    let output = parlor(&["version"], &[]);
    assert!(text(&output.stdout).starts_with(concat!("parlor ", env!("CARGO_PKG_VERSION"))));
    let output = parlor(&["version", "--json"], &[]);
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["version"], env!("CARGO_PKG_VERSION"));
    assert!(json["sqlite"].as_str().unwrap().starts_with("3."));
    assert!(json["schema"].as_i64().unwrap() > 0);
}

#[test]
fn help_goes_to_stdout_with_exit_code_0() {
    let output = parlor(&["--help"], &[]);
    assert!(text(&output.stdout).contains("Usage: parlor"));
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(parlor(&["help"], &[]).stdout, output.stdout);
    let help = parlor(&["user", "--help"], &[]);
    assert_eq!(parlor(&["help", "user"], &[]).stdout, help.stdout);
}

#[test]
fn a_command_without_a_subcommand_prints_its_help() {
    for command in ["user", "config"] {
        let help = parlor(&[command, "--help"], &[]);
        let output = parlor(&[command], &[]);
        assert_eq!(output.status.code(), Some(2), "{command}");
        assert_eq!(output.stderr, help.stdout, "{command}");
    }
}
