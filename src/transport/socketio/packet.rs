//! Codec for packets of Socket.IO 5. Does no I/O.

use serde_json::value::RawValue;

/// Packet type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Request to connect to a namespace, or its acceptance.
    Connect,
    Disconnect,
    Event,
    /// Acknowledgement of an event.
    Ack,
    /// Refusal to connect to a namespace.
    ConnectError,
    /// An event with attachments.
    BinaryEvent,
    /// An acknowledgement with attachments.
    BinaryAck,
}

/// Maximum number of attachments of a packet.
pub const MAX_ATTACHMENTS: usize = 32;

/// A parsed packet. Its data is still JSON text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet<'a> {
    pub kind: Kind,
    /// Number of binary messages that follow.
    pub attachments: usize,
    /// Namespace; `/` is the main one.
    pub namespace: &'a str,
    /// Id of the acknowledgement that is requested or given.
    pub id: Option<u64>,
    /// JSON text; may be empty.
    pub data: &'a str,
}

/// Error for text that is not a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid packet")]
pub struct Invalid;

impl Kind {
    /// Returns the ASCII digit of the type.
    pub const fn digit(self) -> u8 {
        b'0' + self as u8
    }

    fn from_digit(digit: char) -> Option<Self> {
        Some(match digit {
            '0' => Self::Connect,
            '1' => Self::Disconnect,
            '2' => Self::Event,
            '3' => Self::Ack,
            '4' => Self::ConnectError,
            '5' => Self::BinaryEvent,
            '6' => Self::BinaryAck,
            _ => return None,
        })
    }

    fn is_binary(self) -> bool {
        matches!(self, Self::BinaryEvent | Self::BinaryAck)
    }
}

impl<'a> Packet<'a> {
    /// Parses the text of a packet except its data.
    ///
    /// # Errors
    /// If the text is not a packet.
    pub fn parse(text: &'a str) -> Result<Self, Invalid> {
        let mut chars = text.chars();
        let kind = chars.next().and_then(Kind::from_digit).ok_or(Invalid)?;
        let (attachments, rest) = match kind.is_binary() {
            true => attachments(chars.as_str())?,
            false => (0, chars.as_str()),
        };
        let (namespace, rest) = namespace(rest);
        let (id, data) = id(rest)?;
        Ok(Self {
            kind,
            attachments,
            namespace,
            id,
            data,
        })
    }

    /// Parses the data of an event or acknowledgement into its JSON values.
    ///
    /// # Errors
    /// If the data is not a JSON array.
    pub fn values(&self) -> Result<Vec<&'a RawValue>, Invalid> {
        serde_json::from_str(self.data).map_err(|_| Invalid)
    }

    /// Parses the data of a CONNECT: an object or nothing.
    ///
    /// # Errors
    /// If the data is neither.
    pub fn object(&self) -> Result<Option<&'a RawValue>, Invalid> {
        if self.data.is_empty() {
            return Ok(None);
        }
        let raw: &RawValue = serde_json::from_str(self.data).map_err(|_| Invalid)?;
        raw.get()
            .starts_with('{')
            .then_some(Some(raw))
            .ok_or(Invalid)
    }
}

fn attachments(text: &str) -> Result<(usize, &str), Invalid> {
    let (number, rest) = text.split_once('-').ok_or(Invalid)?;
    let (count, after) = digits(number);
    let count: usize = count.parse().map_err(|_| Invalid)?;
    match after.is_empty() && count <= MAX_ATTACHMENTS {
        true => Ok((count, rest)),
        false => Err(Invalid),
    }
}

fn namespace(text: &str) -> (&str, &str) {
    match text.starts_with('/') {
        true => text.split_once(',').unwrap_or((text, "")),
        false => ("/", text),
    }
}

fn id(text: &str) -> Result<(Option<u64>, &str), Invalid> {
    match digits(text) {
        ("", rest) => Ok((None, rest)),
        (id, rest) => Ok((Some(id.parse().map_err(|_| Invalid)?), rest)),
    }
}

fn digits(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| !c.is_ascii_digit());
    text.split_at(end.unwrap_or(text.len()))
}

/// Event names that clients use for their own lifecycle events.
const RESERVED: [&str; 6] = [
    "connect",
    "connect_error",
    "disconnect",
    "disconnecting",
    "newListener",
    "removeListener",
];

/// Parses the name of an event: a string that is not reserved, or a number.
///
/// # Errors
/// If the value is neither.
pub fn event_name(value: &RawValue) -> Result<String, Invalid> {
    let text = value.get();
    if text.starts_with(|c: char| c == '-' || c.is_ascii_digit()) {
        return Ok(text.to_owned());
    }
    let name: String = serde_json::from_str(text).map_err(|_| Invalid)?;
    match RESERVED.contains(&name.as_str()) {
        true => Err(Invalid),
        false => Ok(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(
        kind: Kind,
        namespace: &'static str,
        id: Option<u64>,
        data: &'static str,
    ) -> Packet<'static> {
        Packet {
            kind,
            attachments: 0,
            namespace,
            id,
            data,
        }
    }

    #[test]
    fn packets_are_parsed() {
        let table = [
            ("0", packet(Kind::Connect, "/", None, "")),
            ("0{}", packet(Kind::Connect, "/", None, "{}")),
            ("0/admin,{}", packet(Kind::Connect, "/admin", None, "{}")),
            ("0/admin", packet(Kind::Connect, "/admin", None, "")),
            ("1", packet(Kind::Disconnect, "/", None, "")),
            ("1/admin,", packet(Kind::Disconnect, "/admin", None, "")),
            ("2[\"a\"]", packet(Kind::Event, "/", None, "[\"a\"]")),
            ("212[\"a\"]", packet(Kind::Event, "/", Some(12), "[\"a\"]")),
            ("2/a,1[]", packet(Kind::Event, "/a", Some(1), "[]")),
            ("30[]", packet(Kind::Ack, "/", Some(0), "[]")),
            ("4{}", packet(Kind::ConnectError, "/", None, "{}")),
            ("50-[1]", packet(Kind::BinaryEvent, "/", None, "[1]")),
        ];
        for (text, packet) in table {
            assert_eq!(Packet::parse(text), Ok(packet), "{text}");
        }
        let two = Packet::parse("62-/a,7[]").unwrap();
        assert_eq!((two.kind, two.attachments), (Kind::BinaryAck, 2));
        assert_eq!((two.namespace, two.id, two.data), ("/a", Some(7), "[]"));
    }

    #[test]
    fn malformed_packets_are_invalid() {
        for text in [
            "",
            "7",
            "a",
            "ä",
            "5[\"a\"]",
            "5-[\"a\"]",
            "5x-[\"a\"]",
            "5+1-[\"a\"]",
            "533-[\"a\"]",
            "299999999999999999999999[\"a\"]",
        ] {
            assert_eq!(Packet::parse(text), Err(Invalid), "{text}");
        }
    }

    #[test]
    fn values_are_kept_as_raw_json() {
        let packet = Packet::parse(r#"2["a", 1.0, {"b":[true]} ]"#).unwrap();
        let values: Vec<_> = packet.values().unwrap().iter().map(|v| v.get()).collect();
        assert_eq!(values, [r#""a""#, "1.0", r#"{"b":[true]}"#]);
        for wrong in ["2", "2{}", "2[", "2[1]x", "2abc[1]", "2\"a\""] {
            assert_eq!(
                Packet::parse(wrong).unwrap().values().err(),
                Some(Invalid),
                "{wrong}"
            );
        }
    }

    #[test]
    fn connect_has_an_object_or_no_payload() {
        let object = |text| {
            Packet::parse(text)
                .unwrap()
                .object()
                .map(|o| o.map(RawValue::get))
        };
        assert_eq!(object("0"), Ok(None));
        assert_eq!(object(r#"0{"token":"x"}"#), Ok(Some(r#"{"token":"x"}"#)));
        for wrong in ["0[]", "0\"a\"", "0{", "0x"] {
            assert_eq!(object(wrong), Err(Invalid), "{wrong}");
        }
    }

    #[test]
    fn reserved_event_names_are_invalid() {
        let name = |json: &str| event_name(&RawValue::from_string(json.to_owned()).unwrap());
        assert_eq!(name(r#""häh\n""#), Ok("häh\n".to_owned()));
        assert_eq!(name("-7"), Ok("-7".to_owned()));
        for wrong in [
            r#""disconnect""#,
            r#""connect""#,
            "null",
            "{}",
            "[]",
            "true",
        ] {
            assert_eq!(name(wrong), Err(Invalid), "{wrong}");
        }
    }
}
