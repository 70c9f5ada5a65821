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
}

/// Where somebody lives, as `back_chat` asks for it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Profile {
    /// Postal code, free text.
    pub postal_code: Option<String>,
    /// City, free text.
    pub city: Option<String>,
}

/// An account, whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// What everybody may see.
    pub person: Arc<Person>,
    /// The unique e-mail address.
    pub email: Option<String>,
    /// What only some dialects know.
    pub profile: Profile,
    /// Whether the account can log in with a password.
    pub has_password: bool,
    /// When it was made.
    pub created_at: Millis,
    /// When it was last changed.
    pub updated_at: Millis,
}

impl User {
    /// The account's number.
    pub fn id(&self) -> UserId {
        self.person.id
    }

    /// The server-wide role.
    pub fn role(&self) -> Role {
        self.person.role
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
