//! Flash messages: shown once on the next page after a form was processed. The cookie holds only a code from this list,
//! so nobody can inject text.

use crate::dialect::kit::current_cookie;

use super::i18n::Texts;

/// Name of the cookie with the code.
pub(super) const COOKIE: &str = "parlor_note";

macro_rules! notices {
    ($($(#[$doc:meta])* $name:ident $code:literal => $text:ident,)*) => {
        /// Flash message.
        #[derive(Clone, Copy)]
        pub(super) enum Notice {
            $($(#[$doc])* $name,)*
        }

        impl Notice {
            /// Returns the code used in the cookie.
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

            fn text(self, t: &'static Texts) -> &'static str {
                match self {
                    $(Notice::$name => t.$text,)*
                }
            }
        }
    };
}

notices! {
    /// The caller logged out.
    LoggedOut "logged-out" => notice_logged_out,
    /// The session ended elsewhere.
    SessionEnded "session-ended" => notice_session_ended,
    Left "left" => notice_left,
    Kicked "kicked" => notice_kicked,
    Saved "saved" => notice_saved,
    PasswordSaved "password-saved" => notice_password_saved,
    SessionsEnded "sessions-ended" => notice_sessions_ended,
    Cleared "cleared" => notice_cleared,
    RoomMade "room-made" => notice_room_made,
    RoomDeleted "room-deleted" => notice_room_deleted,
    UserDeleted "user-deleted" => notice_user_deleted,
    Revoked "revoked" => notice_revoked,
    /// The page requires another role.
    NotAllowed "not-allowed" => forbidden_text,
}

/// Returns the flash message of the current request; empty if there is none.
pub(super) fn current(t: &'static Texts) -> &'static str {
    let code = current_cookie(COOKIE).unwrap_or_default();
    Notice::parse(&code).map_or("", |notice| notice.text(t))
}
