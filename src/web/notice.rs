//! What is said once on the next page, after a form was done. The address carries only a code from this list, so nobody
//! can put words into our mouth.

use super::texts::Texts;

/// Something that was done.
#[derive(Clone, Copy)]
pub(super) enum Notice {
    /// The session was ended by its owner.
    LoggedOut,
    /// The session was ended, wherever.
    SessionEnded,
    /// Somebody left a room.
    Left,
    /// Somebody joined a room.
    Joined,
    /// Somebody was sent out of a room.
    Kicked,
    /// Something was changed.
    Saved,
}

const CODES: [(&str, Notice); 6] = [
    ("logged-out", Notice::LoggedOut),
    ("session-ended", Notice::SessionEnded),
    ("left", Notice::Left),
    ("joined", Notice::Joined),
    ("kicked", Notice::Kicked),
    ("saved", Notice::Saved),
];

impl Notice {
    /// The notice of that code.
    pub(super) fn parse(code: &str) -> Option<Self> {
        CODES
            .iter()
            .find(|(known, _)| *known == code)
            .map(|(_, notice)| *notice)
    }

    /// What it says.
    pub(super) fn text(self, t: &'static Texts) -> &'static str {
        match self {
            Notice::LoggedOut => t.notice_logged_out,
            Notice::SessionEnded => t.notice_session_ended,
            Notice::Left => t.notice_left,
            Notice::Joined => t.notice_joined,
            Notice::Kicked => t.notice_kicked,
            Notice::Saved => t.notice_saved,
        }
    }
}
