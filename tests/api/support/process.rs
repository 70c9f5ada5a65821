//! The server as a separate process: the real binary, which can be killed.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};

use rustix::process::{Pid, Resource, Rlimit, Signal, getrlimit, kill_process, prlimit};

use super::within;

/// A server process; killed when dropped.
pub struct Process {
    child: Child,
    pub address: SocketAddr,
    pub db: PathBuf,
}

impl Process {
    /// Starts with `chat.db` in that folder and without rate limits.
    pub fn start(folder: &Path) -> Self {
        Self::start_with(folder, &[])
    }

    /// Like [`Self::start`], with additional environment variables.
    pub fn start_with(folder: &Path, env: &[(&str, &Path)]) -> Self {
        let db = folder.join("chat.db");
        // The shell makes the process ignore SIGXFSZ, so that it gets an error when a file reaches its size limit.
        let mut command = Command::new("/bin/sh");
        command
            .args(["-c", "trap '' XFSZ; exec \"$@\"", "sh", BINARY])
            .arg("--db")
            .arg(&db)
            .args(["--listen", "127.0.0.1:0"]);
        quiet(&mut command);
        command.envs(env.iter().copied());
        let log = File::create(folder.join("log")).unwrap();
        let mut child = command.stdout(Stdio::piped()).stderr(log).spawn().unwrap();
        let mut said = BufReader::new(child.stdout.take().unwrap()).lines();
        let address = said.find_map(|line| {
            let line = line.unwrap();
            let url = line.trim().strip_prefix("http://")?;
            url.parse().ok()
        });
        let log = || std::fs::read_to_string(folder.join("log")).unwrap();
        Self {
            address: address.unwrap_or_else(|| panic!("it did not start: {}", log())),
            child,
            db,
        }
    }

    /// Kills it with SIGKILL.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Sends SIGTERM.
    pub fn terminate(&self) {
        kill_process(self.pid(), Signal::TERM).unwrap();
    }

    /// Waits for the process to exit.
    pub async fn wait(mut self) -> ExitStatus {
        let waiting = tokio::task::spawn_blocking(move || self.child.wait().unwrap());
        within("the end of the process", waiting).await.unwrap()
    }

    /// Limits the size of all its files to `bytes`, which simulates a full disk; `None` removes the limit.
    pub fn limit_files(&self, bytes: Option<u64>) {
        let maximum = getrlimit(Resource::Fsize).maximum;
        let current = bytes.or(maximum);
        prlimit(
            Some(self.pid()),
            Resource::Fsize,
            Rlimit { current, maximum },
        )
        .unwrap();
    }

    fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const BINARY: &str = env!("CARGO_BIN_EXE_parlor");

/// Runs the binary to completion.
pub fn run(args: &[&str]) -> Output {
    let mut command = Command::new(BINARY);
    quiet(&mut command);
    command.args(args).output().unwrap()
}

/// Clears the environment, makes password hashing cheap and removes rate limits.
fn quiet(command: &mut Command) {
    command.env_clear().stdin(Stdio::null());
    command.env("PARLOR_AUTH__PBKDF2_ROUNDS", "1000");
    for limit in [
        "MESSAGES_PER_SECOND",
        "ACTIONS_PER_SECOND",
        "REGISTER_PER_MINUTE",
        "LOGIN_PER_MINUTE",
        "CONNECTIONS_PER_USER",
    ] {
        command.env(format!("PARLOR_LIMITS__{limit}"), "0");
    }
}
