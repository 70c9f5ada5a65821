//! Attachments: files stored on this server, and links to files on other hosts.

use std::fmt;
use std::sync::Arc;

use super::text::{cut_bytes, is_hidden, is_joiner, is_visible};
use super::{FileId, Media, MessageId, Millis, Person, RoomId, RoomKind, UserId, WebUrl};

/// Maximum length of a file name, bytes; common file systems allow it.
const NAME_MAX: usize = 240;
/// Maximum length of an extension that is kept when a name is shortened, bytes.
const ENDING_MAX: usize = 16;
/// Name of a file whose given name has no visible character.
const NAMELESS: &str = "file";

/// A file's name: one line without directories and control characters, 1 to 240 bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileName(String);

impl FileName {
    /// Makes a valid file name of any text.
    pub fn clean(text: &str) -> Self {
        let base = text.rsplit(['/', '\\']).next().unwrap_or_default();
        // Joiners are kept: Persian words and emoji fall apart without them.
        let is_kept = |c: &char| is_joiner(*c) || !is_hidden(*c);
        let kept: String = base.chars().filter(is_kept).collect();
        let kept = kept.trim().trim_start_matches('.').trim();
        Self(if is_visible(kept) {
            shorten(kept)
        } else {
            NAMELESS.to_owned()
        })
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Shortens a name that is too long; the extension is kept.
fn shorten(name: &str) -> String {
    if name.len() <= NAME_MAX {
        return name.to_owned();
    }
    let dot = name
        .rfind('.')
        .filter(|at| name.len() - at <= ENDING_MAX)
        .unwrap_or(name.len());
    let (stem, ending) = name.split_at(dot);
    let stem = cut_bytes(stem, NAME_MAX - ending.len());
    format!("{stem}{ending}")
}

/// Key that signs the URLs of one file. `Debug` does not print it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct FileKey(pub [u8; 16]);

impl fmt::Debug for FileKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FileKey(…)")
    }
}

/// Use of a file; decides who may fetch it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Attached to a message: for those who may read the message.
    Message,
    /// Thumbnail of a message's file.
    Thumbnail,
    /// Avatar of a person: for every account.
    Avatar,
    /// Picture of a room: for those who may see the room.
    Picture,
}

impl Purpose {
    /// Returns the word used in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Purpose::Message => "message",
            Purpose::Thumbnail => "thumbnail",
            Purpose::Avatar => "avatar",
            Purpose::Picture => "picture",
        }
    }

    pub fn parse(word: &str) -> Option<Self> {
        [
            Purpose::Message,
            Purpose::Thumbnail,
            Purpose::Avatar,
            Purpose::Picture,
        ]
        .into_iter()
        .find(|purpose| purpose.as_str() == word)
    }
}

/// Thumbnail of a picture, a file of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Thumbnail {
    pub id: FileId,
    /// Signs its URLs.
    pub key: FileKey,
    pub name: String,
}

/// Metadata of a file, without its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    pub id: FileId,
    /// Signs its URLs.
    pub key: FileKey,
    /// The uploader.
    pub owner_id: UserId,
    pub name: String,
    /// Detected from the content, else as the sender declared it.
    pub media_type: String,
    pub media: Media,
    /// In bytes; as the sender declared it if the file is on another host.
    pub size: u64,
    /// Width and height as displayed, pixels; of pictures and videos whose content states them.
    pub dimensions: Option<(u32, u32)>,
    pub thumbnail: Option<Thumbnail>,
    /// URL of a file on another host.
    pub url: Option<WebUrl>,
    /// Time of the upload.
    pub created_at: Millis,
}

/// A file and the message it is attached to.
#[derive(Clone, Debug)]
pub struct PlacedFile {
    pub file: File,
    /// The uploader, or who linked to it.
    pub owner: Arc<Person>,
    pub message: MessageId,
    pub room: RoomId,
    pub kind: RoomKind,
}

/// A file on another host that a client links to. The server never fetches it.
#[derive(Clone, Debug)]
pub struct Link {
    pub name: FileName,
    /// As the sender declared it.
    pub media_type: String,
    /// In bytes, as the sender declared it.
    pub size: u64,
    pub url: WebUrl,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names_lose_directories_and_deceptive_characters() {
        for (text, expected) in [
            ("photo.jpg", "photo.jpg"),
            ("../../etc/passwd", "passwd"),
            ("C:\\Users\\ann\\b.txt", "b.txt"),
            ("a\0b\r\nc\u{7f}.txt", "abc.txt"),
            ("gpj\u{202e}exe.jpg", "gpjexe.jpg"),
            (" .. ", NAMELESS),
            ("a/", NAMELESS),
            ("", NAMELESS),
            (".htaccess", "htaccess"),
            ("Grüße aus 東京.png", "Grüße aus 東京.png"),
            ("my \"best\" photo.txt", "my \"best\" photo.txt"),
            ("می\u{200c}خواهم.pdf", "می\u{200c}خواهم.pdf"),
            ("👩\u{200d}🚀\u{fe0f}.png", "👩\u{200d}🚀\u{fe0f}.png"),
            ("\u{3164}", NAMELESS),
            ("\u{200d}", NAMELESS),
        ] {
            assert_eq!(FileName::clean(text).as_str(), expected, "{text:?}");
        }
    }

    #[test]
    fn a_long_file_name_keeps_its_extension() {
        let name = FileName::clean(&format!("{}.jpeg", "ä".repeat(300)));
        assert!(name.as_str().len() <= NAME_MAX && name.as_str().ends_with("ä.jpeg"));
        let name = FileName::clean(&format!("a.{}", "b".repeat(300)));
        assert_eq!(name.as_str().len(), NAME_MAX);
        let name = FileName::clean(&format!("{}.txt", "🇩🇪".repeat(40)));
        assert_eq!(name.as_str(), format!("{}.txt", "🇩🇪".repeat(29)));
    }

    #[test]
    fn debug_output_hides_the_file_key() {
        assert!(!format!("{:?}", FileKey([7; 16])).contains('7'));
    }
}
