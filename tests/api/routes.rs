//! Every route of every protocol: refusals of wrong methods, and the keys of refusals below `/api`.

use std::collections::{BTreeMap, BTreeSet};

use parlor::server::surfaces;
use serde_json::{Value, json};

use super::support::*;

/// Returns all paths, with `7` for every parameter, and the methods of each.
fn paths() -> BTreeMap<String, BTreeSet<String>> {
    let mut all: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for surface in surfaces() {
        for route in &surface.routes {
            let path = format!("{}{}", surface.prefix, route.path);
            let parts = path.split('/');
            let parts = parts.map(|part| if part.starts_with('{') { "7" } else { part });
            let path = parts.collect::<Vec<_>>().join("/");
            let methods = all.entry(path).or_default();
            methods.insert(route.method.to_string());
        }
    }
    all
}

/// Whether several protocols share the path; native paths below `/api/v1` have errors of their own.
fn is_shared(path: &str) -> bool {
    path.starts_with("/api/") && !path.starts_with("/api/v1/")
}

/// Whether the path belongs to chat_app alone.
fn is_of_chat_app(path: &str) -> bool {
    let words = ["admins", "users", "info", "loaded", "messages/7"];
    words.iter().any(|word| path == format!("/chat/{word}"))
}

/// Whether the path belongs to back_chat and is below no other prefix.
fn is_of_back_chat(path: &str) -> bool {
    let bare = ["/connected_users", "/messages", "/notifications"];
    path.starts_with("/v1/") || path.starts_with("/ws/") || bare.contains(&path)
}

/// Whether the path belongs to team and is no page.
fn is_of_team(path: &str) -> bool {
    let words = ["/token", "/refresh", "/check"];
    let word = path.strip_prefix("/auth").unwrap_or(path);
    words.contains(&word) || path.starts_with("/user/") || path.starts_with("/conversation/")
}

/// Asserts that a refusal has the shape of the surface that the path belongs to.
fn assert_shape(path: &str, reply: &Reply) {
    let text = || serde_json::from_slice::<Value>(&reply.body).unwrap();
    match path {
        _ if is_shared(path) || is_of_team(path) => {
            let said = text();
            assert_keys(&said, "error message msg detail");
            let texts: BTreeSet<_> = said
                .as_object()
                .unwrap()
                .values()
                .map(Value::to_string)
                .collect();
            assert_eq!(texts.len(), 1, "{reply}");
        }
        _ if path.starts_with("/api/v1/") || path.starts_with("/files/") => {
            assert_eq!(
                reply.header("content-type"),
                "application/problem+json",
                "{reply}"
            );
        }
        _ if is_of_back_chat(path) => assert!(text().is_string(), "{reply}"),
        _ if is_of_chat_app(path) => assert_keys(&text(), "msg error"),
        "/healthz" | "/readyz" => assert!(!reply.body.starts_with(b"<"), "{reply}"),
        _ => {
            reply.page(reply.status.as_u16());
        }
    }
}

#[tokio::test]
async fn a_wrong_method_is_refused_with_an_allow_header() {
    let server = TestServer::start().await;
    let root = server.admin("root").await;
    for (path, methods) in paths() {
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "PROPFIND"] {
            if methods.contains(method) {
                continue;
            }
            let body = (method != "GET").then(|| json!({}));
            for client in [&server.anybody(), &*root] {
                // JSON requests to these two belong to chat_app, whatever the method.
                if body.is_some() && ["/auth/login", "/auth/register"].contains(&&*path) {
                    continue;
                }
                let reply = client.call(method, &path, body.clone()).await;
                assert_eq!(reply.status, 405, "{reply}");
                let allow: BTreeSet<_> = reply.header("allow").split(", ").collect();
                assert!(!allow.contains(method), "{allow:?}");
                for right in &methods {
                    assert!(allow.contains(&**right), "{reply}: {allow:?}");
                }
                assert_eq!(allow.contains("HEAD"), methods.contains("GET"), "{reply}");
                assert_shape(&path, &reply);
            }
        }
    }
}

#[tokio::test]
async fn shared_paths_are_refused_in_the_shape_of_the_requested_protocol() {
    let server = TestServer::start().await;
    for path in ["/auth/login", "/auth/register"] {
        let json = server.anybody().call("PUT", path, Some(json!({}))).await;
        assert_keys(&json.ok(405), "msg error");
        server.anybody().call("PUT", path, None).await.page(405);
    }
    server.anybody().post("/", json!({})).await.page(405);
    for (path, allow) in [
        ("/chat/admins", "GET, HEAD, OPTIONS"),
        ("/api/users/auth-user", "GET, HEAD, OPTIONS, PUT"),
        ("/api/users/online", "GET, HEAD, OPTIONS"),
        ("/api/files/upload", "OPTIONS, POST"),
    ] {
        // A literal path is not taken for a path with a parameter.
        let reply = server.anybody().delete(path).await;
        assert_eq!(reply.status, 405, "{reply}");
        assert_eq!(reply.header("allow"), allow, "{path}");
    }
}

#[tokio::test]
async fn all_refusals_below_api_have_the_keys_of_all_protocols() {
    const JSON: Option<&str> = Some("application/json");
    let server = TestServer::start().await;
    let (root, gus) = (server.admin("root").await, server.guest("gus").await);
    let anybody = server.anybody();
    let bad = anybody.clone().token("rubbish");
    let long = format!(r#"{{"content":"{}"}}"#, "x".repeat(70_000));
    let bodies: [(Option<&str>, &[u8]); 8] = [
        (None, b""),
        (Some("text/plain"), b"x"),
        (JSON, b"{"),
        (JSON, b"{}"),
        (JSON, b"[]"),
        (JSON, b"{\"\xff\":1}"),
        (JSON, long.as_bytes()),
        (Some("multipart/form-data"), b"x"),
    ];
    let mut seen = BTreeSet::new();
    for (path, methods) in paths() {
        // Logging out would end the sessions in use.
        if !is_shared(&path) || path.ends_with("/logout") {
            continue;
        }
        for method in &methods {
            for client in [&anybody, &bad, &*gus, &*root] {
                for (content_type, body) in bodies {
                    let path = format!("{path}?room_id=x&limit=x");
                    let reply = client.send(method, &path, content_type, body.to_vec());
                    let reply = reply.await;
                    if reply.status.as_u16() >= 400 {
                        seen.insert(reply.status.as_u16());
                        assert_shape(&path, &reply);
                    }
                }
            }
        }
    }
    for path in [
        "/api",
        "/api/",
        "/api/nothing",
        "/api/docs/clients/nothing",
        "/api/rooms/7",
    ] {
        assert_shape("/api/", &anybody.get(path).await);
    }
    // Every kind of refusal has occurred.
    for status in [400, 401, 403, 404, 413, 415, 422] {
        assert!(seen.contains(&status), "{status} is not in {seen:?}");
    }
}

#[tokio::test]
async fn bodies_that_are_not_utf_8_are_refused() {
    let server = TestServer::start().await;
    let root = server.admin("root").await;
    for (path, key) in [
        ("/api/messages", "content"),
        ("/api/room/create", "room_name"),
        ("/api/v1/rooms", "name"),
        ("/v1/user", "name"),
        ("/auth/token", "email"),
    ] {
        for tail in [
            &b"\"x\xff\":1"[..],
            b"\"x\":\"\xc3\"",
            b"\"x\":[\"\xed\xa0\x80\"]",
        ] {
            let head = format!("{{\"{key}\":\"fine\",");
            let body = [head.as_bytes(), tail, b"}"].concat();
            let reply = root
                .send("POST", path, Some("application/json"), body)
                .await;
            assert_eq!(reply.status, 400, "{reply}");
        }
    }
    let heads: [&[u8]; 2] = [b"name=\"x\xff\"", b"name=\"files\"; filename=\"\xff.txt\""];
    for head in heads {
        let parts: [&[u8]; 5] = [
            b"--b\r\ncontent-disposition: form-data; ",
            head,
            b"\r\n\r\nx\r\n--b\r\ncontent-disposition: form-data; name=\"files\"; filename=\"a.txt\"",
            b"\r\n\r\nx\r\n",
            b"--b--\r\n",
        ];
        let kind = Some("multipart/form-data; boundary=b");
        let reply = root
            .send("POST", "/v1/upload-files/", kind, parts.concat())
            .await;
        assert_eq!(reply.status, 400, "{reply}");
    }
    assert!(root.history(1).await.is_empty());
}
