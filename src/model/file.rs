//! What people attach: files kept here, and links to files kept elsewhere.

use std::fmt;
use std::sync::Arc;

use super::text::{cut_bytes, is_hidden, is_joiner, is_visible};
use super::{FileId, Media, MessageId, Millis, Person, RoomId, RoomKind, UserId, WebUrl};

/// The longest name of a file, bytes: what common file systems take.
const NAME_MAX: usize = 240;
/// The longest ending that is kept when a name must be shortened, bytes.
const ENDING_MAX: usize = 16;
/// What a file is called whose name says nothing.
const NAMELESS: &str = "file";

/// A file's name: one line without directories and control characters, 1 to 240 bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileName(String);

impl FileName {
    /// Makes a good name of any text.
    pub fn clean(text: &str) -> Self {
        let base = text.rsplit(['/', '\\']).next().unwrap_or_default();
        // Joiners belong to what is written: Persian words and emoji fall apart without them.
        let is_kept = |c: &char| is_joiner(*c) || !is_hidden(*c);
        let kept: String = base.chars().filter(is_kept).collect();
        let kept = kept.trim().trim_start_matches('.').trim();
        Self(if is_visible(kept) {
            shorten(kept)
        } else {
            NAMELESS.to_owned()
        })
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Cuts a name that is too long, in front of its ending.
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

/// What signs the addresses of one file; never shown.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct FileKey(pub [u8; 16]);

impl fmt::Debug for FileKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FileKey(…)")
    }
}

/// What a file is for; decides who may fetch it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Shown by a message, to those who may read that message.
    Message,
    /// The small picture of a message's file.
    Thumbnail,
    /// Shown beside somebody's name, to everybody with an account.
    Avatar,
    /// Shown beside a room's name, to those who may see the room.
    Picture,
}

impl Purpose {
    /// The word used in the file.
    pub fn as_str(self) -> &'static str {
        match self {
            Purpose::Message => "message",
            Purpose::Thumbnail => "thumbnail",
            Purpose::Avatar => "avatar",
            Purpose::Picture => "picture",
        }
    }

    /// The purpose of that name, if there is one.
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

/// The small picture of a picture, a file of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Thumbnail {
    /// Its number.
    pub id: FileId,
    /// Signs its addresses.
    pub key: FileKey,
    /// Its name.
    pub name: String,
}

/// A file, without its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Its number.
    pub id: FileId,
    /// Signs its addresses.
    pub key: FileKey,
    /// Who uploaded it.
    pub owner_id: UserId,
    /// What to call it.
    pub name: String,
    /// What its bytes say it is, else what the sender says.
    pub media_type: String,
    /// What else its bytes say.
    pub media: Media,
    /// Bytes; of another host's file what the sender said.
    pub size: u64,
    /// Width and height in pixels as shown, of pictures and videos whose bytes say so.
    pub dimensions: Option<(u32, u32)>,
    /// Its small picture, where it pays to have one.
    pub thumbnail: Option<Thumbnail>,
    /// Where it is, if it is on another host.
    pub url: Option<WebUrl>,
    /// When it was uploaded.
    pub created_at: Millis,
}

/// A file and where it is shown.
#[derive(Clone, Debug)]
pub struct PlacedFile {
    /// The file.
    pub file: File,
    /// Who uploaded it or pointed at it.
    pub owner: Arc<Person>,
    /// The message that shows it.
    pub message: MessageId,
    /// The room of that message.
    pub room: RoomId,
    /// What sort of room that is.
    pub kind: RoomKind,
}

/// Another host's file that somebody points at; it is never fetched.
#[derive(Clone, Debug)]
pub struct Link {
    /// What to call it.
    pub name: FileName,
    /// What it is said to be.
    pub media_type: String,
    /// How many bytes it is said to have.
    pub size: u64,
    /// Where it is.
    pub url: WebUrl,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_loses_directories_and_what_deceives() {
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
    fn a_long_name_keeps_its_ending() {
        let name = FileName::clean(&format!("{}.jpeg", "ä".repeat(300)));
        assert!(name.as_str().len() <= NAME_MAX && name.as_str().ends_with("ä.jpeg"));
        let name = FileName::clean(&format!("a.{}", "b".repeat(300)));
        assert_eq!(name.as_str().len(), NAME_MAX);
        let name = FileName::clean(&format!("{}.txt", "🇩🇪".repeat(40)));
        assert_eq!(name.as_str(), format!("{}.txt", "🇩🇪".repeat(29)));
    }

    #[test]
    fn a_key_is_not_shown() {
        assert!(!format!("{:?}", FileKey([7; 16])).contains('7'));
    }
}
