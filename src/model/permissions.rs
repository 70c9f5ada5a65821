//! Permissions: one pure function decides which role may do what.

use super::{MemberRole, Membership, Millis, Role, RoomKind};

/// Something an account may ask to do in a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Read and watch a room's messages.
    Read,
    /// See a room's name, members and roles.
    Look,
    /// Send messages. Ask [`may_speak`] instead, which also checks mutes.
    Send,
    /// Delete messages of other people.
    DeleteOthers,
    /// Add, kick and mute members of a lower role.
    Keep,
    /// Rename, describe, set the access key, assign roles, transfer ownership.
    Manage,
    DeleteRoom,
    /// Delete all messages of the room.
    Clear,
    /// Mention everybody with `@room`.
    CallRoom,
    /// Join without being added by another member.
    Join,
}

/// Answer to a permission check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Yes,
    /// No; the refusal may be shown.
    Forbidden,
    /// No; to the caller the room does not exist.
    Hidden,
    /// No, until the mute ends. Only [`may_speak`] returns it.
    Muted,
}

/// Returns whether an account may send messages in a room of that `kind`, given its membership `place`. Editing,
/// attaching files, reacting and typing events need the same permission.
pub fn may_speak(role: Role, place: Option<&Membership>, kind: RoomKind, now: Millis) -> Verdict {
    match may(role, place.map(|place| place.role), kind, Action::Send) {
        Verdict::Yes if place.is_some_and(|place| place.is_muted(now)) => Verdict::Muted,
        verdict => verdict,
    }
}

/// Returns whether an account with that server `role` and room role `place` may do `action` in a room of that `kind`.
pub fn may(role: Role, place: Option<MemberRole>, kind: RoomKind, action: Action) -> Verdict {
    let open = matches!(kind, RoomKind::Lobby | RoomKind::Public);
    let admin = role == Role::Admin && kind != RoomKind::Direct;
    if place.is_none() && !open && !(admin && action != Action::Read && action != Action::Send) {
        return Verdict::Hidden;
    }
    let at_least = |needed| admin || place.is_some_and(|place| place >= needed);
    let allowed = match action {
        Action::Read | Action::Look => true,
        Action::Send => place.is_some() || kind == RoomKind::Lobby,
        Action::DeleteOthers => at_least(MemberRole::Moderator),
        Action::CallRoom => at_least(MemberRole::Moderator) && kind != RoomKind::Direct,
        Action::Keep => at_least(MemberRole::Moderator) && !kind.is_fixed(),
        Action::Manage | Action::DeleteRoom => at_least(MemberRole::Owner) && !kind.is_fixed(),
        Action::Clear => {
            admin && kind == RoomKind::Lobby || at_least(MemberRole::Owner) && !kind.is_fixed()
        }
        Action::Join => kind == RoomKind::Public,
    };
    match allowed {
        true => Verdict::Yes,
        // The lobby and direct rooms cannot be managed, so these actions do not exist there.
        false
            if kind.is_fixed()
                && matches!(
                    action,
                    Action::Keep | Action::Manage | Action::DeleteRoom | Action::Join
                ) =>
        {
            Verdict::Hidden
        }
        false => Verdict::Forbidden,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Action::*;
    use MemberRole::*;

    /// One letter per column: `y` yes, `f` forbidden, `h` hidden.
    fn row(kind: RoomKind, action: Action) -> String {
        let people = [
            (Role::Guest, None),
            (Role::User, None),
            (Role::Guest, Some(Member)),
            (Role::User, Some(Member)),
            (Role::User, Some(Moderator)),
            (Role::User, Some(Owner)),
            (Role::Admin, None),
            (Role::Admin, Some(Member)),
        ];
        people
            .iter()
            .map(|&(role, place)| match may(role, place, kind, action) {
                Verdict::Yes => 'y',
                Verdict::Forbidden => 'f',
                Verdict::Hidden => 'h',
                Verdict::Muted => 'm',
            })
            .collect()
    }

    /// Columns: guest and user who are no members; guest, user, moderator, owner as members; admin as non-member, as
    /// member.
    const TABLE: [(RoomKind, [(Action, &str); 10]); 4] = [
        (
            RoomKind::Lobby,
            [
                (Read, "yyyyyyyy"),
                (Look, "yyyyyyyy"),
                (Send, "yyyyyyyy"),
                (DeleteOthers, "ffffyyyy"),
                (CallRoom, "ffffyyyy"),
                (Keep, "hhhhhhhh"),
                (Manage, "hhhhhhhh"),
                (DeleteRoom, "hhhhhhhh"),
                (Clear, "ffffffyy"),
                (Join, "hhhhhhhh"),
            ],
        ),
        (
            RoomKind::Public,
            [
                (Read, "yyyyyyyy"),
                (Look, "yyyyyyyy"),
                (Send, "ffyyyyfy"),
                (DeleteOthers, "ffffyyyy"),
                (CallRoom, "ffffyyyy"),
                (Keep, "ffffyyyy"),
                (Manage, "fffffyyy"),
                (DeleteRoom, "fffffyyy"),
                (Clear, "fffffyyy"),
                (Join, "yyyyyyyy"),
            ],
        ),
        (
            RoomKind::Private,
            [
                (Read, "hhyyyyhy"),
                (Look, "hhyyyyyy"),
                (Send, "hhyyyyhy"),
                (DeleteOthers, "hhffyyyy"),
                (CallRoom, "hhffyyyy"),
                (Keep, "hhffyyyy"),
                (Manage, "hhfffyyy"),
                (DeleteRoom, "hhfffyyy"),
                (Clear, "hhfffyyy"),
                (Join, "hhffffff"),
            ],
        ),
        (
            RoomKind::Direct,
            [
                (Read, "hhyyyyhy"),
                (Look, "hhyyyyhy"),
                (Send, "hhyyyyhy"),
                (DeleteOthers, "hhffyyhf"),
                (CallRoom, "hhffffhf"),
                (Keep, "hhhhhhhh"),
                (Manage, "hhhhhhhh"),
                (DeleteRoom, "hhhhhhhh"),
                (Clear, "hhffffhf"),
                (Join, "hhhhhhhh"),
            ],
        ),
    ];

    #[test]
    fn a_muted_member_may_not_post_until_the_mute_ends() {
        let place = |until| Membership {
            role: Moderator,
            joined_at: Millis(0),
            last_read_id: crate::model::MessageId(0),
            muted_until: Millis(until),
            notify: crate::model::Notify::default(),
        };
        let verdict =
            |place: Option<&Membership>, kind| may_speak(Role::User, place, kind, Millis(100));
        for kind in [RoomKind::Public, RoomKind::Private, RoomKind::Direct] {
            assert_eq!(verdict(Some(&place(101)), kind), Verdict::Muted);
            assert_eq!(verdict(Some(&place(100)), kind), Verdict::Yes);
        }
        assert_eq!(verdict(None, RoomKind::Public), Verdict::Forbidden);
        assert_eq!(verdict(None, RoomKind::Private), Verdict::Hidden);
        assert_eq!(verdict(None, RoomKind::Lobby), Verdict::Yes);
    }

    #[test]
    fn permissions_match_the_table() {
        for (kind, rows) in TABLE {
            for (action, expected) in rows {
                assert_eq!(row(kind, action), expected, "{kind:?} {action:?}");
            }
        }
    }
}
