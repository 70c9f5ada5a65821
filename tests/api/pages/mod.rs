//! The pages as a browser without scripts sees them: forms, cookies, redirects, headers.

mod admin;
mod chat;
mod compression;
mod entry;
mod invited;
mod keeping;
mod look;
mod markup;
mod search;
mod settings;
mod weight;

use form_urlencoded::Serializer;
use serde_json::json;
use uuid::Uuid;

use crate::support::{Client, PASSWORD, Reply, TestServer};

const FORM: Option<&str> = Some("application/x-www-form-urlencoded");

async fn submit(client: &Client, path: &str, fields: &[(&str, &str)]) -> Reply {
    let body = Serializer::new(String::new()).extend_pairs(fields).finish();
    client.send("POST", path, FORM, body).await
}

/// Registers by the form and returns a client with the session cookie.
async fn enter(server: &TestServer, name: &str) -> Client {
    let fields = [("username", name), ("password", PASSWORD)];
    let reply = submit(&server.anybody(), "/auth/register", &fields).await;
    assert_eq!(
        (reply.status.as_u16(), reply.header("location")),
        (302, "/auth/login")
    );
    let cookie = reply
        .header("set-cookie")
        .split(';')
        .next()
        .unwrap()
        .to_owned();
    server.anybody().with("cookie", cookie)
}

fn text(reply: &Reply) -> &str {
    std::str::from_utf8(&reply.body).unwrap()
}

/// Returns the part of the page between `start` and `end`.
fn between<'a>(page: &'a str, start: &str, end: &str) -> &'a str {
    let rest = page
        .split_once(start)
        .unwrap_or_else(|| panic!("no {start} in {page}"))
        .1;
    rest.split_once(end).unwrap().0
}

async fn csrf(client: &Client) -> String {
    let page = client.get("/rooms").await;
    between(text(&page), r#"<meta name="csrf" content=""#, "\"").to_owned()
}

async fn lobby(client: &Client) -> String {
    let rooms = client.get("rooms").await.ok(200);
    format!("/chat/{}", rooms["items"][0]["uuid"].as_str().unwrap())
}

#[tokio::test]
async fn the_session_cookie_is_http_only_same_site_and_host_only() {
    let server = TestServer::start().await;
    server.user("ann").await;
    let server = server
        .restart_with(|config| {
            config.server.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()];
        })
        .await;
    for (scheme, secure) in [("http", false), ("https", true)] {
        let browser = server.anybody().with("x-forwarded-proto", scheme);
        let fields = [("username", "ann"), ("password", PASSWORD)];
        let reply = submit(&browser, "/auth/login", &fields).await;
        let cookie = reply.header("set-cookie").to_owned();
        assert!(cookie.starts_with("parlor_"), "{cookie}");
        for word in ["HttpOnly", "SameSite=Lax", "Path=/"] {
            assert!(cookie.contains(word), "{cookie}");
        }
        assert_eq!(cookie.contains("Secure"), secure, "{cookie}");
        assert!(!cookie.contains("Domain"), "{cookie}");
    }
}

#[tokio::test]
async fn pages_redirect_to_the_login_and_back() {
    let server = TestServer::start().await;
    server.user("ann").await;
    let anybody = server.anybody();
    for (path, location) in [
        ("/", "/auth/login"),
        ("/conversations", "/auth/login?next=%2Fconversations"),
        ("/people?q=b", "/auth/login?next=%2Fpeople%3Fq%3Db"),
    ] {
        let reply = anybody.get(path).await;
        assert_eq!(
            (reply.status.as_u16(), reply.header("location")),
            (302, location)
        );
    }
    for (next, location) in [
        ("/people?q=b", "/people?q=b"),
        ("", "/"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("https://evil.example", "/"),
    ] {
        let fields = [("username", "ann"), ("password", PASSWORD), ("next", next)];
        let reply = submit(&anybody, "/auth/login", &fields).await;
        assert_eq!(
            (reply.status.as_u16(), reply.header("location")),
            (302, location)
        );
    }
}

#[tokio::test]
async fn login_pages_redirect_people_who_are_logged_in() {
    let server = TestServer::start().await;
    let ann = enter(&server, "ann").await;
    for (path, location) in [
        ("/auth/login", "/"),
        ("/auth/register?next=%2Frooms", "/rooms"),
        ("/auth/guest?next=%2F%2Fevil", "/"),
        ("/", "/conversations"),
    ] {
        let reply = ann.get(path).await;
        assert_eq!(
            (reply.status.as_u16(), reply.header("location")),
            (302, location)
        );
    }
}

#[tokio::test]
async fn failed_forms_show_the_error_and_keep_all_input_but_the_password() {
    let server = TestServer::start().await;
    server.user("ann").await;
    let table = [
        (
            "/auth/login",
            "ann",
            "wrong password",
            401,
            "Wrong name or password.",
        ),
        ("/auth/register", "ann", PASSWORD, 409, "This name is taken"),
        (
            "/auth/register",
            "a@b",
            PASSWORD,
            400,
            "Name must not contain @.",
        ),
        (
            "/auth/register",
            "bob",
            "short",
            400,
            "Password must have at least 8 characters.",
        ),
        ("/auth/guest", "ANN", "", 409, "This name is taken"),
    ];
    for (path, name, password, status, said) in table {
        let fields = [("username", name), ("password", password)];
        let reply = submit(&server.anybody(), path, &fields).await;
        assert_eq!(reply.status, status, "{path}");
        let page = text(&reply);
        assert!(page.contains(said), "{page}");
        assert!(page.contains(&format!("value=\"{name}\"")), "{page}");
        assert!(password.is_empty() || !page.contains(password), "{page}");
        assert_eq!(reply.header("set-cookie"), "");
    }
}

#[tokio::test]
async fn forms_of_other_sites_are_refused() {
    let server = TestServer::start().await;
    let ann = enter(&server, "ann").await;
    let token = csrf(&ann).await;
    for origin in ["https://evil.example", "null"] {
        let there = server.anybody().with("origin", origin);
        let fields = [("username", "bob"), ("password", PASSWORD)];
        assert_eq!(submit(&there, "/auth/register", &fields).await.status, 403);
        let there = ann.clone().with("origin", origin);
        let fields = [("csrf", token.as_str()), ("name", "Trap")];
        assert_eq!(submit(&there, "/rooms/new", &fields).await.status, 403);
    }
    let own = format!("http://{}", server.address);
    let here = ann.clone().with("origin", own);
    let fields = [("csrf", token.as_str()), ("name", "Garden")];
    assert_eq!(submit(&here, "/rooms/new", &fields).await.status, 302);
}

#[tokio::test]
async fn forms_without_the_csrf_token_of_their_session_are_refused() {
    let server = TestServer::start().await;
    let (ann, bob) = (enter(&server, "ann").await, enter(&server, "bob").await);
    let bobs = csrf(&bob).await;
    let chat = lobby(&ann).await;
    for path in [
        "/rooms/new",
        "/rooms/join",
        "/auth/logout",
        "/people/2/chat",
        &chat,
    ] {
        for token in ["", "x", &bobs] {
            let fields = [("csrf", token), ("name", "Trap"), ("content", "trap")];
            assert_eq!(submit(&ann, path, &fields).await.status, 403, "{path}");
        }
    }
}

#[tokio::test]
async fn a_form_posted_twice_sends_one_message() {
    let server = TestServer::start().await;
    let ann = enter(&server, "ann").await;
    let (token, chat) = (csrf(&ann).await, lobby(&ann).await);
    let uuid = Uuid::new_v4().to_string();
    let fields = [
        ("csrf", token.as_str()),
        ("uuid", &uuid),
        ("content", " <hi> "),
    ];
    for _ in 0..2 {
        let reply = submit(&ann, &chat, &fields).await;
        assert_eq!(
            (reply.status.as_u16(), reply.header("location")),
            (302, format!("{chat}?newest").as_str())
        );
    }
    let page = ann.get(&chat).await;
    let shown = "<p dir=\"auto\"> &lt;hi&gt;</p></div>";
    assert_eq!(text(&page).matches(shown).count(), 1);
    // A refused message stays in the input field.
    let long = "x".repeat(4001);
    let fields = [("csrf", token.as_str()), ("content", &long)];
    let reply = submit(&ann, &chat, &fields).await;
    assert_eq!(reply.status, 400);
    assert!(text(&reply).contains(&long));
    assert!(text(&reply).contains("1 character too many: a message has at most 4000."));
}

#[tokio::test]
async fn private_rooms_of_others_are_not_found() {
    let server = TestServer::start().await;
    let (ann, bob) = (enter(&server, "ann").await, server.user("bob").await);
    let room = bob
        .post("rooms", json!({ "name": "Cellar", "kind": "private" }))
        .await
        .ok(201);
    let uuid = room["uuid"].as_str().unwrap();
    for path in [
        format!("/chat/{uuid}"),
        format!("/conversations/{uuid}"),
        format!("/chat/{}", Uuid::new_v4()),
        "/chat/1".to_owned(),
        "/nowhere".to_owned(),
    ] {
        let reply = ann.get(&path).await;
        assert_eq!(reply.status, 404, "{path}");
        assert!(text(&reply).contains("Nothing here") && !text(&reply).contains("Cellar"));
    }
}

#[tokio::test]
async fn the_setup_link_creates_the_first_admin_once() {
    let server = TestServer::start().await;
    let anybody = server.anybody();
    let link = format!("/setup?token={}", server.chat.setup_token().unwrap());
    assert_eq!(anybody.get("/setup").await.status, 403);
    assert_eq!(anybody.get("/setup?token=guessed").await.status, 403);
    let page = anybody.get(&link).await;
    let token = between(text(&page), r#"name="token" value=""#, "\"");
    let fields = [("token", token), ("username", "ann"), ("password", "short")];
    assert_eq!(submit(&anybody, "/setup", &fields).await.status, 400);
    let fields = [
        ("token", token),
        ("username", "ann"),
        ("password", PASSWORD),
    ];
    let reply = submit(&anybody, "/setup", &fields).await;
    assert_eq!(
        (reply.status.as_u16(), reply.header("location")),
        (302, "/")
    );
    let cookie = reply
        .header("set-cookie")
        .split(';')
        .next()
        .unwrap()
        .to_owned();
    let me = anybody
        .clone()
        .with("cookie", cookie)
        .get("me")
        .await
        .ok(200);
    assert_eq!(me["role"], "admin");
    assert_eq!(anybody.get(&link).await.status, 403);
    assert_eq!(submit(&anybody, "/setup", &fields).await.status, 403);
}

#[tokio::test]
async fn logging_out_ends_the_session_by_link_and_by_button() {
    let server = TestServer::start().await;
    for by_link in [true, false] {
        let ann = enter(&server, if by_link { "ann" } else { "bob" }).await;
        let token = csrf(&ann).await;
        let reply = match by_link {
            true => ann.get("/auth/logout").await,
            false => submit(&ann, "/auth/logout", &[("csrf", &token)]).await,
        };
        assert_eq!(
            (reply.status.as_u16(), reply.header("location")),
            (302, "/auth/login")
        );
        assert!(reply.header("set-cookie").contains("Max-Age=0"));
        ann.get("me").await.refused(401, "session_ended");
        assert_eq!(ann.get("/rooms").await.status, 302);
    }
}

#[tokio::test]
async fn pages_have_no_inline_script_or_style_and_a_strict_csp() {
    let server = TestServer::start().await;
    let ann = enter(&server, "<b>ann</b>").await;
    let pages = [
        "/conversations",
        "/rooms",
        "/rooms/new",
        "/people",
        &lobby(&ann).await,
        "/none",
    ];
    let mut replies = vec![server.anybody().get("/auth/login").await];
    for path in pages {
        replies.push(ann.get(path).await);
    }
    for reply in replies {
        let policy = reply.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self'"));
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(reply.header("referrer-policy"), "same-origin");
        assert_eq!(reply.header("x-content-type-options"), "nosniff");
        assert_eq!(reply.header("cache-control"), "no-store");
        let page = text(&reply);
        assert_eq!(
            page.matches("<script").count(),
            page.matches("<script type=\"module\" src=\"/assets/")
                .count()
        );
        for word in [
            " style=",
            "<style",
            " onclick=",
            "javascript:",
            "http://",
            "https://",
            "<b>",
        ] {
            assert!(!page.contains(word), "{word} in {page}");
        }
    }
}

#[tokio::test]
async fn assets_have_versioned_urls_and_are_cached_as_immutable() {
    let server = TestServer::start().await;
    let page = server.anybody().get("/auth/login").await;
    let version = between(text(&page), "href=\"/assets/", "/");
    for (name, kind) in [
        ("base.css", "text/css; charset=utf-8"),
        ("icon.svg", "image/svg+xml"),
        ("main.js", "text/javascript; charset=utf-8"),
    ] {
        let reply = server
            .anybody()
            .get(&format!("/assets/{version}/{name}"))
            .await;
        assert_eq!(
            (reply.status.as_u16(), reply.header("content-type")),
            (200, kind)
        );
        assert_eq!(
            reply.header("cache-control"),
            "public, max-age=31536000, immutable"
        );
    }
    for path in [
        format!("/assets/{version}/none.js"),
        "/assets/0000/base.css".to_owned(),
    ] {
        assert_eq!(server.anybody().get(&path).await.status, 404);
    }
}
