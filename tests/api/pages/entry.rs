//! Login, registration and guest pages under the paths of the team protocol, with and without `/auth`.

use super::*;

#[tokio::test]
async fn bare_paths_serve_the_same_pages() {
    let server = TestServer::start().await;
    let anybody = server.anybody();
    for path in ["/login", "/register", "/guest"] {
        let bare = anybody.get(path).await;
        let auth = anybody.get(&format!("/auth{path}")).await;
        assert_eq!(bare.page(200), auth.page(200), "{path}");
    }
    let ann = [
        ("username", "ann"),
        ("email", "ann@example.org"),
        ("password", PASSWORD),
    ];
    submit(&anybody, "/register", &ann)
        .await
        .leads_to("/auth/login");
    // The login accepts the user name under either field name.
    for name in [("username", "ann"), ("email", "ann@example.org")] {
        let login = submit(&anybody, "/login", &[name, ("password", PASSWORD)]).await;
        login.leads_to("/");
        let cookie = login.header("set-cookie").split(';').next().unwrap();
        let session = anybody.clone().with("cookie", cookie);
        session.get("/conversations").await.page(200);
        session.get("/logout").await.leads_to("/auth/login");
    }
    let guest = [("username", "gus"), ("email", "gus@example.org")];
    submit(&anybody, "/guest", &guest).await.leads_to("/");

    // A form that fails is shown again with an alert.
    for (path, fields, status) in [
        (
            "/login",
            vec![("username", "ann"), ("password", "wrong")],
            401,
        ),
        (
            "/register",
            vec![("username", "ben"), ("password", "short")],
            400,
        ),
        ("/register", ann.to_vec(), 409),
        ("/guest", vec![("username", "gus")], 409),
        (
            "/guest",
            vec![("username", "new"), ("email", "gus@example.org")],
            409,
        ),
    ] {
        let reply = submit(&anybody, path, &fields).await;
        assert!(reply.page(status).contains(r#"role="alert""#), "{path}");
    }
    // JSON is accepted only at `/auth/login` and `/auth/register`, which belong to chat_app.
    for path in ["/login", "/register", "/guest"] {
        anybody.post(path, json!({})).await.page(415);
        let bytes = b"username=%FF&password=x".to_vec();
        let form = Some("application/x-www-form-urlencoded");
        anybody.send("POST", path, form, bytes).await.page(400);
    }
}
