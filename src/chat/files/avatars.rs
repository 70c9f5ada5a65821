//! Avatars of people and pictures of rooms.

use bytes::Bytes;
use futures_util::Stream;

use crate::model::{Action, File, FileName, Purpose, Room, RoomId, User, UserEdit, WebUrl};
use crate::store::NewFile;

use super::super::room::Order;
use super::super::{Caller, Chat, ChatError, Cost};
use super::Sender;
use super::chunk_writer::{Row, keep_rendered};
use super::receive::{Announced, new_key, receive_portrait};
use super::urls::{address, lasting_address};

/// Largest upload from which a portrait is made, in bytes.
const PORTRAIT_MAX: u64 = 8 * 1024 * 1024;

impl Chat {
    /// Sets the caller's avatar, cropped to a square.
    ///
    /// # Errors
    /// [`ChatError::Forbidden`] for guests, [`ChatError::TooLarge`], [`ChatError::Invalid`] if it is no image,
    /// [`ChatError::Quota`], and the stream's error.
    pub async fn set_avatar<S, E>(&self, sender: Sender<'_>, bytes: S) -> Result<User, E>
    where
        S: Stream<Item = Result<Bytes, E>> + Send,
        E: From<ChatError>,
    {
        let caller = sender.caller;
        caller.need_account()?;
        self.count_action(caller, Cost::Account)?;
        let (file, row) = self.take_face(sender, None, bytes).await?;
        let url =
            WebUrl::parse("avatar_url", &lasting_address(&file), &[]).map_err(ChatError::from)?;
        let edit = UserEdit {
            avatar_url: Some(Some(url)),
            ..UserEdit::default()
        };
        let user = self.edit_counted(caller, edit).await?;
        row.keep();
        Ok(user)
    }

    /// Sets the picture of a room, cropped to a square.
    ///
    /// # Errors
    /// As [`Chat::set_avatar`]; [`ChatError::Forbidden`] or [`ChatError::NotFound`] if the caller may not manage the
    /// room.
    pub async fn set_room_picture<S, E>(
        &self,
        sender: Sender<'_>,
        room: RoomId,
        bytes: S,
    ) -> Result<Room, E>
    where
        S: Stream<Item = Result<Bytes, E>> + Send,
        E: From<ChatError>,
    {
        let caller = sender.caller;
        caller.need_account()?;
        self.count_action(caller, Cost::Place)?;
        self.room_for(caller, room, Action::Manage).await?;
        let (file, row) = self.take_face(sender, Some(room), bytes).await?;
        let order = Order::Picture(Some((file.id, address(&file))));
        let room = self.order_room(caller, room, order).await?;
        row.keep();
        self.sweep_soon();
        Ok(room)
    }

    /// Removes the picture of a room.
    ///
    /// # Errors
    /// [`ChatError::Forbidden`], [`ChatError::NotFound`].
    pub async fn clear_room_picture(
        &self,
        caller: &Caller,
        room: RoomId,
    ) -> Result<Room, ChatError> {
        let room = self.order_room(caller, room, Order::Picture(None)).await?;
        self.sweep_soon();
        Ok(room)
    }

    async fn take_face<S, E>(
        &self,
        sender: Sender<'_>,
        room: Option<RoomId>,
        bytes: S,
    ) -> Result<(File, Row), E>
    where
        S: Stream<Item = Result<Bytes, E>> + Send,
        E: From<ChatError>,
    {
        let owner = sender.caller.id();
        let announced = Announced {
            who: sender.who(),
            name: "picture",
            media_type: "",
            most: self.core.settings.file_size_max.min(PORTRAIT_MAX),
            left: self.quota_left(owner).await?,
        };
        let face = receive_portrait(self, announced, bytes).await?;
        let new = NewFile {
            key: new_key(),
            owner,
            purpose: if room.is_some() {
                Purpose::Picture
            } else {
                Purpose::Avatar
            },
            room,
            name: FileName::clean(&format!("picture.{}", face.ending)),
        };
        Ok(keep_rendered(self, new, face).await?)
    }
}
