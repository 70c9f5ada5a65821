//! Statistics of the caller, and people who are online.

use serde::Serialize;

use crate::dialect::kit::{Call, PEOPLE_MAX, StatusCode, json};

use super::error::Answer;

#[derive(Serialize)]
struct InfoJson {
    message_count: u32,
    private_rooms_owned: u32,
    public_rooms_owned: u32,
    private_rooms_member: u32,
    public_rooms_member: u32,
}

pub(super) async fn info(call: Call) -> Answer {
    let caller = call.caller().await?;
    let tally = call.kit.chat.tally(&caller).await?;
    let info = InfoJson {
        message_count: tally.messages,
        private_rooms_owned: tally.private_owned,
        public_rooms_owned: tally.public_owned,
        private_rooms_member: tally.private_in,
        public_rooms_member: tally.public_in,
    };
    Ok(json(StatusCode::OK, &info))
}

/// Returns everybody who is online: all people share the lobby with the caller.
pub(super) async fn online(call: Call) -> Answer {
    let caller = call.caller().await?;
    let there = call.kit.chat.everybody_online();
    let others = there.iter().filter(|person| person.id != caller.id());
    let mut names: Vec<_> = others.map(|person| person.username.as_str()).collect();
    names.sort_unstable();
    names.truncate(PEOPLE_MAX as usize);
    Ok(json(StatusCode::OK, &names))
}
