//! The page of a room without script: its history piece by piece, and what one says one has read.

use crate::support::{Pages, TestServer, between, id};

/// Which of the things that were said stand on the page.
fn said(page: &str) -> Vec<u32> {
    let texts = page.split("<p dir=\"auto\">number ").skip(1);
    texts
        .map(|rest| rest.split_once('.').unwrap().0.parse().unwrap())
        .collect()
}

#[tokio::test]
async fn a_long_history_is_read_by_links_from_where_reading_stopped() {
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

    // What was looked at is not read before one says so.
    let page = ann.read(&chat).await;
    let through = between(&page, "name=\"through\" value=\"", "\"");
    let reply = ann
        .submit(&format!("{chat}/read"), &[("through", through)])
        .await;
    reply.leads_to(&chat);
    let page = ann.read(&chat).await;
    assert!(page.find("number 40.") < page.find("id=\"new-line\""));
    assert_eq!(said(&page), (31..=80).collect::<Vec<_>>());
    // Far ones are led to by a link as well; a link that leads nowhere leads to the end.
    let at = ann.read(&format!("{chat}?at={}", id(&old))).await;
    assert_eq!(said(&at), (1..=25).collect::<Vec<_>>());
    let at = ann.read(&format!("{chat}?at=999999999")).await;
    assert_eq!(said(&at), (76..=100).collect::<Vec<_>>());
    let reply = ann
        .submit(&format!("{chat}/read"), &[("through", "x")])
        .await;
    assert_eq!(reply.status, 404);
}
