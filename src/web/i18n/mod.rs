//! Translations: all texts of the pages, one file per topic and language. A language that lacks a text does not
//! compile. Independent of the pages.

/// Defines the struct of all texts, and its English values.
macro_rules! texts {
    ($($(#[$doc:meta])* $name:ident = $english:ident { $($key:ident: $text:literal),* $(,)? })*) => {$(
        $(#[$doc])*
        #[derive(serde::Serialize)]
        pub(in crate::web) struct $name {
            $(pub $key: &'static str,)*
        }

        pub(in crate::web) const $english: $name = $name { $($key: $text,)* };
    )*};
}

mod de;
mod en;
mod script;
mod validation;

pub(super) use en::Words;
pub(super) use script::en::ScriptTexts;

use crate::dialect::kit::{current_cookie, current_header};
use crate::model::{Invalid, MemberRole, Role, RoomKind};

/// Name of the cookie with the chosen language.
pub(super) const COOKIE: &str = "parlor_lang";

/// All languages; the first is the default.
static ALL: [&Texts; 2] = [&en::TEXTS, &de::TEXTS];

/// Texts in one language.
pub(super) struct Texts {
    /// Value of the attribute `lang`.
    pub lang: &'static str,
    /// Texts for scripts.
    pub script: ScriptTexts,
    words: Words,
    /// English reasons of [`Invalid`], with their translations.
    why: &'static [(&'static str, &'static str)],
}

impl std::ops::Deref for Texts {
    type Target = Words;

    fn deref(&self) -> &Words {
        &self.words
    }
}

impl Texts {
    /// Returns the long name of a kind of room.
    pub(super) fn room_kind(&self, kind: RoomKind) -> &'static str {
        match kind {
            RoomKind::Lobby => self.room_kind_lobby,
            RoomKind::Public => self.room_kind_public,
            RoomKind::Private => self.room_kind_private,
            RoomKind::Direct => self.room_kind_direct,
        }
    }

    /// Returns the name of a member's role; empty for ordinary members.
    pub(super) fn member_role(&self, role: MemberRole) -> &'static str {
        match role {
            MemberRole::Member => "",
            MemberRole::Moderator => self.role_moderator,
            MemberRole::Owner => self.role_owner,
        }
    }

    /// Returns the reason of an invalid value in this language.
    pub(super) fn why(&self, invalid: Invalid) -> String {
        let known = self.why.iter().find(|(english, _)| *english == invalid.why);
        let why = known.map_or(invalid.why, |(_, own)| own);
        Invalid { why, ..invalid }.reason()
    }

    /// Returns the short name of a kind of room.
    pub(super) fn kind_tag(&self, kind: RoomKind) -> &'static str {
        match kind {
            RoomKind::Lobby => self.kind_lobby,
            RoomKind::Public => self.kind_public,
            RoomKind::Private => self.kind_private,
            RoomKind::Direct => self.room_kind_direct,
        }
    }

    /// Returns the name of an account's role.
    pub(super) fn role(&self, role: Role) -> &'static str {
        match role {
            Role::Guest => self.guest_badge,
            Role::User => self.user_badge,
            Role::Admin => self.admin_badge,
        }
    }

    /// Returns text like `3 sessions`.
    pub(super) fn count_sessions(&self, n: &u32) -> String {
        counted(*n, self.sessions_one, self.sessions_many)
    }

    /// Returns values and labels of the notification setting.
    pub(super) fn notify_choices(&self) -> [(&'static str, &'static str); 3] {
        [
            ("all", self.notify_all),
            ("mentions", self.notify_mentions),
            ("none", self.notify_none),
        ]
    }

    /// Returns text like `3 members`.
    pub(super) fn count_members(&self, n: &u32) -> String {
        counted(*n, self.members_one, self.members_many)
    }

    /// Returns text like `3 online`.
    pub(super) fn count_online(&self, n: &u32) -> String {
        counted(*n, self.online_one, self.online_many)
    }
}

/// Fills `n` into the singular or plural text.
fn counted(n: u32, one: &str, many: &str) -> String {
    let text = if n == 1 { one } else { many };
    text.replace("{n}", &n.to_string())
}

pub(super) fn find(lang: &str) -> Option<&'static Texts> {
    ALL.into_iter().find(|texts| texts.lang == lang)
}

/// Returns the texts for the current request: in the chosen language, else in the best one its browser accepts.
pub(super) fn of() -> &'static Texts {
    let chosen = current_cookie(COOKIE).and_then(|lang| find(&lang));
    chosen.unwrap_or_else(|| best(&current_header("accept-language").unwrap_or_default()))
}

/// Returns the best language for an `Accept-Language` header like `de-AT,de;q=0.9,en;q=0.5`.
fn best(header: &str) -> &'static Texts {
    let mut wished: Vec<_> = header.split(',').take(32).filter_map(wish).collect();
    wished.sort_by(|one, other| other.1.total_cmp(&one.1));
    let first = wished.first().map(|(texts, _)| *texts);
    first.unwrap_or(ALL[0])
}

/// Parses one language of the header and its weight; `None` if there is no translation.
fn wish(part: &str) -> Option<(&'static Texts, f32)> {
    let mut parts = part.split(';');
    let tag = parts.next()?.trim().to_ascii_lowercase();
    let weight = parts.find_map(|part| part.trim().strip_prefix("q="));
    let weight = weight.map_or(1.0, |q| q.parse().unwrap_or(0.0));
    let texts = find(tag.split('-').next()?)?;
    (weight > 0.0).then_some((texts, weight))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_available_language_is_chosen() {
        for (header, lang) in [
            ("", "en"),
            ("de", "de"),
            ("de-AT,de;q=0.9,en;q=0.5", "de"),
            ("fr-FR, fr;q=0.9, de;q=0.4, en;q=0.3", "de"),
            ("en-GB,en;q=0.9,de;q=0.8", "en"),
            ("de;q=0, en;q=0.1", "en"),
            ("de;q=nan, en", "en"),
            ("*;q=;,,-", "en"),
        ] {
            assert_eq!(best(header).lang, lang, "{header}");
        }
    }
}
