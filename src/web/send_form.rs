//! Forms of the chat page that send messages and mark them read without a script.

use uuid::Uuid;

use crate::chat::{Caller, ChatError};
use crate::dialect::kit::{self, Call, Fault, StatusCode};
use crate::model::{CONTENT_MAX, Content, Draft, FILES_MAX, Invalid, MessageId, RoomId};

use super::chat::{Unsent, room_of, show_again};
use super::error_text::{Said, explain};
use super::form::{Form, sender};
use super::i18n::{self, Texts};
use super::respond::{Answer, Stop, found};

/// The fields read so far, to show them again if sending fails.
#[derive(Default)]
struct Written {
    text: String,
    /// Created with the page, so that submitting the form twice sends one message.
    uuid: Uuid,
}

/// Sends a message with its files.
pub(super) async fn send(mut call: Call) -> Answer {
    let me = sender(&call).await?;
    let place = room_of(&call, &me).await?;
    let room = &place.0;
    let mut written = Written {
        uuid: Uuid::now_v7(),
        ..Written::default()
    };
    let sent = match call.is_of_type("multipart/form-data") {
        true => with_files(&mut call, &me, room.id, &mut written).await,
        false => plain(&mut call, &me, room.id, &mut written).await?,
    };
    match sent {
        Ok(()) => Ok(found(&format!("/chat/{}?newest", room.uuid))),
        Err(fault @ Fault::Csrf) => Err(fault.into()),
        Err(fault) => {
            let said = explain_unsent(i18n::of(), &fault, &written.text);
            let unsent = Unsent {
                text: written.text,
                uuid: written.uuid,
                status: said.status,
                why: said.text,
            };
            show_again(&call, me, place, unsent).await
        }
    }
}

async fn plain(
    call: &mut Call,
    me: &Caller,
    room: RoomId,
    written: &mut Written,
) -> Result<Result<(), Fault>, Stop> {
    let (_, form) = Form::of_caller(call).await?;
    for name in ["uuid", "content"] {
        written.set(name, form.raw(name).to_owned());
    }
    let sent = match Content::parse(&written.text) {
        Ok(content) => call.kit.chat.post(me, room, written.draft(content)).await,
        Err(invalid) => Err(invalid.into()),
    };
    Ok(sent.map(drop).map_err(Fault::from))
}

async fn with_files(
    call: &mut Call,
    me: &Caller,
    room: RoomId,
    written: &mut Written,
) -> Result<(), Fault> {
    let most = call.kit.chat.settings().file_size_max;
    let mut form = kit::form(call, most.saturating_mul(FILES_MAX as u64))?;
    let sent = receive(call, me, room, &mut form, written).await;
    form.end(sent).await
}

/// Reads the form in the order of its fields. The CSRF token must precede the files.
async fn receive(
    call: &Call,
    me: &Caller,
    room: RoomId,
    form: &mut kit::Form,
    written: &mut Written,
) -> Result<(), Fault> {
    let chat = &call.kit.chat;
    let (mut trusted, mut uploads) = (false, None);
    while let Some(part) = form.next().await? {
        match (part.name(), part.file_name()) {
            ("file", Some(_)) if !trusted => return Err(Fault::Csrf),
            ("file", Some(name)) => {
                let (name, media_type) = (name.to_owned(), part.media_type().to_owned());
                let uploads = match &mut uploads {
                    Some(uploads) => uploads,
                    None => uploads.insert(chat.uploads(call.sender(me), room).await?),
                };
                uploads.take(&name, &media_type, part.bytes()).await?;
            }
            ("csrf", None) => trusted = chat.is_csrf_token(me, &part.text().await?),
            (_, Some(_)) => {}
            (name, None) => {
                let name = name.to_owned();
                written.set(&name, part.text().await?);
            }
        }
    }
    match uploads {
        _ if !trusted => return Err(Fault::Csrf),
        Some(uploads) => {
            let content = Content::beside_files(&written.text)?;
            uploads.post(written.draft(content)).await?;
        }
        None => {
            let content = Content::parse(&written.text)?;
            chat.post(me, room, written.draft(content)).await?;
        }
    }
    Ok(())
}

impl Written {
    fn set(&mut self, name: &str, text: String) {
        match name {
            "content" => self.text = text,
            "uuid" => self.uuid = text.parse().unwrap_or(self.uuid),
            _ => {}
        }
    }

    fn draft(&self, content: Content) -> Draft {
        Draft {
            uuid: self.uuid,
            ..Draft::new(content)
        }
    }
}

/// Returns the error text for a message that was not sent; for one that is too long, with the excess.
fn explain_unsent(t: &'static Texts, fault: &Fault, text: &str) -> Said {
    let said = explain(t, fault);
    let is_text = matches!(
        fault,
        Fault::Chat(ChatError::Invalid(Invalid {
            field: "content",
            ..
        }))
    );
    let over = text.trim().chars().count().saturating_sub(CONTENT_MAX);
    if !is_text || over == 0 {
        return said;
    }
    let text = match over {
        1 => t.script.too_long_one.to_owned(),
        _ => t.script.too_long_many.replace("{n}", &over.to_string()),
    };
    Said {
        status: StatusCode::BAD_REQUEST,
        text: text.replace("{max}", &CONTENT_MAX.to_string()),
        ..said
    }
}

/// Moves the caller's read cursor.
pub(super) async fn read(mut call: Call) -> Answer {
    let (me, form) = Form::of_caller(&mut call).await?;
    let (room, _) = room_of(&call, &me).await?;
    let through = form.raw("through").parse().map_err(|_| Fault::NoRoute)?;
    call.kit.chat.read(&me, room.id, MessageId(through)).await?;
    Ok(found(&format!("/chat/{}", room.uuid)))
}
