//! Frames of the raw WebSocket: `IdMessage`, `ChatMessage`, `ErrorMessage`. Keys may be in camelCase or snake_case.

use std::sync::Arc;

use chrono::{DateTime, NaiveDateTime};
use serde::Serialize;
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::chat::Reader;
use crate::dialect::kit::{plain_text, rfc3339};
use crate::model::{Message, Millis, is_shallow};

/// Maximum size of the client's own keys of `meta` that are passed on, in bytes.
const EXTRA_MAX: usize = 2048;

/// A frame from a client.
pub(super) enum FrameIn {
    /// Identifies the client and selects its conversation.
    Id {
        sender: Option<String>,
        conversation: Option<String>,
    },
    /// Posts a message.
    Chat {
        sender: Option<String>,
        conversation: Option<String>,
        content: String,
        sent_at: Option<Millis>,
        aside: Option<Arc<str>>,
    },
}

/// Parses a frame.
///
/// # Errors
/// The text of the error frame to send.
pub(super) fn parse(text: &str) -> Result<FrameIn, &'static str> {
    let frame: Value = serde_json::from_str(text).map_err(|_| "The frame is no JSON")?;
    match string(&frame, "messageType", "message_type").as_deref() {
        Some("IdMessage") => Ok(FrameIn::Id {
            sender: string(&frame, "senderId", "sender_id"),
            conversation: string(&frame, "convId", "conv_id"),
        }),
        Some("ChatMessage") => parse_chat(&frame),
        Some(_) => Err("Unknown messageType"),
        None => Err("messageType is missing"),
    }
}

fn parse_chat(frame: &Value) -> Result<FrameIn, &'static str> {
    let content = frame["payload"]["content"]
        .as_str()
        .ok_or("payload.content is missing")?;
    let meta = &frame["meta"];
    let aside = extra(meta)?;
    Ok(FrameIn::Chat {
        sender: string(meta, "senderId", "sender_id"),
        conversation: string(meta, "conversationId", "conversation_id"),
        content: content.to_owned(),
        sent_at: parse_time(&meta["timestamp"]),
        aside,
    })
}

fn string(object: &Value, camel: &str, snake: &str) -> Option<String> {
    match object.get(camel).or_else(|| object.get(snake))? {
        Value::Null => None,
        Value::String(text) => Some(text.clone()).filter(|text| !text.is_empty()),
        // Not a valid id, but not absent either.
        other => Some(other.to_string()),
    }
}

/// Collects the client's own keys of `meta`, and its timestamp as written if it can be parsed.
fn extra(meta: &Value) -> Result<Option<Arc<str>>, &'static str> {
    const OURS: [&str; 4] = ["conversationId", "conversation_id", "senderId", "sender_id"];
    let Some(meta) = meta.as_object() else {
        return Ok(None);
    };
    let own =
        |key: &str| OURS.contains(&key) || (key == "timestamp" && parse_time(&meta[key]).is_none());
    let extra: Map<_, _> = meta
        .iter()
        .filter(|(key, _)| !own(key))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    if extra.is_empty() {
        return Ok(None);
    }
    let text = serde_json::to_string(&extra).unwrap_or_default();
    if text.len() > EXTRA_MAX {
        Err("meta is too large")
    } else if !is_shallow(&text) {
        Err("meta is nested too deeply")
    } else {
        Ok(Some(text.into()))
    }
}

/// Parses RFC 3339, `YYYY-MM-DD HH:MM:SS`, or milliseconds since 1970.
fn parse_time(value: &Value) -> Option<Millis> {
    if let Some(millis) = value.as_i64().filter(|millis| *millis > 0) {
        return DateTime::from_timestamp_millis(millis).map(|_| Millis(millis));
    }
    let text = value.as_str()?;
    let zoned = DateTime::parse_from_rfc3339(text).map(|time| time.timestamp_millis());
    let plain = || {
        ["%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f"]
            .iter()
            .find_map(|format| NaiveDateTime::parse_from_str(text, format).ok())
    };
    zoned
        .ok()
        .or_else(|| plain().map(|time| time.and_utc().timestamp_millis()))
        .map(Millis)
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct FrameOut<P> {
    message_type: &'static str,
    payload: P,
    #[serde(skip_serializing_if = "Option::is_none")]
    meta: Option<Map<String, Value>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ChatPayload<'a> {
    content: &'a str,
    display_name: &'a str,
}

#[derive(Serialize)]
struct ErrorPayload<'a> {
    message: &'a str,
}

/// Serializes a message for all members of its conversation.
pub(super) fn chat_json(message: &Message, reader: Reader<'_>) -> Vec<u8> {
    let extra = message
        .aside
        .as_deref()
        .and_then(|aside| serde_json::from_str::<Map<_, _>>(aside).ok());
    let mut meta =
        extra.unwrap_or_else(|| Map::from_iter([("messageId".to_owned(), text(message.uuid))]));
    meta.insert("conversationId".to_owned(), text(message.room_uuid));
    meta.insert("senderId".to_owned(), text(message.sender.uuid));
    let time = message.sent_at.unwrap_or(message.created_at);
    meta.entry("timestamp")
        .or_insert_with(|| rfc3339(time).into());
    let payload = ChatPayload {
        content: &plain_text(message, reader),
        display_name: &message.sender.display_name,
    };
    let frame = FrameOut {
        message_type: "ChatMessage",
        payload,
        meta: Some(meta),
    };
    serde_json::to_vec(&frame).unwrap_or_default()
}

/// Serializes an error frame.
pub(super) fn error_json(message: &str) -> Vec<u8> {
    let frame = FrameOut {
        message_type: "ErrorMessage",
        payload: ErrorPayload { message },
        meta: None,
    };
    serde_json::to_vec(&frame).unwrap_or_default()
}

fn text(uuid: Uuid) -> Value {
    uuid.to_string().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn camel_case_and_snake_case_keys_are_accepted() {
        for frame in [
            r#"{"messageType":"IdMessage","senderId":"a","convId":"b"}"#,
            r#"{"message_type":"IdMessage","sender_id":"a","conv_id":"b"}"#,
        ] {
            let Ok(FrameIn::Id {
                sender,
                conversation,
            }) = parse(frame)
            else {
                panic!("{frame}")
            };
            assert_eq!(
                (sender.as_deref(), conversation.as_deref()),
                (Some("a"), Some("b"))
            );
        }
    }

    #[test]
    fn all_timestamp_formats_are_accepted() {
        for time in [
            r#""2026-01-02T03:04:05Z""#,
            r#""2026-01-02 03:04:05""#,
            r#""2026-01-02T04:04:05+01:00""#,
            "1767323045000",
        ] {
            let value = serde_json::from_str(time).unwrap();
            assert_eq!(
                parse_time(&value),
                Some(Millis(1_767_323_045_000)),
                "{time}"
            );
        }
        assert_eq!(parse_time(&"soon".into()), None);
    }

    #[test]
    fn invalid_frames_are_refused_with_a_reason() {
        for (text, why) in [
            ("", "The frame is no JSON"),
            ("{}", "messageType is missing"),
            (r#"{"messageType":"Other"}"#, "Unknown messageType"),
            (
                r#"{"messageType":"ChatMessage"}"#,
                "payload.content is missing",
            ),
        ] {
            assert_eq!(parse(text).err(), Some(why), "{text}");
        }
    }
}
