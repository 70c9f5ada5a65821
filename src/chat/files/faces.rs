//! Pictures beside names: of people and of rooms.

use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt};

use crate::model::{
    Action, File, FileName, Invalid, Purpose, Room, RoomId, User, UserEdit, WebUrl,
};
use crate::store::NewFile;

use super::super::room::Order;
use super::super::{Caller, Chat, ChatError};
use super::address::{address, lasting_address};
use super::incoming::{keep_rendered, new_key};
use super::picture;
use super::writing::Row;

/// The largest picture that is made a portrait of, bytes; it is held in memory.
const PORTRAIT_MAX: u64 = 8 * 1024 * 1024;

impl Chat {
    /// Makes a picture the caller's own, cut to a square.
    ///
    /// # Errors
    /// [`ChatError::Forbidden`] for guests, [`ChatError::TooLarge`], [`ChatError::Invalid`] if it is no picture,
    /// [`ChatError::Quota`], and whatever the stream ends with.
    pub async fn set_avatar<S, E>(&self, caller: &Caller, bytes: S) -> Result<User, E>
    where
        S: Stream<Item = Result<Bytes, E>> + Send,
        E: From<ChatError>,
    {
        caller.need_account()?;
        let (file, row) = self.take_face(caller, None, bytes).await?;
        let url =
            WebUrl::parse("avatar_url", &lasting_address(&file), &[]).map_err(ChatError::from)?;
        let edit = UserEdit {
            avatar_url: Some(Some(url)),
            ..UserEdit::default()
        };
        let user = self.edit_me(caller, edit).await?;
        row.keep();
        Ok(user)
    }

    /// Makes a picture that of a room, cut to a square.
    ///
    /// # Errors
    /// As [`Chat::set_avatar`], and [`ChatError::Forbidden`] or [`ChatError::NotFound`] for who does not manage the room.
    pub async fn set_room_picture<S, E>(
        &self,
        caller: &Caller,
        room: RoomId,
        bytes: S,
    ) -> Result<Room, E>
    where
        S: Stream<Item = Result<Bytes, E>> + Send,
        E: From<ChatError>,
    {
        caller.need_account()?;
        self.room_for(caller, room, Action::Manage).await?;
        let (file, row) = self.take_face(caller, Some(room), bytes).await?;
        let order = Order::Picture(Some((file.id, address(&file))));
        let room = self.order_room(caller, room, order).await?;
        row.keep();
        self.sweep_soon();
        Ok(room)
    }

    /// Takes a room's picture away.
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
        caller: &Caller,
        room: Option<RoomId>,
        bytes: S,
    ) -> Result<(File, Row), E>
    where
        S: Stream<Item = Result<Bytes, E>> + Send,
        E: From<ChatError>,
    {
        let _turn = self.upload_turn(caller).await?;
        self.quota_left(caller.id()).await?;
        let most = self.core.settings.file_size_max.min(PORTRAIT_MAX);
        let mut whole = BytesMut::new();
        let mut bytes = std::pin::pin!(bytes);
        while let Some(part) = bytes.next().await {
            whole.extend_from_slice(&part?);
            if whole.len() as u64 > most {
                return Err(ChatError::TooLarge(most).into());
            }
        }
        Ok(self.keep_face(caller, room, whole.freeze()).await?)
    }

    async fn keep_face(
        &self,
        caller: &Caller,
        room: Option<RoomId>,
        whole: Bytes,
    ) -> Result<(File, Row), ChatError> {
        let turn = self.core.files.pictures.acquire().await;
        let turn = turn.map_err(ChatError::internal)?;
        let face = self.on_picture(move || picture::portrait(&whole)).await;
        drop(turn);
        let face = face.ok_or(Invalid::new(
            "file",
            "must be a JPEG, PNG, GIF or WebP picture",
        ))?;
        let new = NewFile {
            key: new_key(),
            owner: caller.id(),
            purpose: if room.is_some() {
                Purpose::Picture
            } else {
                Purpose::Avatar
            },
            room,
            name: FileName::clean(&format!("picture.{}", face.ending)),
        };
        keep_rendered(self, new, face).await
    }
}
