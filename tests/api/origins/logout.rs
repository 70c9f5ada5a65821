//! Logging out by GET works for programs and for links on the server's own pages; other GET requests change nothing.

use super::*;

const BROWSER: &str = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140.0";
const NAVIGATION: &str =
    "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8";
const PICTURE: &str = "image/avif,image/webp,image/apng,image/*,*/*;q=0.8";

#[tokio::test]
async fn get_logout_works_only_from_own_pages_and_for_programs() {
    let server = TestServer::start().await;
    server.user("ann").await;
    let own = format!("http://{}/chat/x", server.address);
    let evil = "https://evil.example/";
    let other_port = "http://127.0.0.1:1/";
    let ours_in_path = format!("https://evil.example/http://{}/", server.address);
    let table: [(&[(&'static str, &str)], bool); 14] = [
        (&[], true),
        (&[("accept", "*/*"), ("user-agent", "curl/8.0")], true),
        (&[("accept", "application/json")], true),
        (
            &[
                ("accept", NAVIGATION),
                ("referer", &own),
                ("user-agent", BROWSER),
            ],
            true,
        ),
        // Images and scripts on any page, the server's own pages included.
        (
            &[
                ("accept", PICTURE),
                ("referer", &own),
                ("user-agent", BROWSER),
            ],
            false,
        ),
        (&[("accept", PICTURE), ("referer", evil)], false),
        (&[("accept", PICTURE)], false),
        (&[("accept", "*/*"), ("user-agent", BROWSER)], false),
        (&[("accept", "*/*"), ("referer", &own)], false),
        // Links from other sites, or without a referrer.
        (&[("accept", NAVIGATION), ("referer", evil)], false),
        (&[("accept", NAVIGATION), ("referer", other_port)], false),
        (&[("accept", NAVIGATION), ("referer", &ours_in_path)], false),
        (&[("accept", NAVIGATION)], false),
        (
            &[("accept", NAVIGATION), ("referer", &own), ("origin", evil)],
            false,
        ),
    ];
    for path in ["/auth/logout", "/logout"] {
        for (headers, ends) in table {
            let ann = Pages::log_in(&server, "ann").await;
            let asking = headers
                .iter()
                .fold(ann.client.clone(), |client, (name, value)| {
                    client.with(name, *value)
                });
            let reply = asking.get(path).await;
            let is_over = ann.client.get("me").await.status == 401;
            assert_eq!(is_over, ends, "{path} {headers:?}");
            match ends {
                true => reply.leads_to("/auth/login"),
                false => assert!(
                    !reply.header("set-cookie").contains("Max-Age=0"),
                    "{path} {headers:?}"
                ),
            }
        }
    }
}

#[tokio::test]
async fn get_logout_by_navigation_shows_a_confirmation_form() {
    let server = TestServer::start().await;
    server.user("ann").await;
    let ann = Pages::log_in(&server, "ann").await;
    let navigating = ann.client.clone().with("accept", NAVIGATION);
    let reply = navigating.get("/logout").await;
    let page = reply.page(200);
    assert!(
        page.contains(r#"<form method="post" action="/auth/logout""#),
        "{page}"
    );
    let token = between(page, r#"name="csrf" value=""#, "\"");
    let fields = [("csrf", token)];
    for path in ["/logout", "/auth/logout"] {
        assert_eq!(submit(&ann.client, path, &[]).await.status, 403, "{path}");
    }
    submit(&ann.client, "/auth/logout", &fields)
        .await
        .leads_to("/auth/login");
    ann.get("me").await.refused(401, "session_ended");
}

#[tokio::test]
async fn logout_without_a_session_redirects_to_the_login() {
    let server = TestServer::start().await;
    let picture = server
        .anybody()
        .with("accept", PICTURE)
        .get("/logout")
        .await;
    picture.leads_to("/auth/login");
    assert_eq!(picture.header("set-cookie"), "");
}
