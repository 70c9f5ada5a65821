//! Members of a room and commands to it. Every command goes through the room actor.

use std::sync::Arc;

use crate::model::{
    Key, Member, MemberRole, Membership, MessageId, Millis, Notify, Person, Room, RoomEdit, RoomId,
    User, UserId,
};

use super::rate_limit::keys;
use super::room::{Order, RoomMsg};
use super::{Caller, Chat, ChatError, Cost};

/// Changes to a member of a room.
#[derive(Clone, Copy, Debug, Default)]
pub struct MemberEdit {
    /// Member or moderator.
    pub role: Option<MemberRole>,
    /// Time until which the member is muted; 0 ends the mute.
    pub muted_until: Option<Millis>,
}

impl Chat {
    /// # Errors
    /// [`ChatError::NotFound`], [`ChatError::AlreadyMember`].
    pub async fn join(&self, caller: &Caller, room: RoomId) -> Result<Room, ChatError> {
        self.order_room(caller, room, Order::Join).await
    }

    /// Joins the private room with that access key.
    ///
    /// # Errors
    /// [`ChatError::NotFound`], also for people who were removed; [`ChatError::AlreadyMember`]; [`ChatError::Limited`].
    pub async fn join_by_key(&self, caller: &Caller, key: Key) -> Result<Room, ChatError> {
        let joining = async {
            let found = self.core.store.room_by_key(key.clone()).await?;
            let room = found.ok_or(ChatError::NotFound("room"))?;
            self.order_room(caller, room.id, Order::JoinByKey(key))
                .await
        };
        self.guess_key(caller, joining).await
    }

    /// Runs `doing`, whose result may reveal whether an access key exists, under the rate limit for wrong keys.
    pub(super) async fn guess_key<T>(
        &self,
        caller: &Caller,
        doing: impl Future<Output = Result<T, ChatError>>,
    ) -> Result<T, ChatError> {
        let keys = keys::of_person(caller.id(), caller.address());
        self.core.limits.room_keys.attempt(keys, doing).await
    }

    /// # Errors
    /// [`ChatError::Owner`], [`ChatError::NotMember`], [`ChatError::NotFound`] for the lobby and direct rooms.
    pub async fn leave(&self, caller: &Caller, room: RoomId) -> Result<(), ChatError> {
        self.order(caller, room, Order::Leave).await.map(drop)
    }

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

    /// Removes a member. They cannot join a private room again until a member adds them.
    ///
    /// # Errors
    /// [`ChatError::Forbidden`], also for the caller's own membership; [`ChatError::NotMember`]; [`ChatError::Owner`].
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

    /// Changes the role of a member, or mutes them.
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

    /// Makes another member the owner.
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

    /// Deletes all messages of a room.
    ///
    /// # Errors
    /// [`ChatError::Forbidden`], [`ChatError::NotFound`].
    pub async fn clear_room(&self, caller: &Caller, room: RoomId) -> Result<Room, ChatError> {
        let room = self.order_room(caller, room, Order::Clear).await?;
        self.sweep_soon();
        Ok(room)
    }

    /// # Errors
    /// [`ChatError::Forbidden`], [`ChatError::NotFound`].
    pub async fn delete_room(&self, caller: &Caller, room: RoomId) -> Result<(), ChatError> {
        self.order(caller, room, Order::Delete).await?;
        self.sweep_soon();
        Ok(())
    }

    /// Moves the caller's read cursor in a room; returns when that is on disk. Does nothing beyond the rate limit.
    ///
    /// # Errors
    /// [`ChatError::NotFound`] if the caller is not a member.
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

    /// Tells the subscribers of the lobby about a new account, which the store has added to it already.
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
        // A notification setting is not sent to other people, so it is not rate-limited.
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
        // Read again as the caller, because only members may see the access key.
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
