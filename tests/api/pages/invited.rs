//! The invite page: registering, logging in and joining as a guest all lead into the room.

use serde_json::json;

use crate::support::{PASSWORD, Pages, TestServer, submit};

struct Invited {
    server: TestServer,
    code: String,
    page: String,
    chat: String,
}

impl Invited {
    async fn new() -> Self {
        let server = TestServer::start().await;
        let ann = server.user("ann").await;
        let room = ann.private_room("Kitchen & Co").await;
        let uuid = ann.overview(room).await.unwrap()["uuid"].clone();
        let body = json!({ "room_id": room, "max_uses": 10 });
        let invite = ann.post("invites", body).await.ok(201);
        let code = invite["code"].as_str().unwrap().to_owned();
        Self {
            server,
            page: format!("/invite?code={code}"),
            code,
            chat: format!("/chat/{}", uuid.as_str().unwrap()),
        }
    }
}

#[tokio::test]
async fn the_page_names_the_inviter_and_the_room() {
    let invited = Invited::new().await;
    let reply = invited.server.anybody().get(&invited.page).await;
    let page = reply.page(200);
    assert!(page.contains("ann invites you to the room"), "{page}");
    assert!(page.contains("Kitchen &#38; Co"), "{page}");
    for path in ["/invite", "/invite?code=", "/invite?code=nonsense"] {
        let reply = invited.server.anybody().get(path).await;
        assert!(reply.page(404).contains("Ask for a new one"), "{reply}");
    }
}

#[tokio::test]
async fn registering_with_an_invite_joins_the_room() {
    let invited = Invited::new().await;
    let anybody = invited.server.anybody();
    let fields = [
        ("code", &*invited.code),
        ("username", "ben"),
        ("password", "short"),
    ];
    let reply = submit(&anybody, "/invite", &fields).await;
    let page = reply.page(400);
    assert!(page.contains(r#"id="password-error""#), "{page}");
    assert!(page.contains(r#"value="ben""#), "{page}");
    let fields = [
        ("code", &*invited.code),
        ("username", "ben"),
        ("password", PASSWORD),
    ];
    let reply = submit(&anybody, "/invite", &fields).await;
    reply.leads_to(&invited.chat);
    Pages::holding(&invited.server, &reply)
        .await
        .read(&invited.chat)
        .await;
}

#[tokio::test]
async fn login_guest_and_registration_with_an_invite_lead_into_the_room() {
    let invited = Invited::new().await;
    let server = &invited.server;
    server.user("ben").await;
    for (path, fields) in [
        (
            "/auth/login",
            vec![("username", "ben"), ("password", PASSWORD)],
        ),
        ("/auth/guest", vec![("username", "gus")]),
        (
            "/auth/register",
            vec![("username", "eve"), ("password", PASSWORD)],
        ),
    ] {
        let next = [("next", &*invited.page)];
        let reply = submit(&server.anybody(), path, &[&fields[..], &next].concat()).await;
        reply.leads_to(&invited.chat);
        Pages::holding(server, &reply)
            .await
            .read(&invited.chat)
            .await;
    }
    let fields = [
        ("username", "ben"),
        ("password", PASSWORD),
        ("next", "/invite?code=bad"),
    ];
    submit(&server.anybody(), "/auth/login", &fields)
        .await
        .leads_to("/invite?code=bad");
}

#[tokio::test]
async fn a_logged_in_person_joins_by_invite() {
    let invited = Invited::new().await;
    let server = &invited.server;
    server.user("ben").await;
    let ben = Pages::log_in(server, "ben").await;
    assert!(ben.read(&invited.page).await.contains("Join as ben"));
    let fields = [("code", &*invited.code)];
    submit(&ben.client, "/invite/join", &fields).await.page(403);
    for _ in 0..2 {
        ben.submit("/invite/join", &fields)
            .await
            .leads_to(&invited.chat);
    }
    ben.read(&invited.chat).await;
    ben.submit("/invite/join", &[("code", "bad")])
        .await
        .page(404);
}
