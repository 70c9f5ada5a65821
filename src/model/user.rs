//! Who chats: accounts, and what others see of them.

use std::sync::Arc;

use uuid::Uuid;

use super::{Email, Millis, ShownName, UserId, Username, WebUrl};

/// What an account may do on the whole server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// No password and few rights; ends when unused.
    Guest,
    /// An ordinary account.
    User,
    /// Manages people and rooms; does not read what is private.
    Admin,
}

impl Role {
    /// The word used in the file and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Role::Guest => "guest",
            Role::User => "user",
            Role::Admin => "admin",
        }
    }

    /// The role of that name, if there is one.
    pub fn parse(word: &str) -> Option<Self> {
        [Role::Guest, Role::User, Role::Admin]
            .into_iter()
            .find(|role| role.as_str() == word)
    }
}

/// What everybody may see of somebody: the sender of a message, a member of a room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// The account's number.
    pub id: UserId,
    /// The account's uuid.
    pub uuid: Uuid,
    /// The unique name.
    pub username: String,
    /// The name to show.
    pub display_name: String,
    /// A picture's address.
    pub avatar_url: Option<WebUrl>,
    /// The server-wide role.
    pub role: Role,
    /// The account has ended; its messages stay.
    pub deleted: bool,
    /// When the account last changed. Grows with every change, so of two copies the one with the higher value is newer.
    pub updated_at: Millis,
}

impl Person {
    /// Whether others see the same of both.
    pub fn looks_like(&self, other: &Self) -> bool {
        let other = Self {
            updated_at: self.updated_at,
            ..other.clone()
        };
        *self == other
    }
}

/// Where somebody lives, as `back_chat` asks for it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Profile {
    /// Postal code, free text.
    pub postal_code: Option<String>,
    /// City, free text.
    pub city: Option<String>,
}

/// What not everybody may see of an account: read it with [`User::private`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Private {
    /// The unique e-mail address.
    pub email: Option<String>,
    /// What only some dialects know.
    pub profile: Profile,
    /// Whether the account can log in with a password.
    pub has_password: bool,
}

/// Whose eyes an account is shown to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Viewer {
    /// Nobody in particular.
    Anybody,
    /// An account that has proven itself.
    Account(UserId, Role),
    /// Whoever has the database file.
    Operator,
}

/// What a viewer sees of an account's [`Private`] part; `None` also for what is hidden.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shown<'a> {
    /// The e-mail address: for oneself and admins.
    pub email: Option<&'a str>,
    /// Postal code: for all but guests and the anonymous.
    pub postal_code: Option<&'a str>,
    /// City: the same.
    pub city: Option<&'a str>,
    /// Whether there is a password: for oneself and admins.
    pub has_password: bool,
}

/// An account, whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// What everybody may see.
    pub person: Arc<Person>,
    private: Private,
    /// When it was made.
    pub created_at: Millis,
    /// When it was last changed.
    pub updated_at: Millis,
}

impl User {
    /// Puts an account together.
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

    /// What `viewer` may see of what not everybody may see: the rule for every protocol and page.
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

    /// The account in its own eyes.
    pub fn own(&self) -> Viewer {
        Viewer::Account(self.id(), self.role())
    }

    /// Whether the account can log in with a password.
    pub fn has_password(&self) -> bool {
        self.private.has_password
    }

    /// The account's number.
    pub fn id(&self) -> UserId {
        self.person.id
    }

    /// The server-wide role.
    pub fn role(&self) -> Role {
        self.person.role
    }

    /// What others know the account by, and what one may log in with.
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
    /// A new unique name.
    pub username: Option<Username>,
    /// A new name to show.
    pub display_name: Option<ShownName>,
    /// A new address, or none.
    pub email: Option<Option<Email>>,
    /// A new picture, or none.
    pub avatar_url: Option<Option<WebUrl>>,
    /// A new profile.
    pub profile: Option<Profile>,
    /// A new role; only admins may set it.
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
    fn who_sees_which_field_of_whom() {
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
