//! Room actions by plain forms: members, roles, muting, editing, adding, invites, deleting.

use serde_json::Value;

use crate::support::{Form, Pages, Persona, TestServer, between, picture};

/// A room owned by Ann, with Ben as a member.
struct House {
    server: TestServer,
    ann: Persona,
    ben: Persona,
    room: i64,
    path: String,
    owner: Pages,
}

impl House {
    async fn new() -> Self {
        let server = TestServer::start().await;
        let (ann, ben) = (server.user("ann").await, server.user("ben").await);
        let room = ann.private_room("Kitchen").await;
        ann.add(room, &ben, "member").await;
        let path = page_of(&ann, room).await;
        let owner = Pages::log_in(&server, "ann").await;
        Self {
            server,
            ann,
            ben,
            room,
            path,
            owner,
        }
    }

    /// Submits one of the page's forms as the owner and expects success.
    async fn do_it(&self, what: &str, fields: &[(&str, &str)]) {
        let path = format!("{}/{what}", self.path);
        self.owner.submit(&path, fields).await.leads_to(&self.path);
    }

    async fn member(&self, who: &Persona) -> Option<Value> {
        let path = format!("rooms/{}/members", self.room);
        let members = self.ann.get(&path).await.items();
        members
            .into_iter()
            .find(|member| member["person"]["id"] == who.id)
    }
}

async fn page_of(member: &Persona, room: i64) -> String {
    let overview = member.overview(room).await.unwrap();
    format!("/conversations/{}", overview["uuid"].as_str().unwrap())
}

#[tokio::test]
async fn owners_change_roles_mute_and_transfer_the_room() {
    let house = House::new().await;
    let ben = house.ben.id.to_string();
    house
        .do_it("role", &[("user", &ben), ("role", "moderator")])
        .await;
    assert_eq!(house.member(&house.ben).await.unwrap()["role"], "moderator");
    house
        .do_it("role", &[("user", &ben), ("role", "member")])
        .await;
    house
        .do_it("mute", &[("user", &ben), ("minutes", "60")])
        .await;
    let body = serde_json::json!({ "content": "hello" });
    let path = format!("rooms/{}/messages", house.room);
    house.ben.post(&path, body).await.refused(403, "muted");
    let page = house.owner.read(&house.path).await;
    assert!(page.contains("Unmute"), "{page}");
    house
        .do_it("mute", &[("user", &ben), ("minutes", "0")])
        .await;
    house.ben.say(house.room, "hello").await;
    house.do_it("transfer", &[("user", &ben)]).await;
    assert_eq!(house.member(&house.ben).await.unwrap()["role"], "owner");
}

#[tokio::test]
async fn owners_add_and_remove_people() {
    let house = House::new().await;
    let eve = house.server.user("eve").await;
    // People who are already in the room are not suggested.
    let page = house.owner.read(&house.path).await;
    let people = between(&page, "<datalist id=\"add-username-list\">", "</datalist>");
    assert_eq!(people, r#"<option value="eve">eve</option>"#);
    house.do_it("add", &[("username", "EVE")]).await;
    assert!(house.member(&eve).await.is_some());
    for (name, status) in [("eve", 409), ("nobody", 404), ("", 404)] {
        let path = format!("{}/add", house.path);
        let reply = house.owner.submit(&path, &[("username", name)]).await;
        assert!(reply.page(status).contains(r#"role="alert""#), "{reply}");
    }
    house.do_it("kick", &[("user", &eve.id.to_string())]).await;
    assert!(house.member(&eve).await.is_none());
}

#[tokio::test]
async fn owners_edit_the_room() {
    let house = House::new().await;
    let fields = [
        ("name", "Cellar"),
        ("description", "Wine"),
        ("kind", "private"),
        ("access_key", "sesame"),
    ];
    house.do_it("edit", &fields).await;
    let room = house.ann.overview(house.room).await.unwrap();
    assert_eq!(room["name"], "Cellar");
    assert_eq!(room["description"], "Wine");
    assert_eq!(room["access_key"], "sesame");
    let fields = [("name", " "), ("description", "Kept"), ("kind", "private")];
    let path = format!("{}/edit", house.path);
    let reply = house.owner.submit(&path, &fields).await;
    let page = reply.page(400);
    assert!(page.contains(r#"id="edit-name-error""#), "{page}");
    assert!(page.contains(">Kept</textarea>"), "{page}");
    let fields = [("name", "Cellar"), ("description", ""), ("kind", "lobby")];
    house.owner.submit(&path, &fields).await.page(400);
    let fields = [("name", "Cellar"), ("description", ""), ("kind", "public")];
    house.do_it("edit", &fields).await;
    let room = house.ann.overview(house.room).await.unwrap();
    assert_eq!(room["kind"], "public");
    assert!(room["access_key"].is_null());
}

#[tokio::test]
async fn a_room_picture_is_set_and_removed() {
    let house = House::new().await;
    let png = picture(32, 32, image::ImageFormat::Png);
    let form = Form::new().text("csrf", &house.owner.csrf);
    let form = form.file("room.png", "image/png", &png);
    let path = format!("{}/picture", house.path);
    let reply = house.owner.client.form("POST", &path, &form).await;
    reply.leads_to(&house.path);
    assert!(house.ann.overview(house.room).await.unwrap()["picture_url"].is_string());
    house.do_it("picture/clear", &[]).await;
    assert!(house.ann.overview(house.room).await.unwrap()["picture_url"].is_null());
}

#[tokio::test]
async fn a_room_invite_is_created_shown_once_and_revoked() {
    let house = House::new().await;
    let fields = [("max_uses", "3"), ("hours", "24")];
    let path = format!("{}/invite", house.path);
    let reply = house.owner.submit(&path, &fields).await;
    assert_eq!(reply.status, 302, "{reply}");
    let way = reply.header("location").to_owned();
    let page = house.owner.read(way.split('#').next().unwrap()).await;
    let link = between(&page, r#"id="invite-link" readonly value=""#, "\"");
    let code = link.split_once("/invite?code=").unwrap().1;
    assert!(link.starts_with(&format!("http://{}", house.server.address)));
    let picture = between(&page, r#"class="qr" src=""#, "\"");
    let picture = house.owner.get(picture).await;
    assert_eq!(picture.header("content-type"), "image/svg+xml");
    assert!(page.contains("0 / 3"), "{page}");
    assert!(!house.owner.read(&house.path).await.contains(code));
    let reply = house
        .owner
        .submit(&path, &[("max_uses", "0"), ("hours", "1")])
        .await;
    assert!(reply.page(400).contains("invite-max_uses-error"), "{reply}");
    let id = between(&page, r#"name="invite" value=""#, "\"");
    house.do_it("revoke", &[("invite", id)]).await;
    let gone = house
        .server
        .anybody()
        .get(&format!("/invite?code={code}"))
        .await;
    assert!(gone.page(404).contains("Ask for a new one"), "{gone}");
}

#[tokio::test]
async fn deleting_a_room_removes_it_for_all_members() {
    let house = House::new().await;
    let reply = house
        .owner
        .submit(&format!("{}/delete", house.path), &[])
        .await;
    reply.leads_to("/conversations");
    assert!(house.ben.overview(house.room).await.is_none());
    house.owner.get(&house.path).await.page(404);
}

#[tokio::test]
async fn members_see_no_owner_forms_and_cannot_submit_them() {
    let house = House::new().await;
    let ben = Pages::log_in(&house.server, "ben").await;
    let page = ben.read(&house.path).await;
    for tool in [
        "/edit",
        "/add",
        "/invite",
        "/mute",
        "/kick",
        "/delete",
        "/transfer",
    ] {
        assert!(!page.contains(&format!("{}{tool}", house.path)), "{tool}");
    }
    let ann = house.ann.id.to_string();
    for (what, fields) in [
        ("add", vec![("username", "eve")]),
        ("kick", vec![("user", ann.as_str())]),
        ("mute", vec![("user", &ann), ("minutes", "60")]),
        ("role", vec![("user", &ann), ("role", "member")]),
        ("transfer", vec![("user", &ann)]),
        ("delete", vec![]),
        ("clear", vec![]),
        ("invite", vec![("max_uses", "1"), ("hours", "1")]),
    ] {
        house.server.user(&format!("eve{what}")).await;
        let reply = ben.submit(&format!("{}/{what}", house.path), &fields).await;
        let refused = [403, 404].contains(&reply.status.as_u16());
        assert!(refused, "{what}: {reply}");
    }
    let fields = [("name", "Mine"), ("description", ""), ("kind", "private")];
    let reply = ben.submit(&format!("{}/edit", house.path), &fields).await;
    reply.page(403);
}

#[tokio::test]
async fn strangers_find_no_private_room() {
    let house = House::new().await;
    house.server.user("eve").await;
    let eve = Pages::log_in(&house.server, "eve").await;
    eve.get(&house.path).await.page(404);
    for what in [
        "join", "leave", "notify", "edit", "add", "kick", "invite", "delete",
    ] {
        let reply = eve.submit(&format!("{}/{what}", house.path), &[]).await;
        reply.page(404);
    }
}

#[tokio::test]
async fn an_admin_manages_a_room_without_its_key() {
    let house = House::new().await;
    let body = serde_json::json!({ "access_key": "sesame" });
    let path = format!("rooms/{}", house.room);
    house.ann.patch(&path, body).await.ok(200);
    house.server.admin("root").await;
    let root = Pages::log_in(&house.server, "root").await;
    let page = root.read(&house.path).await;
    assert!(!page.contains("sesame"), "{page}");
    let fields = [
        ("name", "Pantry"),
        ("description", ""),
        ("kind", "private"),
        ("access_key", ""),
    ];
    let reply = root.submit(&format!("{}/edit", house.path), &fields).await;
    reply.leads_to(&house.path);
    let room = house.ann.overview(house.room).await.unwrap();
    assert_eq!(
        (&room["name"], &room["access_key"]),
        (&"Pantry".into(), &"sesame".into())
    );
    let chat = house.path.replace("/conversations/", "/chat/");
    root.get(&chat).await.page(404);
}
