//! Links that let people in.

use std::sync::Arc;

use super::{Action, InviteId, MemberRole, Millis, Person, Role, RoomId, RoomKind, Verdict, may};

/// The room an invite is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InviteRoom {
    /// Its number.
    pub id: RoomId,
    /// What sort of room.
    pub kind: RoomKind,
    /// Its name.
    pub name: String,
}

/// A link that lets people in; its code is known only to those who have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invite {
    /// Its number.
    pub id: InviteId,
    /// Where it leads.
    pub room: Option<InviteRoom>,
    /// Who made it.
    pub created_by: Arc<Person>,
    /// The creator's place in the room.
    pub place: Option<MemberRole>,
    /// How often it may be used.
    pub max_uses: u32,
    /// How often it was used.
    pub used: u32,
    /// When it was made.
    pub created_at: Millis,
    /// When it ends.
    pub expires_at: Millis,
}

impl Invite {
    /// How often an invite may be used at the most.
    pub const USES_MAX: u32 = 10_000;

    /// Whether it lets anybody in at `now`: it is worth no more than what its creator still may do.
    pub fn is_good(&self, now: Millis) -> bool {
        self.used < self.max_uses && self.expires_at > now && self.is_backed()
    }

    /// Whether it stands for an account, even where nobody may register otherwise.
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

/// Whether somebody of that `role` may invite to the server, or to a room of that kind where they have that place.
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
    fn an_invite_ends_with_its_time_and_its_uses() {
        let good = invite(Role::Admin, None);
        assert!(good.is_good(Millis(99)));
        assert!(!good.is_good(Millis(100)));
        assert!(!Invite { used: 2, ..good }.is_good(Millis(99)));
    }

    #[test]
    fn an_invite_is_worth_what_its_creator_may_do() {
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
