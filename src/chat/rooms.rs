//! Rooms and their members: finding, creating, reading.

use std::collections::HashMap;
use std::sync::Arc;

use uuid::Uuid;

use crate::model::{
    Action, Event, Member, Membership, Millis, NewRoom, Person, Room, RoomId, RoomKind,
    RoomOverview, UserId, may, may_speak,
};

use super::error::allowed;
use super::outbox::Priority;
use super::room::RoomMsg;
use super::{Caller, Chat, ChatError, Cost, UserStats};

/// A public room in the room list.
#[derive(Clone, Debug)]
pub struct PublicRoom {
    pub room: Room,
    pub member_count: u32,
    /// Whether the caller is a member.
    pub member: bool,
}

impl Chat {
    /// Returns the caller's rooms.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn rooms(&self, caller: &Caller) -> Result<Vec<RoomOverview>, ChatError> {
        let mut rooms = self.store_for(caller).overviews(caller.id(), None).await?;
        rooms.retain(|overview| caller.may_enter(overview.room.kind));
        Ok(rooms)
    }

    /// Returns the rooms of an account: of the caller's own, or for an admin of any, without direct rooms, last
    /// messages and access keys.
    ///
    /// # Errors
    /// [`ChatError::Forbidden`].
    pub async fn rooms_of(
        &self,
        caller: &Caller,
        user: UserId,
    ) -> Result<Vec<RoomOverview>, ChatError> {
        if user == caller.id() {
            return self.rooms(caller).await;
        }
        caller.need_admin()?;
        let mut rooms = self.store_for(caller).overviews(user, None).await?;
        rooms.retain(|overview| overview.room.kind != RoomKind::Direct);
        for overview in &mut rooms {
            overview.last_message = None;
            overview.room.access_key = None;
        }
        Ok(rooms)
    }

    /// Returns one of the caller's rooms.
    ///
    /// # Errors
    /// [`ChatError::NotFound`] if the caller is not a member.
    pub async fn overview(&self, caller: &Caller, room: RoomId) -> Result<RoomOverview, ChatError> {
        let mut found = self
            .store_for(caller)
            .overviews(caller.id(), Some(room))
            .await?;
        found.pop().ok_or(ChatError::NotFound("room"))
    }

    /// Returns public rooms by id after `after`.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn public_rooms(
        &self,
        caller: &Caller,
        after: RoomId,
        limit: u32,
    ) -> Result<Vec<PublicRoom>, ChatError> {
        let found = self
            .store_for(caller)
            .public_rooms(caller.id(), after, limit)
            .await?;
        Ok(found
            .into_iter()
            .map(|(room, member_count, member)| PublicRoom {
                room,
                member_count,
                member,
            })
            .collect())
    }

    /// Returns a room that the caller may see, and their membership. The access key is included for members only.
    ///
    /// # Errors
    /// [`ChatError::NotFound`].
    pub async fn room(
        &self,
        caller: &Caller,
        id: RoomId,
    ) -> Result<(Room, Option<Membership>), ChatError> {
        self.room_for(caller, id, Action::Look).await
    }

    /// Returns the room with that uuid, if the caller may see it.
    ///
    /// # Errors
    /// [`ChatError::NotFound`].
    pub async fn room_by_uuid(
        &self,
        caller: &Caller,
        uuid: Uuid,
    ) -> Result<(Room, Option<Membership>), ChatError> {
        let room = self
            .core
            .store
            .room_by_uuid(uuid)
            .await?
            .ok_or(ChatError::NotFound("room"))?;
        self.room(caller, room.id).await
    }

    /// Returns the members of a room that the caller may see, by user id after `after`.
    ///
    /// # Errors
    /// [`ChatError::NotFound`].
    pub async fn members(
        &self,
        caller: &Caller,
        room: RoomId,
        after: UserId,
        limit: u32,
    ) -> Result<Vec<Member>, ChatError> {
        self.room(caller, room).await?;
        Ok(self.store_for(caller).members(room, after, limit).await?)
    }

    /// Returns the owners of rooms.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn owners<'a>(
        &self,
        rooms: impl Iterator<Item = &'a Room>,
    ) -> Result<HashMap<UserId, Arc<Person>>, ChatError> {
        let ids = rooms.filter_map(|room| room.owner_id).collect();
        let people = self.core.store.people(ids).await?;
        Ok(people
            .into_iter()
            .map(|person| (person.id, person))
            .collect())
    }

    /// Returns how many messages the caller has written, and how many rooms they own and are in.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn tally(&self, caller: &Caller) -> Result<UserStats, ChatError> {
        Ok(self.core.store.tally(caller.id()).await?)
    }

    /// Returns the people online in a room that the caller may see, and their number. In large rooms the list is empty.
    ///
    /// # Errors
    /// [`ChatError::NotFound`].
    pub async fn online(
        &self,
        caller: &Caller,
        room: RoomId,
    ) -> Result<(Vec<Arc<Person>>, u32), ChatError> {
        self.room(caller, room).await?;
        let online = self
            .core
            .registry
            .ask_running(room, |reply| RoomMsg::Online { reply })
            .await;
        Ok(online.map_or_else(Default::default, |online| (online.people, online.count)))
    }

    /// Creates a room owned by the caller.
    ///
    /// # Errors
    /// [`ChatError::Forbidden`] for guests, [`ChatError::Taken`] on the access key.
    pub async fn create_room(&self, caller: &Caller, new: NewRoom) -> Result<Room, ChatError> {
        caller.need_account()?;
        self.count_action(caller, Cost::Place)?;
        let guesses = new.access_key.is_some();
        let creating = async { Ok(self.core.store.create_room(new, caller.id()).await?) };
        let room = if guesses {
            self.guess_key(caller, creating).await?
        } else {
            creating.await?
        };
        self.core.people.tell_everybody(&Event::RoomListChanged);
        self.core.people.tell(
            caller.id(),
            &Event::RoomCreated(Arc::new(room.clone())),
            Priority::Full,
        );
        Ok(room)
    }

    /// Returns the direct room with another person, created if necessary, and whether it is new.
    ///
    /// # Errors
    /// [`ChatError::Forbidden`] for guests, unless the room exists; [`ChatError::Invalid`] for the caller's own id;
    /// [`ChatError::NotFound`].
    pub async fn direct_room(
        &self,
        caller: &Caller,
        other: UserId,
    ) -> Result<(Room, bool), ChatError> {
        if other == caller.id() {
            return Err(crate::model::Invalid::new("user_id", "must be somebody else").into());
        }
        if let Some(room) = self.find_direct_room(caller, other).await? {
            return Ok((room, false));
        }
        caller.need_account()?;
        self.count_action(caller, Cost::Place)?;
        let found = self.core.store.direct_room(caller.id(), other).await?;
        let (room, new) = found.ok_or(ChatError::NotFound("user"))?;
        if new {
            let event = Event::RoomCreated(Arc::new(room.clone()));
            room.people
                .iter()
                .for_each(|person| self.core.people.tell(person.id, &event, Priority::Full));
        }
        Ok((room, new))
    }

    /// Returns the direct room with another person, if it exists.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn find_direct_room(
        &self,
        caller: &Caller,
        other: UserId,
    ) -> Result<Option<Room>, ChatError> {
        Ok(self.core.store.find_direct_room(caller.id(), other).await?)
    }

    /// Returns a room if the caller may do `action` there, and their membership.
    pub(super) async fn room_for(
        &self,
        caller: &Caller,
        id: RoomId,
        action: Action,
    ) -> Result<(Room, Option<Membership>), ChatError> {
        let (mut room, place) = self.room_and_place(caller, id).await?;
        let role = place.map(|place| place.role);
        allowed(may(caller.role(), role, room.kind, action))?;
        if place.is_none() {
            room.access_key = None;
        }
        Ok((room, place))
    }

    /// Fails unless the caller may send messages in the room.
    pub(super) async fn check_may_speak(
        &self,
        caller: &Caller,
        id: RoomId,
    ) -> Result<(), ChatError> {
        let (room, place) = self.room_and_place(caller, id).await?;
        let (role, now) = (caller.role(), Millis::now());
        allowed(may_speak(role, place.as_ref(), room.kind, now))
    }

    async fn room_and_place(
        &self,
        caller: &Caller,
        id: RoomId,
    ) -> Result<(Room, Option<Membership>), ChatError> {
        let store = self.store_for(caller);
        let room = store.room(id).await?.ok_or(ChatError::NotFound("room"))?;
        if !caller.may_enter(room.kind) {
            return Err(ChatError::NotFound("room"));
        }
        let member = store.member(id, caller.id()).await?;
        Ok((room, member.map(|member| member.place)))
    }
}
