//! A proxy with a configuration from README.md, in front of a server; both are stopped when dropped.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;
use tokio::net::TcpStream;

use super::support::{Process, within};

const README: &str = include_str!("../../README.md");
/// Address of the server in the configurations.
const UPSTREAM: &str = "127.0.0.1:8080";

/// A proxy program.
pub struct Kind {
    program: &'static str,
    /// Language of its code block in README.md.
    language: &'static str,
    /// Adapts the configuration to the test: another port, no certificate.
    config: fn(recipe: &str, address: SocketAddr, folder: &Path) -> String,
    args: &'static [&'static str],
}

pub const NGINX: Kind = Kind {
    program: "nginx",
    language: "nginx",
    config: nginx_config,
    args: &["-p", ".", "-c", "config"],
};

pub const CADDY: Kind = Kind {
    program: "caddy",
    language: "caddy",
    config: caddy_config,
    args: &["run", "--adapter", "caddyfile", "--config", "config"],
};

fn nginx_config(recipe: &str, address: SocketAddr, folder: &Path) -> String {
    let recipe: String = replaced(recipe, "listen 443 ssl;", &format!("listen {address};"))
        .lines()
        .filter(|line| !line.trim_start().starts_with("ssl_certificate"))
        .map(|line| format!("{line}\n"))
        .collect();
    let folder = folder.display();
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .iter()
        .map(|kind| format!("{kind}_temp_path {folder}/{kind};\n"))
        .collect();
    // Otherwise its workers could not read a folder that belongs to root.
    let user = match rustix::process::geteuid().is_root() {
        true => "user root;\n",
        false => "",
    };
    format!(
        "{user}daemon off;\npid {folder}/pid;\nerror_log stderr;\nevents {{}}\n\
         http {{\naccess_log off;\n{temporary}{recipe}}}\n"
    )
}

fn caddy_config(recipe: &str, address: SocketAddr, _: &Path) -> String {
    let recipe = replaced(
        recipe,
        "chat.example.org {",
        &format!("http://{address} {{"),
    );
    format!("{{\n    admin off\n    auto_https off\n}}\n{recipe}")
}

/// Replaces a part that must occur in the text.
fn replaced(text: &str, part: &str, other: &str) -> String {
    assert!(text.contains(part), "no {part:?} in {text}");
    text.replace(part, other)
}

/// Returns the code block of that language in README.md.
fn recipe(language: &str) -> &'static str {
    let start = format!("```{language}\n");
    let (_, rest) = README.split_once(&start).expect("a recipe in README.md");
    rest.split_once("```").unwrap().0
}

/// A proxy and the server behind it.
pub struct Proxy {
    child: Child,
    pub address: SocketAddr,
    _server: Process,
    folder: TempDir,
}

impl Proxy {
    /// Starts both; `None` if the program is missing and `CI` is not set.
    pub async fn start(kind: &Kind) -> Option<Self> {
        if !is_here(kind.program) {
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let env = [("PARLOR_SERVER__TRUSTED_PROXIES", Path::new("127.0.0.1"))];
        let server = Process::start_with(folder.path(), &env);
        let address = free_address();
        let recipe = replaced(recipe(kind.language), UPSTREAM, &server.address.to_string());
        let config = (kind.config)(&recipe, address, folder.path());
        fs::write(folder.path().join("config"), config).unwrap();
        let said = fs::File::create(folder.path().join("said")).unwrap();
        let child = Command::new(kind.program)
            .args(kind.args)
            .current_dir(&folder)
            .env("HOME", folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(said)
            .spawn()
            .unwrap();
        let mut proxy = Self {
            child,
            address,
            _server: server,
            folder,
        };
        within("the start of the proxy", proxy.answers()).await;
        Some(proxy)
    }

    async fn answers(&mut self) {
        while TcpStream::connect(self.address).await.is_err() {
            let ended = self.child.try_wait().unwrap();
            let said = || fs::read_to_string(self.folder.path().join("said")).unwrap();
            assert!(ended.is_none(), "it did not start: {}", said());
            tokio::task::yield_now().await;
        }
    }

    /// Returns the lines of the server's log.
    pub fn log(&self) -> Vec<Value> {
        let log = fs::read_to_string(self.folder.path().join("log")).unwrap();
        let lines = log.lines().map(serde_json::from_str);
        lines.collect::<Result<_, _>>().unwrap()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // nginx's workers stop with their master if it is terminated, but not if it is killed.
        let pid = rustix::process::Pid::from_child(&self.child);
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        let _ = self.child.wait();
    }
}

fn free_address() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.local_addr().unwrap()
}

/// Whether the program is installed. Panics if it is missing while `CI` is set.
fn is_here(program: &str) -> bool {
    let found = Command::new(program)
        .args(match program {
            "nginx" => ["-v"],
            _ => ["version"],
        })
        .output()
        .is_ok();
    assert!(
        found || std::env::var_os("CI").is_none(),
        "{program} is missing; .ci/run installs it"
    );
    if !found {
        eprintln!("skipped, there is no {program}");
    }
    found
}
