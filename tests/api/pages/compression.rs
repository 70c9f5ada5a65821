//! Which responses are compressed, and for which clients.

use std::io::Read;

use flate2::read::GzDecoder;
use serde_json::json;

use crate::support::{Client, Form, Pages, Reply, TestServer};

fn unpacked(reply: &Reply) -> Vec<u8> {
    assert_eq!(reply.header("content-encoding"), "gzip", "{reply}");
    let mut text = Vec::new();
    GzDecoder::new(&*reply.body).read_to_end(&mut text).unwrap();
    text
}

fn taking_gzip(client: &Client) -> Client {
    client.clone().with("accept-encoding", "gzip, deflate, br")
}

/// Logs in Ann, who has 300 rooms.
async fn many_rooms(server: &TestServer) -> Pages {
    let ann = server.user("ann").await;
    for n in 0..300 {
        ann.public_room(&format!("Room {n}")).await;
    }
    Pages::log_in(server, "ann").await
}

#[tokio::test]
async fn pages_and_json_are_compressed_if_gzip_is_accepted() {
    let server = TestServer::start().await;
    let ann = many_rooms(&server).await;
    for path in [
        "/conversations",
        "/api/v1/rooms",
        "/api/docs",
        "/api/v1/openapi.json",
        "/api/v1/rooms/public?limit=200",
    ] {
        let plain = ann.client.get(path).await;
        assert_eq!(plain.status, 200);
        assert_eq!(plain.header("content-encoding"), "");
        let packed = taking_gzip(&ann.client).get(path).await;
        assert_eq!(unpacked(&packed), plain.body, "{path}");
        assert!(packed.body.len() * 3 < plain.body.len(), "{path}");
        for reply in [&plain, &packed] {
            assert!(reply.header("vary").contains("accept-encoding"), "{path}");
        }
        assert_eq!(
            packed.header("content-length"),
            packed.body.len().to_string()
        );
        // HEAD has the same headers.
        let head = taking_gzip(&ann.client).call("HEAD", path, None).await;
        assert_eq!(head.header("content-encoding"), "gzip", "{path}");
        assert_eq!(
            head.header("content-length"),
            packed.header("content-length"),
            "{path}"
        );
        assert!(head.body.is_empty());
    }
    let page = taking_gzip(&ann.client).get("/conversations").await;
    eprintln!("a list of 300 rooms: {} bytes", page.body.len());
}

#[tokio::test]
async fn small_and_cross_site_responses_are_not_compressed() {
    let server = TestServer::start().await;
    let ann = many_rooms(&server).await;
    let client = taking_gzip(&ann.client);
    for path in ["/healthz", "/api/v1/me"] {
        let reply = client.get(path).await;
        assert_eq!(reply.header("content-encoding"), "", "{path}");
    }
    // A page of another site could request this again and again and learn its content from the compressed length.
    for (site, encoding) in [
        ("cross-site", ""),
        ("same-site", ""),
        ("same-origin", "gzip"),
        ("none", "gzip"),
    ] {
        let reply = client
            .clone()
            .with("sec-fetch-site", site)
            .get("/search?q=guess")
            .await;
        assert_eq!(reply.header("content-encoding"), encoding, "{site}");
    }
    let refused = client
        .clone()
        .with("accept-encoding", "gzip;q=0")
        .get("/conversations")
        .await;
    assert_eq!(refused.header("content-encoding"), "");
}

#[tokio::test]
async fn files_keep_their_etags_and_ranges_uncompressed() {
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    let text = "the same words again and again ".repeat(1000);
    let form = Form::new().file("words.txt", "text/plain", &text);
    let sent = ann.form("POST", "rooms/1/files", &form).await.ok(201);
    let url = sent["files"][0]["url"].as_str().unwrap().to_owned();
    let client = taking_gzip(&ann);
    let whole = client.get(&url).await;
    assert_eq!(whole.header("content-encoding"), "");
    assert_eq!(whole.body, text.as_bytes());
    let tag = whole.header("etag").to_owned();
    assert!(tag.starts_with('"'));
    let part = client.clone().with("range", "bytes=10-19").get(&url).await;
    assert_eq!((part.status.as_u16(), part.body.len()), (206, 10));
    let known = client.clone().with("if-none-match", tag).get(&url).await;
    assert_eq!(known.status, 304);
    // Error responses are compressed like others.
    let refused = client
        .post("rooms", json!({ "name": "n".repeat(2000) }))
        .await;
    assert_eq!(refused.status, 422);
}
