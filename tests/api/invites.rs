//! Invites: creation, use, expiry and revocation.

use serde_json::{Value, json};

use super::support::*;

const INVITE: &str = "Invite";

fn closed(config: &mut parlor::config::Config) {
    config.auth.registration = parlor::config::Registration::Closed;
}

/// Creates an invite; returns its id and its code.
async fn invite(who: &Persona, wish: Value) -> (i64, String) {
    let made = who.post("invites", wish).await.ok(201);
    assert_keys(&made, "Invite code url");
    let code = made["code"].as_str().unwrap().to_owned();
    assert_eq!(code.len(), 32);
    assert_eq!(made["url"], format!("/invite?code={code}"));
    (id(&made), code)
}

fn account(name: &str, code: &str) -> Value {
    json!({ "username": name, "password": PASSWORD, "invite": code })
}

#[tokio::test]
async fn an_invite_allows_one_registration_on_a_closed_server() {
    let server = TestServer::start_with(closed).await;
    let root = server.admin("root").await;
    let nobody = server.anybody();
    let plain = json!({ "username": "bob", "password": PASSWORD });
    nobody
        .post("auth/register", plain)
        .await
        .refused(403, "registration_closed");
    let (number, code) = invite(&root, json!({})).await;
    let shown = nobody.get(&format!("invites/{code}")).await.ok(200);
    assert_keys(&shown, INVITE);
    assert_eq!(shown["registers"], true);
    assert_eq!(
        (&shown["room_id"], &shown["room_name"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(shown["created_by"]["username"], "root");
    // A refused registration does not count as a use.
    nobody
        .post("auth/register", account("root", &code))
        .await
        .taken("username");
    let grant = nobody
        .post("auth/register", account("bob", &code))
        .await
        .ok(201);
    Persona::new(server.address, &grant).say(1, "hello").await;
    nobody
        .post("auth/register", account("eve", &code))
        .await
        .refused(404, "not_found");
    nobody
        .get(&format!("invites/{code}"))
        .await
        .refused(404, "not_found");
    let listed = root.get("invites").await.items();
    assert_eq!(
        (id(&listed[0]), listed[0]["used"].as_i64()),
        (number, Some(1))
    );
}

#[tokio::test]
async fn concurrent_registrations_do_not_exceed_the_uses_of_an_invite() {
    let server = TestServer::start_with(closed).await;
    let root = server.admin("root").await;
    let (_, code) = invite(&root, json!({ "max_uses": 3 })).await;
    let tries = (0..8).map(|i| {
        let (nobody, body) = (server.anybody(), account(&format!("user{i}"), &code));
        async move { nobody.post("auth/register", body).await.status.as_u16() }
    });
    let mut statuses = futures_util::future::join_all(tries).await;
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 201, 201, 404, 404, 404, 404, 404]);
}

#[tokio::test]
async fn an_invite_to_a_room_joins_it() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.user("ann").await, server.user("bob").await);
    let room = ann.private_room("Kitchen").await;
    let mut watching = ann.watch(room).await;
    let (_, code) = invite(&ann, json!({ "room_id": room, "max_uses": 10 })).await;
    let shown = bob.get(&format!("invites/{code}")).await.ok(200);
    assert_eq!(
        (&shown["room_id"], &shown["room_name"]),
        (&json!(room), &json!("Kitchen"))
    );
    let joined = bob
        .post(&format!("invites/{code}/join"), json!({}))
        .await
        .ok(200);
    assert_keys(&joined, ROOM);
    assert_eq!(
        watching.event("joined").await["member"]["person"]["id"],
        bob.id
    );
    bob.say(room, "here").await;
    bob.post(&format!("invites/{code}/join"), json!({}))
        .await
        .refused(409, "already_member");

    // Registration is open, so an invite to a room also registers an account.
    let grant = server
        .anybody()
        .post("auth/register", account("eve", &code))
        .await
        .ok(201);
    let eve = Persona::new(server.address, &grant);
    assert_eq!(
        watching.event("joined").await["member"]["person"]["id"],
        eve.id
    );
    eve.say(room, "me too").await;
    let used = &ann.get("invites").await.items()[0]["used"];
    assert_eq!(used, 2);

    // A kicked member cannot come back with the invite.
    ann.delete(&format!("rooms/{room}/members/{}", bob.id))
        .await
        .done();
    bob.post(&format!("invites/{code}/join"), json!({}))
        .await
        .refused(404, "not_found");
    assert_eq!(ann.get("invites").await.items()[0]["used"], 2);
}

#[tokio::test]
async fn only_room_invites_of_admins_register_on_a_closed_server() {
    let server = TestServer::start().await;
    let (root, ann) = (server.admin("root").await, server.user("ann").await);
    let room = ann.private_room("r").await;
    let (_, by_ann) = invite(&ann, json!({ "room_id": room, "max_uses": 9 })).await;
    ann.add(room, &root, "member").await;
    let (_, by_root) = invite(&root, json!({ "room_id": room, "max_uses": 9 })).await;
    let server = server.restart_with(closed).await;
    let nobody = server.anybody();
    let shown = nobody.get(&format!("invites/{by_ann}")).await.ok(200);
    assert_eq!(shown["registers"], false);
    let refused = nobody.post("auth/register", account("bob", &by_ann)).await;
    refused.refused(403, "registration_closed");
    let grant = nobody
        .post("auth/register", account("bob", &by_root))
        .await
        .ok(201);
    Persona::new(server.address, &grant).say(room, "in").await;
}

#[tokio::test]
async fn users_without_the_right_cannot_create_invites() {
    let server = TestServer::start().await;
    let (ann, bob, eve) = (
        server.user("ann").await,
        server.user("bob").await,
        server.user("eve").await,
    );
    let guest = server.guest("guest").await;
    let (room, direct) = (ann.private_room("r").await, ann.direct_room(&bob).await);
    ann.add(room, &bob, "moderator").await;
    ann.add(room, &guest, "member").await;
    for who in [&ann, &guest] {
        who.post("invites", json!({}))
            .await
            .refused(403, "forbidden");
    }
    let into = json!({ "room_id": room });
    guest
        .post("invites", into.clone())
        .await
        .refused(403, "forbidden");
    eve.post("invites", into.clone())
        .await
        .refused(404, "not_found");
    for fixed in [1, direct, 999] {
        ann.post("invites", json!({ "room_id": fixed }))
            .await
            .refused(404, "not_found");
    }
    server
        .anybody()
        .post("invites", json!({}))
        .await
        .refused(401, "unauthenticated");
}

#[tokio::test]
async fn owners_and_moderators_list_and_revoke_invites_to_their_rooms() {
    let server = TestServer::start().await;
    let root = server.admin("root").await;
    let (ann, bob, eve) = (
        server.user("ann").await,
        server.user("bob").await,
        server.user("eve").await,
    );
    let room = ann.private_room("r").await;
    ann.add(room, &bob, "moderator").await;
    ann.add(room, &eve, "member").await;
    let (of_bob, code) = invite(&bob, json!({ "room_id": room })).await;
    let (of_root, _) = invite(&root, json!({})).await;
    let ids = |items: Vec<Value>| items.iter().map(id).collect::<Vec<_>>();
    assert_eq!(ids(root.get("invites").await.items()), [of_bob, of_root]);
    assert_eq!(
        ids(root
            .get(&format!("invites?after={of_bob}&limit=1"))
            .await
            .items()),
        [of_root]
    );
    assert_eq!(ids(ann.get("invites").await.items()), [of_bob]);
    assert!(eve.get("invites").await.items().is_empty());
    eve.delete(&format!("invites/{of_bob}"))
        .await
        .refused(404, "not_found");
    ann.delete(&format!("invites/{of_root}"))
        .await
        .refused(404, "not_found");
    ann.delete(&format!("invites/{of_bob}")).await.done();
    ann.delete(&format!("invites/{of_bob}"))
        .await
        .refused(404, "not_found");
    eve.get(&format!("invites/{code}"))
        .await
        .refused(404, "not_found");
}

#[tokio::test]
async fn an_invite_is_void_while_its_creator_lacks_the_right() {
    let server = TestServer::start().await;
    let (ann, bob, eve) = (
        server.user("ann").await,
        server.user("bob").await,
        server.user("eve").await,
    );
    let room = ann.private_room("r").await;
    ann.add(room, &bob, "moderator").await;
    let (_, code) = invite(&bob, json!({ "room_id": room })).await;
    let bob_in_room = format!("rooms/{room}/members/{}", bob.id);
    ann.patch(&bob_in_room, json!({ "role": "member" }))
        .await
        .ok(200);
    eve.post(&format!("invites/{code}/join"), json!({}))
        .await
        .refused(404, "not_found");
    ann.patch(&bob_in_room, json!({ "role": "moderator" }))
        .await
        .ok(200);
    eve.get(&format!("invites/{code}")).await.ok(200);
    ann.delete(&format!("rooms/{room}")).await.done();
    eve.get(&format!("invites/{code}"))
        .await
        .refused(404, "not_found");
    assert!(bob.get("invites").await.items().is_empty());
}

#[tokio::test]
async fn expired_invites_and_invalid_options_are_refused() {
    let server = TestServer::start().await;
    let root = server.admin("root").await;
    let (_, code) = invite(&root, json!({ "expires_in": 3600 })).await;
    server.edit_file("UPDATE invites SET expires_at = 1");
    let bad = server.anybody().get(&format!("invites/{code}")).await;
    bad.refused(404, "not_found");
    for (wish, field) in [
        (json!({ "max_uses": 0 }), "max_uses"),
        (json!({ "max_uses": 10_001 }), "max_uses"),
        (json!({ "expires_in": -1 }), "expires_in"),
        (json!({ "expires_in": i64::MAX }), "expires_in"),
    ] {
        root.post("invites", wish).await.invalid(field);
    }
    for odd in ["x", "%00", "1", "../me", "00000000000000000000000000000000"] {
        let path = format!("invites/{odd}");
        assert_ne!(server.anybody().get(&path).await.status, 200);
    }
}

#[tokio::test]
async fn an_invite_has_a_qr_code() {
    let server = TestServer::start().await;
    let root = server.admin("root").await;
    let (_, code) = invite(&root, json!({})).await;
    let picture = server.anybody().get(&format!("invites/{code}/qr")).await;
    assert_eq!(
        (picture.status.as_u16(), picture.header("content-type")),
        (200, "image/svg+xml")
    );
    assert!(
        picture
            .header("content-security-policy")
            .contains("sandbox")
    );
    let svg = String::from_utf8(picture.body.to_vec()).unwrap();
    assert!(svg.contains("<svg") && !svg.contains(&code), "{svg}");
    server
        .anybody()
        .get("invites/x/qr")
        .await
        .refused(404, "not_found");
}

#[tokio::test]
async fn the_database_contains_no_codes_in_plain_text() {
    let server = TestServer::start().await;
    let (root, ann) = (server.admin("root").await, server.user("ann").await);
    let (_, code) = invite(&root, json!({})).await;
    let link = root
        .post(&format!("users/{}/password-link", ann.id), json!({}))
        .await
        .ok(201);
    let db = rusqlite::Connection::open(server.db()).unwrap();
    let count = |code: &str| {
        let sql =
            "SELECT (SELECT count(*) FROM invites WHERE hex(code_hash) LIKE ?1 OR code_hash = ?2)
            + (SELECT count(*) FROM password_links WHERE hex(code_hash) LIKE ?1 OR code_hash = ?2)";
        db.query_row(sql, (format!("%{code}%"), code), |row| row.get::<_, i64>(0))
            .unwrap()
    };
    assert_eq!(count(&code) + count(link["code"].as_str().unwrap()), 0);
}
