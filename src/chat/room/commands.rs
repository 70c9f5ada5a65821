//! Orders: commands that change the room itself or its members. They are rare; each is on disk before the next begins.

use std::sync::Arc;

use crate::model::{
    Action, Departure, Event, FileId, Invalid, Key, Member, MemberRole, Millis, NotificationKind,
    Notify, Person, Room, RoomEdit, RoomKind, UserId, may,
};
use crate::store::CodeHash;

use super::super::error::allowed;
use super::{ChatError, RoomActor};

/// Command that changes a room or its members.
pub(in crate::chat) enum Order {
    Join,
    /// Joins private rooms too, where `compat.open` disables authentication.
    JoinOpen,
    JoinByKey(Key),
    JoinByInvite(CodeHash),
    /// Joins with an invite that was used up when the account was created.
    JoinInvited,
    Add(UserId),
    Leave,
    Remove(UserId),
    SetMember {
        user: UserId,
        role: Option<MemberRole>,
        muted_until: Option<Millis>,
    },
    Transfer(UserId),
    Edit(RoomEdit),
    Picture(Option<(FileId, String)>),
    Notify(Notify),
    Clear,
    Delete,
}

impl RoomActor {
    pub(super) async fn order(
        &mut self,
        by: &Arc<Person>,
        order: Order,
    ) -> Result<Option<Member>, ChatError> {
        Ok(match order {
            Order::Join => {
                self.check(by, Action::Join)?;
                Some(self.let_in(by, by.id, false).await?)
            }
            Order::JoinOpen => {
                if self.room.kind != RoomKind::Private {
                    self.check(by, Action::Join)?;
                }
                Some(self.let_in(by, by.id, false).await?)
            }
            Order::JoinByKey(key) => {
                let fits = self.room.kind == RoomKind::Private
                    && self.room.access_key.as_ref() == Some(&key);
                if !fits {
                    return Err(ChatError::NotFound("room"));
                }
                Some(self.let_in(by, by.id, false).await?)
            }
            Order::JoinByInvite(code) => {
                let (room, user) = (self.room.id, by.id);
                let joining = self.store.add_invited_member(room, user, code);
                Some(self.enter(by, user, joining.await?)?)
            }
            Order::JoinInvited => Some(self.let_in(by, by.id, false).await?),
            Order::Add(user) => {
                self.check(by, Action::Keep)?;
                let member = self.let_in(by, user, true).await?;
                self.note(user, NotificationKind::Added, by).await;
                Some(member)
            }
            Order::Leave => self.leave(by).await.map(|()| None)?,
            Order::Remove(user) => self.send_out(by, user).await.map(|()| None)?,
            Order::SetMember {
                user,
                role,
                muted_until,
            } => Some(self.set_member(by, user, role, muted_until).await?),
            Order::Transfer(to) => Some(self.transfer(by, to).await?),
            Order::Edit(edit) => self.edit(by, edit).await.map(|()| None)?,
            Order::Picture(picture) => self.set_picture(by, picture).await.map(|()| None)?,
            Order::Notify(notify) => Some(self.set_notify(by, notify).await?),
            Order::Clear => self.clear(by).await.map(|()| None)?,
            Order::Delete => {
                self.check(by, Action::DeleteRoom)?;
                self.delete().await.map(|()| None)?
            }
        })
    }

    pub(super) fn check(&self, by: &Person, action: Action) -> Result<(), ChatError> {
        allowed(may(by.role, self.place(by.id), self.room.kind, action))
    }

    async fn edit(&mut self, by: &Person, edit: RoomEdit) -> Result<(), ChatError> {
        self.check(by, Action::Manage)?;
        let kind = edit.kind.unwrap_or(self.room.kind);
        if kind == RoomKind::Public && matches!(edit.access_key, Some(Some(_))) {
            return Err(Invalid::new("access_key", "is for private rooms").into());
        }
        let room = self
            .store
            .edit_room(self.room.id, edit)
            .await?
            .ok_or(ChatError::NotFound("room"))?;
        self.changed(room);
        let seats = self.watchers.seats();
        for person in self.close_to_strangers() {
            let user = person.id;
            let event = Event::Left {
                room: self.room.id,
                person,
                departure: Departure::Closed,
            };
            self.people.tell_seated(user, &seats, &event);
        }
        Ok(())
    }

    async fn set_picture(
        &mut self,
        by: &Person,
        picture: Option<(FileId, String)>,
    ) -> Result<(), ChatError> {
        self.check(by, Action::Manage)?;
        if !self.store.set_picture(self.room.id, picture).await? {
            return Err(ChatError::NotFound("file"));
        }
        self.reload().await;
        Ok(())
    }

    async fn clear(&mut self, by: &Person) -> Result<(), ChatError> {
        self.check(by, Action::Clear)?;
        let room = self
            .store
            .clear_room(self.room.id, self.tail.last())
            .await?
            .ok_or(ChatError::NotFound("room"))?;
        self.tail.clear();
        self.changed(room);
        Ok(())
    }

    /// Replaces the room and sends the change to members and subscribers, and to everybody that the room list changed.
    fn changed(&mut self, room: Room) {
        self.room = Arc::new(room);
        let event = Event::RoomChanged(self.room.clone());
        self.tell_members_and_watchers(&event);
        self.people.tell_everybody(&Event::RoomListChanged);
    }

    fn tell_members_and_watchers(&self, event: &Event) {
        let watching = self.watchers.users();
        self.people.tell_where(
            |user| self.members.contains_key(&user) || watching.contains(&user),
            event,
        );
    }

    pub(super) async fn delete(&mut self) -> Result<(), ChatError> {
        self.store.delete_room(self.room.id).await?;
        self.deleted = true;
        self.tell_members_and_watchers(&Event::RoomDeleted(self.room.id));
        self.people.tell_everybody(&Event::RoomListChanged);
        self.watchers.remove(|_| true);
        Ok(())
    }

    /// Reads room and members from the store again, after another process changed them, and sends the differences.
    pub(super) async fn reload(&mut self) {
        let id = self.room.id;
        let (Ok(Some(room)), Ok(members)) = (
            self.store.room(id).await,
            self.store.members(id, UserId(0), u32::MAX).await,
        ) else {
            return tracing::warn!(room = %id, "cannot reload a room");
        };
        for mut member in members {
            let known = self.members.get(&member.person.id);
            // Keeps the actor's read cursor, which moves only when its write is concluded.
            member.place.last_read_id =
                known.map_or(member.place.last_read_id, |known| known.place.last_read_id);
            match known {
                None => self.admitted(member),
                Some(known) if known.place != member.place => self.member_changed(member),
                Some(_) => self.renamed(&member.person),
            }
        }
        if *self.room != room {
            self.changed(room);
        }
    }
}
