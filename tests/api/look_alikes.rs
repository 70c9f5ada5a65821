//! Names that could be mistaken for another account's, in every dialect.

use serde_json::{Value, json};

use super::support::*;

const ALIKE: [&str; 14] = [
    "ọwner",
    "o̵wner",
    "øwner",
    "0wner",
    "ow\u{200d}ner",
    "ow\u{34f}ner",
    "оwner",
    "ｏｗｎｅｒ",
    "ówñer",
    "owner\u{20dd}",
    "ow\u{a0}ner",
    "ow\u{3164}ner",
    "ow\u{2800}ner",
    "OWNER",
];

fn account(name: &str) -> Value {
    json!({ "username": name, "password": PASSWORD })
}

#[tokio::test]
async fn look_alike_usernames_are_refused_in_every_dialect() {
    let server = TestServer::start().await;
    server.user("owner").await;
    let root = server.admin("root").await;
    let eve = server.user("eve").await;
    let before = server.count("users");
    let anybody = server.anybody();
    for name in ALIKE {
        let refused = |reply: Reply| {
            let is_refused = [400, 404, 409, 422].contains(&reply.status.as_u16());
            let is_said = String::from_utf8_lossy(&reply.body).contains("already exists");
            assert!(is_refused || is_said, "{name:?}: {reply}");
        };
        refused(anybody.post("auth/register", account(name)).await);
        let guest = json!({ "username": name });
        refused(anybody.post("auth/guest", guest.clone()).await);
        refused(eve.patch("me", guest.clone()).await);
        refused(root.patch(&format!("users/{}", eve.id), guest).await);
        let realtime = json!({"username": name, "email": "x@example.org", "password": PASSWORD});
        refused(anybody.post("/api/auth/register", realtime).await);
        let edit = json!({ "username": name });
        refused(eve.call("PUT", "/api/users/auth-user", Some(edit)).await);
        let fields = [("username", name), ("password", PASSWORD)];
        refused(submit(&anybody, "/auth/register", &fields).await);
        refused(submit(&anybody, "/auth/guest", &fields[..1]).await);
    }
    assert_eq!(server.count("users"), before);
    for name in ["owners", "ow ner", "Karl", "Kari", "ann1", "ann2"] {
        anybody.post("auth/register", account(name)).await.ok(201);
    }
}

#[tokio::test]
async fn look_alike_display_names_are_refused() {
    let server = TestServer::start().await;
    server.user("owner").await;
    let root = server.admin("root").await;
    let chief = json!({ "display_name": "The Chief" });
    root.patch("me", chief).await.ok(200);
    let eve = server.user("eve").await;
    let anybody = server.anybody();
    for name in [
        "owner",
        "Owner",
        "0wner",
        "ọwner",
        "root",
        "r00t",
        "The Chief",
        "the сhief",
        "Thé Chief",
    ] {
        let shown = json!({ "display_name": name });
        eve.patch("me", shown.clone()).await.taken("display_name");
        let mut guest = json!({ "username": "gus" });
        guest["display_name"] = name.into();
        anybody
            .post("auth/guest", guest)
            .await
            .taken("display_name");
        let page = Pages::log_in(&server, "eve").await;
        let fields = [("username", "eve"), ("display_name", name), ("email", "")];
        assert_eq!(page.submit("/settings/profile", &fields).await.status, 409);
        let other =
            json!({"name": name, "email": "z@example.org", "password": PASSWORD, "role": "user"});
        anybody.post("/auth/register", other).await.ok(201);
        server.edit_file("UPDATE users SET email = NULL WHERE email = 'z@example.org'");
    }
    let users = root.get("users?limit=200").await.items();
    let shown = users
        .iter()
        .map(|user| user["display_name"].as_str().unwrap());
    let like_owner = shown.clone().filter(|name| name.to_lowercase() == "owner");
    assert_eq!(like_owner.count(), 1);
    assert_eq!(shown.filter(|name| *name == "The Chief").count(), 1);
    // A display name is not available as a username either.
    let reply = anybody.post("auth/register", account("The Chief")).await;
    reply.taken("username");
    for own in ["Eve", "eve", "E. V. E."] {
        let me = eve.patch("me", json!({ "display_name": own })).await;
        assert_eq!(me.ok(200)["display_name"], own);
    }
}

#[tokio::test]
async fn display_names_cannot_copy_those_of_others() {
    let server = TestServer::start().await;
    let (ann, eve) = (server.user("ann").await, server.user("eve").await);
    let show = |name: &str| json!({ "display_name": name });
    ann.patch("me", show("Ann Käfer")).await.ok(200);
    for name in ["Ann Käfer", "ann kafer", "Ann  Kä\u{200d}fer", "Аnn Käfer"] {
        eve.patch("me", show(name)).await.taken("display_name");
        let username = json!({ "username": name, "password": PASSWORD });
        let reply = server.anybody().post("auth/register", username).await;
        let refused = reply.status.as_u16();
        assert!([409, 422].contains(&refused), "{name}: {reply}");
    }
    // Another form of one's own name is allowed, and a name that is given up is available again.
    ann.patch("me", show("Ann Kafer")).await.ok(200);
    ann.patch("me", show("Ann")).await.ok(200);
    eve.patch("me", show("Ann Käfer")).await.ok(200);
}

#[tokio::test]
async fn names_without_visible_characters_are_refused() {
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    for name in [
        "\u{3164}",
        "\u{2800}",
        "\u{200d}",
        "\u{fe0f}\u{fe0f}",
        "\u{301}",
        "\u{115f}\u{1160}",
    ] {
        let anybody = server.anybody();
        anybody
            .post("auth/register", account(name))
            .await
            .invalid("username");
        let shown = json!({ "display_name": name });
        ann.patch("me", shown).await.invalid("display_name");
        let room = json!({ "kind": "public", "name": name });
        ann.post("rooms", room).await.invalid("name");
    }
}

#[tokio::test]
async fn pages_mark_guests() {
    let server = TestServer::start_with(|config| config.guests.enabled = true).await;
    let ann = server.user("ann").await;
    let gus = Pages::guest(&server, "gus").await;
    let uuid = ann.overview(1).await.unwrap()["uuid"].clone();
    let chat = format!("/chat/{}", uuid.as_str().unwrap());
    let page = gus.read(&chat).await;
    let draft = between(&page, "name=\"uuid\" value=\"", "\"").to_owned();
    let fields = [("uuid", draft.as_str()), ("content", "hello")];
    gus.submit(&chat, &fields).await;
    let page = Pages::log_in(&server, "ann").await.read(&chat).await;
    assert!(
        page.contains("<bdi class=\"name\">gus (guest)</bdi>"),
        "{page}"
    );
}

#[tokio::test]
async fn look_alike_names_of_older_versions_keep_working() {
    let mut server = TestServer::start().await;
    server.user("owner").await;
    server.user("eve").await;
    server.user("xwner").await;
    server.stop().await;
    server.edit_file(
        "UPDATE users SET display_name = 'ọwner' WHERE username = 'eve';
         UPDATE users SET username = 'ọwner', username_key = 'ọwner', display_name = 'ọwner' WHERE username = 'xwner';
         UPDATE users SET username_look = username; PRAGMA user_version = 5",
    );
    let server = server.restart().await;
    let eve = server.log_in("eve").await;
    assert_eq!(eve.get("me").await.ok(200)["display_name"], "ọwner (eve)");
    let owner = server.log_in("owner").await;
    assert_eq!(owner.get("me").await.ok(200)["display_name"], "owner");
    server.log_in("ọwner").await;
    let reply = server
        .anybody()
        .post("auth/register", account("0wner"))
        .await;
    reply.taken("username");
}
