//! The part of a room's history that is on the page at first. Must not know how it is shown.

use std::collections::{HashMap, HashSet};

use crate::chat::{Caller, Chat, ChatError};
use crate::model::{Message, MessageId, PageRequest, RoomId, UserId, name_key};

/// So many messages are on the page at first.
const PAGE: u32 = 40;
/// Of one that was asked for, so many before it and as many after it.
const AROUND: u32 = 25;
/// Above what was not read yet, so much of what was.
const READ: u32 = 10;
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

    /// Where somebody stopped reading, who has read up to there.
    pub(super) async fn unread(
        chat: &Chat,
        me: &Caller,
        room: RoomId,
        read: MessageId,
    ) -> Result<Self, ChatError> {
        let newest = Self::newest(chat, me, room).await?;
        match newest.follows(read) {
            true => Ok(newest),
            false => Self::split(chat, me, room, read, (READ, PAGE)).await,
        }
    }

    /// Half a page before a message and half a page after it.
    pub(super) async fn around(
        chat: &Chat,
        me: &Caller,
        room: RoomId,
        at: MessageId,
    ) -> Result<Self, ChatError> {
        let window = Self::split(chat, me, room, at, (AROUND, AROUND)).await?;
        let is_there = window.messages.iter().any(|message| message.id == at);
        Ok(Self {
            at: is_there.then_some(at),
            ..window
        })
    }

    /// The page that ends with a message.
    pub(super) async fn older(
        chat: &Chat,
        me: &Caller,
        room: RoomId,
        end: MessageId,
    ) -> Result<Self, ChatError> {
        Self::split(chat, me, room, end, (PAGE, 0)).await
    }

    /// The page that begins with a message.
    pub(super) async fn newer(
        chat: &Chat,
        me: &Caller,
        room: RoomId,
        begin: MessageId,
    ) -> Result<Self, ChatError> {
        Self::split(chat, me, room, begin, (1, PAGE)).await
    }

    /// How much text is on the page, bytes.
    pub(super) fn length(&self) -> usize {
        self.messages.iter().map(|one| one.content.len()).sum()
    }

    /// Whether nothing is missing between a message and those on the page.
    pub(super) fn follows(&self, read: MessageId) -> bool {
        let first = self.messages.first();
        !self.more || first.is_some_and(|first| first.id <= read)
    }

    /// So many messages up to that one, and so many after it.
    async fn split(
        chat: &Chat,
        me: &Caller,
        room: RoomId,
        at: MessageId,
        (before, after): (u32, u32),
    ) -> Result<Self, ChatError> {
        let next = MessageId(at.0.saturating_add(1));
        let (mut messages, more) = chat
            .history(me, room, part(Some(next), None, before))
            .await?;
        let (following, newer) = chat.history(me, room, part(None, Some(at), after)).await?;
        let (newest, _) = chat.history(me, room, part(None, None, 1)).await?;
        messages.extend(following);
        Ok(Self {
            messages,
            more,
            newer,
            at: None,
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
