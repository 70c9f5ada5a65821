//! Attachments: files stored on this server, and links to files on other hosts.

use std::fmt;
use std::sync::Arc;

use super::text::{cut_bytes, is_hidden, is_joiner, is_visible};
use super::{
    FileId, Media, MediaKind, MessageId, Millis, Person, RoomId, RoomKind, UserId, WebUrl,
};

/// Maximum length of a file name, bytes; common file systems allow it.
const NAME_MAX: usize = 240;
/// Maximum length of an extension that is kept when a name is shortened, bytes.
const ENDING_MAX: usize = 16;
/// Name of a file whose given name has no visible character.
const NAMELESS: &str = "file";

/// Upper limit of frames times pixels for an animation that pages play.
const ANIMATED_PIXELS_MAX: u64 = 500_000_000;
/// Maximum size of an animation that pages play, bytes.
const ANIMATED_BYTES_MAX: u64 = 8 * 1024 * 1024;
/// Containers that browsers play. Not every browser supports every codec inside them.
const PLAYABLE: [&str; 10] = [
    "audio/aac",
    "audio/flac",
    "audio/mp4",
    "audio/mpeg",
    "audio/ogg",
    "audio/wav",
    "audio/webm",
    "video/mp4",
    "video/quicktime",
    "video/webm",
];

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

impl File {
    /// Returns the broad kind as detected from the content; files on other hosts are always [`MediaKind::Other`].
    pub fn kind(&self) -> MediaKind {
        if !self.media.recognized || self.url.is_some() {
            return MediaKind::Other;
        }
        match self.media_type.split('/').next() {
            Some("image") => MediaKind::Picture,
            Some("video") => MediaKind::Video,
            Some("audio") => MediaKind::Audio,
            _ => MediaKind::Other,
        }
    }

    /// Returns width and height of a picture that browsers can show and whose metadata was removed.
    pub fn shown_dimensions(&self) -> Option<(u32, u32)> {
        let is_shown = self.kind() == MediaKind::Picture && self.media.cleaned;
        self.dimensions.filter(|_| is_shown)
    }

    pub fn is_animated(&self) -> bool {
        self.kind() == MediaKind::Picture && self.media.frames > 1
    }

    /// Whether a page may play it: an animation below the limits, or a container that browsers play.
    pub fn is_playable(&self) -> bool {
        match self.kind() {
            MediaKind::Picture => self.is_animated() && self.is_cheap_animation(),
            MediaKind::Video | MediaKind::Audio => PLAYABLE.contains(&self.media_type.as_str()),
            MediaKind::Other => false,
        }
    }

    /// Whether it may still contain metadata (author, place, device), as far as its kind is known to have any.
    pub fn keeps_metadata(&self) -> bool {
        const DOCUMENTS: [&str; 4] = ["pdf", "rtf", "msword", "vnd."];
        let document = self.media_type.strip_prefix("application/");
        let is_document = document.is_some_and(|kind| {
            let is = |known: &&str| match known.ends_with('.') {
                true => kind.starts_with(*known),
                false => kind == *known,
            };
            DOCUMENTS.iter().any(is)
        });
        let is_own = self.url.is_none();
        is_own && !self.media.cleaned && (self.kind() != MediaKind::Other || is_document)
    }

    fn is_cheap_animation(&self) -> bool {
        let pixels = |(width, height)| u64::from(width) * u64::from(height);
        self.shown_dimensions().is_some_and(|dimensions| {
            // Without a still frame the animation could not be stopped.
            let has_still = self.thumbnail.is_some();
            let all = pixels(dimensions).saturating_mul(self.media.frames.into());
            has_still && all <= ANIMATED_PIXELS_MAX && self.size <= ANIMATED_BYTES_MAX
        })
    }
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
