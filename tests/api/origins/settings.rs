//! Settings that widen what counts as local: trusted origins, hosts and `auth.open_to`.

use parlor::config::{Hosts, OriginList};

use super::*;

const FRONT: &str = "http://front.example:3000";

#[tokio::test]
async fn a_trusted_origin_may_register_and_read_open_lists() {
    let server = TestServer::start_with(|config| {
        config.cors.trusted_origins = OriginList(vec![FRONT.to_owned()]);
    })
    .await;
    let front = server.anybody().with("origin", FRONT);
    front.post("auth/register", account("ann")).await.ok(201);
    let guest = json!({ "username": "gus" });
    front.post("auth/guest", guest).await.ok(201);
    assert_eq!(front.get("/api/users").await.status, 200);
    for other in ["http://front.example", "https://front.example:3000"] {
        let other = server.anybody().with("origin", other);
        let reply = other.post("auth/register", account("bob")).await;
        reply.refused(403, "registration_closed");
    }
    // A trusted origin under a foreign host name is not local, and its forms and cookies are never accepted.
    let rebound = front.clone().with("host", "evil.example");
    let reply = rebound.post("auth/register", account("bob")).await;
    reply.refused(403, "registration_closed");
    let fields = [("username", "ann"), ("password", PASSWORD)];
    assert_eq!(submit(&front, "/auth/login", &fields).await.status, 403);
    let ann = Pages::log_in(&server, "ann").await.client;
    let there = ann.with("origin", FRONT);
    there.get("me").await.refused(401, "unauthenticated");
}

#[tokio::test]
async fn hosts_in_the_config_are_local() {
    let server = TestServer::start_with(|config| {
        config.server.hosts = Hosts(vec!["chat.example.org".to_owned()]);
        config.server.public_url = Some("http://talk.example.org:8080".to_owned());
    })
    .await;
    for (n, host) in [
        "chat.example.org",
        "CHAT.example.org.:8080",
        "talk.example.org",
    ]
    .into_iter()
    .enumerate()
    {
        let page = server.anybody().with("host", host);
        let name = format!("user{n}");
        page.post("auth/register", account(&name)).await.ok(201);
    }
    for host in ["example.org", "a.chat.example.org"] {
        let page = server.anybody().with("host", host);
        let reply = page.post("auth/register", account("eve")).await;
        reply.refused(403, "registration_closed");
    }
}

#[tokio::test]
async fn open_to_any_allows_registration_but_not_open_lists() {
    let server = TestServer::start_with(|config| {
        config.auth.open_to = parlor::config::Reach::Any;
    })
    .await;
    for (n, (headers, _)) in strangers().into_iter().enumerate() {
        let stranger = with(server.anybody(), &headers);
        let name = format!("user{n}");
        stranger.post("auth/register", account(&name)).await.ok(201);
        assert_eq!(stranger.get("/api/users").await.status, 401, "{headers:?}");
    }
}
