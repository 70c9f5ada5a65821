//! Accounts, and which of their fields others may see.

use std::sync::Arc;

use uuid::Uuid;

use super::{Email, Millis, ShownName, UserId, Username, WebUrl};

/// Role of an account on the whole server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// No password and few rights; expires when unused.
    Guest,
    User,
    /// Manages people and rooms; does not read private rooms.
    Admin,
}

impl Role {
    /// Returns the word used in the database and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Role::Guest => "guest",
            Role::User => "user",
            Role::Admin => "admin",
        }
    }

    pub fn parse(word: &str) -> Option<Self> {
        [Role::Guest, Role::User, Role::Admin]
            .into_iter()
            .find(|role| role.as_str() == word)
    }
}

/// Public part of an account: the sender of a message, a member of a room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    pub id: UserId,
    pub uuid: Uuid,
    pub username: String,
    pub display_name: String,
    pub avatar_url: Option<WebUrl>,
    pub role: Role,
    /// Whether the account was deleted; its messages stay.
    pub deleted: bool,
    /// Time of the last change. Grows with every change, so of two copies the one with the higher value is newer.
    pub updated_at: Millis,
}

impl Person {
    /// Whether the two are equal apart from `updated_at`.
    pub fn looks_like(&self, other: &Self) -> bool {
        let other = Self {
            updated_at: self.updated_at,
            ..other.clone()
        };
        *self == other
    }
}

/// Place of residence, a field of the `back_chat` protocol.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Profile {
    /// Free text.
    pub postal_code: Option<String>,
    /// Free text.
    pub city: Option<String>,
}

/// Part of an account that not everybody may see; read it with [`User::private`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Private {
    /// Unique.
    pub email: Option<String>,
    /// Used by some dialects only.
    pub profile: Profile,
    pub has_password: bool,
}

/// Viewer of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Viewer {
    /// Not authenticated.
    Anybody,
    /// An authenticated account.
    Account(UserId, Role),
    /// The operator on the command line, who has the database file.
    Operator,
}

/// Fields of [`Private`] that a viewer may see. Hidden fields are `None`, like empty ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shown<'a> {
    /// For the account itself and admins.
    pub email: Option<&'a str>,
    /// For everybody except guests and anonymous callers.
    pub postal_code: Option<&'a str>,
    /// For everybody except guests and anonymous callers.
    pub city: Option<&'a str>,
    /// For the account itself and admins; else `false`.
    pub has_password: bool,
}

/// An account with its public and private parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    pub person: Arc<Person>,
    private: Private,
    pub created_at: Millis,
    pub updated_at: Millis,
}

impl User {
    pub fn new(
        person: Arc<Person>,
        private: Private,
        created_at: Millis,
        updated_at: Millis,
    ) -> Self {
        Self {
            person,
            private,
            created_at,
            updated_at,
        }
    }

    /// Returns the private fields that `viewer` may see. Every protocol and page uses this rule.
    pub fn private(&self, viewer: Viewer) -> Shown<'_> {
        let (knows_all, knows_place) = match viewer {
            Viewer::Operator => (true, true),
            Viewer::Account(id, role) => {
                let knows_all = id == self.id() || role == Role::Admin;
                (knows_all, knows_all || role != Role::Guest)
            }
            Viewer::Anybody => (false, false),
        };
        let Private {
            email,
            profile,
            has_password,
        } = &self.private;
        Shown {
            email: email.as_deref().filter(|_| knows_all),
            postal_code: profile.postal_code.as_deref().filter(|_| knows_place),
            city: profile.city.as_deref().filter(|_| knows_place),
            has_password: *has_password && knows_all,
        }
    }

    /// Returns the account as its own viewer.
    pub fn own(&self) -> Viewer {
        Viewer::Account(self.id(), self.role())
    }

    pub fn has_password(&self) -> bool {
        self.private.has_password
    }

    pub fn id(&self) -> UserId {
        self.person.id
    }

    pub fn role(&self) -> Role {
        self.person.role
    }

    /// Returns the user name, the display name and the e-mail address.
    pub fn names(&self) -> Vec<&str> {
        let person = &*self.person;
        let names = [person.username.as_str(), &person.display_name];
        names
            .into_iter()
            .chain(self.private.email.as_deref())
            .collect()
    }
}

/// Changes to an account; `None` leaves a field, `Some(None)` clears it.
#[derive(Clone, Debug, Default)]
pub struct UserEdit {
    pub username: Option<Username>,
    pub display_name: Option<ShownName>,
    pub email: Option<Option<Email>>,
    pub avatar_url: Option<Option<WebUrl>>,
    pub profile: Option<Profile>,
    /// Only admins may set it.
    pub role: Option<Role>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(id: i64, role: Role) -> User {
        let person = Person {
            id: UserId(id),
            uuid: Uuid::nil(),
            username: "ann".to_owned(),
            display_name: "Ann".to_owned(),
            avatar_url: None,
            role,
            updated_at: Millis(0),
            deleted: false,
        };
        let private = Private {
            email: Some("ann@example.org".to_owned()),
            profile: Profile {
                postal_code: Some("1010".to_owned()),
                city: Some("Vienna".to_owned()),
            },
            has_password: true,
        };
        User::new(Arc::new(person), private, Millis(0), Millis(0))
    }

    #[test]
    fn private_fields_depend_on_the_viewer() {
        let table = [
            (Viewer::Anybody, false, false),
            (Viewer::Account(UserId(2), Role::Guest), false, false),
            (Viewer::Account(UserId(2), Role::User), false, true),
            (Viewer::Account(UserId(2), Role::Admin), true, true),
            (Viewer::Account(UserId(1), Role::Guest), true, true),
            (Viewer::Account(UserId(1), Role::User), true, true),
            (Viewer::Operator, true, true),
        ];
        let ann = account(1, Role::User);
        for (viewer, knows_all, knows_place) in table {
            let shown = ann.private(viewer);
            assert_eq!(shown.email.is_some(), knows_all, "{viewer:?}");
            assert_eq!(shown.has_password, knows_all, "{viewer:?}");
            assert_eq!(shown.city.is_some(), knows_place, "{viewer:?}");
            assert_eq!(shown.postal_code.is_some(), knows_place, "{viewer:?}");
        }
    }
}
