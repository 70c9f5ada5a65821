//! Attachments on pages; `attached.js` renders the same for new messages. Independent of the rest of a message.

use crate::chat::files;
use crate::model::{File, MediaKind, Message, UserId};

use super::i18n::Texts;
use super::message_view::size_label;

/// Maximum width and height of a displayed picture, pixels; thumbnails are no larger.
const SHOWN_MAX: u32 = 400;

pub(super) struct FileView {
    pub name: String,
    pub url: String,
    pub size: String,
    pub look: Look,
    /// Note below the file, or empty.
    pub note: &'static str,
}

/// Display of a file.
pub(super) enum Look {
    /// Still picture; `animated` if the file itself is an animation.
    Picture {
        picture: PictureView,
        animated: bool,
    },
    /// Animation with its first frame.
    Moving { picture: PictureView, still: String },
    /// Video player, with width and height if known.
    Video(Option<(u32, u32)>),
    /// Audio player.
    Audio,
    /// Link only.
    Card,
}

/// Picture with its size, so that the page does not shift when it loads.
pub(super) struct PictureView {
    pub src: String,
    pub width: u32,
    pub height: u32,
}

impl FileView {
    /// Returns the views of a message's files for the account `me`.
    pub(super) fn all(t: &'static Texts, message: &Message, me: UserId) -> Vec<Self> {
        let mine = message.sender.id == me;
        let files = message.files.iter();
        files.map(|file| Self::new(t, file, mine)).collect()
    }

    /// `mine`: the viewer sent it, and is warned about metadata.
    fn new(t: &'static Texts, file: &File, mine: bool) -> Self {
        let url = files::address(file);
        Self {
            name: file.name.clone(),
            size: size_label(file.size),
            look: Look::new(file, &url),
            note: note(t, file, mine),
            url,
        }
    }
}

impl Look {
    fn new(file: &File, url: &str) -> Self {
        let thumbnail = files::thumbnail_address(file);
        match file.kind() {
            MediaKind::Video if file.is_playable() => {
                Self::Video(file.dimensions.map(|(width, height)| fitted(width, height)))
            }
            MediaKind::Audio if file.is_playable() => Self::Audio,
            _ => match (file.shown_dimensions(), thumbnail) {
                (Some(size), Some(still)) if file.is_playable() => Self::Moving {
                    picture: PictureView::new(url.to_owned(), size),
                    still,
                },
                (Some(size), thumbnail) => Self::Picture {
                    picture: PictureView::new(thumbnail.unwrap_or_else(|| url.to_owned()), size),
                    animated: file.is_animated(),
                },
                (None, _) => Self::Card,
            },
        }
    }
}

impl PictureView {
    fn new(src: String, (width, height): (u32, u32)) -> Self {
        let (width, height) = fitted(width, height);
        Self { src, width, height }
    }
}

fn note(t: &'static Texts, file: &File, mine: bool) -> &'static str {
    let is_played = matches!(file.kind(), MediaKind::Video | MediaKind::Audio);
    if mine && file.keeps_metadata() {
        t.uncleaned_note
    } else if matches!(file.media_type.as_str(), "image/heic" | "image/heif") {
        t.heic_note
    } else if is_played && !file.is_playable() {
        t.unplayable_note
    } else {
        ""
    }
}

/// Scales a size down to at most [`SHOWN_MAX`] each way.
fn fitted(width: u32, height: u32) -> (u32, u32) {
    let longest = width.max(height).max(SHOWN_MAX);
    let fit = |side: u32| {
        let scaled = u64::from(side) * u64::from(SHOWN_MAX) / u64::from(longest);
        u32::try_from(scaled.max(1)).unwrap_or(SHOWN_MAX)
    };
    (fit(width), fit(height))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_are_never_scaled_up() {
        assert_eq!(fitted(300, 20), (300, 20));
        assert_eq!(fitted(1600, 1200), (400, 300));
        assert_eq!(fitted(10, 9000), (1, 400));
    }
}
