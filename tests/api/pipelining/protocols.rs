//! The frames of every protocol with sockets.

use serde_json::{Value, json};

use super::scene::Scene;

/// The frames of one protocol.
pub(super) struct Protocol {
    pub(super) name: &'static str,
    pub(super) path: &'static str,
    pub(super) room: Room,
    /// Frames sent first, each with the prefix of its response.
    pub(super) enter: fn(&Scene) -> Vec<(String, &'static str)>,
    /// Builds a message; the number is its request id, where the protocol has responses.
    pub(super) say: fn(&Scene, usize, &str) -> String,
    /// Whether a frame is a refusal.
    pub(super) refuses: fn(&str) -> bool,
    /// Returns the number of the message that a frame acknowledges.
    pub(super) answers: fn(&str) -> Option<usize>,
    /// Outcomes reported for five messages, of which the second and the fourth are refused.
    pub(super) outcomes: &'static [&'static str],
}

#[derive(Clone, Copy)]
pub(super) enum Room {
    Lobby,
    Public,
    Direct,
}

pub(super) fn event(number: usize, name: &str, value: Value) -> String {
    format!("42{number}{}", json!([name, value]))
}

pub(super) fn socket_io_answers(frame: &str) -> Option<usize> {
    frame.strip_prefix("43")?.strip_suffix("[]")?.parse().ok()
}

pub(super) fn socket_io_refuses(frame: &str) -> bool {
    frame.starts_with(r#"42["error""#)
}

pub(super) const SOCKET_IO_OUTCOMES: &[&str] = &[
    "answered 1",
    "refused",
    "answered 2",
    "answered 3",
    "refused",
    "answered 4",
    "answered 5",
];

pub(super) const SOCKET_IO: &str = "/socket.io/?EIO=4&transport=websocket";

pub(super) const KOMUNIKATOR: Protocol = Protocol {
    name: "komunikator",
    path: SOCKET_IO,
    room: Room::Public,
    enter: |scene| {
        let join = json!({"user_name": "ann", "room_id": scene.room});
        let join = event(0, "join", join);
        vec![("40".to_owned(), "40"), (join, "430")]
    },
    say: |scene, number, text| {
        let value = json!({"user_name": "ann", "room_id": scene.room, "message": text});
        event(number, "message", value)
    },
    refuses: socket_io_refuses,
    answers: socket_io_answers,
    outcomes: SOCKET_IO_OUTCOMES,
};

pub(super) const PROTOCOLS: &[Protocol] = &[
    Protocol {
        name: "native",
        path: "/api/v1/ws",
        room: Room::Public,
        enter: |scene| {
            let resume = json!({"id": 0, "op": "resume", "room": scene.room, "after": 0});
            vec![(resume.to_string(), r#"{"re":0,"#)]
        },
        say: |scene, number, text| {
            json!({"id": number, "op": "send", "room": scene.room, "content": text}).to_string()
        },
        refuses: |frame| frame.contains(r#""error""#),
        answers: |frame| {
            let frame: Value = serde_json::from_str(frame).unwrap();
            usize::try_from(frame["re"].as_u64()?).ok()
        },
        outcomes: &[
            "answered 1",
            "refused 2",
            "answered 3",
            "refused 4",
            "answered 5",
        ],
    },
    KOMUNIKATOR,
    Protocol {
        name: "chat_app",
        path: SOCKET_IO,
        room: Room::Direct,
        enter: |_| vec![("40".to_owned(), "40")],
        say: |scene, number, text| {
            let value = json!({"receiver_id": scene.bob.id, "content": text});
            event(number, "smessage", value)
        },
        refuses: socket_io_refuses,
        answers: socket_io_answers,
        outcomes: SOCKET_IO_OUTCOMES,
    },
    Protocol {
        name: "realtime, public",
        path: SOCKET_IO,
        room: Room::Lobby,
        enter: |_| {
            let join = event(0, "join_public", Value::Null);
            vec![("40".to_owned(), "40"), (join, "430")]
        },
        say: |_, number, text| event(number, "send_public_message", json!({"content": text})),
        refuses: socket_io_refuses,
        answers: socket_io_answers,
        outcomes: SOCKET_IO_OUTCOMES,
    },
    Protocol {
        name: "realtime, private",
        path: SOCKET_IO,
        room: Room::Direct,
        enter: |_| vec![("40".to_owned(), "40")],
        say: |scene, number, text| {
            let value = json!({"other_user_id": scene.bob.id, "content": text});
            event(number, "send_private_message", value)
        },
        refuses: socket_io_refuses,
        answers: socket_io_answers,
        outcomes: SOCKET_IO_OUTCOMES,
    },
    Protocol {
        name: "team",
        path: "/",
        room: Room::Lobby,
        enter: |scene| {
            let here = json!({"messageType": "IdMessage", "convId": scene.uuid});
            // The first frame is not answered; the second, which is invalid, is.
            vec![(here.to_string(), ""), ("{}".to_owned(), "")]
        },
        say: |scene, _, text| {
            let meta = json!({"conversationId": scene.uuid});
            json!({"messageType": "ChatMessage", "payload": {"content": text}, "meta": meta})
                .to_string()
        },
        refuses: |frame| frame.contains("ErrorMessage"),
        answers: |_| None,
        outcomes: &["refused", "refused"],
    },
    Protocol {
        name: "back_chat",
        path: "/ws/messages",
        room: Room::Lobby,
        enter: |_| Vec::new(),
        say: |_, _, text| json!({"content": text, "mtype": "message"}).to_string(),
        refuses: |frame| frame.contains("warning"),
        answers: |_| None,
        outcomes: &["refused", "refused"],
    },
];
