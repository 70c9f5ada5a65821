//! JSON types of the protocol: flat keys as in the original API, and the nested objects that its front end reads.

use serde::Serialize;

use crate::chat::{Reader, files};
use crate::dialect::kit::{absolute, seconds};
use crate::model::{
    File, Message, MessageId, Millis, Person, PlacedFile, RoomId, RoomKind, RoomOverview, User,
    Viewer,
};

/// Response that consists of a message only.
#[derive(Serialize)]
pub(super) struct Said {
    pub message: &'static str,
}

/// A person nested in another object.
#[derive(Serialize)]
pub(super) struct PersonJson {
    id: i64,
    username: String,
    avatar_url: Option<String>,
}

impl PersonJson {
    pub(super) fn new(person: &Person, base: &str) -> Self {
        Self {
            id: person.id.0,
            username: shown_name(person).to_owned(),
            avatar_url: avatar(person, base),
        }
    }
}

/// A person, with id and name only.
#[derive(Serialize)]
pub(super) struct NameJson {
    id: i64,
    username: String,
}

impl From<&Person> for NameJson {
    fn from(person: &Person) -> Self {
        let (id, username) = (person.id.0, shown_name(person).to_owned());
        Self { id, username }
    }
}

#[derive(Serialize)]
pub(super) struct UserJson {
    id: i64,
    username: String,
    email: Option<String>,
    avatar_url: Option<String>,
    created_at: String,
}

impl UserJson {
    pub(super) fn new(user: &User, viewer: Viewer, base: &str) -> Self {
        Self {
            id: user.id().0,
            username: user.person.username.clone(),
            email: user.private(viewer).email.map(str::to_owned),
            avatar_url: avatar(&user.person, base),
            created_at: time(user.created_at),
        }
    }
}

/// Response with one account.
#[derive(Serialize)]
pub(super) struct OneUser {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<&'static str>,
    pub user: UserJson,
}

/// A file with its uploader and its message.
#[derive(Serialize)]
pub(super) struct FileJson {
    id: i64,
    filename: String,
    file_url: String,
    file_size: u64,
    file_type: String,
    uploaded_at: String,
    uploader_id: i64,
    uploader: NameJson,
    public_message_id: Option<i64>,
    private_message_id: Option<i64>,
    private_chat_id: Option<i64>,
}

impl FileJson {
    pub(super) fn new(placed: &PlacedFile, reader: Reader<'_>) -> Self {
        let place = (placed.message, placed.room, placed.kind);
        Self::of(&placed.file, &placed.owner, place, reader)
    }

    pub(super) fn in_message(file: &File, message: &Message, reader: Reader<'_>) -> Self {
        // In this dialect every room other than the lobby is a direct one.
        let kind = match message.room_id {
            RoomId::LOBBY => RoomKind::Lobby,
            _ => RoomKind::Direct,
        };
        let place = (message.id, message.room_id, kind);
        Self::of(file, &message.sender, place, reader)
    }

    fn of(
        file: &File,
        owner: &Person,
        (message, room, kind): (MessageId, RoomId, RoomKind),
        reader: Reader<'_>,
    ) -> Self {
        let (public, private) = (kind == RoomKind::Lobby, kind == RoomKind::Direct);
        Self {
            id: file.id.0,
            filename: file.name.clone(),
            file_url: absolute(files::signed_address(file, reader.id), reader.base),
            file_size: file.size,
            file_type: file.media_type.clone(),
            uploaded_at: time(file.created_at),
            uploader_id: owner.id.0,
            uploader: owner.into(),
            public_message_id: public.then_some(message.0),
            private_message_id: private.then_some(message.0),
            private_chat_id: private.then_some(room.0),
        }
    }
}

/// A message of the public chat.
#[derive(Serialize)]
pub(super) struct PublicJson<'a> {
    id: i64,
    content: &'a str,
    timestamp: String,
    user_id: i64,
    username: String,
    avatar_url: Option<String>,
    user: PersonJson,
    #[serde(flatten)]
    files: Files,
}

impl<'a> PublicJson<'a> {
    pub(super) fn new(message: &'a Message, reader: Reader<'_>) -> Self {
        let user = PersonJson::new(&message.sender, reader.base);
        Self {
            id: message.id.0,
            content: &message.content,
            timestamp: time(message.created_at),
            user_id: user.id,
            username: user.username.clone(),
            avatar_url: user.avatar_url.clone(),
            user,
            files: Files::new(message, reader),
        }
    }
}

/// A message of a private chat.
#[derive(Serialize)]
pub(super) struct PrivateJson<'a> {
    id: i64,
    content: &'a str,
    timestamp: String,
    sender_id: i64,
    chat_id: i64,
    username: String,
    avatar_url: Option<String>,
    sender: PersonJson,
    #[serde(flatten)]
    files: Files,
}

impl<'a> PrivateJson<'a> {
    pub(super) fn new(message: &'a Message, reader: Reader<'_>) -> Self {
        let sender = PersonJson::new(&message.sender, reader.base);
        Self {
            id: message.id.0,
            content: &message.content,
            timestamp: time(message.created_at),
            sender_id: sender.id,
            chat_id: message.room_id.0,
            username: sender.username.clone(),
            avatar_url: sender.avatar_url.clone(),
            sender,
            files: Files::new(message, reader),
        }
    }
}

/// Attachments of a message. `file` repeats the first one, because live events of the original API have it.
#[derive(Serialize)]
struct Files {
    files: Vec<FileJson>,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<FileJson>,
}

impl Files {
    fn new(message: &Message, reader: Reader<'_>) -> Self {
        let json = |file: &File| FileJson::in_message(file, message, reader);
        Self {
            files: message.files.iter().map(json).collect(),
            file: message.files.first().map(json),
        }
    }
}

/// A private chat in the list of chats.
#[derive(Serialize)]
pub(super) struct ChatJson<'a> {
    chat_id: i64,
    other_user: PersonJson,
    unread_count: u32,
    last_message: Option<PrivateJson<'a>>,
}

impl<'a> ChatJson<'a> {
    /// Returns `None` if it is not a direct room.
    pub(super) fn new(overview: &'a RoomOverview, reader: Reader<'_>) -> Option<Self> {
        let other = overview.room.other(overview.me)?;
        let last = overview.last_message.as_ref();
        Some(Self {
            chat_id: overview.room.id.0,
            other_user: PersonJson::new(other, reader.base),
            unread_count: overview.unread,
            last_message: last.map(|message| PrivateJson::new(message, reader)),
        })
    }
}

/// Returns the name to display. Deleted accounts keep their username, but it is not shown.
pub(super) fn shown_name(person: &Person) -> &str {
    match person.deleted {
        true => &person.display_name,
        false => &person.username,
    }
}

/// Formats a time as `2023-12-25T10:30:00Z`.
pub(super) fn time(time: Millis) -> String {
    format!("{}Z", seconds(time))
}

fn avatar(person: &Person, base: &str) -> Option<String> {
    let url = person.avatar_url.as_ref()?;
    // A URL on the host that the reader uses for this server leads to another path of it and is not shown.
    let is_here = url.is_of(base) && !base.is_empty();
    (!is_here).then(|| absolute(url.as_str().to_owned(), base))
}
