//! What the bytes of a file say it is: its kind, whether it moves, how long it plays, whether its metadata was removed.

use super::File;

/// Frames times pixels of the largest animation that a page plays.
const ANIMATED_PIXELS_MAX: u64 = 500_000_000;
/// The largest animation that a page plays, bytes.
const ANIMATED_BYTES_MAX: u64 = 8 * 1024 * 1024;
/// Containers that browsers play; what is in them may still be a codec that one of them does not know.
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

/// Facts about a file that its bytes tell beside its type.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Media {
    /// Whether the bytes say what it is; otherwise the type is the sender's word.
    pub recognized: bool,
    /// Whether metadata (place, device, people, dates) was removed from everywhere the format keeps it.
    pub cleaned: bool,
    /// Frames of a picture, where known; more than one is an animation.
    pub frames: u32,
    /// How long it plays, milliseconds.
    pub duration: Option<u64>,
}

/// The broad kind of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MediaKind {
    /// A picture, still or animated.
    Picture,
    /// Moving pictures, with sound or without.
    Video,
    /// Sound alone.
    Audio,
    /// Anything else.
    Other,
}

impl MediaKind {
    /// The name used by protocols.
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
    /// A picture made or decoded here.
    pub fn picture() -> Self {
        Self {
            recognized: true,
            cleaned: true,
            ..Self::default()
        }
    }

    /// The media type with these facts as its parameters, as the store keeps it.
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

    /// The media type and the facts of what [`Media::stored`] returned; unknown parameters are ignored.
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
    /// The broad kind, as far as its bytes say; another host's file is never more than [`MediaKind::Other`].
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

    /// Width and height of a picture that browsers show and that may be shown in a page.
    pub fn shown_dimensions(&self) -> Option<(u32, u32)> {
        let is_shown = self.kind() == MediaKind::Picture && self.media.cleaned;
        self.dimensions.filter(|_| is_shown)
    }

    /// Whether it is a picture of several frames.
    pub fn is_animated(&self) -> bool {
        self.kind() == MediaKind::Picture && self.media.frames > 1
    }

    /// Whether a page may play it: an animation that is not too expensive, or a container that browsers play.
    pub fn is_playable(&self) -> bool {
        match self.kind() {
            MediaKind::Picture => self.is_animated() && self.is_cheap_animation(),
            MediaKind::Video | MediaKind::Audio => PLAYABLE.contains(&self.media_type.as_str()),
            MediaKind::Other => false,
        }
    }

    /// Whether it may still tell who made it, where and with what, as far as its kind is known to do so.
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
            // Without a still frame nobody could stop it.
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
    fn stored_facts_are_read_again() {
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
    fn strange_stored_facts_are_ignored() {
        for text in [
            "a/b;cleaned",
            "a/b;cleaned=yes;frames=-1",
            "a/b;duration=x;new=1",
        ] {
            assert_eq!(Media::parse_stored(text), ("a/b", Media::default()));
        }
    }
}
