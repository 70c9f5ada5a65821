//! The objects of the protocol: exactly these keys, as `docs/native.md` has them.

use serde_json::Value;

pub const PERSON: &str = "id uuid username display_name avatar_url role deleted";
pub const ME: &str = "id uuid username display_name avatar_url role deleted email has_password created_at updated_at";
pub const ROOM: &str = "id uuid kind name description owner_id access_key people cleared_through created_at updated_at";
pub const OVERVIEW: &str = "id uuid kind name description owner_id access_key people cleared_through created_at updated_at \
    role last_read_id muted_until member_count unread last_message change_id other_read_id";
pub const PUBLIC_ROOM: &str = "id uuid kind name description owner_id access_key people cleared_through created_at updated_at \
    member_count member";
pub const MEMBER: &str = "person role joined_at muted_until";
pub const MESSAGE: &str =
    "id uuid room_id sender content files reply_to sent_at created_at edited_at deleted_at change_id";
pub const SESSION: &str = "id kind current created_at last_at expires_at ip user_agent";
pub const GRANT: &str = "user access_token refresh_token expires_in";

/// The object must have these keys and no others; everything in it that is a person must be a whole one.
pub fn assert_keys(object: &Value, keys: &str) {
    let mut found: Vec<_> = object.as_object().unwrap().keys().collect();
    let mut wanted: Vec<_> = keys.split_whitespace().collect();
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

/// Like `2026-11-21T03:28:04.123Z`.
pub fn assert_time(value: &Value) {
    let text = value.as_str().unwrap();
    assert!(
        text.len() == 24 && text.ends_with('Z') && text.as_bytes()[19] == b'.',
        "{text}"
    );
    assert!(chrono::DateTime::parse_from_rfc3339(text).is_ok(), "{text}");
}

/// One field of each.
pub fn each<'a>(items: &'a [Value], field: &str) -> Vec<&'a str> {
    items
        .iter()
        .map(|item| item[field].as_str().unwrap())
        .collect()
}
