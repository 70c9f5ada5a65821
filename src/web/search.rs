//! `/search`: full-text search with filters.

use std::collections::HashMap;

use askama::Template;
use uuid::Uuid;

use crate::chat::{Caller, ChatError, SearchHit, SearchPage};
use crate::dialect::kit::{Call, StatusCode};
use crate::model::{Fragment, MessageId, RoomId};

use super::error_text::explain_chat;
use super::file_view::{FileView, Look};
use super::i18n::{self, Texts};
use super::layout::Shell;
use super::respond::{Answer, caller, page};
use super::views::{Clock, Face, person_name, room_name};

/// Messages per page.
const PAGE: u32 = 30;

#[derive(Template)]
#[template(path = "search.html")]
struct FoundPage {
    shell: Shell,
    query: String,
    error: String,
    found: Vec<HitView>,
    /// Start of the next page, if there is one.
    next: Option<i64>,
}

struct HitView {
    id: i64,
    room: Uuid,
    room_name: String,
    face: Face,
    sender: String,
    at: Clock,
    snippet: Vec<Fragment>,
    files: Vec<FileView>,
}

pub(super) async fn show(call: Call) -> Answer {
    let me = caller(&call).await?;
    let t = i18n::of();
    let query = call.query_value("q").unwrap_or_default().trim().to_owned();
    let before = call.query_number("before", 0, i64::MAX)?.map(MessageId);
    let chat = &call.kit.chat;
    let (found, said) = match chat.search(&me, &query, before, PAGE).await {
        Ok(found) => (found, None),
        Err(error @ ChatError::Invalid(_)) => {
            (SearchPage::default(), Some(explain_chat(t, &error)))
        }
        Err(error) => return Err(error.into()),
    };
    let template = FoundPage {
        shell: Shell::inside(&call, &me, t.search).await?,
        next: found.next.map(|next| next.0),
        found: views(&call, &me, t, &found.found).await?,
        query,
        error: said
            .as_ref()
            .map_or(String::new(), |said| said.text.clone()),
    };
    let status = said.map_or(StatusCode::OK, |said| said.status);
    page(status, &call, &template)
}

async fn views(
    call: &Call,
    me: &Caller,
    t: &'static Texts,
    hits: &[SearchHit],
) -> Result<Vec<HitView>, ChatError> {
    let mut rooms: HashMap<RoomId, (Uuid, String)> = HashMap::new();
    let mut views = Vec::new();
    for SearchHit { message, snippet } in hits {
        if !rooms.contains_key(&message.room_id) {
            let (room, _) = call.kit.chat.room(me, message.room_id).await?;
            let name = room_name(t, &room, me.id()).into_owned();
            rooms.insert(room.id, (room.uuid, name));
        }
        let (room, room_name) = rooms[&message.room_id].clone();
        views.push(HitView {
            id: message.id.0,
            room,
            room_name,
            face: Face::of_person(&message.sender),
            sender: person_name(t, &message.sender).into_owned(),
            at: Clock::new(message.created_at),
            snippet: snippet.clone(),
            files: FileView::all(t, message, me.id()),
        });
    }
    Ok(views)
}
