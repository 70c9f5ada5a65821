//! `/rooms/{id}/files`, avatars and room pictures, and `/files/{id}/{name}`: upload and download of files.

use crate::chat::files::{FILES_MAX, Uploads};
use serde::Serialize;

use crate::dialect::kit::{
    Answer, Call, Fault, Form, Part, StatusCode, Surface, empty, form, json, routes, send_file,
    set_header,
};
use crate::model::{FileId, Invalid};

use super::messages::posted;
use super::rooms::room_id;
use super::wire::{DraftBody, OwnFileJson, RoomJson, UserJson};
use super::{caller, error};

/// Routes at the root of the server, which serve the files of all protocols.
pub fn files_surface() -> Surface {
    Surface {
        prefix: "/files",
        routes: routes![error::response; GET "/{id}/{name}" => fetch],
        fault: error::response,
    }
}

/// A page of the caller's files, with the bytes used by all of them and the quota.
#[derive(Serialize)]
struct Files<'a> {
    items: Vec<OwnFileJson<'a>>,
    more: bool,
    used: u64,
    quota: Option<u64>,
}

pub(super) async fn list(call: Call) -> Answer {
    let caller = caller(&call).await?;
    let page = call.page(50, 200)?;
    let (chat, before) = (&call.kit.chat, page.before.map(FileId));
    let mut found = chat.own_files(&caller, before, page.limit + 1).await?;
    let more = found.len() > page.limit as usize;
    found.truncate(page.limit as usize);
    let files = Files {
        items: found.iter().map(OwnFileJson::from).collect(),
        more,
        used: chat.own_bytes(&caller).await?,
        quota: chat.settings().file_quota,
    };
    Ok(json(StatusCode::OK, &files))
}

pub(super) async fn remove(call: Call) -> Answer {
    let caller = caller(&call).await?;
    let file = FileId(call.id(0, "file")?);
    call.kit.chat.remove_file(&caller, file).await?;
    Ok(empty(StatusCode::NO_CONTENT))
}

pub(super) async fn post(mut call: Call) -> Answer {
    let caller = caller(&call).await?;
    let room = room_id(&call)?;
    let settings = call.kit.chat.settings();
    let most = settings.file_size_max.saturating_mul(FILES_MAX as u64);
    let mut form = form(&mut call, most)?;
    let received = async {
        let mut uploads = call.kit.chat.uploads(call.sender(&caller), room).await?;
        let draft = receive(&mut form, &mut uploads).await?;
        if uploads.is_empty() {
            return Err(Invalid::new("file", "is missing").into());
        }
        Ok(uploads.post(draft.parse_beside_files()?).await?)
    };
    let outcome = received.await;
    Ok(posted(&form.end(outcome).await?))
}

async fn receive(form: &mut Form, uploads: &mut Uploads) -> Result<DraftBody, Fault> {
    let mut draft = DraftBody::default();
    while let Some(part) = form.next().await? {
        match (part.name(), part.file_name()) {
            ("file", Some(name)) => {
                let media_type = part.media_type().to_owned();
                uploads.take(&name, &media_type, part.bytes()).await?;
            }
            (_, Some(_)) => {}
            (name, None) => {
                let name = name.to_owned();
                draft.set(&name, part.text().await?)?;
            }
        }
    }
    Ok(draft)
}

/// Returns the image in a form.
async fn picture(form: &mut Form) -> Result<Part, Fault> {
    while let Some(part) = form.next().await? {
        if part.name() == "file" && part.file_name().is_some() {
            return Ok(part);
        }
    }
    Err(Invalid::new("file", "is missing").into())
}

pub(super) async fn set_avatar(mut call: Call) -> Answer {
    let caller = caller(&call).await?;
    let most = call.kit.chat.settings().file_size_max;
    let mut form = form(&mut call, most)?;
    let taken = async {
        let part = picture(&mut form).await?;
        let sender = call.sender(&caller);
        call.kit.chat.set_avatar(sender, part.bytes()).await
    };
    let outcome = taken.await;
    let user = form.end(outcome).await?;
    Ok(json(StatusCode::OK, &UserJson::new(&user, caller.viewer())))
}

pub(super) async fn clear_avatar(call: Call) -> Answer {
    let caller = caller(&call).await?;
    let edit = crate::model::UserEdit {
        avatar_url: Some(None),
        ..Default::default()
    };
    let user = call.kit.chat.edit_me(&caller, edit).await?;
    Ok(json(StatusCode::OK, &UserJson::new(&user, caller.viewer())))
}

pub(super) async fn set_picture(mut call: Call) -> Answer {
    let caller = caller(&call).await?;
    let room = room_id(&call)?;
    let most = call.kit.chat.settings().file_size_max;
    let mut form = form(&mut call, most)?;
    let taken = async {
        let part = picture(&mut form).await?;
        let sender = call.sender(&caller);
        let chat = &call.kit.chat;
        chat.set_room_picture(sender, room, part.bytes()).await
    };
    let outcome = taken.await;
    let room = form.end(outcome).await?;
    Ok(json(StatusCode::OK, &RoomJson::from(&room)))
}

pub(super) async fn clear_picture(call: Call) -> Answer {
    let caller = caller(&call).await?;
    let room = call
        .kit
        .chat
        .clear_room_picture(&caller, room_id(&call)?)
        .await?;
    Ok(json(StatusCode::OK, &RoomJson::from(&room)))
}

async fn fetch(call: Call) -> Answer {
    let id = FileId(call.id(0, "file")?);
    let chat = &call.kit.chat;
    if let Some(pass) = call.query_value("k")
        && let Ok(download) = chat.fetch_file(None, id, Some(&pass)).await
    {
        let mut response = send_file(&call, &download)?;
        // Front ends of other origins embed the file; the signed URL is sufficient.
        set_header(
            &mut response,
            "cross-origin-resource-policy",
            "cross-origin",
        );
        return Ok(response);
    }
    let caller = call.optional_caller().await?;
    let download = chat.fetch_file(caller.as_ref(), id, None).await?;
    send_file(&call, &download)
}
