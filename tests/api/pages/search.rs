//! The search page and its links to messages.

use crate::support::{Pages, TestServer, between};

#[tokio::test]
async fn search_hits_are_highlighted_and_link_to_the_message() {
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    let message = ann.say(1, "Who has seen the <b>garden</b> gnome?").await;
    let pages = Pages::log_in(&server, "ann").await;
    let page = pages.read("/search?q=garden").await;
    assert!(page.contains("<mark>garden</mark>"), "{page}");
    assert!(page.contains("&#60;b&#62;"), "{page}");
    let way = between(&page, r#"person-row hit" href=""#, "\"");
    assert!(
        way.ends_with(&format!("?at={0}#m{0}", message["id"])),
        "{way}"
    );
    let chat = pages.read(way.split('#').next().unwrap()).await;
    assert!(
        chat.contains(&format!(r#"id="m{}""#, message["id"])),
        "{chat}"
    );
    let page = pages.read("/search?q=nothinglikeit").await;
    assert!(page.contains("Nothing found."), "{page}");
    assert!(!pages.read("/search").await.contains("Nothing found."));
}

#[tokio::test]
async fn private_rooms_of_others_are_not_searched() {
    let server = TestServer::start().await;
    let (ann, _) = (server.user("ann").await, server.user("ben").await);
    let room = ann.private_room("Kitchen").await;
    ann.say(room, "a garden secret").await;
    let ben = Pages::log_in(&server, "ben").await;
    for query in ["garden", "garden+in:kitchen", "in:%23"] {
        let page = ben.read(&format!("/search?q={query}")).await;
        assert!(!page.contains("secret"), "{page}");
    }
}

#[tokio::test]
async fn search_results_are_paged() {
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    for number in 0..35 {
        ann.say(1, &format!("garden {number}")).await;
    }
    let pages = Pages::log_in(&server, "ann").await;
    let page = pages.read("/search?q=garden").await;
    assert_eq!(page.matches("<mark>").count(), 30);
    let next = between(&page, r#"class="button" href="/search"#, "\"");
    let page = pages
        .read(&format!(
            "/search{}",
            next.replace("&#38;", "&").replace("&amp;", "&")
        ))
        .await;
    assert_eq!(page.matches("<mark>").count(), 5);
}

#[tokio::test]
async fn a_query_that_is_too_long_is_refused() {
    let server = TestServer::start().await;
    server.user("ann").await;
    let pages = Pages::log_in(&server, "ann").await;
    let reply = pages.get(&format!("/search?q={}", "a".repeat(301))).await;
    assert!(reply.page(400).contains(r#"role="alert""#), "{reply}");
}

#[tokio::test]
async fn a_chat_opens_around_the_requested_message() {
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    let mut ids = Vec::new();
    for number in 0..80 {
        ids.push(
            ann.say(1, &format!("number {number}.")).await["id"]
                .as_i64()
                .unwrap(),
        );
    }
    let uuid = ann.overview(1).await.unwrap()["uuid"].clone();
    let pages = Pages::log_in(&server, "ann").await;
    let path = format!("/chat/{}", uuid.as_str().unwrap());
    let page = pages.read(&format!("{path}?at={}", ids[30])).await;
    for (number, shown) in [(5, false), (6, true), (30, true), (55, true), (56, false)] {
        let text = format!("number {number}.");
        assert_eq!(page.contains(&text), shown, "{text}: {page}");
    }
    let newest = pages.read(&format!("{path}?at={}", ids[79])).await;
    assert!(newest.contains("number 79."), "{newest}");
    for odd in ["x", "-1", "0", "99999999999999999999"] {
        assert!(
            pages
                .read(&format!("{path}?at={odd}"))
                .await
                .contains("number 79.")
        );
    }
}
