//! Members of a room: joining, leaving, roles, mutes and names.

use std::sync::Arc;

use crate::model::{
    Action, Departure, Event, Member, MemberRole, Millis, NotificationKind, Person, Role, RoomKind,
    UserId, Verdict, may,
};
use crate::store::Admission;

use super::super::outbox::Priority;
use super::{ChatError, RoomActor};

impl RoomActor {
    /// Removes a deleted account. A room that it owned passes to the moderator, else the member, who joined first, but
    /// not to a guest; without such a successor the room is deleted.
    pub(super) async fn retire(&mut self, user: UserId) -> Result<(), ChatError> {
        let Some(member) = self.members.get(&user).cloned() else {
            return Ok(());
        };
        if member.place.role == MemberRole::Owner {
            match self.store.successor(self.room.id).await? {
                Some(successor) => self.hand_over(successor).await.map(drop)?,
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

    /// Adds a member at the request of `by`. `invited` if a moderator adds them, which lifts a ban.
    pub(super) async fn let_in(
        &mut self,
        by: &Person,
        user: UserId,
        invited: bool,
    ) -> Result<Member, ChatError> {
        if self.members.contains_key(&user) {
            return Err(ChatError::AlreadyMember);
        }
        let admission = self.store.add_member(self.room.id, user, invited);
        let admission = admission.await?;
        self.enter(by, user, admission)
    }

    pub(super) fn enter(
        &mut self,
        by: &Person,
        user: UserId,
        admission: Admission,
    ) -> Result<Member, ChatError> {
        let member = match admission {
            Admission::Joined(member) => member,
            Admission::Already => return Err(ChatError::AlreadyMember),
            Admission::Barred => return Err(ChatError::NotFound("room")),
            Admission::Missing => return Err(ChatError::NotFound("user")),
        };
        self.log_admin(by, &member.person);
        self.admitted(member.clone());
        self.people
            .tell(user, &Event::RoomCreated(self.room.clone()), Priority::Full);
        Ok(member)
    }

    /// Logs that an admin joined a private room: they may add themselves, but not without an audit entry.
    fn log_admin(&self, by: &Person, who: &Person) {
        if who.role == Role::Admin && self.room.kind == RoomKind::Private {
            tracing::info!(
                audit = true, room = %self.room.id, user = %who.id, by = %by.id,
                "an admin joined a private room"
            );
        }
    }

    /// Records a new member and sends `Joined` to the subscribers.
    pub(super) fn admitted(&mut self, member: Member) {
        self.names.note(&member.person);
        self.members.insert(member.person.id, member.clone());
        self.tell(
            Event::Joined {
                room: self.room.id,
                member,
            },
            Priority::Full,
        );
    }

    pub(super) async fn leave(&mut self, by: &Arc<Person>) -> Result<(), ChatError> {
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

    pub(super) async fn send_out(
        &mut self,
        by: &Arc<Person>,
        user: UserId,
    ) -> Result<(), ChatError> {
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

    /// Returns the member that a command is about. Nobody may target the owner, and only the owner or an admin a
    /// moderator.
    fn subject(&self, by: &Person, user: UserId) -> Result<Member, ChatError> {
        let member = self.members.get(&user).ok_or(ChatError::NotMember)?;
        match member.place.role {
            MemberRole::Owner => return Err(ChatError::Owner),
            MemberRole::Moderator => self.check(by, Action::Manage)?,
            MemberRole::Member => {}
        }
        Ok(member.clone())
    }

    /// Records that a member left: detaches their connections, and sends `Left` to all of these and to the other
    /// subscribers. If they may still read the room, they can subscribe again.
    fn depart(&mut self, person: &Arc<Person>, departure: Departure) {
        self.members.remove(&person.id);
        self.presence.forget(person.id);
        let seats = self.watchers.seats();
        self.watchers.remove(|seat| seat.user() == person.id);
        let event = Event::Left {
            room: self.room.id,
            person: person.clone(),
            departure,
        };
        self.people.tell_seated(person.id, &seats, &event);
        self.tell_but(event, Priority::Full, Some(person.id));
    }

    /// After a change of the room's kind, detaches connections that may not read it now. Returns their people,
    /// each once.
    pub(super) fn close_to_strangers(&mut self) -> Vec<Arc<Person>> {
        let (kind, members) = (self.room.kind, &self.members);
        let gone = self.watchers.remove(|seat| {
            let person = seat.person();
            let place = members.get(&person.id).map(|member| member.place.role);
            may(person.role, place, kind, Action::Read) != Verdict::Yes
        });
        let mut gone: Vec<_> = gone.iter().map(|seat| seat.person().clone()).collect();
        gone.sort_by_key(|person| person.id);
        gone.dedup_by_key(|person| person.id);
        gone
    }

    pub(super) async fn set_member(
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

    pub(super) fn member_changed(&mut self, member: Member) {
        self.names.note(&member.person);
        self.members.insert(member.person.id, member.clone());
        self.tell(
            Event::MemberChanged {
                room: self.room.id,
                member,
            },
            Priority::Full,
        );
    }

    pub(super) async fn transfer(&mut self, by: &Person, to: UserId) -> Result<Member, ChatError> {
        self.check(by, Action::Manage)?;
        let successor = self.members.get(&to).ok_or(ChatError::NotMember)?;
        if successor.person.role == Role::Guest {
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

    /// Applies a new name, picture or role. Simultaneous changes may arrive out of order: older ones are ignored.
    pub(super) fn renamed(&mut self, person: &Arc<Person>) {
        let Some(known) = self.members.get_mut(&person.id) else {
            return;
        };
        if person.updated_at <= known.person.updated_at {
            return;
        }
        let same = person.looks_like(&known.person);
        known.person = person.clone();
        if same {
            return;
        }
        let member = known.clone();
        if self.room.people.iter().any(|other| other.id == person.id) {
            let room = Arc::make_mut(&mut self.room);
            let people = room.people.iter_mut();
            people
                .filter(|other| other.id == person.id)
                .for_each(|other| *other = person.clone());
        }
        self.member_changed(member);
    }
}
