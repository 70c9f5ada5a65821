//! Everything that a stranger on the network can do at once. Each attacker continues until it is stopped. When it is
//! disconnected, it pauses before it reconnects, so that its loop is bounded. Attackers run on a separate thread,
//! because their work must not delay the clients that measure.

use std::cell::Cell;
use std::fmt;
use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::rc::Rc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::{JoinSet, LocalSet};
use tokio::time::sleep;

use super::honest::register;
use super::http::{Answer, connect, head, send, send_raw, upload};
use super::payloads::{form, png};

const SLOW_READERS: u32 = 1000;
const HALF_OPEN: u32 = 500;
const SILENT_POLLERS: u32 = 1000;
const WORST_MESSAGES: u32 = 40;
const WORST_PICTURES: u32 = 40;
const SLOW_UPLOADS: u32 = 40;
const GUESSERS: u32 = 80;
/// Pause before an attacker reconnects.
const BACK_AFTER: Duration = Duration::from_millis(500);

/// Number of successful attempts of each attack.
#[derive(Default)]
struct Counts {
    slow_readers: Cell<u32>,
    half_open: Cell<u32>,
    silent_pollers: Cell<u32>,
    messages: Cell<u32>,
    pages: Cell<u32>,
    pictures: Cell<u32>,
    slow_uploads: Cell<u32>,
    guesses: Cell<u32>,
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} slow readers, {} half-open handshakes, {} silent polling sessions, {} worst messages, {} pages of them, \
             {} worst pictures, {} slow uploads, {} wrong logins",
            self.slow_readers.get(),
            self.half_open.get(),
            self.silent_pollers.get(),
            self.messages.get(),
            self.pages.get(),
            self.pictures.get(),
            self.slow_uploads.get(),
            self.guesses.get()
        )
    }
}

/// The attackers' accounts and counters.
#[derive(Clone)]
struct Attackers {
    address: SocketAddr,
    room: i64,
    /// Access tokens of guests (`guests`) and of accounts that may upload (`users`).
    guests: Rc<[String]>,
    users: Rc<[String]>,
    picture: Rc<[u8]>,
    counts: Rc<Counts>,
}

/// An attack in progress.
pub struct Attack {
    stop: oneshot::Sender<()>,
    thread: JoinHandle<String>,
}

impl Attack {
    /// Prepares and starts the attackers.
    pub async fn begin(address: SocketAddr, room: i64) -> Self {
        let (ready, is_ready) = oneshot::channel();
        let (stop, stopped) = oneshot::channel();
        let thread = thread::spawn(move || {
            // Attackers have computers of their own: what they compute must not take time from the clients that measure.
            let _ = rustix::process::setpriority_process(None, 10);
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime");
            LocalSet::new().block_on(&runtime, async {
                let attackers = prepare(address, room).await;
                let counts = attackers.counts.clone();
                let _tasks = attackers.begin();
                ready.send(()).expect("somebody waits");
                let _ = stopped.await;
                counts.to_string()
            })
        });
        is_ready.await.expect("the attackers are ready");
        Self { stop, thread }
    }

    /// Stops the attack. Returns a summary.
    pub fn stop(self) -> String {
        let _ = self.stop.send(());
        self.thread.join().expect("the attackers' thread")
    }
}

/// Makes the attackers' accounts: guests and users from a few addresses, within the rate limits of registration.
async fn prepare(address: SocketAddr, room: i64) -> Attackers {
    let mut guests = Vec::new();
    for number in 0..60_u8 {
        let from = Ipv4Addr::new(127, 0, 9, number / 20 + 1);
        let body = json!({"username": format!("mallory{number}")});
        let guest = send(from, address, ("POST", "/api/v1/auth/guest"), None, &body).await;
        let token = guest.expect("a guest").json()["access_token"].clone();
        guests.push(token.as_str().expect("a token").to_owned());
    }
    let mut users = Vec::new();
    for number in 0..8 {
        users.push(
            register(
                Ipv4Addr::new(127, 0, 9, 4),
                address,
                &format!("oscar{number}"),
            )
            .await,
        );
    }
    let join = format!("/api/v1/rooms/{room}/join");
    for token in guests.iter().chain(&users) {
        let joined = send(
            Ipv4Addr::new(127, 0, 9, 5),
            address,
            ("POST", &join),
            Some(token),
            &Value::Null,
        );
        joined.await.expect("an answer");
    }
    Attackers {
        address,
        room,
        guests: guests.into(),
        users: users.into(),
        picture: png(7000).into(),
        counts: Rc::default(),
    }
}

impl Attackers {
    /// Starts all attackers.
    fn begin(self) -> JoinSet<()> {
        let mut tasks = JoinSet::new();
        let kinds: [(u32, Begin); 7] = [
            (SLOW_READERS, |a, n| Box::pin(a.read_slowly(n))),
            (HALF_OPEN, |a, n| Box::pin(a.shake_half_a_hand(n))),
            (SILENT_POLLERS, |a, n| Box::pin(a.poll_never(n))),
            (WORST_MESSAGES, |a, n| Box::pin(a.format_worst(n))),
            (WORST_PICTURES, |a, n| Box::pin(a.send_worst_picture(n))),
            (SLOW_UPLOADS, |a, n| Box::pin(a.upload_slowly(n))),
            (GUESSERS, |a, n| Box::pin(a.guess(n))),
        ];
        for (count, attack) in kinds {
            for number in 0..count {
                let attackers = self.clone();
                tasks.spawn_local(async move {
                    // Spreads the first attempts over time.
                    sleep(Duration::from_millis(u64::from(number) * 2)).await;
                    loop {
                        let _ = attack(attackers.clone(), number).await;
                        sleep(BACK_AFTER).await;
                    }
                });
            }
        }
        tasks
    }

    fn guest(&self, number: u32) -> &str {
        &self.guests[number as usize % self.guests.len()]
    }

    fn user(&self, number: u32) -> &str {
        &self.users[number as usize % self.users.len()]
    }

    async fn connect(&self, number: u32) -> io::Result<TcpStream> {
        connect(attacker_address(number), self.address).await
    }

    async fn ask(
        &self,
        number: u32,
        request: (&str, &str),
        token: &str,
        body: &Value,
    ) -> io::Result<Answer> {
        send(
            attacker_address(number),
            self.address,
            request,
            Some(token),
            body,
        )
        .await
    }

    /// Watches the room and reads nothing.
    async fn read_slowly(self, number: u32) -> io::Result<()> {
        let mut tcp = self.connect(number).await?;
        let request = format!(
            "GET /api/v1/ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nAuthorization: Bearer {}\r\n\r\n",
            self.guest(number)
        );
        tcp.write_all(request.as_bytes()).await?;
        let mut answer = [0; 12];
        tcp.read_exact(&mut answer).await?;
        if !answer.ends_with(b"101") {
            return Ok(());
        }
        let resume = json!({"id": 1, "op": "resume", "room": self.room, "after": 0}).to_string();
        let mut frame = vec![
            0x81,
            0x80 | u8::try_from(resume.len()).unwrap_or(125),
            0,
            0,
            0,
            0,
        ];
        frame.extend_from_slice(resume.as_bytes());
        tcp.write_all(&frame).await?;
        count(&self.counts.slow_readers);
        sleep(Duration::from_secs(15)).await;
        Ok(())
    }

    /// Sends an incomplete request.
    async fn shake_half_a_hand(self, number: u32) -> io::Result<()> {
        let mut tcp = self.connect(number).await?;
        tcp.write_all(b"GET /api/v1/ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: webs")
            .await?;
        count(&self.counts.half_open);
        // Waits until the server closes the connection.
        tcp.read_to_end(&mut Vec::new()).await.map(drop)
    }

    /// Opens a Socket.IO session by polling and never polls.
    async fn poll_never(self, number: u32) -> io::Result<()> {
        let from = attacker_address(number);
        let open = head(
            "GET",
            "/socket.io/?EIO=4&transport=polling",
            None,
            "text/plain",
            0,
        );
        let answer = send_raw(from, self.address, open.as_bytes()).await?;
        let opened: Value = serde_json::from_slice(answer.body.get(1..).unwrap_or_default())?;
        let Some(sid) = opened["sid"].as_str() else {
            return Ok(());
        };
        let path = format!("/socket.io/?EIO=4&transport=polling&sid={sid}");
        let body = format!("40{}", json!({"token": self.guest(number)}));
        let enter = head("POST", &path, None, "text/plain", body.len()) + &body;
        send_raw(from, self.address, enter.as_bytes()).await?;
        count(&self.counts.silent_pollers);
        // Waits until the session has timed out.
        sleep(Duration::from_secs(45)).await;
        Ok(())
    }

    /// Sends messages that are expensive to format, and loads the page.
    async fn format_worst(self, number: u32) -> io::Result<()> {
        let texts = [
            "*a ".repeat(1300),
            "`".repeat(7) + &"`` ` ```".repeat(480),
            "_*~[(".repeat(800),
            "> ".repeat(2000),
        ];
        let text = &texts[number as usize % texts.len()];
        let path = format!("/api/v1/rooms/{}/messages", self.room);
        let token = self.guest(number);
        if self
            .ask(number, ("POST", &path), token, &json!({"content": text}))
            .await?
            .status
            == 201
        {
            count(&self.counts.messages);
        }
        let room = self
            .ask(
                number,
                ("GET", &format!("/api/v1/rooms/{}", self.room)),
                token,
                &Value::Null,
            )
            .await?;
        let page = format!("/chat/{}", room.json()["uuid"].as_str().unwrap_or_default());
        if self
            .ask(number, ("GET", &page), token, &Value::Null)
            .await?
            .status
            == 200
        {
            count(&self.counts.pages);
        }
        Ok(())
    }

    /// Uploads a small file that is a huge image.
    async fn send_worst_picture(self, number: u32) -> io::Result<()> {
        let form = form("worst.png", "image/png", &self.picture);
        let (from, token) = (attacker_address(number), self.user(number));
        if upload(from, self.address, self.room, token, &form)
            .await?
            .status
            == 201
        {
            count(&self.counts.pictures);
        }
        Ok(())
    }

    /// Uploads one byte per second.
    async fn upload_slowly(self, number: u32) -> io::Result<()> {
        let form = form("slow.txt", "text/plain", &[b'a'; 100_000]);
        let path = format!("/api/v1/rooms/{}/files", self.room);
        let head = head(
            "POST",
            &path,
            Some(self.user(number)),
            "multipart/form-data; boundary=x",
            form.len(),
        );
        let mut tcp = self.connect(number).await?;
        tcp.write_all(head.as_bytes()).await?;
        count(&self.counts.slow_uploads);
        let (first, rest) = form.split_at(200);
        tcp.write_all(first).await?;
        for byte in rest {
            tcp.write_all(&[*byte]).await?;
            sleep(Duration::from_secs(1)).await;
        }
        Ok(())
    }

    /// Tries passwords for accounts that do not exist.
    async fn guess(self, number: u32) -> io::Result<()> {
        let tried = self.counts.guesses.get();
        let body = json!({"username": format!("nobody{tried}"), "password": "a wrong password"});
        count(&self.counts.guesses);
        send(
            attacker_address(number),
            self.address,
            ("POST", "/api/v1/auth/login"),
            None,
            &body,
        )
        .await?;
        Ok(())
    }
}

/// Starts one attack of the attacker with that number.
type Begin = fn(Attackers, u32) -> BoxedAttack;
type BoxedAttack = std::pin::Pin<Box<dyn Future<Output = io::Result<()>>>>;

/// Returns one of twenty addresses that the attackers share.
fn attacker_address(number: u32) -> Ipv4Addr {
    Ipv4Addr::new(127, 0, 10, u8::try_from(number % 20 + 1).unwrap_or(1))
}

fn count(cell: &Cell<u32>) {
    cell.set(cell.get() + 1);
}
