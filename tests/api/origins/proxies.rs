//! The client address comes from the connection, or from a trusted proxy that names it in a parsable header.

use super::*;

async fn behind_a_proxy() -> TestServer {
    TestServer::start_with(|config| {
        config.server.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()];
    })
    .await
}

#[tokio::test]
async fn a_trusted_proxy_must_name_its_client() {
    let server = behind_a_proxy().await;
    let table: [&[(&'static str, &str)]; 9] = [
        &[],
        &[("x-forwarded-for", "garbage")],
        &[("x-forwarded-for", "")],
        &[("x-forwarded-for", "192.168.1.9, garbage")],
        &[
            ("x-forwarded-for", "192.168.1.9"),
            ("x-forwarded-proto", "garbage"),
        ],
        &[("forwarded", "for=unknown")],
        &[("forwarded", "proto=https")],
        &[("x-real-ip", "garbage")],
        &[("x-forwarded-for", "203.0.113.9, 192.168.1.9")],
    ];
    for headers in table {
        let headers: Vec<_> = headers
            .iter()
            .map(|(name, value)| (*name, (*value).to_owned()))
            .collect();
        let client = with(server.anybody(), &headers);
        let reply = client.post("auth/register", account("eve")).await;
        let problem = reply.refused(403, "registration_closed");
        let detail = problem["detail"].as_str().unwrap();
        assert!(
            detail.contains("server.trusted_proxies"),
            "{headers:?} {detail}"
        );
        assert_eq!(client.get("/api/users").await.status, 401, "{headers:?}");
    }
}

#[tokio::test]
async fn the_address_named_by_a_trusted_proxy_decides_what_is_local() {
    let server = behind_a_proxy().await;
    for (name, value, is_local) in [
        ("x-forwarded-for", "192.168.1.9", true),
        ("x-forwarded-for", "10.0.0.9:4711", true),
        ("x-forwarded-for", "[fd00::9]:4711", true),
        ("x-forwarded-for", "203.0.113.9", false),
        ("x-forwarded-for", "2001:db8::9", false),
        ("x-forwarded-for", "192.168.1.9, 203.0.113.9", false),
        ("forwarded", "for=192.168.1.9;proto=http", true),
        ("forwarded", "for=\"[fd00::9]:4711\"", true),
        ("forwarded", "for=203.0.113.9", false),
        ("x-real-ip", "192.168.1.9", true),
        ("x-real-ip", "203.0.113.9", false),
    ] {
        let client = server.anybody().with(name, value);
        let told = client.get("server").await.ok(200);
        let open = if is_local { "open" } else { "closed" };
        assert_eq!(told["registration"], open, "{name}: {value}");
        let status = client.get("/api/users").await.status;
        assert_eq!(status == 200, is_local, "{name}: {value}");
    }
}

#[tokio::test]
async fn carrier_grade_nat_addresses_are_not_local() {
    let server = behind_a_proxy().await;
    let carrier = server.anybody().with("x-forwarded-for", "100.64.0.9");
    let reply = carrier.post("auth/register", account("eve")).await;
    let problem = reply.refused(403, "registration_closed");
    assert!(
        problem["detail"].as_str().unwrap().contains("auth.open_to"),
        "{reply}"
    );
}

#[tokio::test]
async fn the_first_of_several_schemes_decides_whether_the_cookie_is_secure() {
    let server = TestServer::start().await;
    server.user("ann").await;
    let server = server
        .restart_with(|config| {
            config.server.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()];
        })
        .await;
    for (schemes, secure) in [
        ("https, http", true),
        ("http, https", false),
        ("HTTPS", true),
    ] {
        let browser = server
            .anybody()
            .with("x-forwarded-for", "192.168.1.9")
            .with("x-forwarded-proto", schemes);
        let fields = [("username", "ann"), ("password", PASSWORD)];
        let reply = submit(&browser, "/auth/login", &fields).await;
        reply.leads_to("/");
        let is_secure = reply.header("set-cookie").contains("Secure");
        assert_eq!(is_secure, secure, "{schemes}");
    }
}

#[tokio::test]
async fn a_server_with_a_public_url_still_serves_its_local_address() {
    let server = TestServer::start_with(|config| {
        config.server.public_url = Some("https://chat.example.org".to_owned());
    })
    .await;
    server.user("ann").await;
    let fields = [("username", "ann"), ("password", PASSWORD)];
    let own = format!("http://{}", server.address);
    for (host, origin, secure) in [
        (server.address.to_string(), own.as_str(), false),
        (
            "chat.example.org".to_owned(),
            "https://chat.example.org",
            true,
        ),
        (
            "127.0.0.1:8080".to_owned(),
            "https://chat.example.org",
            true,
        ),
    ] {
        let browser = server.anybody().with("host", host).with("origin", origin);
        let reply = submit(&browser, "/auth/login", &fields).await;
        reply.leads_to("/");
        assert_eq!(
            reply.header("set-cookie").contains("Secure"),
            secure,
            "{origin}"
        );
    }
    let foreign = server.anybody().with("origin", "http://chat.example.org");
    let refused = submit(&foreign, "/auth/login", &fields).await;
    assert!(refused.page(403).contains("server.public_url"));
}
