//! All words on pages, one file a language; a language that lacks a word does not compile. Must not know pages.

mod en;

use serde::Serialize;

use crate::model::{MemberRole, RoomKind};

macro_rules! texts {
    ($($(#[$doc:meta])* $name:ident { $($key:ident),* $(,)? })*) => {$(
        $(#[$doc])*
        #[derive(Serialize)]
        pub(super) struct $name {
            $(pub $key: &'static str,)*
        }
    )*};
}

/// The words of one language.
pub(super) struct Texts {
    /// For the attribute `lang`.
    pub lang: &'static str,
    /// What scripts say.
    pub script: ScriptTexts,
    words: Words,
}

impl std::ops::Deref for Texts {
    type Target = Words;

    fn deref(&self) -> &Words {
        &self.words
    }
}

texts! {
    /// What pages say.
    Words {
        skip, back, people, rooms, conversations, log_out, new_room, browse_rooms, you, deleted_user, guest_badge,
        admin_badge, room_kind_lobby, room_kind_public, room_kind_private, room_kind_direct, role_member, role_moderator,
        role_owner, log_in, register, guest, guest_lead, enter, set_up, set_up_lead, set_up_submit, set_up_first, to_login,
        to_register, to_guest, username, username_hint, name_or_email, email, display_name, password, password_hint,
        optional, room_name, room_description, access_key, access_key_hint, message, no_conversations, choose_conversation,
        choose_conversation_text, join_by_key, join_by_key_hint, join, joined, open, create_room, room_kind, public_hint,
        private_hint, no_rooms, more, members_one, members_many, online_now, online_one, online_many, details, leave,
        leave_hint, owner_leave_hint, members, kick, search_people, search, no_people, chat_with, write_message, send,
        edited, deleted_message, new_messages, no_messages, not_member_yet, join_to_write, cannot_write, load_older, edit,
        delete, cancel, editing, retry, discard, not_sent, delete_question, reconnecting, jump_to_latest, messages_label,
        open_chat, is_online, is_offline, unread, notice_logged_out, notice_session_ended, notice_left, notice_joined,
        notice_kicked, not_found, not_found_text, form_outdated, form_outdated_text, bad_request, bad_request_text,
        too_large_text, forbidden, forbidden_text, logged_out_text, bad_credentials, muted_text, registration_closed,
        guests_disabled, bad_setup_link, not_done, already_member, not_member, last_admin, owner_stays, limited, busy,
        disk_full, quota_full, internal, username_taken, email_taken, access_key_taken, already_sent, to_start, no_such_key,
        sending, read_mark, sent_mark, beginning, created_by_you,
    }
    /// What scripts say; `{n}`, `{name}` and the like are filled in there.
    ScriptTexts {
        you, deleted_user, deleted_message, today, yesterday, members_one, members_many, typing_one,
        typing_two, typing_many, online_one, online_many,
        new_one, new_many, kicked, kicked_by, left_room, room_deleted, room_closed, offline_queue, error_forbidden,
        error_muted, error_limited, error_busy, error_full, error_too_long, error_other, not_sent, history_failed,
        is_online, is_offline, loading, beginning, editing, reconnecting,
    }
}

impl Texts {
    /// What a kind of room is called.
    pub(super) fn room_kind(&self, kind: RoomKind) -> &'static str {
        match kind {
            RoomKind::Lobby => self.room_kind_lobby,
            RoomKind::Public => self.room_kind_public,
            RoomKind::Private => self.room_kind_private,
            RoomKind::Direct => self.room_kind_direct,
        }
    }

    /// What a member's role is called; nothing for ordinary ones.
    pub(super) fn member_role(&self, role: MemberRole) -> &'static str {
        match role {
            MemberRole::Member => "",
            MemberRole::Moderator => self.role_moderator,
            MemberRole::Owner => self.role_owner,
        }
    }

    /// `3 members`.
    pub(super) fn count_members(&self, n: &u32) -> String {
        counted(*n, self.members_one, self.members_many)
    }

    /// `3 online`.
    pub(super) fn count_online(&self, n: &u32) -> String {
        counted(*n, self.online_one, self.online_many)
    }
}

/// The text for one or for many, with the number in it.
fn counted(n: u32, one: &str, many: &str) -> String {
    let text = if n == 1 { one } else { many };
    text.replace("{n}", &n.to_string())
}

/// The words to use.
pub(super) fn of() -> &'static Texts {
    &en::TEXTS
}
