//! `/v1/upload-files`: uploads to the lobby.

use serde::Serialize;

use crate::chat::files::{FILES_MAX, Uploads};
use crate::dialect::kit::{Answer, Call, Fault, Form, StatusCode, form, json};
use crate::model::{Content, Draft, FileName, RoomId};

use super::wire::uploaded_names;

#[derive(Serialize)]
struct Uploaded {
    uploaded_files: Vec<String>,
}

/// Posts all files of a form as one message. A token is required even if the dialect is open.
pub(super) async fn take(mut call: Call) -> Answer {
    let caller = call.caller().await?;
    let chat = &call.kit.chat;
    let most = chat.settings().file_size_max;
    let mut form = form(&mut call, most.saturating_mul(FILES_MAX as u64))?;
    let chat = &call.kit.chat;
    let received = async {
        let mut uploads = chat.uploads(call.sender(&caller), RoomId::LOBBY).await?;
        let names = receive(&mut form, &mut uploads).await?;
        if !uploads.is_empty() {
            let draft = Draft {
                aside: Some(uploaded_names(&names)),
                ..Draft::new(Content::beside_files("")?)
            };
            uploads.post(draft).await?;
        }
        Ok(names)
    };
    let outcome = received.await;
    let names = form.end(outcome).await?;
    if names.is_empty() {
        let missing = "files is missing";
        return Ok(json(StatusCode::UNPROCESSABLE_ENTITY, &missing));
    }
    let uploaded_files = names.iter().map(|name| kept_name(name)).collect();
    Ok(json(StatusCode::OK, &Uploaded { uploaded_files }))
}

/// Receives the files of the form. Returns their names as uploaded, without directories.
async fn receive(form: &mut Form, uploads: &mut Uploads) -> Result<Vec<String>, Fault> {
    let mut names = Vec::new();
    while let Some(part) = form.next().await? {
        let Some(name) = part.file_name().filter(|_| part.name() == "files") else {
            continue;
        };
        let name = FileName::clean(&name).as_str().to_owned();
        let media_type = part.media_type().to_owned();
        uploads
            .take(&kept_name(&name), &media_type, part.bytes())
            .await?;
        names.push(name);
    }
    Ok(names)
}

/// Returns the file name as stored: with `-` instead of whitespace.
fn kept_name(name: &str) -> String {
    name.replace(char::is_whitespace, "-")
}
