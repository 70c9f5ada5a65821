//! Finds Python and node for third-party clients and for the example clients. `.ci/run` installs what they need;
//! `tests/clients` lists it.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Returns a Python that can import `module`, to run below the crate's folder; `None` if there is none and `CI` is not
/// set.
pub fn python(module: &str) -> Option<Command> {
    let own = root().join("target/clients/venv/bin/python");
    let program = if own.exists() {
        own
    } else {
        PathBuf::from("python3")
    };
    let test = format!("import {module}");
    let unbuffered: &[&str] = &["-u"];
    let found = first_that_works(&program, &[unbuffered], &["-c", &test]);
    found.or_else(|| insist(&format!("a Python with {module}")))
}

/// Returns a node in which `given` is available, such as `import("socket.io-client")` or `globalThis.WebSocket`; `None`
/// if there is none and `CI` is not set.
pub fn node(given: &str) -> Option<Command> {
    let test = format!("Promise.resolve({given}).then(is => process.exit(is ? 0 : 1))");
    // Before node 22, WebSocket needs a flag.
    let flags: [&[&str]; 2] = [&[], &["--experimental-websocket"]];
    let found = first_that_works(Path::new("node"), &flags, &["-e", &test]);
    found.or_else(|| insist(&format!("a node with {given}")))
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Returns the program with the first flags with which the test succeeds. Packages are resolved in `tests/clients`.
fn first_that_works(program: &Path, flags: &[&[&str]], test: &[&str]) -> Option<Command> {
    let command = |flags: &[&str]| {
        let mut command = Command::new(program);
        command.args(flags).stdin(Stdio::null());
        command
    };
    let works = |flags: &[&str]| {
        let mut test_command = command(flags);
        test_command
            .args(test)
            .current_dir(root().join("tests/clients"));
        let output = test_command.output();
        output.is_ok_and(|output| output.status.success())
    };
    let flags = flags.iter().find(|flags| works(flags))?;
    let mut command = command(flags);
    command.current_dir(root());
    Some(command)
}

/// Panics if `CI` is set; otherwise prints that the test is skipped.
fn insist(what: &str) -> Option<Command> {
    assert!(
        std::env::var_os("CI").is_none(),
        "{what} is missing; .ci/run installs it"
    );
    eprintln!("skipped, there is no {what}");
    None
}
