//! JSON types of the protocol: serialization of model types, and request bodies.

use chrono::Datelike;
use serde::{Deserialize, Deserializer, Serialize};
use uuid::Uuid;

use crate::chat::{PublicRoom, Session, files};
use crate::dialect::kit::{Fault, rfc3339};
use crate::model::{
    Content, Draft, File, Invalid, Member, Membership, Message, MessageId, Millis, Person,
    PlacedFile, Room, RoomOverview, User, Viewer, WebUrl,
};

use super::reactions::{QuoteJson, ReactionJson};

/// A page of a list.
#[derive(Serialize)]
pub(super) struct List<T> {
    pub items: Vec<T>,
    pub more: bool,
}

#[derive(Serialize)]
pub(super) struct PersonJson<'a> {
    id: i64,
    uuid: Uuid,
    username: &'a str,
    display_name: &'a str,
    avatar_url: Option<&'a str>,
    role: &'static str,
    deleted: bool,
}

impl<'a> From<&'a Person> for PersonJson<'a> {
    fn from(person: &'a Person) -> Self {
        Self {
            id: person.id.0,
            uuid: person.uuid,
            username: &person.username,
            display_name: &person.display_name,
            avatar_url: person.avatar_url.as_ref().map(WebUrl::as_str),
            role: person.role.as_str(),
            deleted: person.deleted,
        }
    }
}

/// An account as its owner and admins see it.
#[derive(Serialize)]
pub(super) struct UserJson<'a> {
    #[serde(flatten)]
    person: PersonJson<'a>,
    email: Option<&'a str>,
    has_password: bool,
    created_at: String,
    updated_at: String,
}

impl<'a> UserJson<'a> {
    /// Serializes with the private fields that the viewer may see.
    pub(super) fn new(user: &'a User, viewer: Viewer) -> Self {
        let shown = user.private(viewer);
        Self {
            person: (&*user.person).into(),
            email: shown.email,
            has_password: shown.has_password,
            created_at: rfc3339(user.created_at),
            updated_at: rfc3339(user.updated_at),
        }
    }
}

#[derive(Serialize)]
pub(super) struct RoomJson<'a> {
    id: i64,
    uuid: Uuid,
    kind: &'static str,
    name: &'a str,
    description: &'a str,
    owner_id: Option<i64>,
    access_key: Option<&'a str>,
    picture_url: Option<&'a str>,
    people: Vec<PersonJson<'a>>,
    cleared_through: i64,
    created_at: String,
    updated_at: String,
}

impl<'a> From<&'a Room> for RoomJson<'a> {
    fn from(room: &'a Room) -> Self {
        Self {
            id: room.id.0,
            uuid: room.uuid,
            kind: room.kind.as_str(),
            name: &room.name,
            description: &room.description,
            owner_id: room.owner_id.map(|id| id.0),
            access_key: room.access_key.as_ref().map(|key| key.as_str()),
            picture_url: room.picture_url.as_ref().map(WebUrl::as_str),
            people: room
                .people
                .iter()
                .map(|person| (&**person).into())
                .collect(),
            cleared_through: room.cleared_through.0,
            created_at: rfc3339(room.created_at),
            updated_at: rfc3339(room.updated_at),
        }
    }
}

impl<'a> RoomJson<'a> {
    /// Serializes for recipients that may not see the access key.
    pub(super) fn without_key(room: &'a Room) -> Self {
        Self {
            access_key: None,
            ..room.into()
        }
    }
}

#[derive(Serialize)]
pub(super) struct OverviewJson<'a> {
    #[serde(flatten)]
    room: RoomJson<'a>,
    role: &'static str,
    last_read_id: i64,
    muted_until: Option<String>,
    member_count: u32,
    unread: u32,
    last_message: Option<MessageJson<'a>>,
    change_id: i64,
    other_read_id: i64,
    notify: &'static str,
}

impl<'a> From<&'a RoomOverview> for OverviewJson<'a> {
    fn from(overview: &'a RoomOverview) -> Self {
        Self {
            room: (&overview.room).into(),
            role: overview.place.role.as_str(),
            last_read_id: overview.place.last_read_id.0,
            muted_until: muted_until(overview.place),
            member_count: overview.member_count,
            unread: overview.unread,
            last_message: overview.last_message.as_ref().map(Into::into),
            change_id: overview.change_id.0,
            other_read_id: overview.other_read_id.0,
            notify: overview.place.notify.as_str(),
        }
    }
}

#[derive(Serialize)]
pub(super) struct PublicRoomJson<'a> {
    #[serde(flatten)]
    room: RoomJson<'a>,
    member_count: u32,
    member: bool,
}

impl<'a> From<&'a PublicRoom> for PublicRoomJson<'a> {
    fn from(public: &'a PublicRoom) -> Self {
        Self {
            room: (&public.room).into(),
            member_count: public.member_count,
            member: public.member,
        }
    }
}

#[derive(Serialize)]
pub(super) struct MemberJson<'a> {
    person: PersonJson<'a>,
    role: &'static str,
    joined_at: String,
    muted_until: Option<String>,
}

impl<'a> From<&'a Member> for MemberJson<'a> {
    fn from(member: &'a Member) -> Self {
        Self {
            person: (&*member.person).into(),
            role: member.place.role.as_str(),
            joined_at: rfc3339(member.place.joined_at),
            muted_until: muted_until(member.place),
        }
    }
}

fn muted_until(place: Membership) -> Option<String> {
    place
        .is_muted(Millis::now())
        .then(|| rfc3339(place.muted_until))
}

#[derive(Serialize)]
pub(super) struct MessageJson<'a> {
    id: i64,
    uuid: Uuid,
    room_id: i64,
    sender: PersonJson<'a>,
    content: &'a str,
    files: Vec<FileJson<'a>>,
    reply_to: Option<i64>,
    reply: Option<QuoteJson<'a>>,
    mentions: Vec<i64>,
    mentions_room: bool,
    reactions: Vec<ReactionJson<'a>>,
    sent_at: Option<String>,
    created_at: String,
    edited_at: Option<String>,
    deleted_at: Option<String>,
    change_id: i64,
}

impl<'a> From<&'a Message> for MessageJson<'a> {
    fn from(message: &'a Message) -> Self {
        Self {
            id: message.id.0,
            uuid: message.uuid,
            room_id: message.room_id.0,
            sender: (&*message.sender).into(),
            content: &message.content,
            files: message.files.iter().map(Into::into).collect(),
            reply_to: message.reply_to.map(|id| id.0),
            reply: message.reply.as_ref().map(Into::into),
            mentions: message.mentions.people.iter().map(|id| id.0).collect(),
            mentions_room: message.mentions.room,
            reactions: message.reactions.iter().map(Into::into).collect(),
            sent_at: message.sent_at.map(rfc3339),
            created_at: rfc3339(message.created_at),
            edited_at: message.edited_at.map(rfc3339),
            deleted_at: message.deleted_at.map(rfc3339),
            change_id: message.change_id.0,
        }
    }
}

#[derive(Serialize)]
pub(super) struct FileJson<'a> {
    id: i64,
    name: &'a str,
    kind: &'static str,
    media_type: &'a str,
    size: u64,
    width: Option<u32>,
    height: Option<u32>,
    url: String,
    thumbnail_url: Option<String>,
    animated: bool,
    playable: bool,
    duration: Option<u64>,
    cleaned: bool,
}

impl<'a> From<&'a File> for FileJson<'a> {
    fn from(file: &'a File) -> Self {
        let (width, height) = file.dimensions.unzip();
        Self {
            id: file.id.0,
            name: &file.name,
            kind: file.kind().as_str(),
            media_type: &file.media_type,
            size: file.size,
            width,
            height,
            url: files::address(file),
            thumbnail_url: files::thumbnail_address(file),
            animated: file.is_animated(),
            playable: file.is_playable(),
            duration: file.media.duration,
            cleaned: file.media.cleaned,
        }
    }
}

/// One of the caller's files, with the room and the message it belongs to.
#[derive(Serialize)]
pub(super) struct OwnFileJson<'a> {
    #[serde(flatten)]
    file: FileJson<'a>,
    room_id: i64,
    message_id: i64,
    created_at: String,
}

impl<'a> From<&'a PlacedFile> for OwnFileJson<'a> {
    fn from(placed: &'a PlacedFile) -> Self {
        Self {
            file: (&placed.file).into(),
            room_id: placed.room.0,
            message_id: placed.message.0,
            created_at: rfc3339(placed.file.created_at),
        }
    }
}

#[derive(Serialize)]
pub(super) struct SessionJson<'a> {
    id: i64,
    kind: &'a str,
    current: bool,
    created_at: String,
    last_at: String,
    expires_at: String,
    ip: &'a str,
    user_agent: &'a str,
}

impl<'a> SessionJson<'a> {
    pub(super) fn new(session: &'a Session, current: bool) -> Self {
        Self {
            id: session.id.0,
            kind: &session.kind,
            current,
            created_at: rfc3339(session.created_at),
            last_at: rfc3339(session.last_at),
            expires_at: rfc3339(session.expires_at),
            ip: &session.ip,
            user_agent: &session.user_agent,
        }
    }
}

/// A message in a request, over HTTP or WebSocket.
#[derive(Default, Deserialize)]
pub(super) struct DraftBody {
    content: String,
    uuid: Option<Uuid>,
    reply_to: Option<i64>,
    sent_at: Option<String>,
}

impl DraftBody {
    /// Validates all fields.
    pub(super) fn parse(self) -> Result<Draft, Invalid> {
        let content = Content::parse(&self.content)?;
        self.with(content)
    }

    /// Validates all fields of a message with attachments, which may have an empty text.
    pub(super) fn parse_beside_files(self) -> Result<Draft, Invalid> {
        let content = Content::beside_files(&self.content)?;
        self.with(content)
    }

    /// Sets a field from a form. Unknown fields are ignored.
    pub(super) fn set(&mut self, field: &str, text: String) -> Result<(), Fault> {
        let bad = |detail: &str| Fault::BadJson {
            field: Some(field.to_owned()),
            detail: detail.to_owned(),
        };
        match field {
            "content" => self.content = text,
            "uuid" => self.uuid = Some(text.parse().map_err(|_| bad("is no UUID"))?),
            "reply_to" => self.reply_to = Some(text.parse().map_err(|_| bad("is no id"))?),
            "sent_at" => self.sent_at = Some(text),
            _ => {}
        }
        Ok(())
    }

    fn with(self, content: Content) -> Result<Draft, Invalid> {
        let sent_at = self
            .sent_at
            .as_deref()
            .map(|text| parse_time("sent_at", text))
            .transpose()?;
        let draft = Draft::new(content);
        Ok(Draft {
            uuid: self.uuid.unwrap_or(draft.uuid),
            reply_to: self.reply_to.map(MessageId),
            sent_at,
            ..draft
        })
    }
}

/// Parses an RFC 3339 time whose year in UTC is from 0 to 9999, so that it can be formatted as RFC 3339 again.
pub(super) fn parse_time(field: &'static str, text: &str) -> Result<Millis, Invalid> {
    let time = chrono::DateTime::parse_from_rfc3339(text).ok();
    let time = time.filter(|time| (0..=9999).contains(&time.to_utc().year()));
    let time = time.ok_or(Invalid::new(field, "is no RFC 3339 time"))?;
    Ok(Millis(time.timestamp_millis()))
}

/// Distinguishes `null` (clear the field) from an absent field (leave it unchanged). Requires `#[serde(default)]`.
pub(super) fn nullable<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    input: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::<T>::deserialize(input).map(Some)
}
