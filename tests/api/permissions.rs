//! The permission table over HTTP, each cell in a room of its own.

use serde_json::{Value, json};

use super::support::*;

/// One persona per column of the table, and a moderator and a member as targets.
struct Cast {
    owner: Persona,
    moderator: Persona,
    member: Persona,
    outsiders: [Persona; 3],
    insiders: [Persona; 3],
}

/// A room with members and messages to act upon.
struct Scene {
    room: i64,
    member: i64,
    moderator: i64,
    said_by_member: Value,
    said_by_owner: Value,
}

impl Cast {
    async fn gather(server: &TestServer) -> Self {
        let root = server.admin("root").await;
        Self {
            owner: server.user("owner").await,
            moderator: server.user("moderator").await,
            member: server.user("member").await,
            outsiders: [
                server.guest("guest").await,
                server.user("user").await,
                root.clone(),
            ],
            insiders: [
                server.guest("other guest").await,
                server.user("other user").await,
                root,
            ],
        }
    }

    /// Creates a room of `kind` in which the persona of `column` has that column's role.
    async fn scene(&self, kind: &str, column: usize) -> (Scene, &Persona) {
        let owner = &self.owner;
        let room = owner
            .post("rooms", json!({ "name": "stage", "kind": kind }))
            .await
            .ok(201);
        let room = id(&room);
        owner.add(room, &self.member, "member").await;
        owner.add(room, &self.moderator, "moderator").await;
        let actor = match column {
            0 => &self.outsiders[0],
            1 => &self.outsiders[1],
            2 => &self.insiders[0],
            3 | 4 => &self.insiders[1],
            5 => owner,
            6 => &self.outsiders[2],
            _ => &self.insiders[2],
        };
        match column {
            2 | 3 | 7 => owner.add(room, actor, "member").await,
            4 => owner.add(room, actor, "moderator").await,
            _ => {}
        }
        let scene = Scene {
            room,
            member: self.member.id,
            moderator: self.moderator.id,
            said_by_member: self.member.say(room, "mine").await["id"].clone(),
            said_by_owner: owner.say(room, "hers").await["id"].clone(),
        };
        (scene, actor)
    }
}

/// Returns method, path and body of the request for `action`.
fn request(action: &str, scene: &Scene) -> (&'static str, String, Option<Value>) {
    let Scene {
        room,
        member,
        moderator,
        ..
    } = scene;
    let of_member = format!("messages/{}", scene.said_by_member);
    let of_owner = format!("messages/{}", scene.said_by_owner);
    let somebody = Some(json!({ "user_id": member }));
    let mute = Some(json!({ "muted_until": "2100-01-01T00:00:00Z" }));
    let (method, path, body) = match action {
        "look" => ("GET", String::new(), None),
        "members" => ("GET", "/members".into(), None),
        "read" => ("GET", "/messages".into(), None),
        "read one" => return ("GET", of_member, None),
        "send" => ("POST", "/messages".into(), Some(json!({ "content": "x" }))),
        "edit another's" => return ("PATCH", of_member, Some(json!({ "content": "x" }))),
        "delete another's" => return ("DELETE", of_member, None),
        "delete the owner's" => return ("DELETE", of_owner, None),
        "kick a member" => ("DELETE", format!("/members/{member}"), None),
        "kick a moderator" => ("DELETE", format!("/members/{moderator}"), None),
        "mute a member" => ("PATCH", format!("/members/{member}"), mute),
        "mute a moderator" => ("PATCH", format!("/members/{moderator}"), mute),
        "give a role" => (
            "PATCH",
            format!("/members/{member}"),
            Some(json!({ "role": "moderator" })),
        ),
        "rename" => ("PATCH", String::new(), Some(json!({ "name": "new" }))),
        "transfer" => ("POST", "/transfer".into(), somebody),
        "clear" => ("POST", "/clear".into(), None),
        "delete" => ("DELETE", String::new(), None),
        "join" => ("POST", "/join".into(), None),
        other => panic!("what is {other}?"),
    };
    (method, format!("rooms/{room}{path}"), body)
}

/// Maps a status to `y` (allowed), `f` (forbidden), `h` (hidden) or `c` (conflict).
fn verdict(reply: &Reply) -> char {
    match reply.status.as_u16() {
        200..=204 => 'y',
        403 => 'f',
        404 => 'h',
        409 => 'c',
        _ => panic!("{reply}"),
    }
}

/// Checks a table with the columns guest and user outside; guest, user, moderator, owner inside; admin outside, inside.
async fn check(kind: &str, table: &[(&str, &str)]) {
    let server = TestServer::start().await;
    let cast = Cast::gather(&server).await;
    for (action, expected) in table {
        let mut found = String::new();
        for column in 0..8 {
            let (scene, actor) = cast.scene(kind, column).await;
            let (method, path, body) = request(action, &scene);
            found.push(verdict(&actor.call(method, &path, body).await));
        }
        assert_eq!(found, *expected, "{kind}: {action}");
    }
}

#[tokio::test]
async fn permissions_in_public_rooms() {
    let table = [
        ("look", "yyyyyyyy"),
        ("members", "yyyyyyyy"),
        ("read", "yyyyyyyy"),
        ("read one", "yyyyyyyy"),
        ("send", "ffyyyyfy"),
        ("edit another's", "ffffffff"),
        ("delete another's", "ffffyyyy"),
        ("delete the owner's", "fffffyyy"),
        ("kick a member", "ffffyyyy"),
        ("kick a moderator", "fffffyyy"),
        ("mute a member", "ffffyyyy"),
        ("mute a moderator", "fffffyyy"),
        ("give a role", "fffffyyy"),
        ("rename", "fffffyyy"),
        ("transfer", "fffffyyy"),
        ("clear", "fffffyyy"),
        ("delete", "fffffyyy"),
        ("join", "yyccccyc"),
    ];
    check("public", &table).await;
}

#[tokio::test]
async fn permissions_in_private_rooms() {
    let table = [
        ("look", "hhyyyyyy"),
        ("members", "hhyyyyyy"),
        ("read", "hhyyyyhy"),
        ("read one", "hhyyyyhy"),
        ("send", "hhyyyyhy"),
        ("edit another's", "hhffffff"),
        ("delete another's", "hhffyyyy"),
        ("delete the owner's", "hhfffyyy"),
        ("kick a member", "hhffyyyy"),
        ("kick a moderator", "hhfffyyy"),
        ("mute a member", "hhffyyyy"),
        ("mute a moderator", "hhfffyyy"),
        ("give a role", "hhfffyyy"),
        ("rename", "hhfffyyy"),
        ("transfer", "hhfffyyy"),
        ("clear", "hhfffyyy"),
        ("delete", "hhfffyyy"),
        ("join", "hhffffff"),
    ];
    check("private", &table).await;
}

#[tokio::test]
async fn permissions_in_the_lobby() {
    let server = TestServer::start().await;
    let root = server.admin("root").await;
    let (guest, user, victim) = (
        server.guest("guest").await,
        server.user("user").await,
        server.user("victim").await,
    );
    // Columns: guest, user, admin.
    for (action, expected) in [
        ("look", "yyy"),
        ("members", "yyy"),
        ("read", "yyy"),
        ("send", "yyy"),
        ("edit another's", "fff"),
        ("delete another's", "ffy"),
        ("kick a member", "hhh"),
        ("mute a member", "hhh"),
        ("give a role", "hhh"),
        ("rename", "hhh"),
        ("transfer", "hhh"),
        ("clear", "ffy"),
        ("delete", "hhh"),
        ("join", "hhh"),
    ] {
        let mut found = String::new();
        for actor in [&guest, &user, &root] {
            let said = victim.say(1, "mine").await["id"].clone();
            let scene = Scene {
                room: 1,
                member: victim.id,
                moderator: 0,
                said_by_member: said,
                said_by_owner: Value::Null,
            };
            let (method, path, body) = request(action, &scene);
            found.push(verdict(&actor.call(method, &path, body).await));
        }
        assert_eq!(found, expected, "{action}");
    }
}

#[tokio::test]
async fn permissions_in_direct_rooms() {
    let server = TestServer::start().await;
    let root = server.admin("root").await;
    let (guest, user) = (server.guest("guest").await, server.user("user").await);
    let (stranger, victim) = (server.guest("stranger").await, server.user("victim").await);
    // Columns: guest and user outside; guest, user, admin inside; admin outside.
    for (action, expected) in [
        ("look", "hhyyyh"),
        ("members", "hhyyyh"),
        ("read", "hhyyyh"),
        ("send", "hhyyyh"),
        ("edit another's", "hhfffh"),
        ("delete another's", "hhfffh"),
        ("kick a member", "hhhhhh"),
        ("mute a member", "hhhhhh"),
        ("rename", "hhhhhh"),
        ("transfer", "hhhhhh"),
        ("clear", "hhfffh"),
        ("delete", "hhhhhh"),
        ("join", "hhhhhh"),
    ] {
        let mut found = String::new();
        for (with, actor) in [
            (&user, &stranger),
            (&guest, &user),
            (&guest, &guest),
            (&user, &user),
            (&root, &root),
            (&user, &root),
        ] {
            let room = victim.direct_room(with).await;
            let said = victim.say(room, "mine").await["id"].clone();
            let scene = Scene {
                room,
                member: victim.id,
                moderator: 0,
                said_by_member: said,
                said_by_owner: Value::Null,
            };
            let (method, path, body) = request(action, &scene);
            found.push(verdict(&actor.call(method, &path, body).await));
        }
        assert_eq!(found, expected, "{action}");
    }
}

#[tokio::test]
async fn the_socket_applies_the_same_permissions() {
    let server = TestServer::start().await;
    let cast = Cast::gather(&server).await;
    for (kind, op, expected) in [
        ("public", "resume", "yyyyyyyy"),
        ("public", "send", "ffyyyyfy"),
        ("private", "resume", "hhyyyyhy"),
        ("private", "send", "hhyyyyhy"),
    ] {
        let mut found = String::new();
        for column in 0..8 {
            let (scene, actor) = cast.scene(kind, column).await;
            let mut socket = actor.connect().await;
            let asked = json!({ "op": op, "room": scene.room, "after": 0, "content": "x" });
            found.push(match socket.ask(asked).await {
                Ok(_) => 'y',
                Err(error) if error["code"] == "forbidden" => 'f',
                Err(error) if error["code"] == "not_found" => 'h',
                Err(error) => panic!("{error}"),
            });
        }
        assert_eq!(found, expected, "{kind}: {op}");
    }
}

#[tokio::test]
async fn all_but_the_open_routes_need_a_token() {
    let server = TestServer::start().await;
    let anybody = server.anybody();
    for route in [
        "POST auth/logout",
        "GET auth/sessions",
        "DELETE auth/sessions",
        "DELETE auth/sessions/1",
        "GET me",
        "PATCH me",
        "DELETE me",
        "POST me/password",
        "GET users",
        "GET users/1",
        "PATCH users/1",
        "DELETE users/1",
        "DELETE users/1/sessions",
        "GET rooms",
        "POST rooms",
        "GET rooms/public",
        "POST rooms/direct",
        "POST rooms/join",
        "GET rooms/1",
        "PATCH rooms/1",
        "DELETE rooms/1",
        "POST rooms/1/clear",
        "POST rooms/1/join",
        "POST rooms/1/leave",
        "POST rooms/1/transfer",
        "POST rooms/1/read",
        "GET rooms/1/members",
        "POST rooms/1/members",
        "PATCH rooms/1/members/1",
        "DELETE rooms/1/members/1",
        "GET rooms/1/messages",
        "POST rooms/1/messages",
        "GET messages/1",
        "PATCH messages/1",
        "DELETE messages/1",
    ] {
        let (method, path) = route.split_once(' ').unwrap();
        // The token is checked first, before the body is parsed.
        let reply = anybody.send(method, path, Some("text/plain"), "{").await;
        reply.refused(401, "unauthenticated");
    }
}
