//! Receives one upload: buffers it, detects its type, strips metadata, stores it and makes a thumbnail.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt};
use tokio::time::timeout;

use crate::model::{File, FileKey, FileName, Invalid, Media, Purpose};
use crate::store::{CHUNK, Facts, NewFile};

use super::super::{Chat, ChatError};
use super::chunk_writer::{Row, Writing, keep_rendered};
use super::declared::media_type;
use super::decode::Budget;
use super::fair_semaphore::{Turn, Who};
use super::image::{self, Picture, Rendered};
use super::original::Original;
use super::strip_metadata::{self, Found, Kind, Plan};
use super::stripped_copy::{copy, plan};
use super::upload_slots::Place;

/// Largest part of a file with a known format that is buffered in memory before it moves to disk, in bytes.
const IN_MEMORY: usize = 1024 * 1024;
/// Size from which an upload needs one of the shared places, in bytes.
const WITHOUT_PLACE: usize = 16 * 1024;
/// Longest wait for the image decoder. After it, the image gets no thumbnail.
const DECODE_WAIT: Duration = Duration::from_secs(10);
/// The sender's description of a file and the limits that apply to it.
pub(super) struct Announced<'a> {
    pub who: Who,
    pub name: &'a str,
    pub media_type: &'a str,
    /// Maximum size in bytes.
    pub most: u64,
    /// Bytes left in the quota.
    pub left: u64,
}

/// Receives a file completely. The rows are the file's own and its thumbnail's.
pub(super) async fn receive<S, E>(
    chat: &Chat,
    announced: Announced<'_>,
    bytes: S,
) -> Result<(File, Vec<Row>), E>
where
    S: Stream<Item = Result<Bytes, E>> + Send,
    E: From<ChatError>,
{
    let mut incoming = Incoming::new(chat, &announced);
    incoming.take(bytes).await?;
    Ok(incoming.finish().await?)
}

/// Receives an image and returns only its square portrait.
pub(super) async fn receive_portrait<S, E>(
    chat: &Chat,
    announced: Announced<'_>,
    bytes: S,
) -> Result<Rendered, E>
where
    S: Stream<Item = Result<Bytes, E>> + Send,
    E: From<ChatError>,
{
    let mut incoming = Incoming::new(chat, &announced);
    incoming.take(bytes).await?;
    Ok(incoming.finish_portrait().await?)
}

/// An upload in progress.
struct Incoming<'a> {
    chat: &'a Chat,
    who: Who,
    name: FileName,
    declared: String,
    size: u64,
    most: u64,
    left: u64,
    /// Bytes received before the upload is written to disk.
    head: BytesMut,
    kind: Option<Kind>,
    writing: Option<Writing>,
    /// Place among the uploads that hold memory.
    place: Option<Place>,
}

impl<'a> Incoming<'a> {
    fn new(chat: &'a Chat, announced: &Announced<'_>) -> Self {
        Self {
            chat,
            who: announced.who,
            name: FileName::clean(announced.name),
            declared: media_type(announced.media_type),
            size: 0,
            most: announced.most,
            left: announced.left,
            head: BytesMut::new(),
            kind: None,
            writing: None,
            place: None,
        }
    }

    async fn take<S, E>(&mut self, bytes: S) -> Result<(), E>
    where
        S: Stream<Item = Result<Bytes, E>> + Send,
        E: From<ChatError>,
    {
        let mut bytes = std::pin::pin!(bytes);
        loop {
            let next = match &mut self.place {
                None => bytes.next().await,
                Some(place) => place.wait(bytes.next()).await.ok_or(ChatError::Busy)?,
            };
            let Some(part) = next else { break };
            self.write(&part?).await?;
        }
        // Small files need a place too, because their bytes are written to disk now.
        self.enter().await?;
        Ok(())
    }

    /// Waits for a place among the uploads that hold memory.
    async fn enter(&mut self) -> Result<&mut Place, ChatError> {
        match &mut self.place {
            Some(place) => Ok(place),
            place => {
                let entered = self.chat.core.files.places.enter(self.who).await?;
                Ok(place.insert(entered))
            }
        }
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<(), ChatError> {
        self.size += bytes.len() as u64;
        if self.size > self.most {
            return Err(ChatError::TooLarge(self.most));
        }
        if self.size > self.left {
            return Err(ChatError::Quota);
        }
        if self.size > WITHOUT_PLACE as u64 {
            self.enter().await?.received(bytes.len());
        }
        if let Some(writing) = &mut self.writing {
            return writing.write(bytes).await;
        }
        let is_new = self.kind.is_none() && self.head.len() < strip_metadata::HEAD;
        self.head.extend_from_slice(bytes);
        if is_new {
            self.kind = Kind::of(&self.head);
        }
        let in_memory = if self.kind.is_some() {
            IN_MEMORY
        } else {
            CHUNK
        };
        if self.head.len() > in_memory {
            self.spill().await?;
        }
        Ok(())
    }

    /// Whether the first bytes are those of an image format that clients can show.
    fn is_picture(&self) -> bool {
        self.kind.and_then(image::media_type).is_some()
    }

    /// Moves the buffered bytes to disk, where the upload continues.
    async fn spill(&mut self) -> Result<&mut Writing, ChatError> {
        if self.kind.is_none() {
            self.chat.check_type(&self.declared)?;
        }
        let mut writing = self.begin(Purpose::Message).await?;
        writing.write(&std::mem::take(&mut self.head)).await?;
        Ok(self.writing.insert(writing))
    }

    async fn begin(&self, purpose: Purpose) -> Result<Writing, ChatError> {
        let row = Row::begin(self.chat, self.row(purpose)).await?;
        Ok(Writing::new(row))
    }

    /// Returns everything received so far.
    async fn original(&mut self) -> Result<Original, ChatError> {
        match &mut self.writing {
            None => Ok(Original::Memory(std::mem::take(&mut self.head).freeze())),
            Some(writing) => writing.written().await,
        }
    }

    async fn finish(mut self) -> Result<(File, Vec<Row>), ChatError> {
        let original = self.original().await?;
        let plan = match self.kind {
            Some(kind) => Some(plan(kind, &original).await?),
            None => None,
        };
        let found = plan.as_ref().map(|plan| plan.found.clone());
        if !self.is_picture() {
            let recognized = found.as_ref().and_then(|found| found.media_type);
            self.chat.check_type(recognized.unwrap_or(&self.declared))?;
        }
        let mut replaced = self.writing.take();
        let mut writing = match (&plan, &mut replaced) {
            (Some(plan), _) if !plan.changes_nothing(original.len()) => {
                let mut cleaned = self.begin(Purpose::Message).await?;
                copy(&original, plan, &mut cleaned).await?;
                cleaned
            }
            (_, Some(_)) => replaced.take().ok_or(ChatError::Internal)?,
            _ => {
                let mut writing = self.begin(Purpose::Message).await?;
                copy(&original, &Plan::whole(original.len()), &mut writing).await?;
                writing
            }
        };
        drop(original);
        let written = writing.written().await?;
        // All bytes are on disk, and decoding has its own queue.
        self.place = None;
        let picture = match (self.kind, plan) {
            (Some(kind), Some(plan)) if self.is_picture() => {
                self.look_at(kind, written, plan).await
            }
            _ => None,
        };
        let mut rows = Vec::new();
        let facts = self.describe(found, picture, &mut rows).await?;
        let facts = Facts {
            replaces: replaced.as_ref().map(Writing::id),
            ..facts
        };
        let (file, row) = writing.finish(facts).await?;
        rows.push(row);
        Ok((file, rows))
    }

    /// Collects the facts about the file and stores its thumbnail.
    async fn describe(
        &self,
        found: Option<Found>,
        picture: Option<Picture>,
        rows: &mut Vec<Row>,
    ) -> Result<Facts, ChatError> {
        let found = found.unwrap_or(Found::NOTHING);
        let recognized = picture.as_ref().map(|picture| picture.media_type);
        let recognized = recognized.or(found.media_type);
        let media_type = recognized.unwrap_or(&self.declared);
        self.chat.check_type(media_type)?;
        let mut facts = Facts {
            media_type: media_type.to_owned(),
            media: Media {
                recognized: recognized.is_some(),
                cleaned: !found.keeps_metadata,
                frames: found.frames,
                duration: found.duration,
            },
            sha256: [0; 32],
            dimensions: found.dimensions.filter(|(width, height)| {
                let pixels = u64::from(*width) * u64::from(*height);
                pixels <= self.chat.core.settings.picture_pixels_max
            }),
            thumbnail: None,
            replaces: None,
            quota: self.chat.core.settings.file_quota,
        };
        let Some(picture) = picture else {
            return Ok(facts);
        };
        facts.dimensions = Some(picture.dimensions);
        if let Some(small) = picture.thumbnail {
            let (file, row) = self.keep_small(small).await?;
            facts.thumbnail = Some(file.id);
            rows.push(row);
        }
        Ok(facts)
    }

    /// Decodes an image. Returns `None` if it cannot be shown.
    async fn look_at(&self, kind: Kind, written: Original, plan: Plan) -> Option<Picture> {
        let budget = self.budget();
        let (source, size) = (written.reader(), written.len());
        let turn = self.decoding_turn().await;
        // If the decoder was busy for too long, the image is only measured, not decoded.
        let budget = Budget {
            memory: turn.as_ref().map_or(0, |_| budget.memory),
            ..budget
        };
        let work = move || image::read(kind, source, size, &plan, budget);
        self.on_decoder(turn, work).await
    }

    async fn finish_portrait(mut self) -> Result<Rendered, ChatError> {
        const NO_PICTURE: Invalid =
            Invalid::new("file", "must be a JPEG, PNG, GIF or WebP picture");
        let kind = self.kind.filter(|_| self.is_picture()).ok_or(NO_PICTURE)?;
        let original = self.original().await?;
        let plan = plan(kind, &original).await.map_err(|error| match error {
            ChatError::Invalid(_) => NO_PICTURE.into(),
            other => other,
        })?;
        let turn = self.decoding_turn().await.ok_or(ChatError::Busy)?;
        let (source, budget) = (original.reader(), self.budget());
        let work = move || image::portrait(kind, source, &plan, budget);
        Ok(self.on_decoder(Some(turn), work).await.ok_or(NO_PICTURE)?)
    }

    fn budget(&self) -> Budget {
        let settings = &self.chat.core.settings;
        Budget {
            pixels: settings.picture_pixels_max,
            memory: settings.picture_memory_max,
        }
    }

    /// Runs `work` on the decoder thread. It holds `turn` until it ends, even if the caller stops waiting.
    async fn on_decoder<T: Send + 'static>(
        &self,
        turn: Option<Turn>,
        work: impl FnOnce() -> Option<T> + Send + 'static,
    ) -> Option<T> {
        let work = move || {
            let _turn = turn;
            work()
        };
        self.chat.core.files.decoder.run(work).await.flatten()
    }

    async fn decoding_turn(&self) -> Option<Turn> {
        let taking = self.chat.core.files.decoding.take(self.who);
        timeout(DECODE_WAIT, taking).await.ok().flatten()
    }

    fn row(&self, purpose: Purpose) -> NewFile {
        NewFile {
            key: new_key(),
            owner: self.who.account,
            purpose,
            room: None,
            name: self.name.clone(),
        }
    }

    async fn keep_small(&self, small: Rendered) -> Result<(File, Row), ChatError> {
        let new = NewFile {
            name: FileName::clean(&format!("thumbnail.{}", small.ending)),
            ..self.row(Purpose::Thumbnail)
        };
        keep_rendered(self.chat, new, small).await
    }
}

pub(super) fn new_key() -> FileKey {
    FileKey(rand::random())
}
