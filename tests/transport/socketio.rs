//! Namespaces, events, acknowledgements and attachments.

use parlor::transport::engineio::Reason;
use serde_json::Value;
use tokio_tungstenite::tungstenite::Message;

use crate::client::{Poller, Socket};
use crate::server::{KICKED, SOCKET, start};

/// Connects to the main namespace and reads the greeting.
async fn connected(addr: std::net::SocketAddr) -> Socket {
    let (mut socket, _) = Socket::open(addr, SOCKET).await;
    assert_eq!(enter(&mut socket, "40").await, r#"42["auth",{}]"#);
    socket
}

/// Connects to a namespace and returns the greeting event.
async fn enter(socket: &mut Socket, connect: &str) -> String {
    socket.say(connect).await;
    let granted = socket.hear().await;
    let json = &granted[granted.find('{').unwrap()..];
    let granted: Value = serde_json::from_str(json).unwrap();
    assert_eq!(granted.as_object().unwrap().len(), 1);
    assert_eq!(granted["sid"].as_str().unwrap().len(), 20);
    socket.hear().await
}

#[tokio::test(start_paused = true)]
async fn connecting_to_the_main_namespace_with_and_without_a_payload() {
    let server = start().await;
    for (connect, greeting) in [
        ("40", r#"42["auth",{}]"#),
        (r#"40{"token":"123"}"#, r#"42["auth",{"token":"123"}]"#),
    ] {
        let (mut socket, _) = Socket::open(server.addr, SOCKET).await;
        assert_eq!(enter(&mut socket, connect).await, greeting);
    }
}

#[tokio::test(start_paused = true)]
async fn connecting_to_another_namespace_with_and_without_a_payload() {
    let server = start().await;
    for (connect, greeting) in [
        ("40/custom,", r#"42/custom,["auth",{}]"#),
        (
            r#"40/custom,{"token":"abc"}"#,
            r#"42/custom,["auth",{"token":"abc"}]"#,
        ),
    ] {
        let (mut socket, _) = Socket::open(server.addr, SOCKET).await;
        assert_eq!(enter(&mut socket, connect).await, greeting);
    }
}

#[tokio::test(start_paused = true)]
async fn an_unknown_namespace_is_refused() {
    let server = start().await;
    let (mut socket, _) = Socket::open(server.addr, SOCKET).await;
    socket.say("40/random").await;
    assert_eq!(
        socket.hear().await,
        r#"44/random,{"message":"Invalid namespace"}"#
    );
    assert_eq!(enter(&mut socket, "40").await, r#"42["auth",{}]"#);
}

#[tokio::test(start_paused = true)]
async fn a_refused_client_gets_an_error_message() {
    let server = start().await;
    let (mut socket, _) = Socket::open(server.addr, SOCKET).await;
    socket.say(r#"40{"token":"bad"}"#).await;
    assert_eq!(socket.hear().await, r#"44{"message":"Not authorized"}"#);

    let target = "/socket.io/?EIO=4&transport=websocket&token=bad%20one";
    let mut socket = Socket::connect(server.addr, target).await.unwrap();
    socket.hear().await;
    socket.say("40").await;
    assert_eq!(socket.hear().await, r#"44{"message":"Not authorized"}"#);
}

#[tokio::test(start_paused = true)]
async fn packets_before_connect_close_the_connection() {
    let server = start().await;
    for wrong in ["4abc", r#"42["message"]"#, "41", "4", "40[]", "40{", "43[]"] {
        let (mut socket, _) = Socket::open(server.addr, SOCKET).await;
        socket.say(wrong).await;
        assert_eq!(socket.closed().await, 1002, "{wrong}");
        let poller = Poller::open(server.addr, SOCKET).await;
        assert_eq!(poller.post(wrong).await.status, 400, "{wrong}");
    }
}

#[tokio::test(start_paused = true)]
async fn leaving_the_main_namespace_keeps_the_connection_for_a_while() {
    let mut server = start().await;
    let mut socket = connected(server.addr).await;
    socket.say("41").await;
    assert_eq!(server.next_lost().await, Reason::Client);
    socket.say("3").await;
    assert_eq!(socket.closed().await, 1000);
}

#[tokio::test(start_paused = true)]
async fn leaving_another_namespace_keeps_the_main_one() {
    let mut server = start().await;
    let mut socket = connected(server.addr).await;
    assert_eq!(
        enter(&mut socket, "40/custom").await,
        r#"42/custom,["auth",{}]"#
    );
    socket.say("41/custom").await;
    assert_eq!(server.next_lost().await, Reason::Client);
    socket.say(r#"42["message","to the main namespace"]"#).await;
    assert_eq!(
        socket.hear().await,
        r#"42["message-back","to the main namespace"]"#
    );
}

#[tokio::test(start_paused = true)]
async fn an_event_is_echoed_unchanged() {
    let server = start().await;
    let mut socket = connected(server.addr).await;
    socket.say(r#"42["message",1,"2",{"3":[true]}]"#).await;
    assert_eq!(
        socket.hear().await,
        r#"42["message-back",1,"2",{"3":[true]}]"#
    );
}

#[tokio::test(start_paused = true)]
async fn an_event_is_echoed_with_its_attachments() {
    let server = start().await;
    let mut socket = connected(server.addr).await;
    let placeholders = r#"{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}"#;
    socket
        .say(&format!(r#"452-["message",{placeholders}]"#))
        .await;
    socket.give(&[1, 2, 3]).await;
    socket.give(&[4, 5, 6]).await;
    let back = format!(r#"452-["message-back",{placeholders}]"#);
    assert_eq!(socket.hear().await, back);
    assert_eq!(socket.next().await, Message::binary(vec![1, 2, 3]));
    assert_eq!(socket.next().await, Message::binary(vec![4, 5, 6]));
}

#[tokio::test(start_paused = true)]
async fn an_event_is_acknowledged_with_its_id() {
    let server = start().await;
    let mut socket = connected(server.addr).await;
    socket
        .say(r#"42456["message-with-ack",1,"2",{"3":[false]}]"#)
        .await;
    assert_eq!(socket.hear().await, r#"43456[1,"2",{"3":[false]}]"#);
    socket.say(r#"420["message-with-ack"]"#).await;
    assert_eq!(socket.hear().await, "430[]");
}

#[tokio::test(start_paused = true)]
async fn an_acknowledgement_may_have_attachments() {
    let server = start().await;
    let mut socket = connected(server.addr).await;
    let placeholders = r#"{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}"#;
    socket
        .say(&format!(r#"452-789["message-with-ack",{placeholders}]"#))
        .await;
    socket.give(&[1, 2, 3]).await;
    socket.give(&[4, 5, 6]).await;
    assert_eq!(socket.hear().await, format!("462-789[{placeholders}]"));
    assert_eq!(socket.next().await, Message::binary(vec![1, 2, 3]));
    assert_eq!(socket.next().await, Message::binary(vec![4, 5, 6]));
}

#[tokio::test(start_paused = true)]
async fn invalid_packets_close_the_connection() {
    let mut server = start().await;
    for wrong in [
        "4abc",
        "42{}",
        "42",
        "42[]",
        "42[{}]",
        r#"42abc["message-with-ack",1]"#,
        r#"42["disconnect"]"#,
        r#"42/custom,["message"]"#,
        "40",
        "44{}",
        "43[]",
        "431{}",
        "451-[\"message\"",
        "459-[\"a\"]\u{0}",
        "4599-[\"a\"]",
        "47",
    ] {
        let mut socket = connected(server.addr).await;
        socket.say(wrong).await;
        // The announced attachment turns out to be text.
        if wrong.starts_with("451") || wrong.starts_with("459-") {
            socket.say(r#"42["message"]"#).await;
        }
        assert_eq!(socket.closed().await, 1002, "{wrong}");
        assert_eq!(server.next_lost().await, Reason::Invalid, "{wrong}");
    }
}

#[tokio::test(start_paused = true)]
async fn unannounced_binary_messages_close_the_connection() {
    let server = start().await;
    let mut socket = connected(server.addr).await;
    socket.give(&[1]).await;
    assert_eq!(socket.closed().await, 1002);
}

#[tokio::test(start_paused = true)]
async fn the_server_emits_with_an_acknowledgement() {
    let server = start().await;
    let mut socket = connected(server.addr).await;
    socket.say(r#"42["ask-me"]"#).await;
    assert_eq!(socket.hear().await, r#"420["question","?"]"#);
    socket.say(r#"430["yes"]"#).await;
    assert_eq!(socket.hear().await, r#"42["answered","yes"]"#);

    socket.say(r#"42["ask-me"]"#).await;
    assert_eq!(socket.hear().await, r#"421["question","?"]"#);
    socket.say(r#"461-1[{"_placeholder":true,"num":0}]"#).await;
    socket.give(&[7]).await;
    let told = r#"451-["answered",{"_placeholder":true,"num":0}]"#;
    assert_eq!(socket.hear().await, told);
    assert_eq!(socket.next().await, Message::binary(vec![7]));
}

#[tokio::test(start_paused = true)]
async fn an_unexpected_acknowledgement_is_ignored() {
    let server = start().await;
    let mut socket = connected(server.addr).await;
    socket.say("4377[]").await;
    socket.say(r#"42["message"]"#).await;
    assert_eq!(socket.hear().await, r#"42["message-back"]"#);
}

#[tokio::test(start_paused = true)]
async fn an_unknown_event_is_ignored() {
    let server = start().await;
    let mut socket = connected(server.addr).await;
    socket.say(r#"42["no such event",{"a":1}]"#).await;
    socket.say("427[5]").await;
    socket.say(r#"42["message"]"#).await;
    assert_eq!(socket.hear().await, r#"42["message-back"]"#);
}

#[tokio::test(start_paused = true)]
async fn events_and_acknowledgements_work_over_polling() {
    let server = start().await;
    let poller = Poller::open(server.addr, SOCKET).await;
    poller.say(r#"40{"token":"123"}"#).await;
    let greeting = poller.hear().await;
    assert!(greeting[0].starts_with(r#"40{"sid":""#), "{greeting:?}");
    assert_eq!(greeting[1], r#"42["auth",{"token":"123"}]"#);
    let with_bytes = "451-5[\"message-with-ack\",{\"_placeholder\":true,\"num\":0}]\u{1e}bAQID";
    poller.say(with_bytes).await;
    let answer = [r#"461-5[{"_placeholder":true,"num":0}]"#, "bAQID"];
    assert_eq!(poller.hear().await, answer);
    poller.say(r#"42["ask-me"]"#).await;
    assert_eq!(poller.hear().await, [r#"420["question","?"]"#]);
    poller.say(r#"430["yes"]"#).await;
    assert_eq!(poller.hear().await, [r#"42["answered","yes"]"#]);
}

#[tokio::test(start_paused = true)]
async fn a_kicked_client_gets_disconnect_packets() {
    let mut server = start().await;
    let mut socket = connected(server.addr).await;
    let client = server.next_client().await;
    client.emit("last", &"words");
    client.outgoing().close(KICKED);
    assert_eq!(socket.hear().await, r#"42["last","words"]"#);
    assert_eq!(socket.hear().await, "41");
    assert_eq!(socket.hear().await, "41/custom,");
    assert_eq!(socket.closed().await, 4003);
    assert_eq!(server.next_lost().await, Reason::Server);
}

#[tokio::test(start_paused = true)]
async fn a_kicked_poller_gets_disconnect_packets_with_its_next_poll() {
    let mut server = start().await;
    for wait in [0, 5] {
        let poller = Poller::open(server.addr, SOCKET).await;
        poller.say("40").await;
        poller.hear().await;
        let client = server.next_client().await;
        client.emit("last", &"words");
        client.outgoing().close(KICKED);
        tokio::time::sleep(std::time::Duration::from_secs(wait)).await;
        let last = poller.poll().await;
        // The real clients would act on a "1" before the "41" in front of it, and reconnect.
        assert_eq!(
            last.packets(),
            [r#"42["last","words"]"#, "41", "41/custom,"]
        );
        assert_eq!(server.next_lost().await, Reason::Server);
        if wait == 0 {
            assert_eq!(poller.poll().await.packets(), ["1"]);
        }
        assert_eq!(poller.poll().await.status, 400);
    }
}
