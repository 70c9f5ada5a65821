//! `/files`: attachments of messages. A file of a private chat is a message without text.

use serde::{Deserialize, Serialize};

use crate::chat::files::{Attachment, FILE_LIST_MAX};
use crate::chat::{Caller, Chat, Reader};
use crate::dialect::kit::{Call, Kit, StatusCode, json, json_body};
use crate::model::{
    Content, File, FileId, FileName, Link, Message, MessageId, PlacedFile, RoomId, UserId,
};

use super::error::Refusal;
use super::wire::{FileJson, Said};
use super::{Answer, NAME, chats};

/// Largest file, in bytes.
pub(super) const SIZE_MAX: u64 = 5 * 1024 * 1024;
/// Accepted file extensions and their media types.
const TYPES: [(&str, &str); 10] = [
    ("pdf", "application/pdf"),
    ("doc", "application/msword"),
    (
        "docx",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ),
    ("jpg", "image/jpeg"),
    ("jpeg", "image/jpeg"),
    ("png", "image/png"),
    ("gif", "image/gif"),
    ("bmp", "image/bmp"),
    ("tiff", "image/tiff"),
    ("webp", "image/webp"),
];

const TOO_LARGE: Refusal = Refusal::bad("File size exceeds 5MB limit");
const BAD_TYPE: Refusal = Refusal::bad(
    "Invalid file type. Allowed: PDF, DOC, DOCX, JPG, JPEG, PNG, GIF, BMP, TIFF, WEBP",
);
const BAD_URL: Refusal = Refusal::bad("Invalid file URL");
const NO_ACCESS: &str = "Access denied";

/// A file as described by a client.
#[derive(Default, Deserialize)]
pub(super) struct Described {
    filename: Option<String>,
    file_url: Option<String>,
    file_size: Option<i64>,
}

impl Described {
    /// Returns the file as an attachment: an upload on this server, or a link to another one. The client reaches this
    /// server as `host`.
    pub(super) async fn attachment(
        &self,
        kit: &Kit,
        caller: &Caller,
        host: &str,
    ) -> Result<Attachment, Refusal> {
        const MISSING: Refusal =
            Refusal::bad("Missing required fields: filename, file_url, file_size");
        let filled = |text: &'_ Option<String>| text.clone().filter(|text| !text.trim().is_empty());
        let name = filled(&self.filename).ok_or(MISSING)?;
        let url = filled(&self.file_url).ok_or(MISSING)?;
        let size = self.file_size.ok_or(MISSING)?;
        let size = u64::try_from(size).map_err(|_| Refusal::bad("Invalid file size"))?;
        let name = FileName::clean(&name);
        let media_type = check(name.as_str(), size)?.to_owned();
        if let Some(upload) = upload_at(&url) {
            match kit.chat.loose_file(caller, upload).await {
                Ok(file) => {
                    check(&file.name, file.size)?;
                    return Ok(Attachment::Uploaded(upload));
                }
                Err(crate::chat::ChatError::NotFound(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        let url = kit.web_url("file_url", &url, host).map_err(|_| BAD_URL)?;
        if url.own_path().is_some() {
            return Err(BAD_URL);
        }
        Ok(Attachment::Link(Link {
            name,
            media_type,
            size,
            url,
        }))
    }
}

/// Checks size and extension, and returns the media type.
pub(super) fn check(name: &str, size: u64) -> Result<&'static str, Refusal> {
    if size > SIZE_MAX {
        return Err(TOO_LARGE);
    }
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    let known = TYPES
        .iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(ending));
    known.map(|(_, media_type)| *media_type).ok_or(BAD_TYPE)
}

/// Returns the file id of a URL of this server, whatever its host name: `…/files/12/cat.jpg?k=…`.
fn upload_at(url: &str) -> Option<FileId> {
    let path = match url.split_once("://") {
        Some((_, rest)) => &rest[rest.find('/')?..],
        None => url,
    };
    let (id, _) = path.strip_prefix("/files/")?.split_once('/')?;
    id.parse().ok().map(FileId)
}

#[derive(Deserialize)]
struct New {
    #[serde(flatten)]
    file: Described,
    public_message_id: Option<i64>,
    private_chat_id: Option<i64>,
}

#[derive(Serialize)]
struct OneFile {
    file: FileJson,
}

#[derive(Serialize)]
struct Files {
    files: Vec<FileJson>,
}

pub(super) async fn create(mut call: Call) -> Answer {
    let caller = call.caller().await?;
    let new: New = json_body(&mut call).await?;
    let chat = &call.kit.chat;
    let host = call.header("host").unwrap_or_default();
    let file = new.file.attachment(&call.kit, &caller, host).await?;
    let (message, file) = match (new.public_message_id, new.private_chat_id) {
        (Some(message), None) => add_to_message(chat, &caller, MessageId(message), file).await?,
        (None, Some(room)) => add_to_chat(chat, &caller, RoomId(room), file).await?,
        _ => {
            return Err(Refusal::bad(
                "Exactly one association required: public_message_id or private_chat_id",
            ));
        }
    };
    let (id, base) = (caller.id(), call.base_url());
    let reader = Reader { id, base: &base };
    let file = FileJson::in_message(&file, &message, reader);
    Ok(json(StatusCode::CREATED, &file))
}

async fn add_to_message(
    chat: &Chat,
    caller: &Caller,
    id: MessageId,
    file: Attachment,
) -> Result<(std::sync::Arc<Message>, File), Refusal> {
    const INVALID: Refusal = Refusal::bad("Invalid public message");
    let message = match chat.message(caller, id).await {
        Err(crate::chat::ChatError::NotFound(_)) => return Err(INVALID),
        message => message?,
    };
    let own = message.sender.id == caller.id() && message.deleted_at.is_none();
    if message.room_id != RoomId::LOBBY || !own {
        return Err(INVALID);
    }
    Ok(chat.show_file(caller, id, file).await?)
}

async fn add_to_chat(
    chat: &Chat,
    caller: &Caller,
    room: RoomId,
    file: Attachment,
) -> Result<(std::sync::Arc<Message>, File), Refusal> {
    if !chats::is_own(chat, caller, room).await? {
        return Err(Refusal::bad("Invalid private chat"));
    }
    let message = post(chat, caller, room, file).await?;
    let shown = message.files.first().cloned();
    let file = shown.ok_or(Refusal::missing("File not found"))?;
    Ok((message, file))
}

/// Posts a message that consists of a file only.
pub(super) async fn post(
    chat: &Chat,
    caller: &Caller,
    room: RoomId,
    file: Attachment,
) -> Result<std::sync::Arc<Message>, Refusal> {
    let content = Content::beside_files("")?;
    let posted = chat.post_file(caller, room, content, file).await?;
    Ok(posted.message)
}

pub(super) async fn mine(call: Call) -> Answer {
    let caller = call.caller().await?;
    let files = call
        .kit
        .chat
        .own_files(&caller, None, FILE_LIST_MAX)
        .await?;
    Ok(json(StatusCode::OK, &listed(&call, caller.id(), &files)))
}

pub(super) async fn show(call: Call) -> Answer {
    let caller = call.caller().await?;
    let found = call
        .kit
        .chat
        .placed_file(&caller, FileId(call.id(0, "file")?))
        .await;
    let found = found.map_err(|error| Refusal::from(error).or_forbidden(NO_ACCESS))?;
    let (id, base) = (caller.id(), call.base_url());
    let reader = Reader { id, base: &base };
    let file = FileJson::new(&found, reader);
    Ok(json(StatusCode::OK, &OneFile { file }))
}

pub(super) async fn delete(call: Call) -> Answer {
    let caller = call.caller().await?;
    let (chat, file) = (&call.kit.chat, FileId(call.id(0, "file")?));
    // In this dialect nobody may remove files that others have attached.
    let removed = match chat.placed_file(&caller, file).await {
        Ok(_) => chat.remove_file(&caller, file).await,
        Err(error) => Err(error),
    };
    removed.map_err(|error| Refusal::from(error).or_forbidden(NO_ACCESS))?;
    let message = "File deleted";
    Ok(json(StatusCode::OK, &Said { message }))
}

pub(super) async fn of_message(call: Call) -> Answer {
    // If the dialect is open, no token is needed.
    let caller = call.optional_caller().await?;
    if caller.is_none() && !call.is_open(NAME) {
        return Err(call.token_fault(call.kit.is_open(NAME)).into());
    }
    let message = MessageId(call.id(0, "message")?);
    let files = call.kit.chat.lobby_files(message).await?;
    let reader = caller.map_or(UserId(0), |caller| caller.id());
    let files = listed(&call, reader, &files);
    Ok(json(StatusCode::OK, &Files { files }))
}

pub(super) async fn of_chat(call: Call) -> Answer {
    let caller = call.caller().await?;
    let room = RoomId(call.id(0, "room")?);
    if !chats::is_own(&call.kit.chat, &caller, room).await? {
        return Err(Refusal::missing("Chat not found"));
    }
    let files = call.kit.chat.room_files(&caller, room).await?;
    let files = listed(&call, caller.id(), &files);
    Ok(json(StatusCode::OK, &Files { files }))
}

fn listed(call: &Call, id: UserId, files: &[PlacedFile]) -> Vec<FileJson> {
    let base = call.base_url();
    let reader = Reader { id, base: &base };
    files
        .iter()
        .map(|file| FileJson::new(file, reader))
        .collect()
}
