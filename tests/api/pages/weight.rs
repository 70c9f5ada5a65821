//! Transfer size of a first visit.

use std::collections::BTreeSet;
use std::io::Read;

use flate2::read::GzDecoder;

use crate::support::{Client, Pages, Reply, TestServer, between};

/// Maximum size of a first view on the wire, in bytes.
const MOST: usize = 100_000;

async fn packed(client: &Client, path: &str) -> Reply {
    let browser = client.clone().with("accept-encoding", "gzip, deflate, br");
    browser.get(path).await
}

fn unpacked(reply: &Reply) -> Vec<u8> {
    let mut text = Vec::new();
    GzDecoder::new(&*reply.body).read_to_end(&mut text).unwrap();
    text
}

#[tokio::test]
async fn assets_are_compressed_if_gzip_is_accepted() {
    let server = TestServer::start().await;
    let anybody = server.anybody();
    let page = anybody.get("/auth/login").await;
    let style = between(page.page(200), r#"rel="stylesheet" href=""#, "\"").to_owned();
    let plain = anybody.get(&style).await;
    let packed = packed(&anybody, &style).await;
    assert_eq!(plain.header("content-encoding"), "");
    assert_eq!(packed.header("content-encoding"), "gzip");
    for reply in [&plain, &packed] {
        assert_eq!(reply.header("vary").to_ascii_lowercase(), "accept-encoding");
    }
    assert_eq!(unpacked(&packed), plain.body);
    assert!(packed.body.len() < plain.body.len() / 2);
}

#[tokio::test]
async fn a_first_view_of_a_busy_chat_is_at_most_100_kb() {
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    for number in 0..60 {
        let text = format!(
            "message {number} {}",
            "of a usual length, with some words in it ".repeat(3)
        );
        ann.say(1, &text).await;
    }
    let uuid = ann.overview(1).await.unwrap()["uuid"].clone();
    let pages = Pages::log_in(&server, "ann").await;
    let reply = packed(&pages.client, &format!("/chat/{}", uuid.as_str().unwrap())).await;
    let page = String::from_utf8(unpacked(&reply)).unwrap();
    let paths: BTreeSet<&str> = page
        .split(['"', '\''])
        .filter(|text| text.starts_with("/assets/"))
        .collect();
    assert!(paths.len() > 2, "{paths:?}");
    let mut weight = reply.body.len();
    for path in paths {
        let reply = packed(&pages.client, path).await;
        assert_eq!(reply.status, 200, "{reply}");
        weight += reply.body.len();
    }
    eprintln!("a first view of a busy chat: {weight} bytes");
    assert!(weight <= MOST, "{weight} bytes");
}
