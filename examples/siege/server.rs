//! The server under attack, in a separate process.

use std::fs;
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;

/// Kernel clock ticks per second, the unit of CPU time in /proc.
const TICKS: f64 = 100.0;

/// A running server. Killed on drop.
pub struct Server {
    child: Child,
    pub address: SocketAddr,
    _folder: TempDir,
}

impl Server {
    /// Starts it with default settings on a new file, and waits until it accepts connections.
    pub async fn start() -> Self {
        let binary = std::env::var("PARLOR_BINARY").unwrap_or_else(|_| {
            concat!(env!("CARGO_MANIFEST_DIR"), "/target/release/parlor").to_owned()
        });
        let folder = tempfile::tempdir().expect("a folder");
        let free = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = free.local_addr().expect("its address");
        drop(free);
        let child = Command::new(&binary)
            .arg("--db")
            .arg(folder.path().join("siege.db"))
            .args(["--listen", &address.to_string()])
            .env("PARLOR_LOG__LEVEL", "error")
            .stdout(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("{binary}: {error}; cargo build --release first"));
        let server = Self {
            child,
            address,
            _folder: folder,
        };
        while TcpStream::connect(address).await.is_err() {
            sleep(Duration::from_millis(20)).await;
        }
        server
    }

    /// Returns the resident memory in MiB.
    pub fn rss(&self) -> f64 {
        let status = self.proc("status");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse::<f64>().ok());
        kib.unwrap_or(f64::NAN) / 1024.0
    }

    /// Returns the CPU seconds used so far.
    pub fn cpu(&self) -> f64 {
        let stat = self.proc("stat");
        let after_name = stat.rsplit(')').next().unwrap_or_default();
        let field = |at| after_name.split_whitespace().nth(at)?.parse::<f64>().ok();
        (field(11).unwrap_or(f64::NAN) + field(12).unwrap_or(f64::NAN)) / TICKS
    }

    fn proc(&self, file: &str) -> String {
        fs::read_to_string(format!("/proc/{}/{file}", self.child.id())).unwrap_or_default()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
