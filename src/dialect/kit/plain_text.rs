//! Plain-text messages for protocols without attachments, and absolute URLs for pages of other origins.

use std::borrow::Cow;

use crate::chat::{Reader, files::signed_address};
use crate::model::Message;

/// Returns the message's text, followed by name and URL of each attachment, one per line.
pub fn plain_text<'a>(message: &'a Message, reader: Reader<'_>) -> Cow<'a, str> {
    if message.files.is_empty() {
        return Cow::Borrowed(&message.content);
    }
    let text = Some(message.content.clone()).filter(|text| !text.is_empty());
    let files = message.files.iter().map(|file| {
        let address = absolute(signed_address(file, reader.id), reader.base);
        format!("{} {address}", file.name)
    });
    let lines: Vec<_> = text.into_iter().chain(files).collect();
    Cow::Owned(lines.join("\n"))
}

/// Makes a URL of this server absolute.
pub fn absolute(address: String, base: &str) -> String {
    match address.starts_with('/') {
        true => format!("{base}{address}"),
        false => address,
    }
}
