//! The page of a room without scripts: history pages, marking as read, sending files.

use parlor::config::ByteSize;

use crate::support::{Form, Pages, TestServer, between, id};

/// Returns the numbers of the messages on the page.
fn said(page: &str) -> Vec<u32> {
    let texts = page.split("<p dir=\"auto\">number ").skip(1);
    texts
        .map(|rest| rest.split_once('.').unwrap().0.parse().unwrap())
        .collect()
}

#[tokio::test]
async fn a_long_history_is_paged_by_links_from_the_read_cursor() {
    let server = TestServer::start().await;
    let ben = server.user("ben").await;
    let old = ben.say(1, "before ann").await;
    server.user("ann").await;
    for n in 1..=100 {
        ben.say(1, &format!("number {n}.")).await;
    }
    let ann = Pages::log_in(&server, "ann").await;
    let uuid = ben.overview(1).await.unwrap()["uuid"].clone();
    let chat = format!("/chat/{}", uuid.as_str().unwrap());

    let page = ann.read(&chat).await;
    assert_eq!(said(&page), (1..=40).collect::<Vec<_>>());
    assert!(page.find("before ann") < page.find("id=\"new-line\""));
    assert!(page.find("id=\"new-line\"") < page.find("number 1."));
    assert!(!page.contains("?older="), "that is the beginning");
    let newer = between(&page, "<a href=\"?newer=", "\"");
    let page = ann.read(&format!("{chat}?newer={newer}")).await;
    assert_eq!(said(&page), (40..=80).collect::<Vec<_>>());
    let older = between(&page, "<a href=\"?older=", "\"");
    let back = ann.read(&format!("{chat}?older={older}")).await;
    assert_eq!(said(&back), (1..=40).collect::<Vec<_>>());
    assert!(page.contains("<a href=\"?newest\">"));
    let page = ann.read(&format!("{chat}?newest")).await;
    assert_eq!(said(&page), (61..=100).collect::<Vec<_>>());
    assert!(!page.contains("?newer="), "that is the end");

    // Viewing a page does not mark it as read; submitting the form does.
    let page = ann.read(&chat).await;
    let through = between(&page, "name=\"through\" value=\"", "\"");
    let reply = ann
        .submit(&format!("{chat}/read"), &[("through", through)])
        .await;
    reply.leads_to(&chat);
    let page = ann.read(&chat).await;
    assert!(page.find("number 40.") < page.find("id=\"new-line\""));
    assert_eq!(said(&page), (31..=80).collect::<Vec<_>>());
    // `?at=` opens the history at an old message; an unknown id opens the newest page.
    let at = ann.read(&format!("{chat}?at={}", id(&old))).await;
    assert_eq!(said(&at), (1..=25).collect::<Vec<_>>());
    assert!(!at.contains(r#"role="status">The message of this link is not here"#));
    let at = ann.read(&format!("{chat}?at=999999999")).await;
    assert_eq!(said(&at), (76..=100).collect::<Vec<_>>());
    assert!(at.contains(r#"role="status">The message of this link is not here"#));
    let reply = ann
        .submit(&format!("{chat}/read"), &[("through", "x")])
        .await;
    assert_eq!(reply.status, 404);
}

#[tokio::test]
async fn a_form_sends_files_once_and_shows_errors() {
    let server = TestServer::start_with(|config| config.files.max_size = ByteSize(1000)).await;
    let ben = server.user("ben").await;
    server.user("ann").await;
    let ann = Pages::log_in(&server, "ann").await;
    let uuid = ben.overview(1).await.unwrap()["uuid"].clone();
    let chat = format!("/chat/{}", uuid.as_str().unwrap());
    let form = |text: &str, uuid: &str| {
        let form = Form::new().text("csrf", &ann.csrf).text("uuid", uuid);
        form.text("content", text)
    };
    const FIRST: &str = "0191e2c4-0000-7000-8000-000000000001";
    const SECOND: &str = "0191e2c4-0000-7000-8000-000000000002";
    // The same form twice posts one message; an empty file field is no attachment.
    let with_file = form("look", FIRST).file("a.txt", "text/plain", b"text");
    for _ in 0..2 {
        let reply = ann.client.form("POST", &chat, &with_file).await;
        reply.leads_to(&format!("{chat}?newest"));
    }
    let empty = form("no file", SECOND).file("", "application/octet-stream", b"");
    let reply = ann.client.form("POST", &chat, &empty).await;
    reply.leads_to(&format!("{chat}?newest"));
    let sent = ben.history(1).await;
    assert_eq!(sent.len(), 2);
    assert_eq!(sent[0]["files"][0]["name"], "a.txt");
    assert_eq!(sent[1]["content"], "no file");

    // A refused form says why and keeps the text.
    let large = form("keep <me>", "").file("b.bin", "application/octet-stream", vec![7; 2000]);
    let reply = ann.client.form("POST", &chat, &large).await;
    let page = reply.page(413);
    assert!(page.contains("keep &#60;me&#62;"));
    let long = "ä".repeat(4007);
    let reply = ann.submit(&chat, &[("content", &long)]).await;
    let page = reply.page(400);
    assert!(page.contains(&long));
    assert!(page.contains("7 characters too many: a message has at most 4000."));
    // Refused: no CSRF token, or one behind the file part.
    let file = Form::new().file("c.txt", "text/plain", b"text");
    for form in [file.clone(), file.text("csrf", &ann.csrf)] {
        assert_eq!(ann.client.form("POST", &chat, &form).await.status, 403);
    }
    assert_eq!(ben.history(1).await.len(), 2);
    let guest = Pages::guest(&server, "gus").await;
    let form = Form::new().text("csrf", &guest.csrf);
    let form = form.file("d.txt", "text/plain", b"text");
    assert_eq!(guest.client.form("POST", &chat, &form).await.status, 403);
}
