//! One file coming in: where its bytes go, what it turns out to be, and its small copy.

use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt};

use crate::model::{File, FileKey, FileName, Purpose, UserId};
use crate::store::{CHUNK, Facts, NewFile};

use super::super::{Chat, ChatError};
use super::picture::{self, Picture, Rendered};
use super::writing::{Row, Writing};

/// Larger ones are never taken for pictures, bytes.
const PICTURE_MAX: u64 = 32 * 1024 * 1024;
/// A picture up to this size stays in memory until it is whole, bytes.
const IN_MEMORY: usize = 1024 * 1024;
/// What files are of which nothing better is known.
const UNKNOWN: &str = "application/octet-stream";

/// What a sender says of a file, and how much of it there may be.
pub(super) struct Announced<'a> {
    pub owner: UserId,
    pub name: &'a str,
    pub media_type: &'a str,
    /// Bytes that the quota leaves.
    pub left: u64,
}

/// Takes a file in, from its first byte to its last; the rows are the file's and its thumbnail's.
pub(super) async fn receive<S, E>(
    chat: &Chat,
    announced: Announced<'_>,
    bytes: S,
) -> Result<(File, Vec<Row>), E>
where
    S: Stream<Item = Result<Bytes, E>> + Send,
    E: From<ChatError>,
{
    let mut incoming = Incoming {
        chat,
        owner: announced.owner,
        name: FileName::clean(announced.name),
        declared: media_type(announced.media_type),
        size: 0,
        left: announced.left,
        head: BytesMut::new(),
        writing: None,
    };
    let mut bytes = std::pin::pin!(bytes);
    while let Some(part) = bytes.next().await {
        incoming.write(&part?).await?;
    }
    Ok(incoming.finish().await?)
}

/// A file that is coming in.
struct Incoming<'a> {
    chat: &'a Chat,
    owner: UserId,
    name: FileName,
    declared: String,
    size: u64,
    left: u64,
    /// What came before it was clear where to put it.
    head: BytesMut,
    writing: Option<Writing>,
}

impl Incoming<'_> {
    async fn write(&mut self, bytes: &[u8]) -> Result<(), ChatError> {
        let most = self.chat.core.settings.file_size_max;
        self.size += bytes.len() as u64;
        if self.size > most {
            return Err(ChatError::TooLarge(most));
        }
        if self.size > self.left {
            return Err(ChatError::Quota);
        }
        if let Some(writing) = &mut self.writing {
            return writing.write(bytes).await;
        }
        self.head.extend_from_slice(bytes);
        let in_memory = if self.is_picture() { IN_MEMORY } else { CHUNK };
        if self.head.len() > in_memory {
            self.spill().await?;
        }
        Ok(())
    }

    /// Whether its first bytes say that it is a picture.
    fn is_picture(&self) -> bool {
        picture::format_of(&self.head).is_some()
    }

    /// Goes on on the disk; the first bytes stay here too, to tell what it is.
    async fn spill(&mut self) -> Result<&mut Writing, ChatError> {
        if !self.is_picture() {
            self.chat.check_type(&self.declared)?;
        }
        let mut writing = Writing::new(Row::begin(self.chat, self.row(Purpose::Message)).await?);
        writing.write(&self.head).await?;
        self.head.truncate(16);
        Ok(self.writing.insert(writing))
    }

    fn row(&self, purpose: Purpose) -> NewFile {
        NewFile {
            key: new_key(),
            owner: self.owner,
            purpose,
            room: None,
            name: self.name.clone(),
        }
    }

    async fn finish(mut self) -> Result<(File, Vec<Row>), ChatError> {
        if self.is_picture() && self.size <= PICTURE_MAX {
            let turn = self.chat.core.files.pictures.acquire().await;
            let _turn = turn.map_err(ChatError::internal)?;
            let whole = match &mut self.writing {
                None => self.head.clone().freeze(),
                Some(writing) => {
                    writing.flush().await?;
                    writing.read_back().await?
                }
            };
            let original = whole.clone();
            let found = self.chat.on_picture(move || picture::read(&whole)).await;
            if let Some(picture) = found {
                return self.finish_picture(picture, &original).await;
            }
        }
        self.chat.check_type(&self.declared)?;
        let facts = self.facts(self.declared.clone());
        let writing = match self.writing.take() {
            Some(writing) => writing,
            None => {
                self.spill().await?;
                self.writing.take().ok_or(ChatError::Internal)?
            }
        };
        let (file, row) = writing.finish(facts).await?;
        Ok((file, vec![row]))
    }

    async fn finish_picture(
        mut self,
        picture: Picture,
        original: &Bytes,
    ) -> Result<(File, Vec<Row>), ChatError> {
        self.chat.check_type(picture.media_type)?;
        let mut rows = Vec::new();
        let mut facts = self.facts(picture.media_type.to_owned());
        facts.dimensions = Some(picture.dimensions);
        if let Some(small) = picture.thumbnail {
            let (file, row) = self.keep_small(small).await?;
            facts.thumbnail = Some(file.id);
            rows.push(row);
        }
        let upload = self.writing.take();
        let (writing, replaced) = match upload {
            // Nothing had to be taken out: what came is what stays.
            Some(upload) if picture.bytes == *original => (upload, None),
            upload => {
                let mut writing =
                    Writing::new(Row::begin(self.chat, self.row(Purpose::Message)).await?);
                writing.write(&picture.bytes).await?;
                (writing, upload)
            }
        };
        facts.replaces = replaced.as_ref().map(Writing::id);
        let (file, row) = writing.finish(facts).await?;
        rows.push(row);
        Ok((file, rows))
    }

    async fn keep_small(&self, small: Rendered) -> Result<(File, Row), ChatError> {
        let new = NewFile {
            name: FileName::clean(&format!("thumbnail.{}", small.ending)),
            ..self.row(Purpose::Thumbnail)
        };
        keep_rendered(self.chat, new, small).await
    }

    fn facts(&self, media_type: String) -> Facts {
        Facts {
            media_type,
            sha256: [0; 32],
            dimensions: None,
            thumbnail: None,
            replaces: None,
            quota: self.chat.core.settings.file_quota,
        }
    }
}

/// Keeps a picture of our own making.
pub(super) async fn keep_rendered(
    chat: &Chat,
    new: NewFile,
    picture: Rendered,
) -> Result<(File, Row), ChatError> {
    let mut writing = Writing::new(Row::begin(chat, new).await?);
    writing.write(&picture.bytes).await?;
    let facts = Facts {
        media_type: picture.media_type.to_owned(),
        sha256: [0; 32],
        dimensions: Some(picture.dimensions),
        thumbnail: None,
        replaces: None,
        quota: chat.core.settings.file_quota,
    };
    writing.finish(facts).await
}

pub(super) fn new_key() -> FileKey {
    FileKey(rand::random())
}

/// What the sender says the file is, if that is a media type. Pictures are known by their bytes alone.
fn media_type(declared: &str) -> String {
    let essence = declared.split(';').next().unwrap_or_default().trim();
    let is_word = |word: &str| {
        !word.is_empty()
            && word
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "!#$&^_.+-".contains(c))
    };
    let words = essence.split_once('/');
    let is_good = words.is_some_and(|(kind, rest)| is_word(kind) && is_word(rest));
    let essence = essence.to_ascii_lowercase();
    if is_good && essence.len() <= 100 && !essence.starts_with("image/") {
        essence
    } else {
        UNKNOWN.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_media_type_is_two_words_and_never_a_picture() {
        for (declared, expected) in [
            ("text/plain; charset=utf-8", "text/plain"),
            ("Application/PDF", "application/pdf"),
            ("image/png", UNKNOWN),
            ("IMAGE/svg+xml", UNKNOWN),
            ("text/html\r\nx: y", UNKNOWN),
            ("a b/c", UNKNOWN),
            ("", UNKNOWN),
        ] {
            assert_eq!(media_type(declared), expected, "{declared:?}");
        }
    }
}
