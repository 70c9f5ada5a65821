//! Process under test: starts it pinned to a core, and reads its CPU time and memory.

use std::fs;
use std::io::Write;
use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Core of the measured server. The load comes from [`LOAD_CORE`].
pub const SERVER_CORE: &str = "0";
/// Core of this process.
pub const LOAD_CORE: &str = "1";
/// Kernel clock ticks per second, the unit of CPU time in /proc.
const TICKS: f64 = 100.0;

/// A server in a separate process.
pub struct Process {
    child: Child,
    pub address: SocketAddr,
    /// Time from exec to the first answered request.
    pub ready: Duration,
}

impl Process {
    /// Starts Parlor on that file without limits, and waits until it has answered a request.
    pub fn parlor(db: &Path, settings: &[(&str, &str)]) -> Self {
        let address = free_address();
        // Path of another build's binary, to compare two builds.
        let program = std::env::var("PARLOR_BINARY");
        let mut command = pinned(&program.unwrap_or_else(|_| env!("CARGO_BIN_EXE_parlor").into()));
        command
            .args(["--listen", &address.to_string()])
            .arg("--db")
            .arg(db);
        for limit in [
            "LOGIN_PER_MINUTE",
            "REGISTER_PER_MINUTE",
            "MESSAGES_PER_SECOND",
            "ACTIONS_PER_SECOND",
            "CONNECTIONS",
            "CONNECTIONS_PER_ADDRESS",
            "CONNECTIONS_PER_USER",
        ] {
            command.env(format!("PARLOR_LIMITS__{limit}"), "0");
        }
        command.env("PARLOR_LOG__LEVEL", "error");
        command.envs(settings.iter().copied());
        Self::start(command, address, answers)
    }

    /// Starts the peer on that new file with SQLite's `synchronous` setting. `None` if its npm packages are not
    /// installed.
    pub fn peer(db: &Path, synchronous: &str) -> Option<Self> {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/peer");
        if !Path::new(folder).join("node_modules").exists() {
            return None;
        }
        let address = free_address();
        let mut command = pinned("node");
        command
            .arg(format!("{folder}/server.js"))
            .args(["--listen", &address.to_string()])
            .args(["--synchronous", synchronous])
            .arg("--db")
            .arg(db);
        Some(Self::start(command, address, answers))
    }

    /// Starts the broadcast server, which is this program with other arguments.
    pub fn floor() -> Self {
        let address = free_address();
        let this = std::env::current_exe().expect("the path of this program");
        let mut command = pinned(&this.to_string_lossy());
        command.args(["floor", &address.to_string()]);
        Self::start(command, address, |address| {
            TcpStream::connect(address).is_ok()
        })
    }

    fn start(mut command: Command, address: SocketAddr, answers: fn(SocketAddr) -> bool) -> Self {
        let begun = Instant::now();
        let child = command
            .stdout(Stdio::null())
            .spawn()
            .expect("the server starts");
        let mut process = Self {
            child,
            address,
            ready: Duration::ZERO,
        };
        while !answers(address) {
            assert!(
                begun.elapsed() < Duration::from_secs(60),
                "the server does not answer"
            );
            std::thread::sleep(Duration::from_micros(200));
        }
        process.ready = begun.elapsed();
        process
    }

    /// Stops the server gracefully.
    pub fn stop(mut self) {
        let _ = Command::new("kill")
            .arg(self.child.id().to_string())
            .status();
        let _ = self.child.wait();
    }

    /// Returns the CPU seconds used so far.
    pub fn cpu(&self) -> f64 {
        cpu(&self.child.id().to_string())
    }

    /// Returns the resident memory in bytes.
    pub fn rss(&self) -> f64 {
        let path = format!("/proc/{}/status", self.child.id());
        let status = fs::read_to_string(path).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse::<f64>().ok());
        kib.unwrap_or(f64::NAN) * 1024.0
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Pins this process to [`LOAD_CORE`].
pub fn pin_self() {
    let id = std::process::id().to_string();
    let done = Command::new("taskset")
        .args(["-a", "-c", "-p", LOAD_CORE, &id])
        .stdout(Stdio::null())
        .status();
    assert!(done.is_ok_and(|done| done.success()), "taskset is needed");
}

/// Returns the CPU seconds used by this process.
pub fn own_cpu() -> f64 {
    cpu("self")
}

/// Returns the CPU seconds used by all processes on all cores.
pub fn all_cpu() -> f64 {
    let stat = fs::read_to_string("/proc/stat").unwrap_or_default();
    let first = stat.lines().next().unwrap_or_default();
    let ticks: Vec<f64> = first
        .split_whitespace()
        .filter_map(|word| word.parse().ok())
        .collect();
    // user nice system idle iowait irq softirq
    let busy = ticks
        .iter()
        .enumerate()
        .filter(|(place, _)| matches!(place, 0 | 1 | 2 | 5 | 6));
    busy.map(|(_, ticks)| ticks).sum::<f64>() / TICKS
}

fn cpu(process: &str) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let field = |at: usize| after_name.split_whitespace().nth(at)?.parse::<f64>().ok();
    (field(11).unwrap_or(f64::NAN) + field(12).unwrap_or(f64::NAN)) / TICKS
}

fn pinned(program: &str) -> Command {
    let mut command = Command::new("taskset");
    command.args(["-c", SERVER_CORE, program]);
    command
}

fn free_address() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("its address")
}

fn answers(address: SocketAddr) -> bool {
    let Ok(mut stream) = TcpStream::connect(address) else {
        return false;
    };
    let asked = stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    let mut line = String::new();
    asked.is_ok()
        && BufReader::new(stream)
            .read_line(&mut line)
            .is_ok_and(|read| read > 0)
}
