//! Malformed requests: each gets a problem response and affects nobody else.

use serde_json::json;

use super::support::*;

const JSON: Option<&str> = Some("application/json");
/// Size limit of a request body, in bytes.
const BODY_MAX: usize = 64 * 1024;

#[tokio::test]
async fn invalid_json_is_refused() {
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    let deep = "[".repeat(30_000);
    let deep_in_a_field = format!(r#"{{"content":{deep}"#);
    for text in [
        "",
        " ",
        "{",
        "[]",
        "null",
        "7",
        r#""text""#,
        r#"{"content":}"#,
        r#"{"content":"a"} x"#,
        r#"{"content":"a",}"#,
        r#"{content:"a"}"#,
        "{'content':'a'}",
        "\u{feff}{\"content\":\"a\"}",
        r#"{"content":"a","content":"b"}"#,
        r#"{"content":1e999}"#,
        "{}",
        &deep,
        &deep_in_a_field,
    ] {
        let reply = ann
            .send("POST", "rooms/1/messages", JSON, text.to_owned())
            .await;
        reply.refused(400, "bad_json");
    }
    let not_utf8 = b"{\"content\":\"\xff\xfe\"}".to_vec();
    let reply = ann.send("POST", "rooms/1/messages", JSON, not_utf8).await;
    reply.refused(400, "bad_json");
    assert!(ann.history(1).await.is_empty());
}

#[tokio::test]
async fn lone_surrogates_are_refused_with_the_field() {
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    for (method, path, field) in [
        ("POST", "setup", "username"),
        ("POST", "auth/register", "username"),
        ("POST", "auth/login", "username"),
        ("POST", "auth/guest", "display_name"),
        ("PATCH", "me", "display_name"),
        ("PATCH", "users/1", "username"),
        ("POST", "rooms", "name"),
        ("PATCH", "rooms/1", "description"),
        ("POST", "rooms/1/messages", "content"),
        ("PATCH", "messages/1", "content"),
    ] {
        for lone in [r"\ud800", r"a\udfffb", r"\udc00\ud800"] {
            let mut body =
                json!({ "token": "x", "username": "x", "password": PASSWORD, "name": "x" });
            body[field] = json!("LONE");
            let body = body.to_string().replace("LONE", lone);
            let problem = ann
                .send(method, path, JSON, body)
                .await
                .refused(400, "bad_json");
            assert_eq!(problem["field"], field, "{method} {path}");
        }
    }
    // A surrogate pair is one valid character.
    let body = json!({ "content": "LONE" })
        .to_string()
        .replace("LONE", r"\ud83d\ude00");
    assert_eq!(
        ann.send("POST", "rooms/1/messages", JSON, body)
            .await
            .ok(201)["content"],
        "😀"
    );
}

#[tokio::test]
async fn bodies_of_other_media_types_are_refused() {
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    let body = json!({ "content": "x" }).to_string();
    for kind in [
        None,
        Some(""),
        Some("text/plain"),
        Some("application/x-www-form-urlencoded"),
        Some("application/jsonp"),
        Some("json"),
    ] {
        let reply = ann
            .send("POST", "rooms/1/messages", kind, body.clone())
            .await;
        reply.refused(415, "media_type");
    }
    for kind in [
        "application/json; charset=utf-8",
        "Application/JSON",
        "application/json ;x=y",
    ] {
        ann.send("POST", "rooms/1/messages", Some(kind), body.clone())
            .await
            .ok(201);
    }
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_chunked_or_not() {
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    let padded = |length: usize| {
        let json = r#"{"content":"x"}"#;
        format!("{json}{}", " ".repeat(length - json.len()))
    };
    ann.send("POST", "rooms/1/messages", JSON, padded(BODY_MAX))
        .await
        .ok(201);
    for length in [BODY_MAX + 1, 2 * BODY_MAX, 3_000_000] {
        let reply = ann
            .send("POST", "rooms/1/messages", JSON, padded(length))
            .await;
        reply.refused(413, "too_large");
    }
    for (chunks, status) in [(64, "201 Created"), (65, "413 Payload Too Large")] {
        let head = format!(
            "POST /api/v1/rooms/1/messages HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\nconnection: close\r\n\
             content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n",
            ann.token
        );
        let chunk = |text: &str| format!("{:x}\r\n{text}\r\n", text.len());
        let first = chunk(&padded(1024));
        let rest = chunk(&" ".repeat(1024)).repeat(chunks - 1);
        let answer = raw(server.address, format!("{head}{first}{rest}0\r\n\r\n")).await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status}")),
            "{answer}"
        );
        let is_problem =
            answer.contains("application/problem+json") && answer.contains("too_large");
        assert_eq!(is_problem, chunks == 65, "{answer}");
    }
    assert_eq!(ann.history(1).await.len(), 2);
}

#[tokio::test]
async fn truncated_bodies_and_malformed_requests_store_nothing() {
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    let head = format!(
        "POST /api/v1/rooms/1/messages HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\n",
        ann.token
    );
    for rest in [
        "content-length: 100\r\n\r\n{\"content\":\"x\"}",
        "transfer-encoding: chunked\r\n\r\n10\r\n{\"con",
        "transfer-encoding: chunked\r\n\r\nnonsense\r\n",
    ] {
        hang_up_after(server.address, format!("{head}{rest}")).await;
    }
    for nonsense in [
        "\0\0\0\0",
        "GET\r\n\r\n",
        "GET / HTTP/9.9\r\n\r\n",
        "\u{16}\u{3}\u{1}\u{2}\0\u{1}",
    ] {
        hang_up_after(server.address, nonsense).await;
    }
    assert!(ann.history(1).await.is_empty());
}

#[tokio::test]
async fn unknown_paths_and_invalid_ids_are_not_found() {
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    for path in [
        "/api/v1",
        "/api/v1/",
        "/api/v1/nothing",
        "/api/v1/rooms/1/2/3",
        "/api/v1/rooms/public/x",
        "/api/v1/ROOMS",
        "/api/v1/rooms/0",
        "/api/v1/rooms/-1",
        "/api/v1/rooms/x",
        "/api/v1/rooms/1.0",
        "/api/v1/rooms/1x",
        "/api/v1/rooms/%00",
        "/api/v1/rooms/%ff",
        "/api/v1/rooms/%",
        "/api/v1/rooms/99999999999999999999",
        "/api/v1/rooms/9007199254740993",
        "/api/v1/rooms/1%2fmessages",
        "/api/v1/users/0",
        "/api/v1/messages/x",
        "/api/v1/rooms/1/members/x",
    ] {
        for method in ["GET", "DELETE"] {
            if path != "/api/v1/rooms/1/members/x" || method == "DELETE" {
                ann.send(method, path, None, "")
                    .await
                    .refused(404, "not_found");
            }
        }
    }
    for path in [
        "/api/v1/server/",
        "/api/v1//server",
        "/api/v1/server?x=%ff&&=",
    ] {
        ann.get(path).await.ok(200);
    }
}

#[tokio::test]
async fn unsupported_methods_are_refused_with_an_allow_header() {
    let server = TestServer::start().await;
    for (path, allow) in [
        ("server", "GET, HEAD, OPTIONS"),
        ("setup", "OPTIONS, POST"),
        ("auth/login", "OPTIONS, POST"),
        ("auth/sessions", "DELETE, GET, HEAD, OPTIONS"),
        ("me/password", "OPTIONS, POST"),
        ("rooms", "GET, HEAD, OPTIONS, POST"),
        ("rooms/public", "GET, HEAD, OPTIONS"),
        ("rooms/1", "DELETE, GET, HEAD, OPTIONS, PATCH"),
        ("rooms/1/messages", "GET, HEAD, OPTIONS, POST"),
        ("messages/1", "DELETE, GET, HEAD, OPTIONS, PATCH"),
        ("ws", "GET, HEAD, OPTIONS"),
    ] {
        for method in ["PUT", "TRACE", "BREW"] {
            let reply = server.anybody().send(method, path, None, "").await;
            reply.refused(405, "method_not_allowed");
            assert_eq!(reply.header("allow"), allow, "{path}");
        }
        let options = server.anybody().send("OPTIONS", path, None, "").await;
        assert_eq!(
            (options.status.as_u16(), options.header("allow")),
            (204, allow),
            "{path}"
        );
    }
}

#[tokio::test]
async fn head_returns_the_headers_of_get_without_a_body() {
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    for (path, status) in [("me", 200), ("rooms", 200), ("users/99", 404)] {
        let (get, head) = (ann.get(path).await, ann.send("HEAD", path, None, "").await);
        assert_eq!((head.status.as_u16(), head.body.len()), (status, 0));
        for header in ["content-type", "content-length"] {
            assert_eq!(head.header(header), get.header(header), "{path}");
        }
    }
}

#[tokio::test]
async fn numbers_out_of_range_are_refused_with_the_field() {
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    let room = ann.private_room("ours").await;
    for (path, field) in [
        (format!("rooms/{room}/members"), "user_id"),
        (format!("rooms/{room}/transfer"), "user_id"),
        ("rooms/direct".to_owned(), "user_id"),
        (format!("rooms/{room}/read"), "message_id"),
    ] {
        for number in [
            "99999999999999999999",
            "-99999999999999999999",
            "9223372036854775808",
            "1.5",
            "1e3",
            "\"1\"",
            "null",
            "[1]",
        ] {
            let body = format!(r#"{{"{field}":{number}}}"#);
            let problem = ann
                .send("POST", &path, JSON, body)
                .await
                .refused(400, "bad_json");
            assert_eq!(problem["field"], field, "{path} {number}");
        }
    }
    for user in [0, -1, i64::MAX, i64::MIN, 1 << 53] {
        ann.post("rooms/direct", json!({ "user_id": user }))
            .await
            .refused(404, "not_found");
        ann.post(&format!("rooms/{room}/members"), json!({ "user_id": user }))
            .await
            .refused(404, "not_found");
    }
    for message in [0, -1, i64::MAX, i64::MIN] {
        ann.post("rooms/1/read", json!({ "message_id": message }))
            .await
            .done();
    }
    assert_eq!(ann.overview(1).await.unwrap()["last_read_id"], 0);
}

#[tokio::test]
async fn malformed_headers_are_ignored_and_oversized_ones_refused() {
    let server = TestServer::start().await;
    let get = |headers: &str| {
        format!("GET /api/v1/me HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{headers}\r\n")
    };
    for (headers, status) in [
        ("authorization: Bearer \u{fc}\r\n".to_owned(), "401"),
        ("authorization: \r\n".to_owned(), "401"),
        ("cookie: ;;=;parlor_=x; a\r\n".to_owned(), "401"),
        ("x-forwarded-for: ,,unknown,999.1.1.1\r\n".to_owned(), "401"),
        (format!("x: {}\r\n", "x".repeat(1_000_000)), "431"),
        ("x: y\r\n".repeat(1000), "431"),
    ] {
        let answer = raw(server.address, get(&headers)).await;
        let told = answer.split(' ').nth(1).unwrap_or_default();
        assert_eq!(told, status, "{answer}");
    }
    server.anybody().get("server").await.ok(200);
}

#[tokio::test]
async fn times_outside_the_utc_range_are_refused() {
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    for time in ["9999-12-31T23:59:59-01:00", "0000-01-01T00:00:00+01:00"] {
        let body = json!({ "content": "hi", "sent_at": time });
        let reply = ann.post("rooms/1/messages", body).await;
        assert_eq!(reply.refused(422, "invalid")["field"], "sent_at", "{time}");
    }
}
