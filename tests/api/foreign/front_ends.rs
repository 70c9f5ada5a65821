//! Front ends of the other protocols with npm's `socket.io-client`: from login to the events each person receives.

use serde_json::{Value, json};

use crate::support::*;

/// Log of a front end's script: its requests with responses, and the events it received.
struct Story(Vec<Value>);

impl Story {
    async fn of(server: &TestServer, script: &str) -> Option<Self> {
        let base = format!("http://{}", server.address);
        Some(Self(Driven::front_end(script, &[&base])?.all().await))
    }

    /// Returns the body of a successful response.
    fn got(&self, who: &str, did: &str) -> &Value {
        let line = self
            .0
            .iter()
            .find(|line| line["who"] == who && line["did"] == did);
        let line = line.unwrap_or_else(|| panic!("{who} did not {did}: {:#?}", self.0));
        assert!(line["status"].as_u64().unwrap() < 300, "{line}");
        &line["json"]
    }

    /// Returns the body of a response with this error status.
    fn refused(&self, who: &str, did: &str, status: u16) -> &Value {
        let fits = |line: &&Value| line["who"] == who && line["did"] == did;
        let line = self
            .0
            .iter()
            .filter(fits)
            .find(|line| line["status"] == status);
        let line = line.unwrap_or_else(|| panic!("{did} by {who} was not {status}: {:#?}", self.0));
        &line["json"]
    }

    /// Returns the values of all events of this name that one person received.
    fn heard(&self, who: &str, event: &str) -> Vec<&Value> {
        let lines = self.0.iter();
        let lines = lines.filter(|line| line["who"] == who && line["event"] == event);
        lines.map(|line| &line["value"]).collect()
    }

    /// Returns the value of the only event of this name.
    fn once(&self, who: &str, event: &str) -> &Value {
        let heard = self.heard(who, event);
        assert_eq!(heard.len(), 1, "{event} to {who}: {heard:?}");
        heard[0]
    }
}

#[tokio::test]
async fn komunikator_front_end_works_without_tokens_in_an_open_dialect() {
    let server = TestServer::start_with(|config| {
        config.compat.open = parlor::config::OpenDialects::Only(["komunikator".to_owned()].into());
    })
    .await;
    server.admin("root").await;
    let Some(story) = Story::of(&server, "komunikator.mjs").await else {
        return;
    };
    let room = story.got("ann", "POST /api/room/create")["room_id"].clone();
    let at = |path: &str| format!("GET {path}?room_id={room}");
    assert_eq!(*story.got("bob", &at("/api/chat_history")), json!([]));
    let person = |name: &str| json!({"user_name": name, "room_id": room});
    let members = json!([person("ann"), person("bob")]);
    assert_eq!(*story.got("bob", &at("/api/user_list")), members);
    assert_eq!(*story.once("bob", "user_joined"), person("bob"));
    assert_eq!(
        story.heard("ann", "user_joined")[..2],
        [&person("ann"), &person("bob")]
    );
    // Usernames in events ignore case: both messages are Bob's.
    let said = story.heard("ann", "new");
    let words: Vec<_> = said
        .iter()
        .map(|said| [&said["message"], &said["user_name"]])
        .collect();
    assert_eq!(words, [["hello", "bob"], ["in capitals", "bob"]]);
    for (who, event) in [
        ("ann", "new_message"),
        ("bob", "new"),
        ("bob", "new_message"),
    ] {
        assert_eq!(story.heard(who, event), said, "{event} to {who}");
    }
    let said = said[0];
    let past = story.got("ann", &at("/api/chat_history"));
    assert_eq!(
        (past.as_array().unwrap().len(), &past[0]["chat_id"]),
        (1, &said["chat_id"])
    );
    assert_eq!(*story.got("ann", "GET /api/users/online"), json!(["bob"]));
    assert_eq!(
        *story.once("bob", "user_kicked"),
        json!({"user_name": "bob"})
    );
    // A direct room needs a token, and a kicked member may not write to the room.
    let refused = json!({"message": "Join failed", "code": 4});
    assert_eq!(story.heard("bob", "error"), [&refused; 3]);
    let not_owner = &story.refused("root", "POST /api/user_kick", 404)["error"];
    assert_eq!(not_owner, "User not owner of room");
    let stays = &story.refused("ann", "POST /api/room/leave", 409)["error"];
    assert_eq!(stays, "The owner cannot leave the room, only delete it");
    for who in ["ann", "bob"] {
        assert_eq!(story.heard(who, "room_list_updated").len(), 1, "{who}");
    }
    assert!(
        story
            .heard("ann", "user_offline")
            .contains(&&json!({"user_name": "bob"}))
    );
}

#[tokio::test]
async fn chat_app_front_end_works_with_default_settings() {
    let server = TestServer::start().await;
    let root = server.admin("root").await;
    let boss = json!({"name": "boss", "email": "boss@example.org", "password": "long secret", "role": "admin"});
    root.post("/auth/register", boss).await.ok(201);
    let Some(story) = Story::of(&server, "chat_app.mjs").await else {
        return;
    };
    let (ann, boss) = (
        story.got("ann", "GET /chat/info"),
        story.got("boss", "GET /chat/info"),
    );
    let connection = json!({"User_id": ann["id"], "Connection": true});
    assert_eq!(*story.once("ann", "connection"), connection);
    let admins = story.got("ann", "GET /chat/admins").as_array().unwrap();
    assert_eq!(each(admins, "name"), ["root", "boss"]);
    let done = json!({"msg": "Message sent successfully"});
    assert_eq!(story.heard("ann", "message_sent"), [&done; 2]);
    let said = story.heard("ann", "receive_message");
    let own = said[1];
    let said = said[0];
    assert_eq!(
        (&own["sender_id"], &own["content"]),
        (&ann["id"], &json!("It is me."))
    );
    let (from, to) = (&said["sender_id"], &said["receiver_id"]);
    assert_eq!(
        (from, to, &said["content"]),
        (&ann["id"], &boss["id"], &json!("Hello!"))
    );
    assert_eq!(story.heard("boss", "smessage"), [said, own]);
    assert_eq!(story.heard("ann", "smessage"), [&Value::Null; 0]);
    let users = story.got("boss", "GET /chat/users").as_array().unwrap();
    assert_eq!(each(users, "name"), ["ann"]);
    let unread = story.got("boss", &format!("GET /chat/messages/{}", ann["id"]));
    assert_eq!(*unread, json!([said]));
    let read = json!({"sender_id": ann["id"], "receiver_id": boss["id"]});
    for who in ["ann", "boss"] {
        assert_eq!(*story.once(who, "read_status_update"), read, "to {who}");
    }
    let mut said = said.clone();
    said["read_status"] = true.into();
    for path in [
        format!("/chat/messages/{}", boss["id"]),
        "/chat/loaded".to_owned(),
    ] {
        assert_eq!(*story.got("ann", &format!("GET {path}")), json!([said]));
    }
    let refused = |text: &str| json!({"error": text, "message": text});
    let (nobody, not_her) = (refused("User not found"), refused("you may not do that"));
    assert_eq!(story.heard("ann", "error"), [&nobody, &not_her]);
    for (did, status) in [
        ("GET /chat/messages/0", 404),
        ("POST /chat/admins", 405),
        ("POST /auth/register", 403),
    ] {
        assert_keys(story.refused("ann", did, status), "msg error");
    }
}

#[tokio::test]
async fn realtime_front_end_works_with_default_settings() {
    let server = TestServer::start().await;
    let Some(story) = Story::of(&server, "realtime.mjs").await else {
        return;
    };
    let name = |who: &str| {
        let user = &story.got(who, "POST /api/auth/login")["user"];
        json!({"id": user["id"], "username": who})
    };
    let welcome = json!({"message": "Welcome ann!"});
    assert_eq!(*story.once("ann", "connected"), welcome);
    assert_eq!(story.heard("ann", "user_joined").len(), 3);
    let online = json!({"users": [name("ann"), name("bob")]});
    assert_eq!(*story.once("ann", "online_users"), online);
    let said = story.once("bob", "new_public_message");
    assert_eq!(said, story.once("ann", "new_public_message"));
    assert_eq!(said["content"], "Hello everyone!");
    let file = &story.once("bob", "new_private_file_message")["file"];
    let up = story.got("ann", "POST /api/files/upload");
    assert_eq!(file["filename"], "plan für uns.pdf");
    assert_eq!(
        (&file["filename"], &file["file_size"]),
        (&up["filename"], &up["file_size"])
    );
    let fetched = story.0.iter().find(|line| line.get("fetched").is_some());
    assert_eq!(fetched.unwrap()["fetched"], "%PDF-1.4 nothing");
    let unread = story.heard("bob", "unread_count_update");
    assert_eq!(unread[1]["unread_count"], 2);
    let receipt = story.once("ann", "message_read_receipt");
    assert_eq!(receipt["reader_username"], "bob");
    let chat = json!({"chat_id": receipt["chat_id"]});
    assert_eq!(story.heard("bob", "chat_marked_read"), [&chat; 2]);
    let elsewhere = story.heard("bob elsewhere", "new_private_message");
    assert_eq!(elsewhere.len(), 1, "{elsewhere:?}");
    assert_eq!(elsewhere[0]["content"], "This one.");
    let nobody = story.refused("ann", "GET /api/users/0", 404);
    assert_eq!(nobody["message"], "User not found");
    let wrong = story.refused("ann", "DELETE /api/users/auth-user", 405);
    assert_keys(wrong, "error message msg detail");
    assert_eq!(story.once("bob", "user_left")["user"], name("ann"));
}

#[tokio::test]
async fn team_front_end_works_with_default_settings() {
    let server = TestServer::start().await;
    server.admin("root").await;
    let Some(story) = Story::of(&server, "team.mjs").await else {
        return;
    };
    let room = &story.got("ann", "POST /api/v1/rooms")["uuid"];
    let user = &story.got("ann", "GET /auth/check")["user"];
    let (room, user) = (room.as_str().unwrap(), user.as_str().unwrap());
    let (chat, edit) = (
        format!("GET /chat/{room}"),
        format!("POST /users/edit/{user}"),
    );
    let visits = story.0.iter().filter(|line| line.get("alert").is_some());
    let visits: Vec<_> = visits
        .map(|line| json!([line["did"], line["status"], line["to"], line["alert"]]))
        .collect();
    let (none, details) = (Value::Null, format!("GET /conversations/{room}"));
    let expected = json!([
        ["GET /login", 200, none, false],
        ["GET /register", 200, none, false],
        ["GET /guest", 200, none, false],
        ["POST /register", 302, "/auth/login", false],
        ["POST /register", 409, none, true],
        ["POST /login", 401, none, true],
        ["POST /guest", 302, "/", false],
        ["POST /login", 302, "/", false],
        ["GET /conversations", 200, none, false],
        ["GET /logout", 302, "/auth/login", false],
        ["POST /auth/login", 302, "/", false],
        [details, 200, none, false],
        [chat, 404, none, false],
        [format!("GET /users/edit/{user}"), 200, none, false],
        [edit, 400, none, true],
        [edit, 302, "/users", false],
    ]);
    assert_eq!(Value::from(visits), expected);

    let list = story.got("ann", &format!("GET /api/user/{user}/conversations"));
    let lobby = &list["conversations"][0];
    assert_eq!(lobby["description"], Value::Null);
    let one = format!("GET /api/conversation/{}", lobby["id"].as_str().unwrap());
    assert_eq!(story.got("ann", &one)["messages"]["name"], "Lobby");
    for (did, status) in [
        (format!("POST /api/conversation/{user}"), 405),
        (
            "GET /api/conversation/no-such-thing/messages".to_owned(),
            404,
        ),
    ] {
        assert_keys(
            story.refused("ann", &did, status),
            "error message msg detail",
        );
    }
}
