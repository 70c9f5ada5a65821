//! Invite links.

use std::sync::Arc;

use super::{Action, InviteId, MemberRole, Millis, Person, Role, RoomId, RoomKind, Verdict, may};

/// Room that an invite leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InviteRoom {
    pub id: RoomId,
    pub kind: RoomKind,
    pub name: String,
}

/// An invite link. Its code is not stored here; only people who have the link know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invite {
    pub id: InviteId,
    /// Room to join; `None` for an invite to the server only.
    pub room: Option<InviteRoom>,
    pub created_by: Arc<Person>,
    /// The creator's role in the room.
    pub place: Option<MemberRole>,
    pub max_uses: u32,
    /// Number of uses so far.
    pub used: u32,
    pub created_at: Millis,
    pub expires_at: Millis,
}

impl Invite {
    /// Upper limit of `max_uses`.
    pub const USES_MAX: u32 = 10_000;

    /// Whether the invite is valid at `now`. It is valid only while its creator may still invite.
    pub fn is_good(&self, now: Millis) -> bool {
        self.used < self.max_uses && self.expires_at > now && self.is_backed()
    }

    /// Whether the invite allows registering even where registration is closed: the creator must be an admin.
    pub fn registers(&self) -> bool {
        !self.created_by.deleted && self.created_by.role == Role::Admin
    }

    fn is_backed(&self) -> bool {
        let role = self.created_by.role;
        !self.created_by.deleted
            && may_invite(role, self.room.as_ref().map(|room| (room.kind, self.place)))
                == Verdict::Yes
    }
}

/// Returns whether an account of that `role` may invite to the server, or to a room of that kind in which it has that
/// role.
pub fn may_invite(role: Role, room: Option<(RoomKind, Option<MemberRole>)>) -> Verdict {
    match room {
        Some((kind, place)) => may(role, place, kind, Action::Keep),
        None if role == Role::Admin => Verdict::Yes,
        None => Verdict::Forbidden,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn invite(role: Role, room: Option<MemberRole>) -> Invite {
        let person = Person {
            id: crate::model::UserId(1),
            uuid: Uuid::nil(),
            username: "ann".to_owned(),
            display_name: "Ann".to_owned(),
            avatar_url: None,
            role,
            deleted: false,
            updated_at: Millis(0),
        };
        Invite {
            id: InviteId(1),
            room: room.map(|_| InviteRoom {
                id: RoomId(2),
                kind: RoomKind::Private,
                name: "Kitchen".to_owned(),
            }),
            created_by: Arc::new(person),
            place: room,
            max_uses: 2,
            used: 1,
            created_at: Millis(0),
            expires_at: Millis(100),
        }
    }

    #[test]
    fn an_invite_ends_by_time_and_by_uses() {
        let good = invite(Role::Admin, None);
        assert!(good.is_good(Millis(99)));
        assert!(!good.is_good(Millis(100)));
        assert!(!Invite { used: 2, ..good }.is_good(Millis(99)));
    }

    #[test]
    fn an_invite_depends_on_its_creators_permissions() {
        let now = Millis(1);
        assert!(invite(Role::User, Some(MemberRole::Moderator)).is_good(now));
        assert!(!invite(Role::User, Some(MemberRole::Moderator)).registers());
        assert!(invite(Role::Admin, Some(MemberRole::Member)).registers());
        assert!(!invite(Role::User, Some(MemberRole::Member)).is_good(now));
        assert!(!invite(Role::User, None).is_good(now));
        let mut ended = invite(Role::Admin, None);
        Arc::make_mut(&mut ended.created_by).deleted = true;
        assert!(!ended.is_good(now) && !ended.registers());
    }
}
