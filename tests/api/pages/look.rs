//! Language and theme of pages.

use crate::support::{Pages, TestServer, submit};

#[tokio::test]
async fn pages_use_the_language_of_accept_language() {
    let server = TestServer::start().await;
    for (header, lang, title) in [
        ("de-DE,de;q=0.9,en;q=0.5", "de", "Anmelden"),
        ("en-US,en;q=0.9,de;q=0.5", "en", "Log in"),
        ("fr,ja;q=0.5", "en", "Log in"),
    ] {
        let browser = server.anybody().with("accept-language", header);
        let reply = browser.get("/auth/login").await;
        let page = reply.page(200);
        assert!(page.contains(&format!("<html lang=\"{lang}\"")), "{page}");
        assert!(page.contains(&format!("<h1>{title}</h1>")), "{page}");
    }
}

#[tokio::test]
async fn error_messages_use_the_language_of_accept_language() {
    let server = TestServer::start().await;
    let german = server.anybody().with("accept-language", "de");
    let reply = german.get("/nowhere").await;
    assert!(reply.page(404).contains("Hier ist nichts"), "{reply}");
    let fields = [("username", "a@b"), ("password", "long enough")];
    let reply = submit(&german, "/auth/register", &fields).await;
    let page = reply.page(400);
    assert!(page.contains("Name darf kein @ enthalten."), "{page}");
    let reply = submit(&german, "/auth/login", &fields).await;
    assert!(reply.page(401).contains("Name oder Passwort ist falsch."));
}

#[tokio::test]
async fn script_texts_use_the_language_of_accept_language() {
    let server = TestServer::start().await;
    server.user("ann").await;
    let ann = Pages::log_in(&server, "ann").await;
    let german = ann.client.with("accept-language", "de");
    let reply = german.get("/conversations").await;
    let page = reply.page(200);
    assert!(page.contains("Neuer Versuch"), "{page}");
    assert!(page.contains("Abmelden"), "{page}");
}

#[tokio::test]
async fn the_chosen_language_and_theme_are_kept_in_cookies() {
    let server = TestServer::start().await;
    server.user("ann").await;
    let ann = Pages::log_in(&server, "ann").await;
    let fields = [("lang", "de"), ("theme", "dark")];
    let chosen = [
        ann.submit("/settings/look", &fields).await,
        submit(&server.anybody(), "/settings/look", &fields).await,
    ];
    for reply in chosen {
        reply.leads_to("/settings");
        let cookies: Vec<_> = reply.headers.get_all("set-cookie").iter().collect();
        let cookies: Vec<_> = cookies
            .iter()
            .map(|cookie| cookie.to_str().unwrap().split(';').next().unwrap())
            .collect();
        let expected = ["parlor_note=saved", "parlor_lang=de", "parlor_theme=dark"];
        assert_eq!(cookies, expected);
        let browser = server.anybody().with("cookie", cookies.join("; "));
        let browser = browser.with("accept-language", "en");
        let reply = browser.get("/settings").await;
        let page = reply.page(200);
        let html = r#"<html lang="de" data-theme="dark">"#;
        assert!(page.contains(html), "{page}");
        assert!(page.contains(r#"<option value="dark" selected>"#), "{page}");
    }
}

#[tokio::test]
async fn unknown_languages_and_themes_are_ignored() {
    let server = TestServer::start().await;
    let fields = [("lang", "xx\r\nset-cookie: a=b"), ("theme", "\"><script>")];
    let reply = submit(&server.anybody(), "/settings/look", &fields).await;
    reply.leads_to("/settings");
    for cookie in reply.headers.get_all("set-cookie").iter().skip(1) {
        assert!(cookie.to_str().unwrap().contains("=; "), "{cookie:?}");
    }
    let browser = server.anybody().with("cookie", "parlor_theme=\"><b>");
    let reply = browser.get("/settings").await;
    assert!(reply.page(200).contains(r#"<html lang="en">"#), "{reply}");
}

#[tokio::test]
async fn the_form_is_refused_cross_site_and_without_a_csrf_token() {
    let server = TestServer::start().await;
    server.user("ann").await;
    let ann = Pages::log_in(&server, "ann").await;
    let foreign = server.anybody().with("origin", "https://evil.example");
    submit(&foreign, "/settings/look", &[("lang", "de")])
        .await
        .page(403);
    submit(&ann.client, "/settings/look", &[("lang", "de")])
        .await
        .page(403);
}
