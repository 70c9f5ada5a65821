//! Many events of one connection at once, in every protocol with sockets. Events start and are answered in order,
//! messages do not wait for each other's commit, and with 32 events under way the connection is not read.

mod protocols;
mod scene;

use futures_util::SinkExt;
use rusqlite::Connection;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use super::support::*;
use protocols::{KOMUNIKATOR, PROTOCOLS, Protocol, event, socket_io_answers};
use scene::{Scene, Wire};

/// Maximum number of events under way per connection.
const UNDER_WAY: usize = 32;

fn numbers(range: std::ops::RangeInclusive<usize>) -> Vec<String> {
    range.map(|number| number.to_string()).collect()
}

/// Sends 40 messages while nothing can be committed. On return, 31 are certainly being written; the 32nd may follow,
/// and no other does.
async fn send_forty(protocol: &Protocol, scene: &mut Scene, wire: &mut Wire) {
    for number in 1..UNDER_WAY {
        let text = number.to_string();
        wire.send((protocol.say)(scene, number, &text)).await;
    }
    wire.read().await;
    for number in UNDER_WAY..=40 {
        let text = number.to_string();
        wire.send((protocol.say)(scene, number, &text)).await;
    }
    scene.let_it_read().await;
}

#[tokio::test]
async fn with_32_messages_under_way_the_connection_is_not_read() {
    for protocol in PROTOCOLS {
        let mut scene = Scene::new(protocol).await;
        let mut bobs = scene.bob.connect().await;
        let mut wire = Wire::enter(protocol, &scene).await;
        let held = scene.hold_writes();
        send_forty(protocol, &mut scene, &mut wire).await;
        // The probe's position shows which messages were posted before it.
        let probe = json!({"op": "send", "room": scene.room, "content": "probe"});
        bobs.send(probe).await;
        scene.let_it_read().await;
        held.execute_batch("ROLLBACK").unwrap();
        let mut said = scene.said(41).await;
        let place = said.iter().position(|text| text == "probe").unwrap();
        said.remove(place);
        let before = UNDER_WAY - 1..=UNDER_WAY;
        assert!(before.contains(&place), "{}: {place}", protocol.name);
        assert_eq!(said, numbers(1..=40), "{}", protocol.name);
    }
}

/// Returns the outcome that a frame reports for a message, if any.
fn outcome(protocol: &Protocol, frame: &str) -> Option<String> {
    let refusal = if (protocol.refuses)(frame) {
        "refused"
    } else {
        "answered"
    };
    match (protocol.answers)(frame) {
        Some(number) => Some(format!("{refusal} {number}")),
        None => (refusal == "refused").then(|| refusal.to_owned()),
    }
}

#[tokio::test]
async fn responses_and_errors_come_in_the_order_of_requests() {
    for protocol in PROTOCOLS {
        let scene = Scene::new(protocol).await;
        let mut wire = Wire::enter(protocol, &scene).await;
        let held = scene.hold_writes();
        // The second and the fourth are empty and are refused.
        for (number, text) in [(1, "1"), (2, ""), (3, "3"), (4, ""), (5, "5")] {
            wire.send((protocol.say)(&scene, number, text)).await;
        }
        wire.read().await;
        let early = wire.seen.iter().find_map(|frame| outcome(protocol, frame));
        assert_eq!(early, None, "{}", protocol.name);
        held.execute_batch("ROLLBACK").unwrap();
        let mut outcomes = Vec::new();
        while outcomes.len() < protocol.outcomes.len() {
            outcomes.extend(outcome(protocol, &wire.text().await));
        }
        assert_eq!(outcomes, protocol.outcomes, "{}", protocol.name);
        assert_eq!(scene.said(3).await, ["1", "3", "5"], "{}", protocol.name);
    }
}

/// A protocol's index in [`PROTOCOLS`], a frame, and the prefixes of the frame it must follow and of its response.
type Leave = (usize, fn(&Scene) -> String, &'static str, &'static str);

#[tokio::test]
async fn leaving_waits_for_the_messages_before_it() {
    let leaves: [Leave; 3] = [
        (
            0,
            |scene| json!({"id": 9, "op": "leave", "room": scene.room}).to_string(),
            r#"{"event":"message""#,
            r#"{"re":9,"ok":{}}"#,
        ),
        (
            1,
            |scene| {
                event(
                    9,
                    "leave",
                    json!({"user_name": "ann", "room_id": scene.room}),
                )
            },
            r#"42["new_message""#,
            r#"42["user_left""#,
        ),
        (
            3,
            |_| event(9, "leave_public", Value::Null),
            r#"42["new_public_message""#,
            r#"42["user_left""#,
        ),
    ];
    for (protocol, leave, message, left) in leaves {
        let protocol = &PROTOCOLS[protocol];
        let mut scene = Scene::new(protocol).await;
        let mut wire = Wire::enter(protocol, &scene).await;
        let held = scene.hold_writes();
        wire.send((protocol.say)(&scene, 1, "1")).await;
        wire.send(leave(&scene)).await;
        wire.send((protocol.say)(&scene, 2, "2")).await;
        scene.let_it_read().await;
        held.execute_batch("ROLLBACK").unwrap();
        let frames = wire.until(|frame| frame.starts_with(left)).await;
        let name = protocol.name;
        assert!(
            frames.iter().any(|frame| frame.starts_with(message)),
            "{name}: {frames:?}"
        );
        let answers: Vec<_> = frames
            .iter()
            .filter_map(|frame| (protocol.answers)(frame))
            .collect();
        assert_eq!(answers.first(), Some(&1), "{name}: {frames:?}");
    }
}

#[tokio::test]
async fn a_stopping_server_stores_exactly_the_messages_under_way() {
    for protocol in PROTOCOLS {
        let mut scene = Scene::new(protocol).await;
        let mut wire = Wire::enter(protocol, &scene).await;
        let held = scene.hold_writes();
        send_forty(protocol, &mut scene, &mut wire).await;
        scene.server.begin_to_stop();
        // Draining closes all connections at once.
        assert_eq!(scene.pinger.closed().await, 1012);
        held.execute_batch("ROLLBACK").unwrap();
        scene.server.stop().await;
        let stored = scene.server.count("messages") as usize;
        let begun = UNDER_WAY - 1..=UNDER_WAY;
        assert!(begun.contains(&stored), "{}: {stored}", protocol.name);
    }
}

#[tokio::test]
async fn messages_under_way_are_stored_when_the_client_disconnects() {
    for protocol in PROTOCOLS {
        let mut scene = Scene::new(protocol).await;
        let mut wire = Wire::enter(protocol, &scene).await;
        let held = scene.hold_writes();
        send_forty(protocol, &mut scene, &mut wire).await;
        drop(wire);
        scene.let_it_read().await;
        held.execute_batch("ROLLBACK").unwrap();
        let said = scene.said(UNDER_WAY - 1).await;
        assert_eq!(said, numbers(1..=said.len()), "{}", protocol.name);
    }
}

#[tokio::test]
async fn the_rate_limit_applies_before_messages_are_written() {
    for protocol in PROTOCOLS {
        let server = TestServer::start_with(|config| {
            config.limits.messages_per_second = std::num::NonZeroU32::new(1);
            config.limits.messages_burst = 3;
        })
        .await;
        let scene = Scene::on(server, protocol).await;
        let mut wire = Wire::enter(protocol, &scene).await;
        let held = scene.hold_writes();
        for number in 1..=20 {
            let text = number.to_string();
            wire.send((protocol.say)(&scene, number, &text)).await;
        }
        wire.read().await;
        held.execute_batch("ROLLBACK").unwrap();
        let mut outcomes = Vec::new();
        while outcomes
            .iter()
            .filter(|one: &&String| one.starts_with("refused"))
            .count()
            < 15
        {
            outcomes.extend(outcome(protocol, &wire.text().await));
        }
        let said = scene.said(3).await;
        assert_eq!(said[..3], numbers(1..=3), "{}", protocol.name);
        let answered = outcomes.iter().filter_map(|one| one.split_once(' '));
        let answered: Vec<_> = answered
            .map(|(_, number)| number.parse::<usize>().unwrap())
            .collect();
        assert!(
            answered.iter().copied().eq(1..=answered.len()),
            "{answered:?}"
        );
    }
}

/// Returns the body of one POST, its messages numbered from 0.
fn post(scene: &Scene, texts: &[&str]) -> String {
    let say = |(number, text): (usize, &&str)| (KOMUNIKATOR.say)(scene, number, text);
    let packets: Vec<_> = texts.iter().enumerate().map(say).collect();
    packets.join("\u{1e}")
}

#[tokio::test]
async fn polling_packets_are_processed_in_order_without_waiting() {
    let scene = Scene::new(&KOMUNIKATOR).await;
    let poller = Poller::open(scene.server.address, &scene.ann.token).await;
    poller.hear().await;
    let held = scene.hold_writes();
    // With an attachment, which the server ignores.
    let attached = json!(["message", {"user_name": "ann", "room_id": scene.room, "message": "3"},
        {"_placeholder": true, "num": 0}]);
    let packets = [
        post(&scene, &["1", "2"]),
        format!("451-7{attached}"),
        "bAQID".to_owned(),
        post(&scene, &["4"]),
    ];
    poller.say(&packets.join("\u{1e}")).await;
    poller.say(&post(&scene, &["5", "6"])).await;
    held.execute_batch("ROLLBACK").unwrap();
    assert_eq!(scene.said(6).await, numbers(1..=6));
    let mut answers = Vec::new();
    while answers.len() < 6 {
        let packets = poller.hear().await;
        answers.extend(
            packets
                .iter()
                .filter_map(|packet| socket_io_answers(packet)),
        );
    }
    assert_eq!(answers, [0, 1, 7, 0, 0, 1]);
}

#[tokio::test]
async fn events_with_binary_attachments_keep_their_order() {
    let scene = Scene::new(&KOMUNIKATOR).await;
    let mut wire = Wire::enter(&KOMUNIKATOR, &scene).await;
    let held = scene.hold_writes();
    wire.send((KOMUNIKATOR.say)(&scene, 1, "1")).await;
    let attached = json!(["message", {"user_name": "ann", "room_id": scene.room, "message": "2"},
        {"_placeholder": true, "num": 0}]);
    wire.send(format!("451-2{attached}")).await;
    let bytes = Message::binary(vec![1, 2, 3]);
    within("sending", wire.stream.send(bytes)).await.unwrap();
    wire.send((KOMUNIKATOR.say)(&scene, 3, "3")).await;
    wire.read().await;
    held.execute_batch("ROLLBACK").unwrap();
    let frames = wire.until(|frame| frame == "433[]").await;
    let answers: Vec<_> = frames
        .iter()
        .filter_map(|frame| socket_io_answers(frame))
        .collect();
    assert_eq!(answers, [1, 2, 3]);
    assert_eq!(scene.said(3).await, numbers(1..=3));
}

#[tokio::test]
async fn changing_the_user_name_waits_for_earlier_messages() {
    let server = TestServer::start_with(|config| {
        config.compat.open = parlor::config::OpenDialects::Only(["komunikator".to_owned()].into());
    })
    .await;
    let bob = server.user("bob").await;
    server.user("ann").await;
    let mut pinger = bob.connect().await;
    let mut socket = EventSocket::try_open(server.address, json!({}))
        .await
        .unwrap();
    let say = |name: &str, text: &str| json!({"user_name": name, "room_id": 1, "message": text});
    socket.emit("message", say("ann", "known")).await;
    socket.events().await;
    let db = Connection::open(server.db()).unwrap();
    db.execute_batch("BEGIN IMMEDIATE").unwrap();
    for (number, name) in [(1, "ann"), (2, "bob"), (3, "bob"), (4, "ann")] {
        let text = number.to_string();
        socket
            .send_raw(event(number, "message", say(name, &text)))
            .await;
    }
    for _ in 0..5 {
        pinger.ok(json!({"op": "ping"})).await;
    }
    db.execute_batch("ROLLBACK").unwrap();
    let mut answers = Vec::new();
    while answers.len() < 4 {
        answers.extend(socket_io_answers(&socket.packet("an answer").await));
    }
    assert_eq!(answers, [1, 2, 3, 4]);
    let history = bob.history(1).await;
    let said: Vec<_> = history[1..]
        .iter()
        .map(|message| json!([message["sender"]["username"], message["content"]]))
        .collect();
    let expected = [["ann", "1"], ["bob", "2"], ["bob", "3"], ["ann", "4"]];
    assert_eq!(json!(said), json!(expected));
}

#[tokio::test]
async fn a_read_mark_does_not_delay_messages() {
    // In rooms other than direct ones, read marks are written once per second.
    let protocol = &PROTOCOLS[3];
    let scene = Scene::new(protocol).await;
    let mut wire = Wire::enter(protocol, &scene).await;
    scene.bob.say(1, "first").await;
    wire.send(event(1, "mark_public_read", Value::Null)).await;
    wire.until(|frame| frame == "431[]").await;
    scene.bob.say(1, "second").await;
    wire.send(event(2, "mark_public_read", Value::Null)).await;
    wire.send((protocol.say)(&scene, 3, "third")).await;
    let frames = wire.until(|frame| frame == "432[]").await;
    let before = frames.iter().filter_map(|frame| socket_io_answers(frame));
    assert_eq!(before.collect::<Vec<_>>(), [3, 2]);
    assert!(
        frames
            .iter()
            .any(|frame| frame.starts_with(r#"42["public_chat_marked_read""#))
    );
}
