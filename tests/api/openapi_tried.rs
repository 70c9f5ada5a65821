//! schemathesis generates requests from `docs/openapi.json`; every response must be one that the document describes.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::tempdir;

use crate::support::{Persona, TestServer, foreign, id};

const OPENAPI: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/openapi.json");

/// Checks on every response.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
                      response_headers_conformance,response_schema_conformance";

/// Operations that may end the session in use, after which all other requests would be refused.
const LEFT_OUT: [&str; 3] = ["logOut", "endSession", "endSessionsOfUser"];

/// Timeout of one run; alone on a machine it takes less than half a minute.
const LONGEST: Duration = Duration::from_secs(900);

/// A server with accounts, rooms of every kind, messages, a file and an invite, for generated requests to find.
struct House {
    server: TestServer,
    admin: Persona,
    member: Persona,
    ids: Vec<i64>,
    code: String,
}

async fn house() -> House {
    let server = TestServer::start().await;
    let (admin, member) = (server.admin("boss").await, server.user("ann").await);
    let guest = server.guest("visitor").await;
    let secret = json!({ "name": "Cellar", "kind": "private", "access_key": "mushroom" });
    let rooms = [
        1,
        member.public_room("Hall").await,
        id(&admin.post("rooms", secret).await.ok(201)),
        admin.direct_room(&member).await,
    ];
    admin.add(rooms[2], &member, "moderator").await;
    let invite = admin
        .post("invites", json!({ "room_id": rooms[1], "max_uses": 10000 }))
        .await
        .ok(201);
    let mut ids = vec![admin.id, member.id, guest.id, id(&invite)];
    for room in rooms {
        ids.push(id(&member.say(room, "good evening, @boss").await));
    }
    let message = member
        .upload(1, "a.txt", "text/plain", "to read")
        .await
        .ok(201);
    ids.extend([id(&message), id(&message["files"][0])]);
    ids.extend(rooms);
    let code = invite["code"].as_str().unwrap().to_owned();
    House {
        server,
        admin,
        member,
        ids,
        code,
    }
}

/// Returns the settings of schemathesis: a fixed seed, and the ids, emoji and invite code of `house` as values.
fn settings(house: &House, examples: u32) -> String {
    let House { ids, code, .. } = house;
    format!(
        r#"seed = 1
continue-on-failure = true
request-timeout = 60.0
generation.max-examples = {examples}
generation.database = "none"

[dictionaries]
ids = {{ values = {ids:?} }}
emoji = {{ values = ["👍", "❤️"] }}
codes = {{ values = ["{code}"] }}

[parameters]
"path.id" = {{ dictionary = "ids", probability = 0.8 }}
"path.user_id" = {{ dictionary = "ids", probability = 0.8 }}
"path.emoji" = {{ dictionary = "emoji", probability = 0.8 }}
"path.code" = {{ dictionary = "codes", probability = 0.8 }}

[generation.dictionaries]
integer = {{ dictionary = "ids", probability = 0.5 }}
"#
    )
}

fn command(
    mut python: Command,
    house: &House,
    folder: &Path,
    who: &Persona,
    phases: &str,
) -> Command {
    python.args([
        "-c",
        "from schemathesis.cli import schemathesis; schemathesis()",
    ]);
    python.args([
        "--no-color",
        "--config-file",
        "settings.toml",
        "run",
        OPENAPI,
    ]);
    python
        .arg("--url")
        .arg(format!("http://{}", house.server.address));
    python
        .arg("--header")
        .arg(format!("Authorization: Bearer {}", who.token));
    python.args(["--checks", CHECKS, "--phases", phases]);
    for operation in LEFT_OUT {
        python.args(["--exclude-operation-id", operation]);
    }
    python.current_dir(folder).env("PYTHONUTF8", "1");
    python.stdout(Stdio::piped()).stderr(Stdio::piped());
    python
}

async fn run(mut command: Command) -> Output {
    let running = tokio::task::spawn_blocking(move || command.output().unwrap());
    tokio::time::timeout(LONGEST, running)
        .await
        .expect("it takes too long")
        .unwrap()
}

/// Runs schemathesis as one account, with `examples` requests per operation and, in the coverage phase, boundary
/// values.
async fn try_as(who: impl Fn(&House) -> &Persona, phases: &str, examples: u32) {
    let Some(python) = foreign::python("schemathesis") else {
        return;
    };
    let (house, folder) = (house().await, tempdir().unwrap());
    fs::write(
        folder.path().join("settings.toml"),
        settings(&house, examples),
    )
    .unwrap();
    let output = run(command(python, &house, folder.path(), who(&house), phases)).await;
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{text}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(text.contains(" generated, "), "{text}");
    let me: Value = who(&house).get("me").await.ok(200);
    assert_eq!(me["id"], who(&house).id, "the session was to last");
}

#[tokio::test]
async fn responses_to_an_admin_match_the_document() {
    try_as(|house| &house.admin, "coverage,fuzzing", 3).await;
}

#[tokio::test]
async fn responses_to_a_member_match_the_document() {
    try_as(|house| &house.member, "fuzzing", 6).await;
}
