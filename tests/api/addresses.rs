//! URLs given by clients: no dialect and no page trusts them, neither when storing nor when showing them.

use serde_json::{Value, json};

use image::ImageFormat;

use super::support::*;

/// URLs that may be neither stored nor shown.
fn hostile(server: &TestServer) -> Vec<String> {
    let cases: Value = serde_json::from_str(include_str!("../addresses.json")).unwrap();
    let cases = cases["neither"].as_array().unwrap().iter();
    let texts = cases.map(|text| text.as_str().unwrap().to_owned());
    let own = ["/auth/logout", "/files/../auth/logout"]
        .map(|path| format!("http://{}{path}", server.address));
    texts
        .filter(|text| !text.trim().is_empty())
        .chain(own)
        .collect()
}

/// Returns the avatar URL of a person. Asserts that the native protocol and `realtime` agree on whether there is one,
/// and that a page loads images from this server only.
async fn shown_picture(server: &TestServer, name: &str) -> Option<String> {
    let who = server.log_in(name).await;
    let native = who.get("me").await.ok(200)["avatar_url"].clone();
    let path = "/api/users/auth-user";
    let realtime = who.get(path).await.ok(200)["user"]["avatar_url"].clone();
    assert_eq!(native.is_null(), realtime.is_null(), "{native} {realtime}");
    let page = Pages::log_in(server, name).await.read("/rooms").await;
    for image in page.split("<img src=\"").skip(1) {
        let is_ours = image.starts_with("/files/") || image.starts_with("/assets/");
        assert!(is_ours && !image.starts_with("/files/."), "{image}");
    }
    native.as_str().map(str::to_owned)
}

#[tokio::test]
async fn no_dialect_stores_a_hostile_url() {
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    let root = server.admin("root").await;
    let good = "https://example.com/a.png";
    for bad in hostile(&server) {
        let picture = json!({ "avatar_url": bad });
        ann.patch("me", json!({ "avatar_url": good })).await.ok(200);
        ann.patch("me", picture.clone()).await.invalid("avatar_url");
        let path = format!("users/{}", ann.id);
        let reply = root.patch(&path, picture.clone()).await;
        reply.invalid("avatar_url");
        let me = ann.get("me").await.ok(200);
        assert_eq!(me["avatar_url"], good, "{bad}");
        // `realtime` accepts any other path, as its front ends send paths of their own, and stores no avatar.
        for (who, path) in [
            (&ann, "/api/users/auth-user".to_owned()),
            (&root, format!("/api/users/{}", ann.id)),
        ] {
            let reply = who.call("PUT", &path, Some(picture.clone())).await;
            assert!(
                [200, 400].contains(&reply.status.as_u16()),
                "{bad}: {reply}"
            );
            let me = ann.get("me").await.ok(200);
            let is_kept = me["avatar_url"] == good;
            assert!(is_kept || me["avatar_url"].is_null(), "{bad}: {me}");
        }
        let said = ann.say(1, "look").await;
        let link = json!({"filename": "a.pdf", "file_url": bad, "file_size": 9, "public_message_id": id(&said)});
        assert_eq!(ann.post("/api/files", link).await.status, 400, "{bad}");
    }
    assert_eq!(server.count("files"), 0);
}

#[tokio::test]
async fn own_file_urls_are_stored_as_paths_and_shown_absolute() {
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    let path = "/files/7/a.png?k=0.0.x";
    let absolute = format!("http://{}{path}", server.address);
    for address in [path, absolute.as_str()] {
        let me = ann.patch("me", json!({ "avatar_url": address })).await;
        assert_eq!(me.ok(200)["avatar_url"], path);
    }
    let own = ann.get("/api/users/auth-user").await.ok(200);
    assert_eq!(own["user"]["avatar_url"], absolute);
}

#[tokio::test]
async fn hostile_urls_in_the_database_are_not_shown_and_can_be_replaced() {
    let mut server = TestServer::start().await;
    let ann = server.user("ann").await;
    let room = ann.public_room("Kitchen").await;
    let link = json!({"filename": "a.pdf", "file_url": "https://example.com/a.pdf", "file_size": 9,
        "public_message_id": id(&ann.say(1, "look").await)});
    ann.post("/api/files", link).await.ok(201);
    for bad in [
        "/files/../auth/logout",
        "/auth/logout",
        "http://[",
        "javascript:alert(1)",
    ] {
        server.edit_file(&format!(
            "UPDATE users SET avatar_url = '{bad}'; UPDATE rooms SET picture_url = '{bad}'; UPDATE files SET url = '{bad}'"
        ));
        server = server.restart().await;
        assert_eq!(shown_picture(&server, "ann").await, None, "{bad}");
        let ann = server.log_in("ann").await;
        let kitchen = ann.get(&format!("rooms/{room}")).await.ok(200);
        assert_eq!(kitchen["picture_url"], Value::Null, "{bad}");
        let all = ann.history(1).await.to_owned();
        let url = all[0]["files"][0]["url"].as_str().unwrap();
        assert_eq!(url, "http://unusable.invalid/", "{bad}");
        let page = Pages::log_in(&server, "ann").await.read("/settings").await;
        assert!(!page.contains(&format!("src=\"{bad}")), "{bad}");
    }
    let ann = server.log_in("ann").await;
    let good = "https://example.com/a.png";
    ann.patch("me", json!({ "avatar_url": good })).await.ok(200);
    assert_eq!(shown_picture(&server, "ann").await.as_deref(), Some(good));
}

#[tokio::test]
async fn avatar_urls_with_the_host_of_this_server_are_not_shown() {
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    let other = json!({ "avatar_url": "http://chat.lan/auth/logout" });
    ann.patch("me", other).await.ok(200);
    let path = "/api/users/auth-user";
    let elsewhere = ann.get(path).await.ok(200);
    assert_eq!(
        elsewhere["user"]["avatar_url"],
        "http://chat.lan/auth/logout"
    );
    let server = server
        .restart_with(|config| config.server.public_url = Some("http://chat.lan:8080".to_owned()))
        .await;
    let here = ann.at(server.address).get(path).await.ok(200);
    assert_eq!(here["user"]["avatar_url"], Value::Null);
}

#[tokio::test]
async fn a_migration_removes_hostile_avatar_urls() {
    let server = upgraded(include_bytes!("../fixtures/v3.db.gz")).await;
    assert_eq!(shown_picture(&server, "bob").await, None);
    let cat = shown_picture(&server, "cat").await.unwrap();
    assert!(cat.starts_with("/files/"), "{cat}");
    let file = rusqlite::Connection::open(server.db()).unwrap();
    let count = "SELECT count(*) FROM users WHERE avatar_url LIKE '%logout%'";
    let bad: i64 = file.query_row(count, [], |row| row.get(0)).unwrap();
    assert_eq!(bad, 0);
}

#[tokio::test]
async fn page_script_loads_only_files_of_this_server_and_accepts_any_value() {
    let Some(mut node) = foreign::node("globalThis.structuredClone") else {
        return;
    };
    let output = node.arg("tests/clients/addresses.mjs").output().unwrap();
    let (told, errors) = (output.stdout, String::from_utf8_lossy(&output.stderr));
    let told = String::from_utf8(told).unwrap();
    assert!(output.status.success(), "{errors}");
    assert!(told.starts_with("{\"tried\":"), "{told}");
}

#[tokio::test]
async fn replaced_avatars_and_those_of_deleted_accounts_are_gone() {
    let server = TestServer::start().await;
    let (ann, ben, root) = (
        server.user("ann").await,
        server.user("ben").await,
        server.admin("root").await,
    );
    let form = || Form::new().file("me.png", "image/png", picture(8, 8, ImageFormat::Png));
    let put = async |who: &Persona| {
        let me = who.form("PUT", "me/avatar", &form()).await.ok(200);
        me["avatar_url"].as_str().unwrap().to_owned()
    };
    let first = put(&ann).await;
    let second = put(&ann).await;
    root.get(&first).await.refused(404, "not_found");
    assert_eq!(server.anybody().get(&second).await.status, 200);
    ann.delete("me/avatar").await.ok(200);
    root.get(&second).await.refused(404, "not_found");
    assert_ne!(server.anybody().get(&second).await.status, 200);

    let (hers, his) = (put(&ann).await, put(&ben).await);
    let body = Some(json!({ "password": PASSWORD }));
    ann.call("DELETE", "me", body).await.done();
    root.delete(&format!("users/{}", ben.id)).await.done();
    for picture in [hers, his] {
        root.get(&picture).await.refused(404, "not_found");
        assert_ne!(server.anybody().get(&picture).await.status, 200);
    }
}
