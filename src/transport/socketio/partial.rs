//! A packet whose attachments are still to come. Must know no I/O.

use bytes::Bytes;

use super::packet::{Invalid, Packet};

/// Its text, and what has come of its attachments.
#[derive(Debug)]
pub(super) struct Partial {
    text: String,
    wanted: usize,
    attachments: Vec<Bytes>,
    /// Bytes that may still come.
    room: usize,
}

impl Partial {
    /// Waits for the attachments that `packet` announces, of `room` bytes together.
    pub fn new(text: &str, packet: &Packet<'_>, room: usize) -> Self {
        Self {
            text: text.to_owned(),
            wanted: packet.attachments,
            attachments: Vec::new(),
            room,
        }
    }

    /// Adds one; true when it was the last.
    ///
    /// # Errors
    /// They are too large together.
    pub fn add(&mut self, attachment: Bytes) -> Result<bool, Invalid> {
        self.room = self.room.checked_sub(attachment.len()).ok_or(Invalid)?;
        self.attachments.push(attachment);
        Ok(self.attachments.len() == self.wanted)
    }

    /// The packet's text and its attachments.
    pub fn into_parts(self) -> (String, Vec<Bytes>) {
        (self.text, self.attachments)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_whole_with_the_last_attachment() {
        let text = "52-[\"a\"]";
        let mut partial = Partial::new(text, &Packet::parse(text).unwrap(), 3);
        assert_eq!(partial.add(Bytes::from_static(b"a")), Ok(false));
        assert_eq!(partial.add(Bytes::from_static(b"bc")), Ok(true));
        let (whole, attachments) = partial.into_parts();
        assert_eq!((whole.as_str(), attachments.len()), (text, 2));
    }

    #[test]
    fn attachments_are_limited_together() {
        let text = "52-[\"a\"]";
        let mut partial = Partial::new(text, &Packet::parse(text).unwrap(), 3);
        partial.add(Bytes::from_static(b"ab")).unwrap();
        assert_eq!(partial.add(Bytes::from_static(b"cd")), Err(Invalid));
    }
}
