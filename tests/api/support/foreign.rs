//! Programs that are not ours: a Python and a node for clients that others wrote, and for ours that people may copy.
//! `.ci/run` installs what they need; `tests/clients` says what that is.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A Python that has that module, to run something below the crate's folder; `None` where there is none and nobody
/// insists.
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

/// A node in which `given` is there, such as `import("socket.io-client")` or `globalThis.WebSocket`; `None` where there is
/// none and nobody insists.
pub fn node(given: &str) -> Option<Command> {
    let test = format!("Promise.resolve({given}).then(is => process.exit(is ? 0 : 1))");
    // Until node 22 WebSockets have to be asked for.
    let flags: [&[&str]; 2] = [&[], &["--experimental-websocket"]];
    let found = first_that_works(Path::new("node"), &flags, &["-e", &test]);
    found.or_else(|| insist(&format!("a node with {given}")))
}

/// The folder of this crate.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The program with the first of these flags with which the test succeeds. Packages are looked for in `tests/clients`.
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

/// On a build machine everything must be there; elsewhere a test that lacks something says so and passes.
fn insist(what: &str) -> Option<Command> {
    assert!(
        std::env::var_os("CI").is_none(),
        "{what} is missing; .ci/run installs it"
    );
    eprintln!("skipped, there is no {what}");
    None
}
