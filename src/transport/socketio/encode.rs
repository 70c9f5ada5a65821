//! Encodes Socket.IO packets as WebSocket frames: encode once, send to many. Does no I/O.

use std::io::Write;

use bytes::Bytes;
use serde::Serialize;
use serde_json::json;

use super::packet::Kind;
use crate::transport::frame::{self, MAX_HEADER, Opcode};

/// Engine.IO packet type of a message.
const MESSAGE: u8 = b'4';

/// Builds an event in the main namespace: `event("name").arg(&payload).frame()`.
pub fn event(name: &str) -> Values {
    event_in("/", None, name)
}

/// Builds an event in any namespace. With an `id`, it asks for an acknowledgement.
pub fn event_in(namespace: &str, id: Option<u64>, name: &str) -> Values {
    Values::new(Kind::Event, namespace, id).arg(name)
}

/// Builds the acknowledgement of an event.
pub fn ack(namespace: &str, id: u64) -> Values {
    Values::new(Kind::Ack, namespace, Some(id))
}

/// Encodes the acceptance of a CONNECT, with the client's id in the namespace.
pub(super) fn connect(namespace: &str, sid: &str) -> Bytes {
    single(Kind::Connect, namespace, Some(&json!({ "sid": sid })))
}

/// Encodes the refusal of a CONNECT.
pub(super) fn connect_error(namespace: &str, message: &str) -> Bytes {
    let data = json!({ "message": message });
    single(Kind::ConnectError, namespace, Some(&data))
}

/// Encodes a DISCONNECT from a namespace.
pub(super) fn disconnect(namespace: &str) -> Bytes {
    single(Kind::Disconnect, namespace, None)
}

fn single(kind: Kind, namespace: &str, data: Option<&serde_json::Value>) -> Bytes {
    let mut text = Vec::new();
    head(&mut text, kind, 0, namespace, None);
    if let Some(data) = data {
        append_json(&mut text, data);
    }
    let mut out = Vec::with_capacity(MAX_HEADER + text.len());
    frame::append_text_frame(&mut out, &text);
    out.into()
}

fn head(out: &mut Vec<u8>, kind: Kind, attachments: usize, namespace: &str, id: Option<u64>) {
    out.extend_from_slice(&[MESSAGE, kind.digit()]);
    // Writing to a `Vec` does not fail.
    if attachments > 0 {
        let _ = write!(out, "{attachments}-");
    }
    if namespace != "/" {
        let _ = write!(out, "{namespace},");
    }
    if let Some(id) = id {
        let _ = write!(out, "{id}");
    }
}

/// A packet under construction that carries an array of values.
#[derive(Clone, Debug)]
pub struct Values {
    kind: Kind,
    namespace: String,
    id: Option<u64>,
    json: Vec<u8>,
    attachments: Vec<Bytes>,
}

impl Values {
    fn new(kind: Kind, namespace: &str, id: Option<u64>) -> Self {
        Self {
            kind,
            namespace: namespace.to_owned(),
            id,
            json: Vec::with_capacity(256),
            attachments: Vec::new(),
        }
    }

    /// Adds a value. One that cannot be serialized becomes `null`.
    #[must_use]
    pub fn arg<T: Serialize + ?Sized>(mut self, value: &T) -> Self {
        let separator = if self.json.is_empty() { b'[' } else { b',' };
        self.json.push(separator);
        append_json(&mut self.json, value);
        self
    }

    /// Adds the binary attachments that placeholders in the values reference.
    #[must_use]
    pub fn attachments(mut self, attachments: &[Bytes]) -> Self {
        self.attachments.extend_from_slice(attachments);
        self
    }

    /// Returns the packet as WebSocket frames: its text, then each attachment.
    pub fn frame(self) -> Bytes {
        let attached: usize = self.attachments.iter().map(|a| MAX_HEADER + a.len()).sum();
        let mut out = Vec::with_capacity(MAX_HEADER + 64 + self.json.len() + attached);
        self.append_to(&mut out);
        out.into()
    }

    /// Appends the frames of the packet to a buffer with other frames.
    pub fn append_to(mut self, out: &mut Vec<u8>) {
        let kind = match (self.attachments.is_empty(), self.kind) {
            (false, Kind::Event) => Kind::BinaryEvent,
            (false, Kind::Ack) => Kind::BinaryAck,
            (_, kind) => kind,
        };
        let mut text = Vec::with_capacity(self.json.len() + 64);
        let attachments = self.attachments.len();
        head(&mut text, kind, attachments, &self.namespace, self.id);
        if self.json.is_empty() {
            self.json.push(b'[');
        }
        text.append(&mut self.json);
        text.push(b']');
        frame::append_text_frame(out, &text);
        for attachment in &self.attachments {
            frame::append_frame(out, Opcode::Binary, attachment);
        }
    }
}

fn append_json<T: Serialize + ?Sized>(out: &mut Vec<u8>, value: &T) {
    let before = out.len();
    if serde_json::to_writer(&mut *out, value).is_err() {
        out.truncate(before);
        out.extend_from_slice(b"null");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::frame::unframe;

    fn text(frames: &Bytes) -> String {
        let (opcode, payload) = unframe(frames).next().unwrap();
        assert_eq!(opcode, Opcode::Text);
        String::from_utf8(payload.to_vec()).unwrap()
    }

    #[test]
    fn events_and_acknowledgements_are_arrays() {
        let table = [
            (event("a"), r#"42["a"]"#),
            (event("a").arg(&1).arg("x"), r#"42["a",1,"x"]"#),
            (event_in("/n", Some(3), "a"), r#"42/n,3["a"]"#),
            (ack("/", 12), "4312[]"),
            (ack("/n", 12).arg(&[1, 2]), "43/n,12[[1,2]]"),
        ];
        for (values, expected) in table {
            assert_eq!(text(&values.frame()), expected);
        }
    }

    #[test]
    fn attachments_follow_in_separate_frames() {
        let attachments = [Bytes::from_static(&[1]), Bytes::from_static(&[2, 3])];
        let frames = ack("/", 5).arg("x").attachments(&attachments).frame();
        let got: Vec<_> = unframe(&frames).collect();
        let wanted: Vec<(Opcode, &[u8])> = vec![
            (Opcode::Text, br#"462-5["x"]"#),
            (Opcode::Binary, &[1]),
            (Opcode::Binary, &[2, 3]),
        ];
        assert_eq!(got, wanted);
    }

    #[test]
    fn events_can_be_appended_to_one_buffer() {
        let mut run = Vec::new();
        event("a").append_to(&mut run);
        event("b").arg(&1).append_to(&mut run);
        let got: Vec<_> = unframe(&run).map(|(_, payload)| payload).collect();
        assert_eq!(got, [&br#"42["a"]"#[..], br#"42["b",1]"#]);
    }

    #[test]
    fn namespace_packets_are_encoded() {
        assert_eq!(text(&connect("/", "s")), r#"40{"sid":"s"}"#);
        assert_eq!(text(&connect_error("/n", "no")), r#"44/n,{"message":"no"}"#);
        assert_eq!(text(&disconnect("/")), "41");
        assert_eq!(text(&disconnect("/n")), "41/n,");
    }

    #[test]
    fn values_without_json_are_encoded_as_null() {
        let keys_are_no_text = std::collections::HashMap::from([((1, 2), 3)]);
        assert_eq!(
            text(&event("a").arg(&keys_are_no_text).frame()),
            r#"42["a",null]"#
        );
    }
}
