//! Messages of the lobby.

use crate::dialect::kit::{Answer, Call, StatusCode, json};
use crate::model::{PageRequest, RoomId};

use super::caller;
use super::wire::ChatJson;

/// Number of messages returned.
const RECENT: u32 = 10;

pub(super) async fn recent(call: Call) -> Answer {
    let caller = caller(&call).await?;
    let page = PageRequest {
        before: None,
        after: None,
        limit: RECENT,
        tombstones: false,
    };
    let (messages, _) = call.kit.chat.history(&caller, RoomId::LOBBY, page).await?;
    let list: Vec<_> = messages
        .iter()
        .map(|message| ChatJson::stored(message, message.sender.id == caller.id()))
        .collect();
    Ok(json(StatusCode::OK, &list))
}

pub(super) async fn clear(call: Call) -> Answer {
    let caller = caller(&call).await?;
    call.kit.chat.clear_room(&caller, RoomId::LOBBY).await?;
    Ok(json(StatusCode::OK, &"Messages deleted"))
}
