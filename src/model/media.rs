//! Facts detected from the content of a file: kind, animation, duration, whether its metadata was removed.

use super::File;

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

/// Facts detected from a file's content, besides its type.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Media {
    /// Whether the type was detected from the content; otherwise the sender declared it.
    pub recognized: bool,
    /// Whether metadata (place, device, people, dates) was removed from everywhere the format stores it.
    pub cleaned: bool,
    /// Frames of a picture, 0 if unknown; more than one is an animation.
    pub frames: u32,
    /// Milliseconds.
    pub duration: Option<u64>,
}

/// Broad kind of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MediaKind {
    /// Still or animated picture.
    Picture,
    Video,
    Audio,
    Other,
}

impl MediaKind {
    /// Returns the name used by protocols.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Picture => "picture",
            Self::Video => "video",
            Self::Audio => "audio",
            Self::Other => "other",
        }
    }
}

impl Media {
    /// Facts of a picture that the server made or decoded.
    pub fn picture() -> Self {
        Self {
            recognized: true,
            cleaned: true,
            ..Self::default()
        }
    }

    /// Returns the media type with these facts as parameters, the form in which the store keeps it.
    pub fn stored(&self, media_type: &str) -> String {
        let mut text = media_type.to_owned();
        let flags = [("recognized", self.recognized), ("cleaned", self.cleaned)];
        for (name, _) in flags.iter().filter(|(_, is_set)| *is_set) {
            text += &format!(";{name}=1");
        }
        if self.frames > 0 {
            text += &format!(";frames={}", self.frames);
        }
        if let Some(duration) = self.duration {
            text += &format!(";duration={duration}");
        }
        text
    }

    /// Parses what [`Media::stored`] returned; unknown parameters are ignored.
    pub fn parse_stored(text: &str) -> (&str, Self) {
        let mut parts = text.split(';');
        let media_type = parts.next().unwrap_or_default();
        let mut media = Self::default();
        for (name, value) in parts.filter_map(|part| part.split_once('=')) {
            match name {
                "recognized" => media.recognized = value == "1",
                "cleaned" => media.cleaned = value == "1",
                "frames" => media.frames = value.parse().unwrap_or(0),
                "duration" => media.duration = value.parse().ok(),
                _ => {}
            }
        }
        (media_type, media)
    }
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
    fn stored_media_facts_can_be_parsed() {
        for media in [
            Media::default(),
            Media::picture(),
            Media {
                recognized: true,
                cleaned: false,
                frames: 12,
                duration: Some(34_567),
            },
        ] {
            let text = media.stored("image/gif");
            assert_eq!(Media::parse_stored(&text), ("image/gif", media));
        }
    }

    #[test]
    fn unknown_stored_media_facts_are_ignored() {
        for text in [
            "a/b;cleaned",
            "a/b;cleaned=yes;frames=-1",
            "a/b;duration=x;new=1",
        ] {
            assert_eq!(Media::parse_stored(text), ("a/b", Media::default()));
        }
    }
}
