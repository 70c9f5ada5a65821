//! The example clients in `docs/clients`, run as people would run them: they print what others say, send what is typed,
//! and reconnect after a broken connection without losing or repeating a message.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use tokio::sync::mpsc;

use crate::support::{Cable, PASSWORD, Persona, Socket, TestServer, each, foreign, within};

const PYTHON: &str = "docs/clients/parlor.py";
const JAVASCRIPT: &str = "docs/clients/parlor.mjs";
const LOBBY: i64 = 1;

/// A running client process, killed on drop.
struct Terminal {
    process: Child,
    lines: mpsc::UnboundedReceiver<String>,
    seen: Vec<String>,
}

impl Terminal {
    fn start(mut command: Command, script: &str, cable: &Cable, name: &str) -> Self {
        let server = format!("http://{}", cable.address);
        command.args([script, &server, name, PASSWORD]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let output = BufReader::new(process.stdout.take().unwrap());
        let (sender, lines) = mpsc::unbounded_channel();
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        Self {
            process,
            lines,
            seen: Vec::new(),
        }
    }

    fn enter(&mut self, line: &str) {
        let input = self.process.stdin.as_mut().unwrap();
        writeln!(input, "{line}").unwrap();
    }

    async fn shows(&mut self, wanted: &str) {
        let reading = async {
            while let Some(line) = self.lines.recv().await {
                self.seen.push(line);
                if self.seen.last().is_some_and(|line| line == wanted) {
                    return;
                }
            }
            panic!("the client ended before {wanted:?}: {:?}", self.seen);
        };
        within(wanted, reading).await;
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Runs a conversation between the client, whose connection breaks, and another person.
async fn converse(command: Command, script: &str) {
    let server = TestServer::start().await;
    let (ann, bob) = (server.user("ann").await, server.user("bob").await);
    ann.direct_room(&bob).await;
    let cable = Cable::to(server.address).await;
    let mut client = Terminal::start(command, script, &cable, "ann");
    client.shows("# 1 Lobby, 0 unread").await;
    let mut live = bob.watch(LOBBY).await;

    client.enter("hello bob");
    let heard = hears(&mut live, "hello bob").await;
    assert_eq!(heard["sender"]["id"], ann.id);
    bob.say(LOBBY, "hello ann").await;
    client.shows("[1] bob: hello ann").await;

    // A message that is stored but not acknowledged when the connection breaks is sent again.
    cable.deafen();
    client.enter("can you hear me?");
    hears(&mut live, "can you hear me?").await;
    cable.cut();
    client.enter("typed while away");
    bob.say(LOBBY, "said while away").await;
    cable.mend();
    client.shows("[1] bob: said while away").await;
    hears(&mut live, "typed while away").await;
    client.shows("[1] ann: typed while away").await;
    bob.say(LOBBY, "welcome back").await;
    client.shows("[1] bob: welcome back").await;

    let said = said_in_lobby(&bob).await;
    let mut expected = vec!["hello bob", "hello ann", "can you hear me?"];
    expected.extend(["said while away", "typed while away", "welcome back"]);
    assert_eq!(said, expected);
    let shown: Vec<_> = client
        .seen
        .iter()
        .filter_map(|line| line.strip_prefix("[1] "))
        .collect();
    let shown: Vec<_> = shown
        .iter()
        .filter_map(|line| line.split_once(": "))
        .map(|(_, text)| text)
        .collect();
    assert_eq!(shown, expected);
}

async fn hears(socket: &mut Socket, content: &str) -> Value {
    let said = |frame: &Value| frame["message"]["content"] == content;
    socket.wait(content, said).await["message"].take()
}

async fn said_in_lobby(persona: &Persona) -> Vec<String> {
    let history = persona.history(LOBBY).await;
    each(&history, "content")
        .into_iter()
        .map(str::to_owned)
        .collect()
}

#[tokio::test]
async fn the_python_client_chats_and_reconnects() {
    if let Some(python) = foreign::python("websockets") {
        converse(python, PYTHON).await;
    }
}

#[tokio::test]
async fn the_javascript_client_chats_and_reconnects() {
    if let Some(node) = foreign::node("globalThis.WebSocket") {
        converse(node, JAVASCRIPT).await;
    }
}

#[test]
fn the_clients_have_at_most_40_lines_of_code() {
    for text in [
        include_str!("../../docs/clients/parlor.py"),
        include_str!("../../docs/clients/parlor.mjs"),
    ] {
        let (_, code) = text.split_once("\nimport ").unwrap();
        let is_code = |line: &&str| line.contains(char::is_alphabetic) && !line.starts_with("//");
        assert!(code.lines().skip(1).filter(is_code).count() <= 40);
    }
}
