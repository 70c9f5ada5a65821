//! What changes a room or who is in it. Orders are rare: each waits until it is on disk, one after the other.

use std::sync::Arc;

use crate::model::{
    Action, Departure, Event, FileId, Invalid, Key, Member, MemberRole, Millis, NotificationKind,
    Notify, Person, Role, Room, RoomEdit, RoomKind, UserId, Verdict, may,
};
use crate::store::{Admission, CodeHash};

use super::super::error::allowed;
use super::super::outbox::Weight;
use super::{ChatError, RoomActor};

/// Something to be done to a room.
pub(in crate::chat) enum Order {
    Join,
    /// Where an operator has switched proof off: private rooms too.
    JoinOpen,
    JoinByKey(Key),
    JoinByInvite(CodeHash),
    /// The invite was used up for the account that joins.
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
                Some(self.let_in(by.id, false).await?)
            }
            Order::JoinOpen => {
                if self.room.kind != RoomKind::Private {
                    self.check(by, Action::Join)?;
                }
                Some(self.let_in(by.id, false).await?)
            }
            Order::JoinByKey(key) => {
                let fits = self.room.kind == RoomKind::Private
                    && self.room.access_key.as_ref() == Some(&key);
                if !fits {
                    return Err(ChatError::NotFound("room"));
                }
                Some(self.let_in(by.id, false).await?)
            }
            Order::JoinByInvite(code) => {
                let (room, user) = (self.room.id, by.id);
                let joining = self.store.add_invited_member(room, user, code);
                Some(self.enter(user, joining.await?)?)
            }
            Order::JoinInvited => Some(self.let_in(by.id, false).await?),
            Order::Add(user) => {
                self.check(by, Action::Keep)?;
                let member = self.let_in(user, true).await?;
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

    /// The account has ended: what it owned goes to the oldest moderator, else member, else to nobody.
    pub(super) async fn retire(&mut self, user: UserId) -> Result<(), ChatError> {
        let Some(member) = self.members.get(&user).cloned() else {
            return Ok(());
        };
        if member.place.role == MemberRole::Owner {
            match self.store.heir(self.room.id).await? {
                Some(heir) => self.hand_over(heir).await.map(drop)?,
                None => return self.delete().await,
            }
        }
        self.store.remove_member(self.room.id, user, false).await?;
        let person = Arc::new(Person {
            deleted: true,
            ..(*member.person).clone()
        });
        self.depart(&person, Departure::Ended);
        Ok(())
    }

    pub(super) fn check(&self, by: &Person, action: Action) -> Result<(), ChatError> {
        allowed(may(by.role, self.place(by.id), self.room.kind, action))
    }

    async fn let_in(&mut self, user: UserId, invited: bool) -> Result<Member, ChatError> {
        if self.members.contains_key(&user) {
            return Err(ChatError::AlreadyMember);
        }
        // A bar is for private rooms; who was sent out of a public one may come again.
        let lifts = invited || self.room.kind == RoomKind::Public;
        let admission = self.store.add_member(self.room.id, user, lifts).await?;
        self.enter(user, admission)
    }

    fn enter(&mut self, user: UserId, admission: Admission) -> Result<Member, ChatError> {
        let member = match admission {
            Admission::Joined(member) => member,
            Admission::Already => return Err(ChatError::AlreadyMember),
            Admission::Barred => return Err(ChatError::NotFound("room")),
            Admission::Missing => return Err(ChatError::NotFound("user")),
        };
        self.admitted(member.clone());
        self.people
            .tell(user, &Event::RoomCreated(self.room.clone()), Weight::Full);
        Ok(member)
    }

    /// Somebody is a member now, and everybody hears it.
    pub(super) fn admitted(&mut self, member: Member) {
        self.names.note(&member.person);
        self.members.insert(member.person.id, member.clone());
        self.tell(
            Event::Joined {
                room: self.room.id,
                member,
            },
            Weight::Full,
        );
    }

    async fn leave(&mut self, by: &Arc<Person>) -> Result<(), ChatError> {
        let place = self.place(by.id);
        self.check(by, Action::Look)?;
        match place {
            _ if self.room.kind.is_fixed() => Err(ChatError::NotFound("room")),
            None => Err(ChatError::NotMember),
            Some(MemberRole::Owner) => Err(ChatError::Owner),
            Some(_) => {
                self.store.remove_member(self.room.id, by.id, false).await?;
                self.depart(by, Departure::Own);
                Ok(())
            }
        }
    }

    async fn send_out(&mut self, by: &Arc<Person>, user: UserId) -> Result<(), ChatError> {
        self.check(by, Action::Keep)?;
        let member = self.subject(by, user)?;
        if user == by.id {
            return Err(ChatError::Forbidden);
        }
        let bar = self.room.kind == RoomKind::Private;
        self.store.remove_member(self.room.id, user, bar).await?;
        self.depart(&member.person, Departure::Kicked(by.clone()));
        self.note(user, NotificationKind::Removed, by).await;
        Ok(())
    }

    /// The member an order is about; the owner is out of reach, and moderators are for each other.
    fn subject(&self, by: &Person, user: UserId) -> Result<Member, ChatError> {
        let member = self.members.get(&user).ok_or(ChatError::NotMember)?;
        match member.place.role {
            MemberRole::Owner => return Err(ChatError::Owner),
            MemberRole::Moderator => self.check(by, Action::Manage)?,
            MemberRole::Member => {}
        }
        Ok(member.clone())
    }

    /// Somebody is no longer a member: they hear it everywhere, and watch no longer what they may not read.
    fn depart(&mut self, person: &Arc<Person>, departure: Departure) {
        self.members.remove(&person.id);
        self.presence.forget(person.id);
        let seats = self.watchers.seats();
        self.close_to_strangers(|user| user == person.id);
        let event = Event::Left {
            room: self.room.id,
            person: person.clone(),
            departure,
        };
        self.people.tell_seated(person.id, &seats, &event);
        self.tell_but(event, Weight::Full, Some(person.id));
    }

    /// Takes those people's connections away that may not read the room; answers whose they were, each once.
    fn close_to_strangers(&mut self, which: impl Fn(UserId) -> bool) -> Vec<Arc<Person>> {
        let (kind, members) = (self.room.kind, self.members.clone());
        let gone = self.detach_where(|seat| {
            let person = seat.person();
            let place = members.get(&person.id).map(|member| member.place.role);
            which(person.id) && may(person.role, place, kind, Action::Read) != Verdict::Yes
        });
        let mut gone: Vec<_> = gone.iter().map(|seat| seat.person().clone()).collect();
        gone.sort_by_key(|person| person.id);
        gone.dedup_by_key(|person| person.id);
        gone
    }

    async fn set_member(
        &mut self,
        by: &Person,
        user: UserId,
        role: Option<MemberRole>,
        muted_until: Option<Millis>,
    ) -> Result<Member, ChatError> {
        self.check(
            by,
            if role.is_some() {
                Action::Manage
            } else {
                Action::Keep
            },
        )?;
        self.subject(by, user)?;
        if role == Some(MemberRole::Owner) {
            return Err(ChatError::Forbidden);
        }
        let member = self
            .store
            .set_member(self.room.id, user, role, muted_until)
            .await?;
        let member = member.ok_or(ChatError::NotMember)?;
        self.member_changed(member.clone());
        Ok(member)
    }

    fn member_changed(&mut self, member: Member) {
        self.names.note(&member.person);
        self.members.insert(member.person.id, member.clone());
        self.tell(
            Event::MemberChanged {
                room: self.room.id,
                member,
            },
            Weight::Full,
        );
    }

    async fn transfer(&mut self, by: &Person, to: UserId) -> Result<Member, ChatError> {
        self.check(by, Action::Manage)?;
        let heir = self.members.get(&to).ok_or(ChatError::NotMember)?;
        if heir.person.role == Role::Guest {
            return Err(ChatError::Forbidden);
        }
        self.hand_over(to).await
    }

    async fn hand_over(&mut self, to: UserId) -> Result<Member, ChatError> {
        if !self.store.transfer(self.room.id, to).await? {
            return Err(ChatError::NotMember);
        }
        self.reload().await;
        self.members.get(&to).cloned().ok_or(ChatError::NotMember)
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
        for person in self.close_to_strangers(|_| true) {
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

    /// The room is another now: its members hear it everywhere, and so does whoever watches.
    fn changed(&mut self, room: Room) {
        self.room = Arc::new(room);
        let event = Event::RoomChanged(self.room.clone());
        self.tell_members_and_watchers(&event);
        self.people.tell_where(|_| true, &Event::RoomListChanged);
    }

    fn tell_members_and_watchers(&self, event: &Event) {
        let watching = self.watchers.users();
        self.people.tell_where(
            |user| self.members.contains_key(&user) || watching.contains(&user),
            event,
        );
    }

    async fn delete(&mut self) -> Result<(), ChatError> {
        self.store.delete_room(self.room.id).await?;
        self.deleted = true;
        self.tell_members_and_watchers(&Event::RoomDeleted(self.room.id));
        self.people.tell_where(|_| true, &Event::RoomListChanged);
        self.detach_where(|_| true);
        Ok(())
    }

    /// Reads room and members again, because somebody else has changed them, and tells what is new.
    pub(super) async fn reload(&mut self) {
        let id = self.room.id;
        let (Ok(Some(room)), Ok(members)) = (
            self.store.room(id).await,
            self.store.members(id, UserId(0), u32::MAX).await,
        ) else {
            return tracing::warn!(room = %id, "a room could not be read again");
        };
        for mut member in members {
            let known = self.members.get(&member.person.id);
            // What was read is not written yet.
            member.place.last_read_id =
                known.map_or(member.place.last_read_id, |known| known.place.last_read_id);
            match known {
                None => self.admitted(member),
                Some(known) if *known != member => self.member_changed(member),
                Some(_) => {}
            }
        }
        if *self.room != room {
            self.changed(room);
        }
    }

    /// Somebody has another name, picture or role.
    pub(super) fn renamed(&mut self, person: Arc<Person>) {
        if let Some(mut member) = self.members.get(&person.id).cloned() {
            member.person = person;
            self.member_changed(member);
        }
    }
}
