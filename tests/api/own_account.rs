//! Changing and deleting the own account.

use serde_json::{Value, json};

use super::support::*;

#[tokio::test]
async fn own_account_fields_can_be_changed_one_by_one() {
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    let before = ann.get("me").await.ok(200);
    assert_eq!(ann.patch("me", json!({})).await.ok(200)["username"], "ann");
    let all = json!({ "username": "anna", "display_name": "Anna", "email": "A@x.de", "avatar_url": "https://x.de/a.png" });
    let me = ann.patch("me", all).await.ok(200);
    assert_keys(&me, ME);
    assert_eq!(
        (&me["username"], &me["display_name"]),
        (&json!("anna"), &json!("Anna"))
    );
    assert_eq!(
        (&me["email"], &me["avatar_url"]),
        (&json!("a@x.de"), &json!("https://x.de/a.png"))
    );
    assert_eq!(me["uuid"], before["uuid"]);

    let cleared = ann
        .patch("me", json!({ "email": null, "avatar_url": null }))
        .await
        .ok(200);
    assert_eq!(
        (&cleared["email"], &cleared["avatar_url"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(cleared["display_name"], "Anna");
    // The own role cannot be changed here.
    assert_eq!(
        ann.patch("me", json!({ "role": "admin" })).await.ok(200)["role"],
        "user"
    );
    for (body, field) in [
        (json!({ "username": "" }), "username"),
        (json!({ "display_name": " " }), "display_name"),
        (json!({ "email": "x" }), "email"),
        (json!({ "avatar_url": "javascript:alert(1)" }), "avatar_url"),
    ] {
        ann.patch("me", body).await.invalid(field);
    }
    // The old name is free again, and the new one logs in.
    server.log_in("anna").await;
    server.user("ann").await;
}

#[tokio::test]
async fn a_deleted_account_keeps_its_name_and_frees_its_e_mail_address() {
    let server = TestServer::start().await;
    let body = json!({ "username": "ann", "password": PASSWORD, "email": "a@x.de" });
    let grant = server
        .anybody()
        .post("auth/register", body.clone())
        .await
        .ok(201);
    let ann = Persona::new(server.address, &grant);
    let bob = server.user("bob").await;
    let direct = ann.direct_room(&bob).await;
    ann.say(direct, "bye").await;

    let end = |password: &str| ann.call("DELETE", "me", Some(json!({ "password": password })));
    end("wrong").await.refused(401, "bad_credentials");
    end(PASSWORD).await.done();
    ann.get("me").await.refused(401, "session_ended");
    let login = server
        .anybody()
        .post(
            "auth/login",
            json!({ "username": "ann", "password": PASSWORD }),
        )
        .await;
    login.refused(401, "bad_credentials");
    server
        .anybody()
        .post("auth/register", body.clone())
        .await
        .taken("username");
    let body = json!({ "username": "ann2", "password": PASSWORD, "email": "a@x.de" });
    server.anybody().post("auth/register", body).await.ok(201);

    let said = &bob.history(direct).await[0];
    assert_eq!(
        (&said["sender"]["deleted"], &said["sender"]["display_name"]),
        (&json!(true), &json!("deleted user"))
    );
}

#[tokio::test]
async fn a_guest_account_is_deleted_without_a_password() {
    let server = TestServer::start().await;
    let gus = server.guest("gus").await;
    gus.call("DELETE", "me", Some(json!({}))).await.done();
    gus.get("me").await.refused(401, "session_ended");
}

#[tokio::test]
async fn the_last_admin_cannot_be_deleted_or_demoted() {
    let server = TestServer::start().await;
    let root = server.admin("root").await;
    let myself = format!("users/{}", root.id);
    let end_me = || root.call("DELETE", "me", Some(json!({ "password": PASSWORD })));
    end_me().await.refused(409, "last_admin");
    root.delete(&myself).await.refused(409, "last_admin");
    root.patch(&myself, json!({ "role": "user" }))
        .await
        .refused(409, "last_admin");

    let ann = server.user("ann").await;
    let promoted = root
        .patch(&format!("users/{}", ann.id), json!({ "role": "admin" }))
        .await
        .ok(200);
    assert_eq!(promoted["role"], "admin");
    end_me().await.done();
    let ann = server.log_in(&ann.name).await;
    ann.patch(&format!("users/{}", ann.id), json!({ "role": "user" }))
        .await
        .refused(409, "last_admin");
}
