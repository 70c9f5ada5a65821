//! Front ends of the documents with npm's `socket.io-client`: from logging in to what each person sees.

use serde_json::{Value, json};

use crate::support::*;

/// What happened, as the front end's script told it.
struct Story(Vec<Value>);

impl Story {
    async fn of(server: &TestServer, script: &str) -> Option<Self> {
        let base = format!("http://{}", server.address);
        Some(Self(Driven::front_end(script, &[&base])?.all().await))
    }

    /// The answer to a request that went well.
    fn got(&self, who: &str, did: &str) -> &Value {
        let line = self
            .0
            .iter()
            .find(|line| line["who"] == who && line["did"] == did);
        let line = line.unwrap_or_else(|| panic!("{who} did not {did}: {:#?}", self.0));
        assert!(line["status"].as_u64().unwrap() < 300, "{line}");
        &line["json"]
    }

    /// The values of all events of that name, as one person heard them.
    fn heard(&self, who: &str, event: &str) -> Vec<&Value> {
        let lines = self.0.iter();
        let lines = lines.filter(|line| line["who"] == who && line["event"] == event);
        lines.map(|line| &line["value"]).collect()
    }

    /// The value of the only event of that name.
    fn once(&self, who: &str, event: &str) -> &Value {
        let heard = self.heard(who, event);
        assert_eq!(heard.len(), 1, "{event} to {who}: {heard:?}");
        heard[0]
    }
}

#[tokio::test]
async fn komunikator_works_without_tokens_where_it_is_open() {
    let server = TestServer::start_with(|config| {
        config.compat.open = parlor::config::OpenDialects::Only(["komunikator".to_owned()].into());
    })
    .await;
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
    let said = story.once("ann", "new");
    assert_eq!(
        (&said["message"], &said["user_name"]),
        (&json!("hello"), &json!("bob"))
    );
    for (who, event) in [
        ("ann", "new_message"),
        ("bob", "new"),
        ("bob", "new_message"),
    ] {
        assert_eq!(story.once(who, event), said, "{event} to {who}");
    }
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
    let refused = json!({"message": "Join failed", "code": 4});
    assert_eq!(*story.once("bob", "error"), refused);
    assert!(
        story
            .heard("ann", "user_offline")
            .contains(&&json!({"user_name": "bob"}))
    );
}

#[tokio::test]
async fn chat_app_works_as_it_is() {
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
    assert_eq!(*story.once("ann", "message_sent"), done);
    let said = story.once("ann", "receive_message");
    let (from, to) = (&said["sender_id"], &said["receiver_id"]);
    assert_eq!(
        (from, to, &said["content"]),
        (&ann["id"], &boss["id"], &json!("Hello!"))
    );
    assert_eq!(story.once("boss", "smessage"), said);
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
    let refused = json!({"error": "User not found", "message": "User not found"});
    assert_eq!(*story.once("ann", "error"), refused);
}

#[tokio::test]
async fn realtime_works_as_it_is() {
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
    assert_eq!(story.heard("ann", "user_joined").len(), 2);
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
    assert_eq!(unread.last().unwrap()["unread_count"], 2);
    let receipt = story.once("ann", "message_read_receipt");
    assert_eq!(receipt["reader_username"], "bob");
    let chat = json!({"chat_id": receipt["chat_id"]});
    assert_eq!(*story.once("bob", "chat_marked_read"), chat);
    assert_eq!(story.once("bob", "user_left")["user"], name("ann"));
}
