//! Attacks the rate limiters of its own server: 1,500 concurrent guesses of passwords, access keys, invites, password
//! links and the set-up link, one of them right. No guess may succeed, and only as many as the rate limit allows,
//! including permits returned meanwhile, may get a response other than 429.
//!
//! `cargo run --release --example attack` starts the server in this process, on loopback, over a temporary file, with
//! the default limits. It ends with status 1 if a rate limiter fails.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use parlor::chat::Chat;
use parlor::config::Config;
use parlor::server::Server;
use parlor::store::OpenOptions;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::time::timeout;

/// Number of concurrent guesses.
const GUESSES: usize = 1500;
/// Index of the right guess.
const RIGHT: usize = 58;
/// Timeout of a guess, after which it counts as failed.
const PATIENCE: Duration = Duration::from_secs(120);
const PASSWORD: &str = "correct horse";

/// An attack: method, path, body and the number of guesses that the rate limit allows per minute.
struct Attack<'a> {
    name: &'static str,
    method: &'static str,
    path: Box<dyn Fn(bool) -> String + 'a>,
    body: Box<dyn Fn(bool, usize) -> Value + 'a>,
    token: String,
    limit: usize,
}

#[tokio::main]
async fn main() -> ExitCode {
    let folder = tempfile::tempdir().unwrap();
    let mut config = Config::default();
    config.server.listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    config.server.db = folder.path().join("attack.db");
    config.auth.pbkdf2_rounds = 20_000;
    config.server.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()];
    let server = Server::bind(&config, OpenOptions::default()).await.unwrap();
    let (address, chat) = (server.address(), server.chat().clone());
    let (stop, stopped) = oneshot::channel::<()>();
    let running = tokio::spawn(server.run(async move {
        let _ = stopped.await;
    }));
    let held = attack_all(address, &chat, &config).await;
    drop(stop);
    running.await.unwrap();
    if held {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// The targets of the guesses, and the access tokens of the attackers.
struct Secrets {
    invite: String,
    link: String,
    ann: String,
    gus: String,
}

const KEY: &str = "open sesame";

async fn attack_all(address: SocketAddr, chat: &Chat, config: &Config) -> bool {
    let number = |limit: Option<std::num::NonZeroU32>| limit.map_or(0, |n| n.get() as usize);
    let logins = number(config.limits.login_per_minute);
    let codes = number(config.limits.wrong_keys_per_minute);
    println!(
        "{:<28}{:>8}{:>10}{:>8}{:>8}{:>8}",
        "1,500 guesses at once", "limit", "not 429", "(503)", "in", "s"
    );
    let setup = chat.setup_token().unwrap();
    // Setup works only while there is no admin.
    let mut held = run(address, 1, &set_up(&setup, codes)).await;
    let secrets = prepare(address, &setup).await;
    let passwords = on_passwords(&secrets, logins).into_iter();
    for (attack, n) in passwords.chain(on_codes(&secrets, codes)).zip(2..) {
        held &= run(address, n, &attack).await;
    }
    held
}

/// Makes accounts, a room, an invite and a password link.
async fn prepare(address: SocketAddr, setup: &str) -> Secrets {
    let new = json!({ "token": setup, "username": "root", "password": PASSWORD });
    let root = made(address, "/api/v1/setup", "", &new).await;
    let root = text(&root, "access_token");
    let new = json!({ "username": "ann", "password": PASSWORD });
    let ann = made(address, "/api/v1/auth/register", "", &new).await;
    let room = json!({ "name": "p", "kind": "private", "access_key": KEY });
    made(address, "/api/v1/rooms", &root, &room).await;
    let gus = json!({ "username": "gus" });
    let gus = made(address, "/api/v1/auth/guest", "", &gus).await;
    let invite = made(address, "/api/v1/invites", &root, &json!({})).await;
    let path = format!("/api/v1/users/{}/password-link", ann["user"]["id"]);
    let link = made(address, &path, &root, &json!({})).await;
    Secrets {
        invite: text(&invite, "code"),
        link: text(&link, "code"),
        ann: text(&ann, "access_token"),
        gus: text(&gus, "access_token"),
    }
}

/// Returns the code, or a wrong one of the same length.
fn code(right: bool, code: &str) -> String {
    if right {
        code.to_owned()
    } else {
        "0".repeat(code.len())
    }
}

fn password(right: bool) -> &'static str {
    if right { PASSWORD } else { "wrong horse" }
}

fn set_up(setup: &str, limit: usize) -> Attack<'_> {
    let body = move |right, n| {
        let token = code(right, setup);
        json!({ "token": token, "username": format!("eve{n}"), "password": PASSWORD })
    };
    Attack {
        name: "set-up link",
        body: Box::new(body),
        ..Attack::post("/api/v1/setup", limit)
    }
}

fn on_passwords(secrets: &Secrets, limit: usize) -> Vec<Attack<'_>> {
    let one = |right, _| json!({ "username": "ann", "password": password(right) });
    let many = |_, n| json!({ "username": format!("nobody{n}"), "password": PASSWORD });
    let own =
        |right, _| json!({ "current_password": password(right), "new_password": "battery staple" });
    vec![
        Attack {
            name: "login, one account",
            body: Box::new(one),
            ..Attack::post("/api/v1/auth/login", limit)
        },
        Attack {
            name: "login, many names",
            body: Box::new(many),
            ..Attack::post("/api/v1/auth/login", 3 * limit)
        },
        Attack {
            name: "own password",
            body: Box::new(own),
            token: secrets.ann.clone(),
            ..Attack::post("/api/v1/me/password", limit)
        },
    ]
}

fn on_codes(secrets: &Secrets, limit: usize) -> Vec<Attack<'_>> {
    let key = |right, _| json!({ "access_key": if right { KEY } else { "wrong" } });
    let register = |right, n| {
        let invite = code(right, &secrets.invite);
        json!({ "invite": invite, "username": format!("eve{n}"), "password": PASSWORD })
    };
    let choose = |right, _| {
        let link = code(right, &secrets.link);
        json!({ "code": link, "new_password": "battery staple" })
    };
    vec![
        Attack {
            name: "access key, as a guest",
            body: Box::new(key),
            token: secrets.gus.clone(),
            ..Attack::post("/api/v1/rooms/join", limit)
        },
        Attack {
            name: "invite",
            method: "GET",
            path: Box::new(|right| format!("/api/v1/invites/{}", code(right, &secrets.invite))),
            ..Attack::post("", limit)
        },
        Attack {
            name: "registration by invite",
            body: Box::new(register),
            ..Attack::post("/api/v1/auth/register", limit)
        },
        Attack {
            name: "password link",
            body: Box::new(choose),
            ..Attack::post("/api/v1/auth/password", limit)
        },
    ]
}

impl<'a> Attack<'a> {
    fn post(path: &'a str, limit: usize) -> Self {
        Self {
            name: "",
            method: "POST",
            path: Box::new(move |_| path.to_owned()),
            body: Box::new(|_, _| Value::Null),
            token: String::new(),
            limit,
        }
    }
}

/// Makes all guesses from the same address, which no other attack uses. Returns whether the rate limiter held.
async fn run(address: SocketAddr, n: u8, attack: &Attack<'_>) -> bool {
    let begun = Instant::now();
    let guess = |place: usize| {
        let right = place == RIGHT;
        let (path, body) = ((attack.path)(right), (attack.body)(right, place));
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        let from = format!("10.0.0.{n}");
        let request = request(attack.method, &path, &attack.token, &from, &body);
        async move { ask(address, &request).await.0 }
    };
    let statuses = join_all((0..GUESSES).map(guess)).await;
    let seconds = begun.elapsed().as_secs_f64();
    let inside = statuses.iter().filter(|s| (200..300).contains(*s)).count();
    let busy = statuses.iter().filter(|status| **status == 503).count();
    let others = statuses.iter().filter(|s| **s != 429).count();
    println!(
        "{:<28}{:>8}{others:>10}{busy:>8}{inside:>8}{seconds:>8.1}",
        attack.name, attack.limit
    );
    let paid_back = (attack.limit as f64 * seconds / 60.0).ceil() as usize;
    inside == 0 && others <= attack.limit + paid_back
}

fn request(method: &str, path: &str, token: &str, from: &str, body: &str) -> String {
    let bearer = match token {
        "" => String::new(),
        token => format!("authorization: Bearer {token}\r\n"),
    };
    format!(
        "{method} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\nx-forwarded-for: {from}\r\n{bearer}\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// Returns status and body of the response; status 0 if there is none.
async fn ask(address: SocketAddr, request: &str) -> (u16, String) {
    let exchange = async {
        let mut tcp = TcpStream::connect(address).await.ok()?;
        tcp.write_all(request.as_bytes()).await.ok()?;
        let mut answer = String::new();
        tcp.read_to_string(&mut answer).await.ok()?;
        let status = answer.split(' ').nth(1)?.parse().ok()?;
        let body = answer.split_once("\r\n\r\n")?.1.to_owned();
        Some((status, body))
    };
    timeout(PATIENCE, exchange)
        .await
        .ok()
        .flatten()
        .unwrap_or_default()
}

/// Sends a legitimate request and returns the response as JSON.
async fn made(address: SocketAddr, path: &str, token: &str, body: &Value) -> Value {
    let request = request("POST", path, token, "192.168.1.1", &body.to_string());
    let (status, body) = ask(address, &request).await;
    assert!((200..300).contains(&status), "{path}: {status} {body}");
    serde_json::from_str(&body).unwrap()
}

fn text(object: &Value, field: &str) -> String {
    object[field].as_str().unwrap().to_owned()
}
