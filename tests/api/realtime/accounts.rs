//! Registering, logging in and out, reading, changing and deleting accounts.

use super::*;

#[tokio::test]
async fn registering_logging_in_and_logging_out() {
    let server = TestServer::start().await;
    let new = json!({"username": "ann", "email": "Ann@Example.org", "password": "long secret", "avatar_url": PICTURE});
    let made = server
        .anybody()
        .post("/api/auth/register", new)
        .await
        .ok(201);
    keys(&made, "message user");
    assert_eq!(made["message"], "User registered successfully");
    keys(&made["user"], USER);
    let shown = [
        &made["user"]["username"],
        &made["user"]["email"],
        &made["user"]["avatar_url"],
    ];
    assert_eq!(shown, ["ann", "ann@example.org", PICTURE]);

    let log_in = async |name: &str, password: &str| {
        let login = json!({"username": name, "password": password});
        server.anybody().post("/api/auth/login", login).await
    };
    refused(&log_in("ann", "y").await, 401, "Invalid credentials");
    refused(
        &log_in("nobody", "long secret").await,
        401,
        "Invalid credentials",
    );
    let grant = log_in("ANN@example.org", "long secret").await.ok(200);
    keys(&grant, "message access_token user");
    assert_eq!(
        (&grant["message"], &grant["user"]),
        (&json!("Login successful"), &made["user"])
    );

    let http = server
        .anybody()
        .token(grant["access_token"].as_str().unwrap());
    let me = http.get("/api/users/auth-user").await.ok(200);
    assert_eq!(me, json!({"user": made["user"]}));
    let gone = http.call("POST", "/api/auth/logout", None).await.ok(200);
    assert_eq!(gone, json!({"message": "Logout successful"}));
    refused(
        &http.get("/api/messages").await,
        401,
        "Token has been revoked",
    );
}

#[tokio::test]
async fn registering_refuses_missing_taken_and_invalid_fields() {
    let server = TestServer::start().await;
    guy(&server, "ann").await;
    let full = json!({"username": "bob", "email": "b@example.org", "password": "long secret"});
    let with = async |field: &str, value: Value| {
        let mut body = full.clone();
        body[field] = value;
        server.anybody().post("/api/auth/register", body).await
    };
    for field in ["username", "email", "password"] {
        refused(
            &with(field, json!("")).await,
            400,
            "Missing required fields",
        );
        refused(
            &with(field, Value::Null).await,
            400,
            "Missing required fields",
        );
    }
    refused(
        &with("username", json!("Ann")).await,
        400,
        "Username already exists",
    );
    refused(
        &with("email", json!("ANN@example.org")).await,
        400,
        "Email already exists",
    );
    for (field, value) in [
        ("email", "b"),
        ("username", "a@b"),
        ("avatar_url", "javascript:x"),
    ] {
        with(field, json!(value)).await.ok(400);
    }
    let login = json!({"username": "ann"});
    refused(
        &server.anybody().post("/api/auth/login", login).await,
        400,
        "Missing required fields",
    );
}

#[tokio::test]
async fn e_mail_addresses_are_hidden_from_guests_and_anonymous_callers() {
    let server = TestServer::start().await;
    let ann = guy(&server, "ann").await;
    let gus = server.guest("gus").await;
    let path = format!("/api/users/{}", ann.id);
    let seen_by = [
        (&ann.http, json!("ann@example.org")),
        (&*gus, Value::Null),
        (&server.anybody(), Value::Null),
    ];
    for (eyes, email) in seen_by {
        let all = eyes.get("/api/users/").await.ok(200);
        keys(&all, "users");
        assert_eq!(all["users"].as_array().unwrap().len(), 2);
        let one = eyes.get(&path).await.ok(200);
        keys(&one, "user");
        keys(&one["user"], USER);
        assert_eq!(one["user"], all["users"][0]);
        assert_eq!(
            (&one["user"]["email"], &one["user"]["username"]),
            (&email, &json!("ann"))
        );
    }
    refused(
        &server.anybody().get("/api/users/999").await,
        404,
        "User not found",
    );
}

#[tokio::test]
async fn accounts_are_changed_by_their_owner_and_by_admins() {
    let server = TestServer::start().await;
    let root = server.admin("root").await;
    let (ann, bob) = (guy(&server, "ann").await, guy(&server, "bob").await);
    let put = async |who: &Client, user: i64, body: Value| {
        who.call("PUT", &format!("/api/users/{user}"), Some(body))
            .await
    };
    refused(&put(&ann.http, 999, json!({})).await, 404, "User not found");
    refused(
        &put(&ann.http, bob.id, json!({"username": "x"})).await,
        403,
        "you may not do that",
    );
    refused(
        &put(&ann.http, ann.id, json!({"username": "bob"})).await,
        400,
        "Username already exists",
    );
    refused(
        &put(&ann.http, ann.id, json!({"email": "bob@example.org"})).await,
        400,
        "Email already exists",
    );
    let changed = put(
        &ann.http,
        ann.id,
        json!({"username": "anna", "avatar_url": PICTURE}),
    )
    .await
    .ok(200);
    keys(&changed, "message user");
    assert_eq!(changed["message"], "User updated successfully");
    let shown = [
        &changed["user"]["username"],
        &changed["user"]["email"],
        &changed["user"]["avatar_url"],
    ];
    assert_eq!(shown, ["anna", "ann@example.org", PICTURE]);
    let changed = put(&root, ann.id, json!({"avatar_url": "", "email": "a@x.de"}))
        .await
        .ok(200);
    assert_eq!(
        (&changed["user"]["avatar_url"], &changed["user"]["email"]),
        (&Value::Null, &json!("a@x.de"))
    );

    let own = ann
        .http
        .call(
            "PUT",
            "/api/users/auth-user",
            Some(json!({"username": "ann"})),
        )
        .await
        .ok(200);
    keys(&own, "message user");
    keys(&own["user"], USER);
    assert_eq!(
        (&own["user"]["username"], &own["message"]),
        (&json!("ann"), &json!("User updated successfully"))
    );
    for bad in ["ftp://example.com/a.png", "/files/a b.png"] {
        refused(
            &put(&ann.http, ann.id, json!({ "avatar_url": bad })).await,
            400,
            "avatar_url must be an http or https address",
        );
    }
}

#[tokio::test]
async fn accounts_are_deleted_by_their_owner_and_by_admins() {
    let server = TestServer::start().await;
    let root = server.admin("root").await;
    let (ann, bob) = (guy(&server, "ann").await, guy(&server, "bob").await);
    let (anns, bobs) = (
        format!("/api/users/{}", ann.id),
        format!("/api/users/{}", bob.id),
    );
    let mut socket = ann.socket().await;
    refused(&ann.http.delete(&bobs).await, 403, "you may not do that");
    refused(
        &ann.http.delete("/api/users/999").await,
        404,
        "User not found",
    );
    let done = json!({"message": "User deleted successfully"});
    assert_eq!(ann.http.delete(&anns).await.ok(200), done);
    assert!(socket.closed().await);
    refused(
        &ann.http.get("/api/messages").await,
        401,
        "Token has been revoked",
    );
    assert_eq!(root.delete(&bobs).await.ok(200), done);
    refused(&root.delete(&bobs).await, 404, "User not found");
    refused(
        &root.delete(&format!("/api/users/{}", root.id)).await,
        409,
        "this is the last admin",
    );
}

#[tokio::test]
async fn a_new_password_needs_the_old_one() {
    let server = TestServer::start().await;
    let ann = guy(&server, "ann").await;
    let change = async |body: Value| {
        ann.http
            .post("/api/users/auth-user/change-password", body)
            .await
    };
    let missing = "Current and new password are required";
    refused(
        &change(json!({"current_password": "long secret"})).await,
        400,
        missing,
    );
    refused(
        &change(json!({"new_password": "even better", "current_password": ""})).await,
        400,
        missing,
    );
    let wrong = json!({"current_password": "wrong", "new_password": "even better"});
    refused(&change(wrong).await, 401, "Current password is incorrect");
    let right = json!({"current_password": "long secret", "new_password": "even better"});
    assert_eq!(
        change(right).await.ok(200),
        json!({"message": "Password changed successfully"})
    );
    let login = json!({"username": "ann", "password": "even better"});
    server
        .anybody()
        .post("/api/auth/login", login)
        .await
        .ok(200);
    ann.http.get("/api/messages").await.ok(200);
}
