//! `parlor serve` as a separate process: output and limits.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use socket2::{Domain, Socket, Type};
use tempfile::TempDir;

/// Deadline of every wait: long enough for a busy machine, reached by failing tests only.
const DEADLINE: Duration = Duration::from_secs(60);

/// A running `parlor serve`; killed when dropped.
pub struct Process {
    child: Child,
    pub address: SocketAddr,
    /// Lines of its log as they arrive.
    lines: Receiver<String>,
    _folder: TempDir,
}

impl Process {
    /// Starts it on a free port, with at most `descriptors` open files.
    fn start(descriptors: u32) -> Self {
        Self::start_by(&format!("ulimit -n {descriptors}"), &[])
    }

    /// Starts it after a shell command, with additional environment variables.
    pub fn start_by(words: &str, env: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let shell = format!("{words}; exec \"$0\" --listen 127.0.0.1:0");
        let mut child = Command::new("sh")
            .args(["-c", &shell, env!("CARGO_BIN_EXE_parlor")])
            .current_dir(&folder)
            .env("PARLOR_AUTH__PBKDF2_ROUNDS", "1000")
            .envs(env.iter().copied())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = BufReader::new(child.stderr.take().unwrap()).lines();
        let (tell, lines) = mpsc::channel();
        std::thread::spawn(move || {
            for line in log.map_while(Result::ok) {
                let _ = tell.send(line);
            }
        });
        let said = BufReader::new(child.stdout.take().unwrap()).lines();
        let address = said
            .map(Result::unwrap)
            .find_map(|line| {
                let url = line.trim().split(' ').next()?.strip_prefix("http://")?;
                url.parse().ok()
            })
            .unwrap();
        Self {
            child,
            address,
            lines,
            _folder: folder,
        }
    }

    /// Waits for the next log line with that message and returns its JSON.
    pub fn logged(&self, message: &str) -> Value {
        loop {
            let line = self.lines.recv_timeout(DEADLINE);
            let line = line.unwrap_or_else(|_| panic!("no {message:?} in the log"));
            let line: Value = serde_json::from_str(&line).unwrap();
            if line["message"] == message {
                return line;
            }
        }
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Waits for the process to exit.
    pub fn ended(mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }

    /// Connects from 127.0.1.`host`.
    pub fn connect_from(&self, host: u8) -> TcpStream {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        let from = SocketAddr::from(([127, 0, 1, host], 0));
        socket.bind(&from.into()).unwrap();
        socket.connect(&self.address.into()).unwrap();
        let tcp = TcpStream::from(socket);
        tcp.set_read_timeout(Some(DEADLINE)).unwrap();
        tcp
    }

    /// Returns the resident memory in KiB.
    pub fn resident_memory(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let number = line.and_then(|line| line.trim().strip_suffix(" kB"));
        number.unwrap().trim().parse().unwrap()
    }

    /// Kills it and returns the lines of its log.
    fn log(mut self) -> Vec<String> {
        self.child.kill().unwrap();
        self.lines.iter().collect()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends a request on an open connection and returns the status line of the response.
pub fn ask(tcp: &mut TcpStream, request: &str) -> String {
    // A server that refuses a connection may have closed it already.
    let _ = tcp.write_all(request.as_bytes());
    let mut line = String::new();
    let _ = BufReader::new(tcp).read_line(&mut line);
    line
}

#[test]
fn at_the_descriptor_limit_only_new_clients_get_503() {
    let server = Process::start(256);
    let request = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let mut open = Vec::new();
    // More connections than descriptors, sixteen from each address.
    for host in (1..20).flat_map(|host| [host; 16]) {
        let mut tcp = server.connect_from(host);
        let answer = ask(&mut tcp, request);
        match answer.starts_with("HTTP/1.1 200") {
            true => open.push(tcp),
            false => assert!(answer.starts_with("HTTP/1.1 503"), "{answer}"),
        }
    }
    assert_eq!(open.len(), 128);
    let answer = ask(&mut open[0], request);
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[test]
fn a_request_without_a_path_is_refused_and_the_log_stays_json() {
    let server = Process::start(256);
    for _ in 0..20 {
        let answer = ask(&mut server.connect_from(1), "CONNECT a:1 HTTP/1.1\r\n\r\n");
        assert!(answer.starts_with("HTTP/1.1 405"), "{answer}");
    }
    let log = server.log();
    assert!(!log.is_empty());
    for line in log {
        assert!(serde_json::from_str::<Value>(&line).is_ok(), "{line}");
    }
}
