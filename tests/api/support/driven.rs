//! Third-party clients: the scripts in `tests/clients` read commands as JSON lines and write what happens as JSON
//! lines.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};

use serde_json::Value;
use tokio::sync::mpsc;

use super::{foreign, within};

/// A third-party client in a process of its own; killed when dropped.
pub struct Driven {
    child: Child,
    orders: ChildStdin,
    told: mpsc::UnboundedReceiver<Value>,
    /// Lines read while another one was waited for.
    seen: VecDeque<Value>,
}

impl Driven {
    /// Returns the available Socket.IO clients.
    pub fn socket_io() -> impl Iterator<Item = Self> {
        [Self::npm, Self::pypi]
            .into_iter()
            .filter_map(|start| start())
    }

    /// Starts npm's `socket.io-client`.
    pub fn npm() -> Option<Self> {
        let command = foreign::node(r#"import("socket.io-client")"#)?;
        Some(Self::start(command, "events.mjs", &[]))
    }

    /// Starts PyPI's `python-socketio`.
    pub fn pypi() -> Option<Self> {
        Some(Self::start(
            foreign::python("socketio, aiohttp")?,
            "events.py",
            &[],
        ))
    }

    /// Starts PyPI's `websockets`.
    pub fn websockets() -> Option<Self> {
        Some(Self::start(
            foreign::python("websockets")?,
            "frames.py",
            &[],
        ))
    }

    /// Starts a front end of `tests/clients` that uses npm's `socket.io-client` and reads no commands.
    pub fn front_end(script: &str, args: &[&str]) -> Option<Self> {
        let command = foreign::node(r#"import("socket.io-client")"#)?;
        Some(Self::start(command, script, args))
    }

    fn start(mut command: Command, script: &str, args: &[&str]) -> Self {
        command.arg(format!("tests/clients/{script}")).args(args);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let (tell, told) = mpsc::unbounded_channel();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let _ = tell.send(serde_json::from_str(&line).unwrap());
            }
        });
        Self {
            orders: child.stdin.take().unwrap(),
            child,
            told,
            seen: VecDeque::new(),
        }
    }

    pub fn order(&mut self, order: &str, value: Value) {
        let order = Value::from_iter([(order, value)]);
        writeln!(self.orders, "{order}").unwrap();
    }

    /// Waits for the next line with that key and returns its value; other lines are kept.
    pub async fn told(&mut self, key: &str) -> Value {
        self.find(key, |line| line.get(key).cloned()).await
    }

    /// Waits for the next event of that name and returns its first value, null if it has none.
    pub async fn event(&mut self, name: &str) -> Value {
        let value = |line: &Value| (line["event"] == name).then(|| line["values"][0].clone());
        self.find(name, value).await
    }

    /// Waits for the next line for which `asked` returns a value; other lines are kept.
    pub async fn find(&mut self, what: &str, asked: impl Fn(&Value) -> Option<Value>) -> Value {
        if let Some((at, found)) = find_in(&self.seen, &asked) {
            self.seen.remove(at);
            return found;
        }
        loop {
            let line = within(what, self.told.recv()).await;
            let line = line.unwrap_or_else(|| panic!("it ended before {what}: {:?}", self.seen));
            match asked(&line) {
                Some(found) => return found,
                None => self.seen.push_back(line),
            }
        }
    }

    /// Waits for the process to end and returns all lines.
    pub async fn all(mut self) -> Vec<Value> {
        let mut lines: Vec<_> = self.seen.drain(..).collect();
        while let Some(line) = within("the end of a client", self.told.recv()).await {
            lines.push(line);
        }
        let ended = self.child.wait().unwrap();
        assert!(ended.success(), "{ended}: {lines:#?}");
        lines
    }
}

fn find_in(
    seen: &VecDeque<Value>,
    asked: impl Fn(&Value) -> Option<Value>,
) -> Option<(usize, Value)> {
    let mut found = seen.iter().enumerate();
    found.find_map(|(at, line)| Some((at, asked(line)?)))
}

impl Drop for Driven {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
