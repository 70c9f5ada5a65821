//! Admin pages and forms, and that other roles cannot use them: accounts, rooms, server overview, invites.

use crate::support::{PASSWORD, Pages, Persona, TestServer, between, submit};

/// Returns the paths of all admin pages.
async fn admin_pages(ann: &Persona) -> Vec<String> {
    let room = ann.private_room("Kitchen").await;
    let room = ann.overview(room).await.unwrap()["uuid"].clone();
    let me = ann.get("me").await.ok(200)["uuid"].clone();
    let mut paths: Vec<_> = ["/groups", "/groups/create", "/users", "/admin"]
        .map(str::to_owned)
        .into();
    paths.push(format!("/groups/{}/edit", room.as_str().unwrap()));
    paths.push(format!("/users/edit/{}", me.as_str().unwrap()));
    paths
}

async fn uuid_of(somebody: &Persona) -> String {
    let me = somebody.get("me").await.ok(200);
    me["uuid"].as_str().unwrap().to_owned()
}

async fn room_uuid(member: &Persona, room: i64) -> String {
    let room = member.overview(room).await.unwrap();
    room["uuid"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn other_roles_are_redirected_with_a_notice() {
    let server = TestServer::start().await;
    server.admin("root").await;
    let ann = server.user("ann").await;
    let paths = admin_pages(&ann).await;
    let people = [
        Pages::log_in(&server, "ann").await,
        Pages::guest(&server, "gus").await,
    ];
    for pages in &people {
        for path in &paths {
            let reply = pages.get(path).await;
            reply.leads_to("/");
            let note = reply.header("set-cookie");
            assert!(note.starts_with("parlor_note=not-allowed;"), "{note}");
        }
        for path in [
            "/groups/create",
            &paths[4],
            &paths[5],
            "/admin/invite",
            "/admin/revoke",
        ] {
            pages.submit(path, &[]).await.leads_to("/");
        }
        for path in [
            "/groups/delete/x",
            "/users/delete/x",
            "/users/sessions/x",
            "/users/password/x",
        ] {
            pages.submit(path, &[]).await.leads_to("/");
        }
    }
    for path in &paths {
        let reply = server.anybody().get(path).await;
        assert_eq!(reply.status, 302);
        assert!(reply.header("location").starts_with("/auth/login?next="));
    }
    assert_eq!(ann.get("me").await.ok(200)["username"], "ann");
}

#[tokio::test]
async fn all_admin_forms_need_a_csrf_token() {
    let server = TestServer::start().await;
    server.admin("root").await;
    let ann = server.user("ann").await;
    let room = ann.private_room("Kitchen").await;
    let (user, room) = (uuid_of(&ann).await, room_uuid(&ann, room).await);
    let root = Pages::log_in(&server, "root").await;
    for path in [
        "/groups/create".to_owned(),
        format!("/groups/{room}/edit"),
        format!("/groups/delete/{room}"),
        format!("/users/edit/{user}"),
        format!("/users/delete/{user}"),
        format!("/users/sessions/{user}"),
        format!("/users/password/{user}"),
        "/admin/invite".to_owned(),
        "/admin/revoke".to_owned(),
    ] {
        let fields = [("name", "x"), ("conv_name", "x"), ("username", "x")];
        submit(&root.client, &path, &fields).await.page(403);
    }
    assert_eq!(ann.get("me").await.ok(200)["username"], "ann");
}

#[tokio::test]
async fn a_private_room_is_created_with_its_first_members() {
    let server = TestServer::start().await;
    server.admin("root").await;
    let (ann, ben) = (server.user("ann").await, server.user("ben").await);
    let (a, b) = (uuid_of(&ann).await, uuid_of(&ben).await);
    let root = Pages::log_in(&server, "root").await;
    let page = root.read("/groups/create").await;
    assert!(page.contains(&format!(r#"name="initial_members" value="{a}""#)));
    let fields = [
        ("conv_name", "Team"),
        ("conv_description", "Work"),
        ("initial_members", &*a),
        ("initial_members", &*b),
        ("initial_members", &*a),
    ];
    root.submit("/groups/create", &fields)
        .await
        .leads_to("/groups");
    let rooms = ann.get("rooms").await.items();
    let team = rooms.iter().find(|room| room["name"] == "Team").unwrap();
    assert_eq!(team["kind"], "private");
    assert_eq!(team["member_count"], 3);
    assert!(team["access_key"].is_null());
    for (fields, status) in [
        (vec![("conv_name", "")], 400),
        (
            vec![("conv_name", "Fine"), ("initial_members", "nonsense")],
            400,
        ),
    ] {
        let reply = root.submit("/groups/create", &fields).await;
        assert!(reply.page(status).contains(r#"role="alert""#), "{reply}");
    }
}

#[tokio::test]
async fn admins_edit_and_delete_all_rooms_except_direct_ones_and_the_lobby() {
    let server = TestServer::start().await;
    let admin = server.admin("root").await;
    let (ann, ben) = (server.user("ann").await, server.user("ben").await);
    let room = ann.private_room("Kitchen").await;
    let direct = ann.direct_room(&ben).await;
    let (uuid, direct) = (room_uuid(&ann, room).await, room_uuid(&ann, direct).await);
    let root = Pages::log_in(&server, "root").await;
    for path in ["/groups", "/admin", "/conversations"] {
        let page = root.read(path).await;
        assert!(page.contains(&uuid), "{path}: {page}");
        assert!(!page.contains(&direct), "{path}: {page}");
    }
    let path = format!("/groups/{uuid}/edit");
    assert!(root.read(&path).await.contains(r#"value="Kitchen""#));
    let fields = [("name", "Pantry"), ("description", "Food")];
    root.submit(&path, &fields).await.leads_to("/groups");
    assert_eq!(ann.overview(room).await.unwrap()["name"], "Pantry");
    root.submit(&path, &[("name", "")]).await.page(400);
    let lobby = room_uuid(&admin, 1).await;
    for fixed in [&lobby, &direct] {
        root.get(&format!("/groups/{fixed}/edit")).await.page(404);
        root.submit(&format!("/groups/delete/{fixed}"), &[])
            .await
            .page(404);
    }
    root.submit(&format!("/groups/delete/{uuid}"), &[])
        .await
        .leads_to("/groups");
    assert!(ann.overview(room).await.is_none());
}

#[tokio::test]
async fn the_user_list_leaves_out_the_caller_and_filters_by_query() {
    let server = TestServer::start().await;
    let admin = server.admin("root").await;
    let ann = server.user("ann").await;
    let root = Pages::log_in(&server, "root").await;
    let page = root.read("/users").await;
    assert!(page.contains(&format!("/users/edit/{}", uuid_of(&ann).await)));
    assert!(!page.contains(&format!("/users/edit/{}", uuid_of(&admin).await)));
    let email = serde_json::json!({ "email": "ann@example.org" });
    ann.patch("me", email).await.ok(200);
    for (query, is_found) in [("AN", true), ("example.org", true), ("nobody", false)] {
        let page = root.read(&format!("/users?q={query}")).await;
        let edit = format!("/users/edit/{}", uuid_of(&ann).await);
        assert_eq!(page.contains(&edit), is_found, "{query}");
        assert_eq!(page.contains("Nobody by that name."), !is_found, "{query}");
    }
}

#[tokio::test]
async fn accounts_are_edited_and_errors_are_shown() {
    let server = TestServer::start().await;
    let admin = server.admin("root").await;
    let ann = server.user("ann").await;
    server.user("ben").await;
    let path = format!("/users/edit/{}", uuid_of(&ann).await);
    let root = Pages::log_in(&server, "root").await;
    let fields = [
        ("username", "anna"),
        ("email", "a@example.org"),
        ("role", "admin"),
    ];
    root.submit(&path, &fields).await.leads_to("/users");
    let user = admin.get(&format!("users/{}", ann.id)).await.ok(200);
    assert_eq!(
        (&user["username"], &user["role"]),
        (&"anna".into(), &"admin".into())
    );
    for (username, email, role, status) in [
        ("ben", "", "user", 409),
        ("b@d", "", "user", 400),
        ("anna", "nonsense", "user", 400),
        ("anna", "", "emperor", 400),
    ] {
        let fields = [("username", username), ("email", email), ("role", role)];
        let reply = root.submit(&path, &fields).await;
        assert!(reply.page(status).contains(r#"role="alert""#), "{reply}");
    }
    let fields = [("username", "anna"), ("email", ""), ("role", "user")];
    root.submit(&path, &fields).await.leads_to("/users");
    let own = format!("/users/edit/{}", uuid_of(&admin).await);
    let fields = [("username", "root"), ("email", ""), ("role", "user")];
    let reply = root.submit(&own, &fields).await;
    assert!(reply.page(409).contains("the last admin"), "{reply}");
    for nobody in ["nonsense", "00000000-0000-4000-8000-000000000000"] {
        root.get(&format!("/users/edit/{nobody}")).await.page(404);
        root.submit(&format!("/users/delete/{nobody}"), &[])
            .await
            .page(404);
    }
}

#[tokio::test]
async fn admins_end_sessions_make_password_links_and_delete_accounts() {
    let server = TestServer::start().await;
    server.admin("root").await;
    let ann = server.user("ann").await;
    let uuid = uuid_of(&ann).await;
    let root = Pages::log_in(&server, "root").await;
    let edit = format!("/users/edit/{uuid}");
    let reply = root.submit(&format!("/users/sessions/{uuid}"), &[]).await;
    reply.leads_to(&edit);
    ann.get("me").await.refused(401, "session_ended");

    let reply = root.submit(&format!("/users/password/{uuid}"), &[]).await;
    let page = root.read(reply.header("location")).await;
    let link = between(&page, r#"id="password-link" readonly value=""#, "\"");
    let path = link.split_once(&server.address.to_string()).unwrap().1;
    let code = path.split_once("code=").unwrap().1;
    let anybody = server.anybody();
    assert!(anybody.get(path).await.page(200).contains("new password"));
    let reply = submit(
        &anybody,
        "/password",
        &[("code", code), ("password", "short")],
    )
    .await;
    assert!(
        reply.page(400).contains(r#"id="password-error""#),
        "{reply}"
    );
    let fields = [("code", code), ("password", "another one")];
    submit(&anybody, "/password", &fields)
        .await
        .leads_to("/auth/login");
    submit(&anybody, "/password", &fields).await.page(404);
    anybody.get(path).await.page(404);
    let fields = [("username", "ann"), ("password", "another one")];
    submit(&anybody, "/auth/login", &fields).await.leads_to("/");

    let reply = root.submit(&format!("/users/delete/{uuid}"), &[]).await;
    reply.leads_to("/users");
    submit(&anybody, "/auth/login", &fields).await.page(401);
    assert!(!root.read("/users").await.contains(&uuid));
}

#[tokio::test]
async fn the_overview_shows_counts_rooms_and_open_dialects() {
    let server = TestServer::start_with(|config| {
        config.compat.open = parlor::config::OpenDialects::All;
    })
    .await;
    server.admin("root").await;
    let ann = server.user("ann").await;
    let room = ann.private_room("Kitchen").await;
    ann.say(room, "a secret").await;
    ann.say(1, "hello").await;
    let root = Pages::log_in(&server, "root").await;
    let page = root.read("/admin").await;
    for text in [
        "This server is open.",
        "komunikator",
        &format!("Parlor {}", env!("CARGO_PKG_VERSION")),
        "<b>2</b>",
        "Kitchen",
    ] {
        assert!(page.contains(text), "{text}: {page}");
    }
    assert!(!page.contains("a secret"), "{page}");
}

#[tokio::test]
async fn server_invites_create_accounts_while_registration_is_closed() {
    let server = TestServer::start_with(|config| {
        config.auth.registration = parlor::config::Registration::Closed;
    })
    .await;
    server.admin("root").await;
    let root = Pages::log_in(&server, "root").await;
    let reply = root
        .submit("/admin/invite", &[("max_uses", "1"), ("hours", "1")])
        .await;
    let way = reply
        .header("location")
        .split('#')
        .next()
        .unwrap()
        .to_owned();
    let page = root.read(&way).await;
    let link = between(&page, r#"id="invite-link" readonly value=""#, "\"");
    let code = link.split_once("code=").unwrap().1.to_owned();
    let reply = root
        .submit("/admin/invite", &[("max_uses", "x"), ("hours", "1")])
        .await;
    reply.page(400);
    let fields = [
        ("code", &*code),
        ("username", "ann"),
        ("password", PASSWORD),
    ];
    let reply = submit(&server.anybody(), "/invite", &fields).await;
    reply.leads_to("/");
    Pages::holding(&server, &reply)
        .await
        .read("/conversations")
        .await;
    let again = [
        ("code", &*code),
        ("username", "ben"),
        ("password", PASSWORD),
    ];
    submit(&server.anybody(), "/invite", &again).await.page(404);
    let id = between(&page, r#"name="invite" value=""#, "\"");
    root.submit("/admin/revoke", &[("invite", id)])
        .await
        .leads_to("/admin");
    root.submit("/admin/revoke", &[("invite", id)])
        .await
        .page(404);
}

#[tokio::test]
async fn admins_outside_a_private_room_cannot_read_its_messages() {
    let server = TestServer::start().await;
    let admin = server.admin("root").await;
    let ann = server.user("ann").await;
    let room = ann.private_room("Kitchen").await;
    let uuid = room_uuid(&ann, room).await;
    ann.say(room, "the secret").await;
    let root = Pages::log_in(&server, "root").await;
    let path = format!("/chat/{uuid}");
    for page in [
        root.get(&path).await,
        root.get(&format!("{path}?newest")).await,
        root.submit(&path, &[("content", "hi")]).await,
        root.submit(&format!("{path}/read"), &[("through", "1")])
            .await,
    ] {
        assert!(!page.page(404).contains("secret"));
    }
    let details = root.read(&format!("/conversations/{uuid}")).await;
    assert!(details.contains("Kitchen") && !details.contains(&path));
    ann.add(room, &admin, "member").await;
    assert!(root.read(&path).await.contains("the secret"));
}

#[tokio::test]
async fn form_values_that_are_not_offered_are_refused() {
    let server = TestServer::start().await;
    server.admin("root").await;
    let ann = server.user("ann").await;
    let number = ann.private_room("Kitchen").await;
    let uuid = room_uuid(&ann, number).await;
    let pages = Pages::log_in(&server, "ann").await;
    let room = format!("/conversations/{uuid}");
    for (path, fields) in [
        ("/settings/notify".to_owned(), vec![("notify", "king")]),
        (format!("{room}/notify"), vec![("notify", "")]),
        (
            format!("{room}/edit"),
            vec![("name", "Kitchen"), ("kind", "direct")],
        ),
    ] {
        let reply = pages.submit(&path, &fields).await;
        let page = reply.page(400);
        assert!(page.contains("is none of those that are offered"), "{path}");
    }
    let ben = server.user("ben").await;
    ann.add(number, &ben, "member").await;
    for (what, field) in [("role", "owner"), ("role", "king"), ("mute", "for ever")] {
        let name = if what == "mute" { "minutes" } else { "role" };
        let user = ben.id.to_string();
        let fields = [("user", user.as_str()), (name, field)];
        let reply = pages.submit(&format!("{room}/{what}"), &fields).await;
        reply.page(400);
    }
}
