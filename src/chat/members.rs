//! Who is in a room and what becomes of it: every order goes through the room's task.

use std::sync::Arc;

use crate::model::{
    Key, Member, MemberRole, Membership, MessageId, Millis, Notify, Person, Room, RoomEdit, RoomId,
    User, UserId,
};

use super::limits::keys;
use super::room::{Order, RoomMsg};
use super::{Caller, Chat, ChatError, Cost};

/// Changes to somebody's place in a room.
#[derive(Clone, Copy, Debug, Default)]
pub struct MemberEdit {
    /// Member or moderator.
    pub role: Option<MemberRole>,
    /// May not write before this time; 0 lifts it.
    pub muted_until: Option<Millis>,
}

impl Chat {
    /// Joins a public room.
    ///
    /// # Errors
    /// [`ChatError::NotFound`], [`ChatError::AlreadyMember`].
    pub async fn join(&self, caller: &Caller, room: RoomId) -> Result<Room, ChatError> {
        self.order_room(caller, room, Order::Join).await
    }

    /// Joins the private room that has that key.
    ///
    /// # Errors
    /// [`ChatError::NotFound`], also for those who were sent out; [`ChatError::AlreadyMember`]; [`ChatError::Limited`].
    pub async fn join_by_key(&self, caller: &Caller, key: Key) -> Result<Room, ChatError> {
        let joining = async {
            let found = self.core.store.room_by_key(key.clone()).await?;
            let room = found.ok_or(ChatError::NotFound("room"))?;
            self.order_room(caller, room.id, Order::JoinByKey(key))
                .await
        };
        self.guess_key(caller, joining).await
    }

    /// Does what may tell its caller whether a key is somebody's; who guesses too often must wait.
    pub(super) async fn guess_key<T>(
        &self,
        caller: &Caller,
        doing: impl Future<Output = Result<T, ChatError>>,
    ) -> Result<T, ChatError> {
        let keys = keys::of_person(caller.id(), caller.address());
        self.core.limits.room_keys.attempt(keys, doing).await
    }

    /// Leaves a room.
    ///
    /// # Errors
    /// [`ChatError::Owner`], [`ChatError::NotMember`], [`ChatError::NotFound`] for lobby and direct rooms.
    pub async fn leave(&self, caller: &Caller, room: RoomId) -> Result<(), ChatError> {
        self.order(caller, room, Order::Leave).await.map(drop)
    }

    /// Adds somebody to a room.
    ///
    /// # Errors
    /// [`ChatError::Forbidden`], [`ChatError::NotFound`], [`ChatError::AlreadyMember`].
    pub async fn add_member(
        &self,
        caller: &Caller,
        room: RoomId,
        user: UserId,
    ) -> Result<Member, ChatError> {
        self.order_member(caller, room, Order::Add(user)).await
    }

    /// Sends somebody out of a room, of a private one for good until they are added again.
    ///
    /// # Errors
    /// [`ChatError::Forbidden`], also for oneself; [`ChatError::NotMember`]; [`ChatError::Owner`].
    pub async fn remove_member(
        &self,
        caller: &Caller,
        room: RoomId,
        user: UserId,
    ) -> Result<(), ChatError> {
        self.order(caller, room, Order::Remove(user))
            .await
            .map(drop)
    }

    /// Gives a member another role, or mutes them.
    ///
    /// # Errors
    /// [`ChatError::Forbidden`], [`ChatError::NotMember`], [`ChatError::Owner`].
    pub async fn edit_member(
        &self,
        caller: &Caller,
        room: RoomId,
        user: UserId,
        edit: MemberEdit,
    ) -> Result<Member, ChatError> {
        let MemberEdit { role, muted_until } = edit;
        self.order_member(
            caller,
            room,
            Order::SetMember {
                user,
                role,
                muted_until,
            },
        )
        .await
    }

    /// Makes a member the owner.
    ///
    /// # Errors
    /// [`ChatError::Forbidden`], [`ChatError::NotMember`].
    pub async fn transfer(
        &self,
        caller: &Caller,
        room: RoomId,
        to: UserId,
    ) -> Result<Room, ChatError> {
        self.order_room(caller, room, Order::Transfer(to)).await
    }

    /// Changes a room.
    ///
    /// # Errors
    /// [`ChatError::Forbidden`], [`ChatError::NotFound`], [`ChatError::Taken`] on the access key.
    pub async fn edit_room(
        &self,
        caller: &Caller,
        room: RoomId,
        edit: RoomEdit,
    ) -> Result<Room, ChatError> {
        let guesses = matches!(edit.access_key, Some(Some(_)));
        let editing = self.order_room(caller, room, Order::Edit(edit));
        if guesses {
            self.guess_key(caller, editing).await
        } else {
            editing.await
        }
    }

    /// Clears a room's messages away.
    ///
    /// # Errors
    /// [`ChatError::Forbidden`], [`ChatError::NotFound`].
    pub async fn clear_room(&self, caller: &Caller, room: RoomId) -> Result<Room, ChatError> {
        let room = self.order_room(caller, room, Order::Clear).await?;
        self.sweep_soon();
        Ok(room)
    }

    /// Deletes a room for good.
    ///
    /// # Errors
    /// [`ChatError::Forbidden`], [`ChatError::NotFound`].
    pub async fn delete_room(&self, caller: &Caller, room: RoomId) -> Result<(), ChatError> {
        self.order(caller, room, Order::Delete).await?;
        self.sweep_soon();
        Ok(())
    }

    /// Notes that the caller has read a room up to a message; answers when it is on disk. Does nothing when that is said
    /// too often.
    ///
    /// # Errors
    /// [`ChatError::NotFound`] if they are not in it.
    pub async fn read(
        &self,
        caller: &Caller,
        room: RoomId,
        through: MessageId,
    ) -> Result<(), ChatError> {
        if !self.count_signal(caller) {
            return Ok(());
        }
        let by = caller.person().clone();
        self.core
            .registry
            .ask(room, |reply| RoomMsg::Read { by, through, reply })
            .await
    }

    /// A new account is in the lobby already; those who watch it hear of it.
    pub(super) fn welcome_to_lobby(&self, user: &User) {
        let place = Membership {
            role: MemberRole::Member,
            joined_at: user.created_at,
            last_read_id: MessageId(0),
            muted_until: Millis(0),
            notify: Notify::default(),
        };
        let member = Member {
            person: user.person.clone(),
            place,
        };
        self.core
            .registry
            .tell_running(RoomId::LOBBY, RoomMsg::Admit(member));
    }

    pub(super) async fn order(
        &self,
        caller: &Caller,
        room: RoomId,
        order: Order,
    ) -> Result<Option<Member>, ChatError> {
        // Nobody but its sender hears of this one.
        if !matches!(order, Order::Notify(_)) {
            self.count_action(caller, Cost::Place)?;
        }
        self.order_as(caller.person(), room, order).await
    }

    pub(super) async fn order_as(
        &self,
        by: &Arc<Person>,
        room: RoomId,
        order: Order,
    ) -> Result<Option<Member>, ChatError> {
        let by = by.clone();
        self.core
            .registry
            .ask(room, |reply| RoomMsg::Order { by, order, reply })
            .await
    }

    pub(super) async fn order_room(
        &self,
        caller: &Caller,
        room: RoomId,
        order: Order,
    ) -> Result<Room, ChatError> {
        self.order(caller, room, order).await?;
        // Read again for the caller's eyes: the key is for members only.
        self.room(caller, room).await.map(|(room, _)| room)
    }

    async fn order_member(
        &self,
        caller: &Caller,
        room: RoomId,
        order: Order,
    ) -> Result<Member, ChatError> {
        let ordered = self.order(caller, room, order).await?;
        ordered.ok_or(ChatError::NotMember)
    }
}
