//! The server as a process of its own: the real binary, which can be killed.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};

use rustix::process::{Pid, Resource, Rlimit, Signal, getrlimit, kill_process, prlimit};

use super::within;

/// A server on its own; killed when dropped.
pub struct Process {
    child: Child,
    pub address: SocketAddr,
    pub db: PathBuf,
}

impl Process {
    /// Starts `chat.db` in that folder, without limits.
    pub fn start(folder: &Path) -> Self {
        Self::start_with(folder, &[])
    }

    /// The same with more in its environment.
    pub fn start_with(folder: &Path, env: &[(&str, &Path)]) -> Self {
        let db = folder.join("chat.db");
        // A shell lets it ignore the signal that comes with a full file, so that it sees the error instead.
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

    /// Ends it without a warning.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to end.
    pub fn terminate(&self) {
        kill_process(self.pid(), Signal::TERM).unwrap();
    }

    /// Waits for its end.
    pub async fn wait(mut self) -> ExitStatus {
        let waiting = tokio::task::spawn_blocking(move || self.child.wait().unwrap());
        within("the end of the process", waiting).await.unwrap()
    }

    /// From now on none of its files grows beyond that many bytes, as if the disk were full then; `None` makes room.
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

/// Runs the binary to its end.
pub fn run(args: &[&str]) -> Output {
    let mut command = Command::new(BINARY);
    quiet(&mut command);
    command.args(args).output().unwrap()
}

/// Cheap passwords, no limits, and nothing of ours in its environment.
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
