//! Facts detected from the content of a file: kind, animation, duration, whether its metadata was removed.

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
