//! Page of history that the chat page shows first. Independent of its rendering.

use std::collections::{HashMap, HashSet};

use crate::chat::{Caller, Chat, ChatError};
use crate::model::{Message, MessageId, PageRequest, RoomId, UserId, name_key};

/// Messages per page.
const PAGE: u32 = 40;
/// Messages before, and after, a message that is linked to.
const AROUND: u32 = 25;
/// Read messages shown before the first unread one.
const READ: u32 = 10;
/// Maximum number of mentioned people looked up per page.
const CALLED_MAX: usize = 50;

/// Page of history.
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

    /// Returns the page around the read cursor `read`.
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

    /// Returns messages before and after `at`.
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

    /// Returns the page that ends with a message.
    pub(super) async fn older(
        chat: &Chat,
        me: &Caller,
        room: RoomId,
        end: MessageId,
    ) -> Result<Self, ChatError> {
        Self::split(chat, me, room, end, (PAGE, 0)).await
    }

    /// Returns the page that begins with a message.
    pub(super) async fn newer(
        chat: &Chat,
        me: &Caller,
        room: RoomId,
        begin: MessageId,
    ) -> Result<Self, ChatError> {
        Self::split(chat, me, room, begin, (1, PAGE)).await
    }

    /// Returns the bytes of text on the page.
    pub(super) fn length(&self) -> usize {
        self.messages.iter().map(|one| one.content.len()).sum()
    }

    /// Whether no message is missing between `read` and the page.
    pub(super) fn follows(&self, read: MessageId) -> bool {
        let first = self.messages.first();
        !self.more || first.is_some_and(|first| first.id <= read)
    }

    /// Returns `before` messages up to and including `at`, and `after` messages following it.
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

/// Returns the user names of people mentioned in `messages`, in the form of [`name_key`].
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
