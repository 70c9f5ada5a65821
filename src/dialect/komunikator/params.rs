//! Request parameters: optional fields, and room ids as number or text.

use serde_json::{Map, Value};

use crate::dialect::kit::{Call, json_body};
use crate::model::{Invalid, RoomId};

use super::error::{NO_ROOM, Refusal};

const NO_ROOM_ID: Refusal = Refusal::missing("Missing room_id parameter");

/// Fields of a JSON body.
pub(super) struct Params(Map<String, Value>);

impl Params {
    pub(super) async fn read(call: &mut Call) -> Result<Self, Refusal> {
        Ok(Self(json_body(call).await?))
    }

    /// Returns a text field. An empty text counts as absent.
    pub(super) fn text(&self, field: &'static str) -> Result<Option<&str>, Invalid> {
        match self.0.get(field) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.as_str()).filter(|text| !text.is_empty())),
            Some(_) => Err(Invalid::new(field, "must be a text")),
        }
    }

    /// Whether the field is present and not null, even if it is empty.
    pub(super) fn has(&self, field: &str) -> bool {
        self.0.get(field).is_some_and(|value| !value.is_null())
    }

    pub(super) fn flag(&self, field: &'static str) -> Result<Option<bool>, Invalid> {
        match self.0.get(field) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(*flag)),
            Some(_) => Err(Invalid::new(field, "must be true or false")),
        }
    }

    /// Returns the room id of the body.
    pub(super) fn room_id(&self) -> Result<RoomId, Refusal> {
        let value = word(self.0.get("room_id")).ok_or(NO_ROOM_ID)?;
        parse_room(&value).ok_or(NO_ROOM)
    }
}

/// Returns the room id of the query.
pub(super) fn queried_room(call: &Call) -> Result<RoomId, Refusal> {
    let value = call.query_value("room_id").filter(|text| !text.is_empty());
    parse_room(&value.ok_or(NO_ROOM_ID)?).ok_or(NO_ROOM)
}

/// Returns a number or a text as text; `None` if it is empty or of another type.
pub(super) fn word(value: Option<&Value>) -> Option<String> {
    match value? {
        Value::String(text) => Some(text.clone()).filter(|text| !text.is_empty()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

pub(super) fn parse_room(text: &str) -> Option<RoomId> {
    let number = text.trim().parse().ok();
    number.filter(|number| *number > 0).map(RoomId)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn room_ids_are_accepted_as_numbers_and_strings() {
        let parse = |value: Value| word(Some(&value)).map(|text| parse_room(&text));
        assert_eq!(parse(json!(7)), Some(Some(RoomId(7))));
        assert_eq!(parse(json!("7")), Some(Some(RoomId(7))));
        for wrong in [json!("x"), json!(0), json!(-1), json!(1.5), json!("1e3")] {
            assert_eq!(parse(wrong.clone()), Some(None), "{wrong}");
        }
        for none in [json!(null), json!(""), json!([1]), json!({})] {
            assert_eq!(parse(none.clone()), None, "{none}");
        }
    }
}
