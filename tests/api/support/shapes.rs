//! The objects of the protocol: exactly the keys that `docs/native.md` documents.

use serde_json::Value;

// A capitalized word is an object of the document; other words are keys.
pub const PERSON: &str = "Person";
pub const ME: &str = "Person email has_password created_at updated_at";
pub const ROOM: &str = "Room";
pub const OVERVIEW: &str = "Room role last_read_id muted_until member_count unread last_message change_id other_read_id notify";
pub const PUBLIC_ROOM: &str = "Room member_count member";
pub const MEMBER: &str = "Member";
pub const MESSAGE: &str = "Message";
pub const NOTIFICATION: &str = "Notification";
pub const SESSION: &str = "Session";
pub const GRANT: &str = "Grant";

const DOCUMENT: &str = include_str!("../../../docs/native.md");

/// Asserts that an object has exactly these keys, and that every person in it is complete.
pub fn assert_keys(object: &Value, keys: &str) {
    let mut found: Vec<_> = object.as_object().unwrap().keys().collect();
    let mut wanted: Vec<_> = keys.split_whitespace().flat_map(expand).collect();
    found.sort();
    wanted.sort_unstable();
    assert_eq!(found, wanted, "{object}");
    for part in ["person", "sender", "by"] {
        if object[part].is_object() {
            assert_keys(&object[part], PERSON);
        }
    }
    for (key, value) in object.as_object().unwrap() {
        if key.ends_with("_at") && !value.is_null() {
            assert_time(value);
        }
    }
}

fn expand(word: &str) -> Vec<&str> {
    if word.starts_with(char::is_uppercase) {
        documented(word)
    } else {
        vec![word]
    }
}

/// Returns the keys of the first example in the paragraph `**Name**`.
pub fn documented(name: &str) -> Vec<&'static str> {
    let (_, paragraph) = DOCUMENT.split_once(&format!("\n**{name}**")).unwrap();
    let example = paragraph.split('`').nth(1).unwrap();
    let parts = example.split("\":");
    let mut keys: Vec<_> = parts.map(|part| part.rsplit('"').next().unwrap()).collect();
    keys.pop();
    keys
}

/// Asserts a time like `2026-11-21T03:28:04.123Z`.
pub fn assert_time(value: &Value) {
    let text = value.as_str().unwrap();
    assert!(
        text.len() == 24 && text.ends_with('Z') && text.as_bytes()[19] == b'.',
        "{text}"
    );
    assert!(chrono::DateTime::parse_from_rfc3339(text).is_ok(), "{text}");
}

/// Returns one string field of each item.
pub fn each<'a>(items: &'a [Value], field: &str) -> Vec<&'a str> {
    items
        .iter()
        .map(|item| item[field].as_str().unwrap())
        .collect()
}
