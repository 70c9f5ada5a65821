//! Notifications: list, mark read, create, settings. Also reactions, which notify nobody.

use std::sync::Arc;

use crate::model::{
    Change, Emoji, Event, Message, MessageId, Note, Notification, NotificationId, Notify, ReadMark,
    RoomId, RoomOverview,
};

use super::outbox::Priority;
use super::room::Order;
use super::{Caller, Chat, ChatError};

impl Chat {
    /// Returns the caller's notifications before an id, newest first, and whether there are more.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn notifications(
        &self,
        caller: &Caller,
        before: Option<NotificationId>,
        limit: u32,
    ) -> Result<(Vec<Notification>, bool), ChatError> {
        let before = before.unwrap_or(NotificationId(i64::MAX));
        let store = self.store_for(caller);
        let mut found = store.notifications(caller.id(), before, limit + 1).await?;
        let more = found.len() > limit as usize;
        found.truncate(limit as usize);
        Ok((found, more))
    }

    /// Returns the number of the caller's unread notifications, counted up to 100.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn unread_notifications(&self, caller: &Caller) -> Result<u32, ChatError> {
        Ok(self.core.store.unread_notifications(caller.id()).await?)
    }

    /// Marks notifications of the caller as read; returns the number of unread ones, counted up to 100.
    ///
    /// # Errors
    /// [`ChatError::Busy`], [`ChatError::Full`].
    pub async fn read_notifications(
        &self,
        caller: &Caller,
        mark: ReadMark,
    ) -> Result<u32, ChatError> {
        let left = self
            .core
            .store
            .read_notifications(caller.id(), mark)
            .await?;
        let event = Event::NotificationsRead(left);
        self.core.people.tell(caller.id(), &event, Priority::Full);
        Ok(left)
    }

    /// Creates a notification for the caller and sends it to all their connections.
    ///
    /// # Errors
    /// [`ChatError::Limited`], [`ChatError::Busy`], [`ChatError::Full`].
    pub async fn note(&self, caller: &Caller, note: Note) -> Result<Arc<Notification>, ChatError> {
        self.count_message(caller)?;
        let store = &self.core.store;
        let id = NotificationId(store.next_id());
        let notification = Arc::new(store.note(id, caller.id(), note).await?);
        let event = Event::Notified {
            notification: notification.clone(),
            new: true,
        };
        self.core.people.tell(caller.id(), &event, Priority::Full);
        Ok(notification)
    }

    /// Sets which messages of a room the caller is notified of.
    ///
    /// # Errors
    /// [`ChatError::NotMember`], [`ChatError::NotFound`].
    pub async fn set_notify(
        &self,
        caller: &Caller,
        room: RoomId,
        notify: Notify,
    ) -> Result<RoomOverview, ChatError> {
        self.order(caller, room, Order::Notify(notify)).await?;
        self.overview(caller, room).await
    }

    /// Returns which messages the caller is notified of in rooms that they join.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn notify_default(&self, caller: &Caller) -> Result<Notify, ChatError> {
        Ok(self.core.store.notify_default(caller.id()).await?)
    }

    /// Sets which messages the caller is notified of, in all their rooms and in rooms that they join later.
    ///
    /// # Errors
    /// As [`Chat::set_notify`].
    pub async fn set_notify_everywhere(
        &self,
        caller: &Caller,
        notify: Notify,
    ) -> Result<(), ChatError> {
        let store = &self.core.store;
        store.set_notify_default(caller.id(), notify).await?;
        for overview in self.rooms(caller).await? {
            if overview.place.notify != notify {
                self.set_notify(caller, overview.room.id, notify).await?;
            }
        }
        Ok(())
    }

    /// Adds a reaction of the caller to a message, or removes it.
    ///
    /// # Errors
    /// [`ChatError::NotFound`], also for deleted messages; [`ChatError::Forbidden`]; [`ChatError::Muted`];
    /// [`ChatError::Invalid`] if the message has too many different reactions; [`ChatError::Limited`].
    pub async fn react(
        &self,
        caller: &Caller,
        message: MessageId,
        emoji: Emoji,
        on: bool,
    ) -> Result<Arc<Message>, ChatError> {
        self.change(caller, message, Change::React { emoji, on })
            .await
    }
}
