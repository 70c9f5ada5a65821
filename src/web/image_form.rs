//! Upload forms for the picture of a person or a room.

use std::pin::Pin;

use bytes::Bytes;
use futures_util::Stream;

use crate::chat::{Caller, ChatError};
use crate::dialect::kit::{Call, Fault, Form, form};
use crate::model::Invalid;

use super::form_fields::Input;
use super::i18n::Texts;
use super::respond::Stop;

/// Picture being received.
pub(super) type Bytestream = Pin<Box<dyn Stream<Item = Result<Bytes, Fault>> + Send>>;

/// Returns the inputs of an upload form.
pub(super) fn inputs(t: &'static Texts) -> Vec<Input> {
    vec![
        Input::new("file", t.choose_picture, 0)
            .kind("file")
            .hint(t.picture_hint),
    ]
}

/// Reads an upload form and passes its picture to `keep`. The inner result holds errors to show in the form.
pub(super) async fn take<T, Keeping>(
    call: &mut Call,
    caller: &Caller,
    keep: impl FnOnce(Bytestream) -> Keeping,
) -> Result<Result<T, ChatError>, Stop>
where
    Keeping: Future<Output = Result<T, Fault>>,
{
    let most = call.kit.chat.settings().file_size_max;
    let mut parts = form(call, most)?;
    let kept = async { keep(find(call, caller, &mut parts).await?).await }.await;
    match parts.end(kept).await {
        Ok(kept) => Ok(Ok(kept)),
        Err(Fault::Chat(error)) => Ok(Err(error)),
        Err(Fault::TooLarge(most)) => Ok(Err(ChatError::TooLarge(most as u64))),
        Err(fault) => Err(fault.into()),
    }
}

/// Returns the picture. The CSRF token must precede it in the form.
async fn find(call: &Call, caller: &Caller, parts: &mut Form) -> Result<Bytestream, Fault> {
    let mut trusted = false;
    while let Some(part) = parts.next().await? {
        if part.name() == "csrf" {
            trusted = call.kit.chat.is_csrf_token(caller, &part.text().await?);
        } else if part.name() == "file" && part.file_name().is_some() {
            return match trusted {
                true => Ok(Box::pin(part.bytes())),
                false => Err(Fault::Csrf),
            };
        }
    }
    Err(match trusted {
        true => Invalid::new("file", "is missing").into(),
        false => Fault::Csrf,
    })
}
