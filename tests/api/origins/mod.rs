//! Which requests count as local and which need a token: pages of other web sites, foreign host names, proxies.

use parlor::config::OpenDialects;
use serde_json::{Value, json};

use super::support::*;

mod logout;
mod people;
mod proxies;
mod settings;

/// Headers that make requests from this machine count as coming from the internet, with the setting that decides it.
fn strangers() -> Vec<(Vec<(&'static str, String)>, &'static str)> {
    let headers = |list: &[(&'static str, &str)]| {
        let owned = |(name, value): &(&'static str, &str)| (*name, (*value).to_owned());
        list.iter().map(owned).collect::<Vec<_>>()
    };
    let origins = [
        "https://evil.example",
        "http://127.0.0.1",
        "http://localhost:1",
        "null",
        "",
    ];
    let hosts = [
        "evil.example",
        "evil.example:8080",
        "chat.lan.evil.example",
        "127.0.0.1.evil.example",
        "EVIL.example.",
        "user@127.0.0.1",
    ];
    let proxies = [
        ("x-forwarded-for", "192.168.1.9"),
        ("x-forwarded-proto", "https"),
        ("forwarded", "for=192.168.1.9"),
        ("x-real-ip", "192.168.1.9"),
    ];
    let of_pages = origins.map(|origin| (headers(&[("origin", origin)]), "cors.trusted_origins"));
    let of_names = hosts.map(|host| (headers(&[("host", host)]), "server.hosts"));
    let rebound = headers(&[
        ("host", "evil.example:8080"),
        ("origin", "http://evil.example:8080"),
    ]);
    let of_proxies = proxies.map(|header| (headers(&[header]), "server.trusted_proxies"));
    let mut all = vec![(rebound, "server.hosts")];
    all.extend(of_pages);
    all.extend(of_names);
    all.extend(of_proxies);
    all
}

fn with(client: Client, headers: &[(&'static str, String)]) -> Client {
    let add = |client: Client, (name, value): &(&'static str, String)| client.with(name, value);
    headers.iter().fold(client, add)
}

fn account(name: &str) -> Value {
    json!({ "username": name, "password": PASSWORD })
}

fn open_everything(config: &mut parlor::config::Config) {
    config.compat.open = OpenDialects::All;
}

#[tokio::test]
async fn strangers_can_neither_register_nor_log_in_as_guests() {
    let server = TestServer::start_with(open_everything).await;
    let people = server.count("users");
    for (headers, setting) in strangers() {
        let stranger = with(server.anybody(), &headers);
        let told = stranger.get("server").await.ok(200);
        let told = [&told["registration"], &told["guests"]];
        assert_eq!(told, [&json!("closed"), &json!(false)], "{headers:?}");

        let reply = stranger.post("auth/register", account("eve")).await;
        let problem = reply.refused(403, "registration_closed");
        assert!(
            problem["detail"].as_str().unwrap().contains(setting),
            "{reply}"
        );
        let guest = json!({ "username": "eve" });
        let reply = stranger.post("auth/guest", guest).await;
        let problem = reply.refused(403, "guests_disabled");
        assert!(
            problem["detail"].as_str().unwrap().contains(setting),
            "{reply}"
        );

        let by_dialects = [
            (
                "/api/register",
                json!({"user_name": "eve", "password": PASSWORD}),
            ),
            (
                "/api/auth/register",
                json!({"username": "eve", "email": "eve@example.org", "password": PASSWORD}),
            ),
            (
                "/auth/register",
                json!({"name": "eve", "email": "eve@example.org", "password": PASSWORD, "role": "user"}),
            ),
            (
                "/auth/register",
                json!({"name": "eve", "email": "eve@example.org", "password": PASSWORD, "role": "admin"}),
            ),
        ];
        for (path, body) in by_dialects {
            let reply = stranger.post(path, body).await;
            assert_eq!(reply.status, 403, "{headers:?} {reply}");
        }
        for (path, fields) in [
            (
                "/auth/register",
                &[("username", "eve"), ("password", PASSWORD)][..],
            ),
            ("/auth/guest", &[("username", "eve")]),
        ] {
            let reply = submit(&stranger, path, fields).await;
            assert_eq!(reply.status, 403, "{headers:?} {reply}");
        }
    }
    assert_eq!(server.count("users"), people);
}

#[tokio::test]
async fn strangers_read_nothing_without_a_token() {
    let server = TestServer::start_with(open_everything).await;
    let root = server.admin("root").await;
    let said = id(&root.say(1, "hello").await);
    let invite = root.post("invites", json!({})).await.ok(201);
    let code = invite["code"].as_str().unwrap();
    let uuid = root.get("rooms/1").await.ok(200)["uuid"].clone();
    let paths = [
        "/api/users".to_owned(),
        format!("/api/users/{}", root.id),
        format!("/api/files/public/{said}"),
        "/chat/admins".to_owned(),
        "/chat/users".to_owned(),
        "/api/rooms".to_owned(),
        "/api/room?room_id=1".to_owned(),
        "/api/user/list?room_id=1".to_owned(),
        "/api/user_list?room_id=1".to_owned(),
        "/api/chat_history?room_id=1".to_owned(),
        "/v1/users".to_owned(),
        "/v1/messages".to_owned(),
        "/v1/connected-users".to_owned(),
        "/ws/connected_users".to_owned(),
        "/connected_users".to_owned(),
        format!("invites/{code}"),
        format!("invites/{code}/qr"),
    ];
    let closed = [
        "rooms".to_owned(),
        "users".to_owned(),
        "search?q=a".to_owned(),
        "rooms/1/messages".to_owned(),
        format!("/conversation/{}/messages", uuid.as_str().unwrap()),
        "/api/messages".to_owned(),
        "/chat/loaded".to_owned(),
    ];
    for path in &paths {
        let reply = server.anybody().get(path).await;
        assert_eq!(reply.status, 200, "the local network: {reply}");
    }
    for (headers, _) in strangers() {
        let stranger = with(server.anybody(), &headers);
        for path in paths.iter().chain(&closed) {
            let reply = stranger.get(path).await;
            assert_eq!(reply.status, 401, "{headers:?} {reply}");
        }
        // With a token they are answered as usual.
        let known = stranger.token(&root.token);
        for path in &paths {
            let reply = known.get(path).await;
            assert_eq!(reply.status, 200, "{headers:?} {reply}");
        }
    }
}

#[tokio::test]
async fn strangers_change_nothing_without_a_token() {
    let server = TestServer::start_with(open_everything).await;
    let (root, ann) = (server.admin("root").await, server.user("ann").await);
    root.say(1, "hello").await;
    let requests = [
        ("POST", "/v1/user".to_owned(), json!({"name": "eve"})),
        (
            "PUT",
            format!("/v1/users/{}", ann.id),
            json!({"name": "eve"}),
        ),
        ("DELETE", format!("/v1/users/{}", ann.id), json!({})),
        ("DELETE", "/v1/messages".to_owned(), json!({})),
        (
            "PUT",
            format!("/api/users/{}", ann.id),
            json!({"username": "eve"}),
        ),
        ("DELETE", format!("/api/users/{}", ann.id), json!({})),
    ];
    for (headers, _) in strangers() {
        let stranger = with(server.anybody(), &headers);
        for (method, path, body) in &requests {
            let reply = stranger.call(method, path, Some(body.clone())).await;
            assert_eq!(reply.status, 401, "{headers:?} {reply}");
        }
    }
    assert_eq!(ann.get("me").await.ok(200)["username"], "ann");
    assert_eq!(ann.history(1).await.len(), 1);
    assert_eq!(server.count("users"), 2);
}

#[tokio::test]
async fn strangers_open_no_socket_without_a_token() {
    let server = TestServer::start_with(open_everything).await;
    let ann = server.user("ann").await;
    assert!(
        EventSocket::try_open(server.address, json!({}))
            .await
            .is_ok()
    );
    for (headers, _) in strangers() {
        let refused = RawSocket::try_open_with(server.address, "/", &headers).await;
        assert_eq!(refused.err(), Some(401), "{headers:?}");
        let refused = EventSocket::try_open_with(server.address, json!({}), &headers).await;
        assert!(
            refused.is_err_and(|why| why.starts_with("not logged in")),
            "{headers:?}"
        );
        let polling = Poller::begin_as(with(server.anybody(), &headers)).await;
        polling.say("40{}").await;
        let heard = polling.hear().await.concat();
        assert!(heard.starts_with("44"), "{headers:?} {heard}");
        // The same headers with a token are accepted.
        let path = format!("/?token={}", ann.token);
        RawSocket::try_open_with(server.address, &path, &headers)
            .await
            .unwrap();
        let auth = json!({ "token": ann.token });
        EventSocket::try_open_with(server.address, auth, &headers)
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn front_ends_elsewhere_log_in_and_work_with_their_token() {
    let server = TestServer::start().await;
    server.user("ann").await;
    for (headers, _) in strangers() {
        let there = with(server.anybody(), &headers);
        let grant = there.post("auth/login", account("ann")).await.ok(200);
        let known = there.token(grant["access_token"].as_str().unwrap());
        known
            .post("rooms/1/messages", json!({ "content": "hi" }))
            .await
            .ok(201);
    }
}

#[tokio::test]
async fn a_cookie_is_accepted_from_its_own_origin_only() {
    let server = TestServer::start().await;
    server.user("ann").await;
    let ann = Pages::log_in(&server, "ann").await.client;
    for origin in ["https://evil.example", "http://127.0.0.1:1", "null", ""] {
        let there = ann.clone().with("origin", origin);
        there.get("me").await.refused(401, "unauthenticated");
        assert_eq!(there.get("/rooms").await.status, 302, "{origin}");
        let handshake = [
            ("origin", origin.to_owned()),
            ("cookie", ann.header("cookie").to_owned()),
        ];
        let mut socket = Socket::try_open(server.address, &handshake).await.unwrap();
        socket
            .send_raw(json!({"op": "ping"}).to_string().into())
            .await;
        let refusal = socket.next("the refusal").await;
        assert_eq!(refusal["error"]["code"], "unauthenticated", "{origin}");
    }
    let here = ann.with("origin", format!("http://{}", server.address));
    here.get("me").await.ok(200);
}

#[tokio::test]
async fn people_log_in_on_the_page_under_any_name() {
    let server = TestServer::start().await;
    server.user("ann").await;
    let page = server
        .anybody()
        .with("host", "chat.example.org")
        .with("origin", "http://chat.example.org");
    let fields = [("username", "ann"), ("password", PASSWORD)];
    let reply = submit(&page, "/auth/login", &fields).await;
    reply.leads_to("/");
    let cookie = reply.header("set-cookie").split(';').next().unwrap();
    let ann = page.with("cookie", cookie);
    let csrf = between(
        ann.get("/rooms").await.page(200),
        r#"<meta name="csrf" content=""#,
        "\"",
    )
    .to_owned();
    let fields = [("csrf", csrf.as_str()), ("name", "Garden")];
    assert_eq!(submit(&ann, "/rooms/new", &fields).await.status, 302);
    // The login page does not offer registration, and the refusal names the setting.
    let stranger = server.anybody().with("host", "chat.example.org");
    let login = stranger.get("/auth/login").await;
    assert!(!login.page(200).contains("/auth/register"));
    let fields = [("username", "eve"), ("password", PASSWORD)];
    let refused = submit(&stranger, "/auth/register", &fields).await;
    assert!(refused.page(403).contains("server.hosts"));
}

#[tokio::test]
async fn local_network_host_names_are_local() {
    let server = TestServer::start().await;
    for (n, host) in [
        "localhost:8080",
        "nas",
        "NAS:8080",
        "chat.local",
        "chat.lan:8080",
        "Chat.LAN.:8080",
        "chat.home.arpa",
        "chat.internal",
        "192.168.1.2:8080",
        "[::1]:8080",
        "[fe80::1%25eth0]:8080",
    ]
    .into_iter()
    .enumerate()
    {
        let origin = format!("http://{host}");
        let page = server.anybody().with("host", host).with("origin", origin);
        let name = format!("user{n}");
        page.post("auth/register", account(&name)).await.ok(201);
        assert_eq!(page.get("/api/users").await.status, 200, "{host}");
    }
}

#[tokio::test]
async fn a_request_without_one_host_is_not_local() {
    let server = TestServer::start().await;
    let address = server.address;
    for hosts in [
        "HTTP/1.0\r\n".to_owned(),
        format!("HTTP/1.1\r\nhost: {address}\r\nhost: {address}\r\n"),
    ] {
        let request = format!("GET /api/v1/server {hosts}connection: close\r\n\r\n");
        let answer = raw(address, request).await;
        assert!(!answer.contains(r#""registration":"open""#), "{answer}");
    }
}

#[tokio::test]
async fn responses_carry_cross_origin_and_permissions_policies() {
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    let file = ann.upload(1, "a.txt", "text/plain", "hello").await.ok(201);
    let file = url(&only_file(&file)).to_owned();
    for (path, shared) in [
        ("/auth/login", "same-origin"),
        ("/api/v1/server", "same-origin"),
        ("/nothing", "same-origin"),
        (&file, "same-origin"),
    ] {
        let reply = ann.get(path).await;
        assert_eq!(
            reply.header("cross-origin-resource-policy"),
            shared,
            "{path}"
        );
        assert_eq!(
            reply.header("cross-origin-opener-policy"),
            "same-origin",
            "{path}"
        );
        assert!(
            reply.header("permissions-policy").contains("camera=()"),
            "{path}"
        );
    }
    // Front ends of other origins embed files by their signed URL.
    let told = ann.get("/api/chat_history?room_id=1").await.ok(200);
    let signed = told[0]["message"].as_str().unwrap();
    let signed = &signed[signed.find("/files/").unwrap()..];
    let shown = server.anybody().get(signed).await;
    assert_eq!(shown.status, 200, "{shown}");
    assert_eq!(shown.header("cross-origin-resource-policy"), "cross-origin");
    // Browsers ignore this header on plain HTTP other than localhost, and log a warning.
    let lan = server.anybody().with("host", "chat.lan");
    assert_eq!(
        lan.get("/auth/login")
            .await
            .header("cross-origin-opener-policy"),
        ""
    );
}
