//! Posting and changing messages: writes under way, and what follows when they are on disk.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::model::{
    Action, Change, Draft, Event, Invalid, MemberRole, Mentions, Message, MessageId, Millis,
    Person, TOO_MANY_FILES, UserId,
};
use crate::store::{Appended, Changed, NewChange, NewMessage, StoreError, Ticket};

use super::super::outbox::Priority;
use super::read_cursors::Cursor;
use super::{ChatError, PostOutcome, Reply, RoomActor, Speaker};

/// A message needs a text or a file.
const EMPTY: Invalid = Invalid::new("content", "must not be empty");
/// Number of failed messages that are remembered.
const UNSURE_MAX: usize = 1000;

/// The number of different reactions to a message is limited.
const TOO_MANY_EMOJI: Invalid = Invalid::new("emoji", "is one too many for this message");

/// Numbers of unread notifications left to people who have read some.
type Left = Vec<(UserId, u32)>;

/// Write under way.
pub(super) enum Pending {
    Post {
        id: MessageId,
        ticket: Ticket<Appended>,
        reply: Reply<PostOutcome>,
    },
    Change {
        ticket: Ticket<Changed>,
        reply: Reply<Arc<Message>>,
    },
    Reads {
        ticket: Ticket<Left>,
        cursors: Vec<Cursor>,
        replies: Vec<Reply<()>>,
    },
}

/// Finished write, successful or not.
pub(super) enum Done {
    Post {
        id: MessageId,
        answer: Result<Appended, StoreError>,
        reply: Reply<PostOutcome>,
    },
    Change {
        answer: Result<Changed, StoreError>,
        reply: Reply<Arc<Message>>,
    },
    Reads {
        answer: Result<Left, StoreError>,
        cursors: Vec<Cursor>,
        replies: Vec<Reply<()>>,
    },
}

/// Waits until the first write under way has finished; forever if there is none.
pub(super) async fn front(pending: &mut VecDeque<Pending>) -> Done {
    poll_fn(|context| poll_front(pending, context)).await
}

fn poll_front(pending: &mut VecDeque<Pending>, context: &mut Context<'_>) -> Poll<Done> {
    /// Returns the ticket's answer if it is ready.
    fn answer<T>(
        ticket: &mut Ticket<T>,
        context: &mut Context<'_>,
    ) -> Option<Result<T, StoreError>> {
        match Pin::new(ticket).poll(context) {
            Poll::Ready(answer) => Some(answer),
            Poll::Pending => None,
        }
    }
    let Some(first) = pending.pop_front() else {
        return Poll::Pending;
    };
    let waiting = match first {
        Pending::Post {
            id,
            mut ticket,
            reply,
        } => match answer(&mut ticket, context) {
            Some(answer) => return Poll::Ready(Done::Post { id, answer, reply }),
            None => Pending::Post { id, ticket, reply },
        },
        Pending::Change { mut ticket, reply } => match answer(&mut ticket, context) {
            Some(answer) => return Poll::Ready(Done::Change { answer, reply }),
            None => Pending::Change { ticket, reply },
        },
        Pending::Reads {
            mut ticket,
            cursors,
            replies,
        } => match answer(&mut ticket, context) {
            Some(answer) => {
                return Poll::Ready(Done::Reads {
                    answer,
                    cursors,
                    replies,
                });
            }
            None => Pending::Reads {
                ticket,
                cursors,
                replies,
            },
        },
    };
    pending.push_front(waiting);
    Poll::Pending
}

impl RoomActor {
    pub(super) async fn post(&mut self, by: Speaker, draft: Draft, reply: Reply<PostOutcome>) {
        let Speaker { person, believed } = by;
        let by = &self.newest(person);
        if draft.content.as_str().is_empty() && draft.files.is_empty() {
            return reply(Err(EMPTY.into()));
        }
        let checked = self.check_proof(believed);
        if let Err(error) = checked.and_then(|()| self.check_may_speak(by)) {
            return reply(Err(error));
        }
        let id = MessageId(self.store.next_id());
        let new = NewMessage {
            id,
            room_id: self.room.id,
            room_uuid: self.room.uuid,
            sender: by.clone(),
            mentions: self.mentions(by, draft.content.as_str()),
            direct: self.direct_reader(by.id),
            draft,
            created_at: Millis::now(),
        };
        let ticket = self.store.append_message(new).await;
        self.pending.push_back(Pending::Post { id, ticket, reply });
    }

    pub(super) async fn change(
        &mut self,
        by: &Person,
        (id, author): (MessageId, UserId),
        change: Change,
        reply: Reply<Arc<Message>>,
    ) {
        if let Err(error) = self.may_change(by, &change) {
            return reply(Err(error));
        }
        let mentions = match &change {
            Change::Edit(content) => self.mentions(by, content.as_str()),
            Change::Delete | Change::React { .. } | Change::Show(_) | Change::Hide(_) => {
                Mentions::default()
            }
        };
        let may_delete = self.may_delete(by, author);
        let change_id = MessageId(self.store.next_id());
        let new = NewChange {
            id,
            room_id: self.room.id,
            by: by.id,
            may_delete,
            change,
            mentions,
            change_id,
        };
        let ticket = self.store.change_message(new).await;
        self.pending.push_back(Pending::Change { ticket, reply });
    }

    fn may_change(&self, by: &Person, change: &Change) -> Result<(), ChatError> {
        self.check(by, Action::Look)?;
        match change {
            // Otherwise people who may not post could speak by editing an old message.
            Change::Edit(_) | Change::Show(_) => self.check_may_speak(by).map_err(|error| {
                // They may see the room, so `NotFound` would be wrong.
                match error {
                    ChatError::NotFound(_) => ChatError::Forbidden,
                    error => error,
                }
            }),
            Change::React { .. } => self.check_may_speak(by),
            Change::Delete | Change::Hide(_) => Ok(()),
        }
    }

    /// Whether `by` may delete a message of `author`. Moderators cannot delete the owner's messages.
    fn may_delete(&self, by: &Person, author: UserId) -> bool {
        let action = match self.place(author) {
            Some(MemberRole::Owner) => Action::Manage,
            _ => Action::DeleteOthers,
        };
        self.check(by, action).is_ok()
    }

    /// Replies to the callers of a finished write; returns the event to deliver to the subscribers.
    pub(super) fn conclude(&mut self, done: Done) -> Option<Event> {
        let event = match done {
            Done::Post { id, answer, reply } => self.posted(id, answer, reply),
            Done::Change { answer, reply } => {
                if let Ok(Changed::Done(message, alerts)) = &answer {
                    self.tell_alerted(message, alerts);
                }
                changed(answer, reply)
            }
            Done::Reads {
                answer,
                cursors,
                replies,
            } => {
                if let Ok(left) = &answer {
                    for (person, through) in cursors {
                        self.note_read(person, through);
                    }
                    for (user, left) in left {
                        let event = Event::NotificationsRead(*left);
                        self.people.tell(*user, &event, Priority::Full);
                    }
                }
                let answer = answer.map(drop).map_err(ChatError::from);
                replies.into_iter().for_each(|reply| reply(answer.clone()));
                None
            }
        }?;
        self.tail.push(&event);
        Some(event)
    }

    fn posted(
        &mut self,
        id: MessageId,
        answer: Result<Appended, StoreError>,
        reply: Reply<PostOutcome>,
    ) -> Option<Event> {
        let (message, new) = match answer {
            Ok(Appended::New(message, alerts)) => {
                self.tell_alerted(&message, &alerts);
                (Arc::new(message), true)
            }
            Ok(Appended::Existing(message)) => (Arc::new(message), false),
            Ok(Appended::UuidTaken) => return refuse(reply, ChatError::Taken("uuid")),
            Ok(Appended::NoSuchReply) => return refuse(reply, ChatError::NotFound("message")),
            Ok(Appended::NoSuchFile) => return refuse(reply, ChatError::NotFound("file")),
            Err(error) => {
                // The message may be on disk if only the result of COMMIT was lost.
                self.unsure.truncate(UNSURE_MAX);
                self.unsure.push(id);
                return refuse(reply, error.into());
            }
        };
        let untold = new || self.forget_unsure(message.id);
        reply(Ok(PostOutcome {
            message: message.clone(),
            new,
        }));
        untold.then_some(Event::PostOutcome(message))
    }

    fn forget_unsure(&mut self, id: MessageId) -> bool {
        let place = self.unsure.iter().position(|unsure| *unsure == id);
        place.map(|place| self.unsure.swap_remove(place)).is_some()
    }
}

fn changed(answer: Result<Changed, StoreError>, reply: Reply<Arc<Message>>) -> Option<Event> {
    let message = match answer {
        Ok(Changed::Done(message, _)) => Arc::new(message),
        Ok(Changed::Reacted(message)) => {
            let message = Arc::new(message);
            reply(Ok(message.clone()));
            return Some(Event::Reacted(message));
        }
        Ok(Changed::Unchanged(message)) => {
            reply(Ok(Arc::new(message)));
            return None;
        }
        Ok(Changed::Missing) => return refuse(reply, ChatError::NotFound("message")),
        Ok(Changed::NotOwn) => return refuse(reply, ChatError::Forbidden),
        Ok(Changed::Empty) => return refuse(reply, EMPTY.into()),
        Ok(Changed::TooManyFiles) => {
            return refuse(reply, TOO_MANY_FILES.into());
        }
        Ok(Changed::NoSuchFile) => return refuse(reply, ChatError::NotFound("file")),
        Ok(Changed::TooManyEmoji) => return refuse(reply, TOO_MANY_EMOJI.into()),
        Err(error) => return refuse(reply, error.into()),
    };
    reply(Ok(message.clone()));
    Some(if message.deleted_at.is_some() {
        Event::Deleted(message)
    } else {
        Event::Edited(message)
    })
}

fn refuse<T>(reply: Reply<T>, error: ChatError) -> Option<Event> {
    reply(Err(error));
    None
}
