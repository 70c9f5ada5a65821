//! Password links: one-time links that set a new password.

use serde_json::{Value, json};

use super::support::*;

#[tokio::test]
async fn a_password_link_sets_a_password_once_and_ends_all_sessions() {
    let server = TestServer::start().await;
    let (root, ann) = (server.admin("root").await, server.user("ann").await);
    let mut open = ann.connect().await;
    let path = format!("users/{}/password-link", ann.id);
    let first = root.post(&path, json!({})).await.ok(201);
    let link = root.post(&path, json!({})).await.ok(201);
    assert_keys(&link, "user code url expires_at");
    assert_eq!(link["user"]["username"], "ann");
    let code = link["code"].as_str().unwrap();
    assert_eq!(link["url"], format!("/password?code={code}"));
    let nobody = server.anybody();
    let choose = |code: &Value, password: &str| json!({ "code": code, "new_password": password });
    // The second link replaces the first.
    let old = nobody
        .post("auth/password", choose(&first["code"], "another horse"))
        .await;
    old.refused(404, "not_found");
    nobody
        .post("auth/password", choose(&link["code"], "short"))
        .await
        .invalid("new_password");
    nobody
        .post("auth/password", choose(&link["code"], "another horse"))
        .await
        .done();
    assert_eq!(open.closed().await, 4001);
    ann.get("me").await.refused(401, "session_ended");
    let again = nobody
        .post("auth/password", choose(&link["code"], "a third horse"))
        .await;
    again.refused(404, "not_found");
    let log_in = |password: &str| json!({ "username": "ann", "password": password });
    nobody
        .post("auth/login", log_in(PASSWORD))
        .await
        .refused(401, "bad_credentials");
    nobody
        .post("auth/login", log_in("another horse"))
        .await
        .ok(200);
}

#[tokio::test]
async fn only_admins_make_password_links_and_links_expire() {
    let server = TestServer::start().await;
    let (root, ann, guest) = (
        server.admin("root").await,
        server.user("ann").await,
        server.guest("g").await,
    );
    let path = |who: &Persona| format!("users/{}/password-link", who.id);
    ann.post(&path(&root), json!({}))
        .await
        .refused(403, "forbidden");
    root.post(&path(&guest), json!({}))
        .await
        .refused(403, "forbidden");
    root.post("users/999/password-link", json!({}))
        .await
        .refused(404, "not_found");
    let nobody = server.anybody();
    let make = async || root.post(&path(&ann), json!({})).await.ok(201)["code"].clone();
    let use_up = async |code: Value| {
        let body = json!({ "code": code, "new_password": "another horse" });
        nobody.post("auth/password", body).await
    };
    let code = make().await;
    let change = json!({ "current_password": PASSWORD, "new_password": "remembered it" });
    ann.post("me/password", change).await.done();
    use_up(code).await.refused(404, "not_found");
    let code = make().await;
    server.edit_file("UPDATE password_links SET expires_at = 1");
    use_up(code).await.refused(404, "not_found");
    let code = make().await;
    root.delete(&format!("users/{}", ann.id)).await.done();
    use_up(code).await.refused(404, "not_found");
}
