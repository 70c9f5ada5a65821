//! Opening a session, and requests that are refused.

use serde_json::json;

use crate::client::{Poller, Socket, exchange, get, refusal, request};
use crate::server::{BOTH, SOCKET, start, start_with};
use parlor::transport::engineio::{Config, Origins};

#[tokio::test(start_paused = true)]
async fn polling_opens_a_session_that_can_upgrade() {
    let server = start().await;
    for path in BOTH {
        let opened = Poller::open(server.addr, path).await.opened;
        let sid = opened["sid"].as_str().unwrap();
        let wanted = json!({
            "sid": sid, "upgrades": ["websocket"],
            "pingInterval": 25_000, "pingTimeout": 20_000, "maxPayload": 1_000_000,
        });
        assert_eq!(opened, wanted);
        assert_eq!(sid.len(), 20);
    }
}

#[tokio::test(start_paused = true)]
async fn a_websocket_opens_a_session_without_upgrades() {
    let server = start().await;
    for path in BOTH {
        let (_socket, opened) = Socket::open(server.addr, path).await;
        let wanted = json!({
            "sid": opened["sid"].as_str().unwrap(), "upgrades": [],
            "pingInterval": 25_000, "pingTimeout": 20_000, "maxPayload": 1_000_000,
        });
        assert_eq!(opened, wanted);
    }
}

#[tokio::test(start_paused = true)]
async fn other_protocol_versions_are_refused_with_a_message() {
    let server = start().await;
    for path in BOTH {
        for version in ["", "EIO=abc&", "EIO=3&", "EIO=5&"] {
            let polling = format!("/{path}/?{version}transport=polling");
            let answer = get(server.addr, &polling).await;
            assert_eq!(answer.status, 400, "{polling}");
            assert!(answer.body.contains("Engine.IO 4 is needed"), "{answer:?}");
            let websocket = format!("/{path}/?{version}transport=websocket");
            assert_eq!(refusal(server.addr, &websocket).await, 400, "{websocket}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn unknown_transports_are_refused() {
    let server = start().await;
    for path in BOTH {
        for transport in ["", "&transport=abc"] {
            let target = format!("/{path}/?EIO=4{transport}");
            assert_eq!(get(server.addr, &target).await.status, 400, "{target}");
            assert_eq!(refusal(server.addr, &target).await, 400, "{target}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn only_a_get_opens_a_session() {
    let server = start().await;
    for path in BOTH {
        for method in ["POST", "PUT", "DELETE", "PATCH", "HEAD"] {
            let target = format!("/{path}/?EIO=4&transport=polling");
            let answer = request(server.addr, method, &target, "", "").await;
            assert_eq!(answer.status, 400, "{method}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_unknown_session_is_refused() {
    let server = start().await;
    for path in BOTH {
        let target = format!("/{path}/?EIO=4&transport=polling&sid=nobody");
        assert_eq!(get(server.addr, &target).await.status, 400);
        let answer = request(server.addr, "POST", &target, "", "4hello").await;
        assert_eq!(answer.status, 400);
        let target = format!("/{path}/?EIO=4&transport=websocket&sid=nobody");
        assert_eq!(refusal(server.addr, &target).await, 400);
    }
}

#[tokio::test(start_paused = true)]
async fn a_websocket_session_cannot_be_polled() {
    let server = start().await;
    let (_socket, opened) = Socket::open(server.addr, SOCKET).await;
    let sid = opened["sid"].as_str().unwrap();
    let target = format!("/socket.io/?EIO=4&transport=polling&sid={sid}");
    assert_eq!(get(server.addr, &target).await.status, 400);
}

#[tokio::test(start_paused = true)]
async fn a_get_that_claims_to_be_a_websocket_is_refused() {
    let server = start().await;
    let target = "/socket.io/?EIO=4&transport=websocket";
    assert_eq!(get(server.addr, target).await.status, 400);
}

#[tokio::test(start_paused = true)]
async fn the_path_ends_with_or_without_a_slash_and_is_not_longer() {
    let server = start().await;
    let status = |path: &'static str| async move { get(server.addr, path).await.status };
    assert_eq!(status("/socket.io?EIO=4&transport=polling").await, 200);
    assert_eq!(
        status("/socket.io-admin/?EIO=4&transport=polling").await,
        404
    );
    assert_eq!(status("/socket.io/x?EIO=4&transport=polling").await, 404);
}

#[tokio::test(start_paused = true)]
async fn any_origin_may_poll_but_without_credentials() {
    let server = start().await;
    let origin = "origin: http://elsewhere\r\n";
    let polling = "/socket.io/?EIO=4&transport=polling";
    for target in [polling, "/socket.io/?EIO=4&transport=abc"] {
        let answer = request(server.addr, "GET", target, origin, "").await;
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
        assert_eq!(answer.header("access-control-allow-credentials"), None);
    }
}

#[tokio::test(start_paused = true)]
async fn a_preflight_allows_the_authorization_header() {
    let server = start().await;
    let headers = "origin: http://elsewhere\r\naccess-control-request-method: POST\r\n\
        access-control-request-headers: authorization,content-type\r\n";
    let answer = request(server.addr, "OPTIONS", "/socket.io/", headers, "").await;
    assert_eq!(answer.status, 204);
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    let allowed = answer.header("access-control-allow-headers").unwrap();
    assert!(allowed.contains("authorization"), "{allowed}");
    let allowed = answer.header("access-control-allow-methods").unwrap();
    assert!(allowed.contains("POST"), "{allowed}");
    assert_eq!(answer.header("access-control-allow-credentials"), None);
}

#[tokio::test(start_paused = true)]
async fn allowed_origins_can_be_configured() {
    let server = start_with(Config {
        origins: Origins::Listed(vec!["http://home".to_owned()]),
        ..Config::default()
    })
    .await;
    let allowed = async |origin: &str| {
        let headers = format!("origin: {origin}\r\n");
        let target = "/socket.io/?EIO=4&transport=polling";
        let answer = request(server.addr, "GET", target, &headers, "").await;
        answer
            .header("access-control-allow-origin")
            .map(str::to_owned)
    };
    assert_eq!(allowed("http://home").await.as_deref(), Some("http://home"));
    assert_eq!(allowed("http://elsewhere").await, None);
}

#[tokio::test(start_paused = true)]
async fn responses_are_not_cached() {
    let server = start().await;
    let request =
        "GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    let answer = exchange(server.addr, request.as_bytes()).await;
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(
        answer.header("content-type"),
        Some("text/plain; charset=UTF-8")
    );
}
