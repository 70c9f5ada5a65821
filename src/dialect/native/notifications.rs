//! `/notifications`: list, create and mark notifications as read; and a member's notification setting of a room.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::dialect::kit::{Answer, Call, Fault, StatusCode, json, json_body, rfc3339};
use crate::model::{Invalid, Note, Notification, NotificationId, Notify, ReadMark, is_shallow};

use super::caller;
use super::rooms::room_id;
use super::wire::{List, OverviewJson, PersonJson};

/// Maximum number of ids in one request to mark as read.
const IDS_MAX: usize = 200;

#[derive(Serialize)]
pub(super) struct NotificationJson<'a> {
    id: i64,
    kind: &'static str,
    room_id: Option<i64>,
    message_id: Option<i64>,
    by: Option<PersonJson<'a>>,
    title: &'a str,
    text: &'a str,
    content: Option<&'a RawValue>,
    created_at: String,
    read: bool,
}

impl<'a> From<&'a Notification> for NotificationJson<'a> {
    fn from(notification: &'a Notification) -> Self {
        let content = notification.content.as_deref();
        Self {
            id: notification.id.0,
            kind: notification.kind.as_str(),
            room_id: notification.room_id.map(|id| id.0),
            message_id: notification.message_id.map(|id| id.0),
            by: notification.by.as_deref().map(Into::into),
            title: &notification.title,
            text: &notification.text,
            // Stored content was validated as JSON when it arrived.
            content: content.and_then(|json| serde_json::from_str(json).ok()),
            created_at: rfc3339(notification.created_at),
            read: notification.read,
        }
    }
}

#[derive(Deserialize)]
struct NewNote {
    title: String,
    content: Box<RawValue>,
}

#[derive(Deserialize)]
struct Mark {
    through: Option<i64>,
    ids: Option<Vec<i64>>,
}

#[derive(Serialize)]
struct Unread {
    unread: u32,
}

#[derive(Deserialize)]
struct Wish {
    notify: String,
}

pub(super) async fn list(call: Call) -> Answer {
    let caller = caller(&call).await?;
    let page = call.page(50, 200)?;
    let before = page.before.map(NotificationId);
    let chat = &call.kit.chat;
    let (found, more) = chat.notifications(&caller, before, page.limit).await?;
    let items = found.iter().map(NotificationJson::from).collect();
    Ok(json(StatusCode::OK, &List { items, more }))
}

pub(super) async fn note(mut call: Call) -> Answer {
    let caller = caller(&call).await?;
    let body: NewNote = json_body(&mut call).await?;
    if !is_shallow(body.content.get()) {
        return Err(Fault::BadJson {
            field: Some("content".to_owned()),
            detail: "is nested too deeply".to_owned(),
        });
    }
    let note = Note::parse(&body.title, body.content.get().to_owned())?;
    let notification = call.kit.chat.note(&caller, note).await?;
    Ok(json(
        StatusCode::CREATED,
        &NotificationJson::from(&*notification),
    ))
}

pub(super) async fn read(mut call: Call) -> Answer {
    let caller = caller(&call).await?;
    let mark = json_body::<Mark>(&mut call).await?.parse()?;
    let unread = call.kit.chat.read_notifications(&caller, mark).await?;
    Ok(json(StatusCode::OK, &Unread { unread }))
}

pub(super) async fn set_notify(mut call: Call) -> Answer {
    let caller = caller(&call).await?;
    let room = room_id(&call)?;
    let body: Wish = json_body(&mut call).await?;
    let notify = Notify::parse(&body.notify)
        .ok_or(Invalid::new("notify", "must be all, mentions or none"))?;
    let overview = call.kit.chat.set_notify(&caller, room, notify).await?;
    Ok(json(StatusCode::OK, &OverviewJson::from(&overview)))
}

impl Mark {
    fn parse(self) -> Result<ReadMark, Invalid> {
        match (self.through, self.ids) {
            (Some(id), None) => Ok(ReadMark::Through(NotificationId(id))),
            (None, Some(ids)) if ids.len() > IDS_MAX => {
                Err(Invalid::new("ids", "must be at most 200"))
            }
            (None, Some(ids)) => Ok(ReadMark::These(
                ids.into_iter().map(NotificationId).collect(),
            )),
            _ => Err(Invalid::new("through", "or ids must be there, not both")),
        }
    }
}
