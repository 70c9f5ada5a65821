//! The part of a room's history that is on the page at first. Must not know how it is shown.

use std::collections::{HashMap, HashSet};

use crate::chat::{Caller, Chat, ChatError};
use crate::model::{Message, MessageId, PageRequest, RoomId, UserId, name_key};

/// So many messages are on the page at first.
const PAGE: u32 = 40;
/// Of one that was asked for, so many before it and as many after it.
const AROUND: u32 = 25;
/// Who has more unread messages begins at the end, others with the first of them.
pub(super) const UNREAD_MAX: u32 = PAGE - 10;
/// So many people who are called on one page are looked up.
const CALLED_MAX: usize = 50;

/// The part of a room's history that is on the page.
pub(super) struct Window {
    pub messages: Vec<Message>,
    pub more: bool,
    pub newer: bool,
    pub at: Option<MessageId>,
    pub newest: Option<Message>,
}

impl Window {
    pub(super) async fn newest(chat: &Chat, me: &Caller, room: RoomId) -> Result<Self, ChatError> {
        let (messages, more) = chat.history(me, room, part(None, None, PAGE)).await?;
        Ok(Self {
            messages,
            more,
            newer: false,
            at: None,
            newest: None,
        })
    }

    /// Half a page before a message and half a page after it.
    pub(super) async fn around(
        chat: &Chat,
        me: &Caller,
        room: RoomId,
        at: MessageId,
    ) -> Result<Self, ChatError> {
        let next = MessageId(at.0.saturating_add(1));
        let before = part(Some(next), None, AROUND);
        let after = part(None, Some(at), AROUND);
        let (mut messages, more) = chat.history(me, room, before).await?;
        let (following, newer) = chat.history(me, room, after).await?;
        let (newest, _) = chat.history(me, room, part(None, None, 1)).await?;
        let is_there = messages.last().is_some_and(|message| message.id == at);
        messages.extend(following);
        Ok(Self {
            messages,
            more,
            newer,
            at: is_there.then_some(at),
            newest: newest.into_iter().next(),
        })
    }
}

fn part(before: Option<MessageId>, after: Option<MessageId>, limit: u32) -> PageRequest {
    PageRequest {
        before,
        after,
        limit,
        tombstones: true,
    }
}

/// The usernames of those whom the messages call, as names are compared.
pub(super) async fn called(
    chat: &Chat,
    messages: &[Message],
) -> Result<HashMap<UserId, String>, ChatError> {
    let ids = messages.iter().flat_map(|message| &message.mentions.people);
    let ids: HashSet<_> = ids.copied().collect();
    let mut names = HashMap::new();
    for id in ids.into_iter().take(CALLED_MAX) {
        match chat.user(id).await {
            Ok(user) => names.insert(id, name_key(&user.person.username)),
            Err(ChatError::NotFound(_)) => None,
            Err(error) => return Err(error),
        };
    }
    Ok(names)
}
