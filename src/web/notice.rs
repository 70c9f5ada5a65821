//! What is said once on the next page, after a form was done. The cookie carries only a code from this list, so nobody
//! can put words into our mouth.

use crate::dialect::kit::current_cookie;

use super::texts::Texts;

/// The cookie that carries the code to the next page.
pub(super) const COOKIE: &str = "parlor_note";

macro_rules! notices {
    ($($(#[$doc:meta])* $name:ident $code:literal => $text:ident,)*) => {
        /// Something that was done.
        #[derive(Clone, Copy)]
        pub(super) enum Notice {
            $($(#[$doc])* $name,)*
        }

        impl Notice {
            /// Its code.
            pub(super) fn code(self) -> &'static str {
                match self {
                    $(Notice::$name => $code,)*
                }
            }

            fn parse(code: &str) -> Option<Self> {
                match code {
                    $($code => Some(Notice::$name),)*
                    _ => None,
                }
            }

            /// What it says.
            fn text(self, t: &'static Texts) -> &'static str {
                match self {
                    $(Notice::$name => t.$text,)*
                }
            }
        }
    };
}

notices! {
    /// The session was ended by its owner.
    LoggedOut "logged-out" => notice_logged_out,
    /// The session was ended, wherever.
    SessionEnded "session-ended" => notice_session_ended,
    /// Somebody left a room.
    Left "left" => notice_left,
    /// Somebody was sent out of a room.
    Kicked "kicked" => notice_kicked,
    /// Something was changed.
    Saved "saved" => notice_saved,
    /// The password was changed.
    PasswordSaved "password-saved" => notice_password_saved,
    /// Sessions were ended.
    SessionsEnded "sessions-ended" => notice_sessions_ended,
    /// A room's messages were deleted.
    Cleared "cleared" => notice_cleared,
    /// A room was made.
    RoomMade "room-made" => notice_room_made,
    /// A room was deleted.
    RoomDeleted "room-deleted" => notice_room_deleted,
    /// An account was ended.
    UserDeleted "user-deleted" => notice_user_deleted,
    /// An invite was revoked.
    Revoked "revoked" => notice_revoked,
    /// The page is for people with another role.
    NotAllowed "not-allowed" => forbidden_text,
}

/// What is to be said now.
pub(super) fn current(t: &'static Texts) -> &'static str {
    let code = current_cookie(COOKIE).unwrap_or_default();
    Notice::parse(&code).map_or("", |notice| notice.text(t))
}
