//! Mentions in the messages of a room, and notifications. Must not know how notifications are stored.

use std::collections::HashMap;
use std::sync::Arc;

use crate::model::{
    Action, Event, Member, Mentions, Message, Notification, NotificationId, NotificationKind,
    Notify, Person, RoomKind, UserId, head, name_key,
};
use crate::store::{Alerted, Alerts, Rest, RoomNotice, Store, Written};

use super::super::connections::People;
use super::super::outbox::Priority;
use super::{ChatError, RoomActor};

/// Members by name key. Filled on first use. People who left stay in it, so a person found must still be checked.
#[derive(Default)]
pub(super) struct Names(Option<HashMap<String, UserId>>);

impl Names {
    /// Records a new member or a new name.
    pub(super) fn note(&mut self, person: &Person) {
        if let Some(names) = &mut self.0 {
            names.insert(name_key(&person.username), person.id);
        }
    }

    fn all<'a>(&mut self, people: impl Iterator<Item = &'a Member>) -> &HashMap<String, UserId> {
        self.0.get_or_insert_with(|| {
            people
                .map(|member| (name_key(&member.person.username), member.person.id))
                .collect()
        })
    }
}

impl RoomActor {
    /// Returns the people whom `text` mentions if `by` writes it.
    pub(super) fn mentions(&mut self, by: &Person, text: &str) -> Mentions {
        if !Mentions::are_possible(text) {
            return Mentions::default();
        }
        let may_call_room = self.check(by, Action::CallRoom).is_ok();
        let names = self.names.all(self.members.values());
        Mentions::find(text, may_call_room, |key| {
            let member = self.members.get(names.get(key)?)?;
            (name_key(&member.person.username) == key).then_some(member.person.id)
        })
    }

    /// Returns the recipient of what `by` writes in a direct room.
    pub(super) fn direct_reader(&self, by: UserId) -> Option<UserId> {
        let reader = self
            .room
            .other(by)
            .filter(|_| self.room.kind == RoomKind::Direct);
        reader.map(|person| person.id)
    }

    /// Sends the notifications of a message that is on disk; in a large room, those to further members follow in steps.
    pub(super) fn tell_alerted(&self, message: &Message, alerts: &Alerts) {
        let Written {
            alerted,
            rest,
            withdrawn,
        } = alerts.take();
        for (user, left) in withdrawn {
            let event = Event::NotificationsRead(left);
            self.people.tell(user, &event, Priority::Full);
        }
        if alerted.is_empty() && rest.is_none() {
            return;
        }
        let telling = Telling {
            people: self.people.clone(),
            notification: notification(message, &self.room.name),
        };
        telling.tell(&alerted);
        if let Some(rest) = rest {
            tokio::spawn(telling.tell_rest(self.store.clone(), rest));
        }
    }

    /// Stores and sends the notification that `by` added or removed a person. Does nothing if that person is `by`.
    pub(super) async fn note(&mut self, to: UserId, kind: NotificationKind, by: &Person) {
        if to == by.id {
            return;
        }
        let notice = RoomNotice {
            id: NotificationId(self.store.next_id()),
            to,
            kind,
            room: self.room.id,
            by: by.id,
        };
        match self.store.note_room(notice).await {
            Ok(Some(notification)) => {
                let notification = Arc::new(notification);
                let new = true;
                let event = Event::Notified { notification, new };
                self.people.tell(to, &event, Priority::Full);
            }
            Ok(None) => {}
            // The membership has changed already, so a failure is only logged.
            Err(error) => {
                tracing::warn!(%error, "cannot notify a person of a membership change")
            }
        }
    }

    /// Sets which messages a member is notified of.
    pub(super) async fn set_notify(
        &mut self,
        by: &Person,
        notify: Notify,
    ) -> Result<Member, ChatError> {
        self.check(by, Action::Look)?;
        if !self.members.contains_key(&by.id) {
            return Err(ChatError::NotMember);
        }
        self.store.set_notify(self.room.id, by.id, notify).await?;
        let member = self.members.get_mut(&by.id).ok_or(ChatError::NotMember)?;
        member.place.notify = notify;
        let member = member.clone();
        let room = self.room.id;
        self.people.tell(
            by.id,
            &Event::NotifyChanged { room, notify },
            Priority::Full,
        );
        Ok(member)
    }
}

/// Delivery of one message's notifications.
struct Telling {
    people: Arc<People>,
    notification: Notification,
}

impl Telling {
    fn tell(&self, alerted: &[Alerted]) {
        for Alerted { user, kind, new } in alerted {
            let notification = Arc::new(Notification {
                kind: *kind,
                ..self.notification.clone()
            });
            let event = Event::Notified {
                notification,
                new: *new,
            };
            self.people.tell(*user, &event, Priority::Full);
        }
    }

    async fn tell_rest(self, store: Store, rest: Rest) {
        let mut next = Some(rest);
        while let Some(rest) = next {
            match store.alert_more(rest).await {
                Ok((alerted, rest)) => {
                    self.tell(&alerted);
                    next = rest;
                }
                Err(error) => {
                    tracing::warn!(%error, "cannot notify all members of a message");
                    return;
                }
            }
        }
    }
}

fn notification(message: &Message, room_name: &str) -> Notification {
    Notification {
        id: NotificationId(message.change_id.0),
        kind: NotificationKind::Mention,
        room_id: Some(message.room_id),
        message_id: Some(message.id),
        by: Some(message.sender.clone()),
        title: room_name.to_owned(),
        text: head(&message.content),
        content: None,
        created_at: message.edited_at.unwrap_or(message.created_at),
        read: false,
    }
}
