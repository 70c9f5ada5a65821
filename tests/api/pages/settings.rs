//! Settings by plain forms: profile, password, sessions, picture, notifications, deleting the account.

use image::ImageFormat;

use crate::support::{Form, PASSWORD, Pages, TestServer, picture};

#[tokio::test]
async fn people_change_their_profile() {
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    let pages = Pages::log_in(&server, "ann").await;
    let fields = [
        ("username", "anna"),
        ("display_name", "Anna B."),
        ("email", "anna@example.org"),
    ];
    let reply = pages.submit("/settings/profile", &fields).await;
    reply.leads_to("/settings");
    assert!(reply.header("set-cookie").starts_with("parlor_note=saved;"));
    let me = ann.get("me").await.ok(200);
    assert_eq!(me["username"], "anna");
    assert_eq!(me["display_name"], "Anna B.");
    assert_eq!(me["email"], "anna@example.org");
    let page = pages.read("/settings").await;
    assert!(page.contains(r#"value="anna@example.org""#), "{page}");
    let fields = [
        ("username", "anna"),
        ("display_name", "Anna"),
        ("email", ""),
    ];
    pages.submit("/settings/profile", &fields).await;
    assert!(ann.get("me").await.ok(200)["email"].is_null());
}

#[tokio::test]
async fn errors_are_shown_at_their_form_field() {
    let server = TestServer::start().await;
    server.user("ann").await;
    server.user("ben").await;
    let pages = Pages::log_in(&server, "ann").await;
    for (username, email, status, line) in [
        ("ben", "", 409, "profile-username"),
        ("a@b", "", 400, "profile-username"),
        ("ann", "nonsense", 400, "profile-email"),
    ] {
        let fields = [
            ("username", username),
            ("display_name", "Typed"),
            ("email", email),
        ];
        let reply = pages.submit("/settings/profile", &fields).await;
        let page = reply.page(status);
        assert!(page.contains(&format!(r#"id="{line}-error""#)), "{page}");
        assert!(page.contains(r#"value="Typed""#), "{page}");
    }
}

#[tokio::test]
async fn a_new_password_needs_the_old_one_and_ends_other_sessions() {
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    let pages = Pages::log_in(&server, "ann").await;
    for (current, new, line) in [
        ("wrong", "long enough", "password-current_password"),
        (PASSWORD, "short", "password-new_password"),
    ] {
        let fields = [("current_password", current), ("new_password", new)];
        let reply = pages.submit("/settings/password", &fields).await;
        let page = reply.page(400);
        assert!(page.contains(&format!(r#"id="{line}-error""#)), "{page}");
        assert!(!page.contains(new), "{page}");
    }
    let fields = [
        ("current_password", PASSWORD),
        ("new_password", "long enough"),
    ];
    let reply = pages.submit("/settings/password", &fields).await;
    reply.leads_to("/settings");
    ann.get("me").await.refused(401, "session_ended");
    pages.read("/settings").await;
}

#[tokio::test]
async fn sessions_are_ended_one_by_one_and_all_others() {
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    let (here, there) = (
        Pages::log_in(&server, "ann").await,
        Pages::log_in(&server, "ann").await,
    );
    let page = here.read("/settings").await;
    let uuids: Vec<_> = page
        .split(r#"name="session" value=""#)
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap())
        .collect();
    assert_eq!(uuids.len(), 2, "{page}");
    for uuid in uuids {
        let reply = here
            .submit("/settings/sessions/end", &[("session", uuid)])
            .await;
        reply.leads_to("/settings");
    }
    there.get("/settings").await.page(200);
    assert!(there.read("/settings").await.contains("<h1>Language"));
    ann.get("me").await.refused(401, "session_ended");
    let bad = here
        .submit("/settings/sessions/end", &[("session", "x")])
        .await;
    bad.page(404);
    let again = server.log_in("ann").await;
    let reply = here.submit("/settings/sessions/end-others", &[]).await;
    reply.leads_to("/settings");
    again.get("me").await.refused(401, "session_ended");
    here.read("/conversations").await;
}

#[tokio::test]
async fn a_profile_picture_is_set_and_removed() {
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    let pages = Pages::log_in(&server, "ann").await;
    let png = picture(64, 48, ImageFormat::Png);
    let form = |csrf: &str| {
        let form = Form::new().text("csrf", csrf);
        form.file("me.png", "image/png", &png)
    };
    let path = "/settings/picture";
    let reply = pages.client.form("POST", path, &form("wrong")).await;
    reply.page(403);
    let foreign = pages.client.clone().with("origin", "https://evil.example");
    foreign
        .form("POST", path, &form(&pages.csrf))
        .await
        .page(403);
    let reply = pages.client.form("POST", path, &form(&pages.csrf)).await;
    reply.leads_to("/settings");
    assert!(ann.get("me").await.ok(200)["avatar_url"].is_string());
    let text = Form::new().text("csrf", &pages.csrf);
    let text = text.file("me.txt", "text/plain", "no picture");
    let reply = pages.client.form("POST", path, &text).await;
    assert!(reply.page(400).contains(r#"id="picture-file-error""#));
    let reply = pages.submit("/settings/picture/clear", &[]).await;
    reply.leads_to("/settings");
    assert!(ann.get("me").await.ok(200)["avatar_url"].is_null());
}

#[tokio::test]
async fn notifications_are_set_for_all_rooms_and_for_one() {
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    let room = ann.public_room("Kitchen").await;
    let pages = Pages::log_in(&server, "ann").await;
    let reply = pages
        .submit("/settings/notify", &[("notify", "none")])
        .await;
    reply.leads_to("/settings");
    for id in [1, room] {
        assert_eq!(ann.overview(id).await.unwrap()["notify"], "none");
    }
    // Rooms created later start with the same setting, and other changes to the profile keep it.
    let profile = [("username", "ann"), ("display_name", "Ann"), ("email", "")];
    pages.submit("/settings/profile", &profile).await;
    let later = ann.public_room("Attic").await;
    assert_eq!(ann.overview(later).await.unwrap()["notify"], "none");
    let page = pages.read("/settings").await;
    assert!(page.contains(r#"<option value="none" selected>"#), "{page}");
    let uuid = ann.overview(room).await.unwrap()["uuid"].clone();
    let path = format!("/conversations/{}", uuid.as_str().unwrap());
    let reply = pages
        .submit(&format!("{path}/notify"), &[("notify", "mentions")])
        .await;
    reply.leads_to(&path);
    assert_eq!(ann.overview(room).await.unwrap()["notify"], "mentions");
    assert_eq!(ann.overview(1).await.unwrap()["notify"], "none");
    let reply = pages.submit("/settings/notify", &[("notify", "x")]).await;
    reply.page(400);
}

#[tokio::test]
async fn guests_have_neither_password_nor_picture() {
    let server = TestServer::start().await;
    let guest = Pages::guest(&server, "gus").await;
    let page = guest.read("/settings").await;
    assert!(!page.contains("/settings/password"), "{page}");
    assert!(!page.contains("/settings/picture"), "{page}");
    let fields = [("current_password", ""), ("new_password", "long enough")];
    let reply = guest.submit("/settings/password", &fields).await;
    reply.page(400);
}

#[tokio::test]
async fn people_delete_their_own_account_with_their_password() {
    let server = TestServer::start().await;
    let root = server.admin("root").await;
    let ann = server.user("ann").await;
    ann.say(1, "I was here").await;
    let pages = Pages::log_in(&server, "ann").await;
    assert!(pages.read("/settings").await.contains("/settings/delete"));
    for password in ["", "wrong"] {
        let fields = [("current_password", password)];
        let reply = pages.submit("/settings/delete", &fields).await;
        let page = reply.page(400);
        assert!(
            page.contains(r#"id="delete-current_password-error""#),
            "{page}"
        );
        assert!(page.contains(r#"<details class="more" open>"#), "{page}");
    }
    let fields = [("current_password", PASSWORD)];
    let reply = pages.submit("/settings/delete", &fields).await;
    reply.leads_to("/auth/login");
    ann.get("me").await.refused(401, "session_ended");
    let said = &root.history(1).await[0];
    assert_eq!(said["content"], "I was here");
    assert_eq!(said["sender"]["deleted"], true);
    // Guests have no password; the last admin cannot delete the account.
    let guest = Pages::guest(&server, "gus").await;
    guest
        .submit("/settings/delete", &[])
        .await
        .leads_to("/auth/login");
    let pages = Pages::log_in(&server, "root").await;
    let reply = pages.submit("/settings/delete", &fields).await;
    assert!(
        reply.page(409).contains("This is the last admin."),
        "{reply}"
    );
    root.get("me").await.ok(200);
}

#[tokio::test]
async fn a_flash_message_is_shown_once() {
    let server = TestServer::start().await;
    server.user("ann").await;
    let pages = Pages::log_in(&server, "ann").await;
    let note = |code: &str| {
        let cookie = pages.client.header("cookie");
        let cookie = format!("{cookie}; parlor_note={code}");
        pages.client.clone().with("cookie", cookie)
    };
    let reply = note("saved").get("/settings").await;
    assert!(reply.page(200).contains("Saved."), "{reply}");
    let taken = reply.header("set-cookie");
    assert!(taken.starts_with("parlor_note=;"), "{taken}");
    let reply = note("<b>x</b>").get("/settings").await;
    assert!(!reply.page(200).contains("<b>x"), "{reply}");
    assert!(pages.get("/settings").await.header("set-cookie").is_empty());
}
