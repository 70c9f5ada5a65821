//! `/files/upload`: stores a file here instead of at another service. The client then sends its URL in a message.

use futures_util::StreamExt;
use serde::Serialize;

use crate::chat::{Caller, ChatError, files::signed_address};
use crate::dialect::kit::{Call, Fault, Form, Part, StatusCode, absolute, form, json};
use crate::model::File;

use super::Answer;
use super::error::Refusal;
use super::files::{SIZE_MAX, check};

#[derive(Serialize)]
struct UploadJson {
    message: &'static str,
    file_url: String,
    filename: String,
    file_size: u64,
    file_type: String,
}

pub(super) async fn take(mut call: Call) -> Answer {
    let caller = call.caller().await?;
    let mut form = form(&mut call, SIZE_MAX)?;
    let taken = async {
        let Some(part) = file_of(&mut form).await? else {
            return Ok(Err(Refusal::bad("Missing required field: file")));
        };
        let (name, media_type) = (
            part.file_name().unwrap_or_default(),
            part.media_type().to_owned(),
        );
        if let Err(refused) = check(&name, 0) {
            return Ok(Err(refused));
        }
        let mut size = 0;
        let bytes = part.bytes().map(move |part| {
            size += part.as_ref().map_or(0, bytes::Bytes::len) as u64;
            match size > SIZE_MAX {
                true => Err(ChatError::TooLarge(SIZE_MAX).into()),
                false => part,
            }
        });
        let chat = &call.kit.chat;
        let taken: Result<File, Fault> = chat
            .upload_unattached(call.sender(&caller), &name, &media_type, bytes)
            .await;
        taken.map(Ok)
    };
    let outcome = taken.await;
    let file = form.end(outcome).await??;
    Ok(json(
        StatusCode::CREATED,
        &answer(file, &caller, &call.base_url()),
    ))
}

async fn file_of(form: &mut Form) -> Result<Option<Part>, Fault> {
    while let Some(part) = form.next().await? {
        if part.name() == "file" && part.file_name().is_some() {
            return Ok(Some(part));
        }
    }
    Ok(None)
}

fn answer(file: File, caller: &Caller, base: &str) -> UploadJson {
    UploadJson {
        message: "File uploaded",
        file_url: absolute(signed_address(&file, caller.id()), base),
        filename: file.name,
        file_size: file.size,
        file_type: file.media_type,
    }
}
