//! Socket.IO clients: every transport, every place of a token, acknowledgements, refusals, reconnecting.

use serde_json::{Value, json};

use crate::support::*;

fn url(server: &TestServer) -> String {
    format!("http://{}", server.address)
}

/// Builds a `komunikator` event that posts a message to the lobby.
fn words(name: &str, text: &str) -> Value {
    json!(["message", {"user_name": name, "room_id": 1, "message": text}])
}

fn join(name: &str) -> Value {
    json!(["join", {"user_name": name, "room_id": 1}])
}

#[tokio::test]
async fn clients_exchange_messages_on_every_transport() {
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    let mut heard = EventSocket::open(server.address, &ann.token).await;
    heard.emit("join", join("ann")[1].clone()).await;
    heard.event("user_joined").await;
    for mut client in Driven::socket_io() {
        for transports in [json!(["polling"]), json!(["websocket"])] {
            client.order(
                "open",
                json!({"url": url(&server), "transports": transports, "auth": {"token": ann.token}}),
            );
            assert_eq!(client.told("connected").await, transports[0]);
            converse(&mut client, &mut heard).await;
        }
    }
}

#[tokio::test]
async fn clients_upgrade_from_polling_to_a_websocket() {
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    let mut heard = EventSocket::open(server.address, &ann.token).await;
    heard.emit("join", join("ann")[1].clone()).await;
    heard.event("user_joined").await;
    let both = json!({"url": url(&server), "transports": ["polling", "websocket"], "auth": {"token": ann.token}});
    if let Some(mut npm) = Driven::npm() {
        npm.order("open", both.clone());
        npm.told("connected").await;
        assert_eq!(npm.told("upgraded").await, "websocket");
        converse(&mut npm, &mut heard).await;
    }
    if let Some(mut pypi) = Driven::pypi() {
        // `python-socketio` reports `connected` after the upgrade.
        pypi.order("open", both);
        assert_eq!(pypi.told("connected").await, "websocket");
        converse(&mut pypi, &mut heard).await;
    }
}

/// Emits with and without an acknowledgement and asserts that client and `other` receive each other's messages.
async fn converse(client: &mut Driven, other: &mut EventSocket) {
    client.order("emit", join("ann"));
    client.event("user_joined").await;
    client.order("ask", words("ann", "hi 🦊"));
    assert_eq!(client.told("answer").await, json!([]));
    let said = client.event("new_message").await;
    assert_eq!(said["message"], "hi 🦊");
    assert_eq!(client.event("new").await, said);
    assert_eq!(other.event("new_message").await, said);
    other.emit("message", words("ann", "back")[1].clone()).await;
    for name in ["new_message", "new"] {
        assert_eq!(client.event(name).await["message"], "back");
    }
    other.event("new_message").await;
    client.order("ask", json!(["message", {"user_name": "bob"}]));
    let missing = json!({"message": "Missing user_name or room_id", "code": 3});
    assert_eq!(client.event("error").await, missing);
    assert_eq!(client.told("answer").await, json!([]));
}

#[tokio::test]
async fn tokens_are_read_from_auth_then_header_then_query() {
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    let (good, bad) = (ann.token.as_str(), "rubbish");
    let query = |token: &str| format!("{}/?token={token}", url(&server));
    let header = |token: &str| json!({"Authorization": format!("Bearer {token}"), "Origin": "http://front.example"});
    let auth = |token: &str| json!({ "token": token });
    let plain = url(&server);
    let rows = [
        (json!({"url": plain, "auth": auth(good)}), None),
        (json!({"url": query(good)}), None),
        (json!({"url": plain, "extraHeaders": header(good)}), None),
        (
            json!({"url": query(bad), "extraHeaders": header(good)}),
            None,
        ),
        (
            json!({"url": query(bad), "extraHeaders": header(bad), "auth": auth(good)}),
            None,
        ),
        (
            json!({"url": query(good), "auth": auth(bad)}),
            Some("the token is not valid"),
        ),
        (
            json!({"url": query(good), "extraHeaders": header(bad)}),
            Some("the token is not valid"),
        ),
        (json!({"url": query(bad)}), Some("the token is not valid")),
        (json!({"url": plain}), Some("not logged in")),
    ];
    for mut client in Driven::socket_io() {
        for (order, refusal) in rows.clone() {
            for transport in ["polling", "websocket"] {
                let mut order = order.clone();
                order["transports"] = json!([transport]);
                client.order("open", order.clone());
                let outcome = |line: &Value| {
                    (line.get("connected").is_some() || line.get("refused").is_some())
                        .then(|| line.clone())
                };
                let told = client.find("an outcome", outcome).await;
                match refusal {
                    None => assert_eq!(told["connected"], transport, "{order}"),
                    Some(why) => assert_eq!(told["refused"], why, "{order}"),
                }
                // npm's client does not retry a refused connection.
                assert_ne!(told["active"], true, "{told}");
            }
        }
    }
}

/// The CORS preflight that a browser sends before polling with an `Authorization` header.
#[tokio::test]
async fn a_cross_origin_page_may_poll_with_a_header() {
    let server = TestServer::start().await;
    let ann = server.user("ann").await;
    let page = server
        .anybody()
        .with("origin", "http://front.example")
        .with("access-control-request-method", "GET")
        .with("access-control-request-headers", "authorization");
    let path = "/socket.io/?EIO=4&transport=polling";
    let preflight = page.call("OPTIONS", path, None).await;
    assert_eq!(preflight.status, 204);
    assert_eq!(preflight.header("access-control-allow-origin"), "*");
    assert_eq!(
        preflight.header("access-control-allow-headers"),
        "authorization"
    );
    assert_eq!(
        preflight.header("access-control-allow-methods"),
        "GET, POST"
    );
    let opened = page.token(&ann.token).get(path).await;
    assert_eq!(opened.status, 200);
    for answer in [&preflight, &opened] {
        assert_eq!(answer.header("access-control-allow-origin"), "*");
        let credentials = answer.headers.get("access-control-allow-credentials");
        assert_eq!(credentials, None);
    }
}

#[tokio::test]
async fn logging_out_disconnects_clients_without_reconnect() {
    let server = TestServer::start().await;
    for mut client in Driven::socket_io() {
        for transport in ["polling", "websocket"] {
            let ann = match server.count("users") {
                0 => server.user("ann").await,
                _ => server.log_in("ann").await,
            };
            let order = json!({"url": url(&server), "transports": [transport], "auth": {"token": ann.token}});
            client.order("open", order);
            client.told("connected").await;
            ann.post("auth/logout", json!({})).await.done();
            let why = client.told("disconnected").await;
            let words = ["io server disconnect", "server disconnect"];
            assert!(words.iter().any(|word| why == *word), "{why}");
        }
    }
}

#[tokio::test]
async fn clients_reconnect_after_a_server_restart() {
    let mut server = TestServer::start().await;
    let ann = server.user("ann").await;
    for mut client in Driven::socket_io() {
        for transports in [
            json!(["polling"]),
            json!(["websocket"]),
            json!(["polling", "websocket"]),
        ] {
            let order = json!({"url": url(&server), "transports": transports, "auth": {"token": ann.token}});
            client.order("open", order);
            client.told("connected").await;
            let address = server.address;
            server = server
                .restart_with(|config| config.server.listen = address)
                .await;
            client.told("disconnected").await;
            client.told("connected").await;
            client.order("emit", join("ann"));
            client.event("user_joined").await;
            ann.say(1, "welcome back").await;
            let said = client.event("new_message").await;
            assert_eq!(said["message"], "welcome back");
        }
    }
}
