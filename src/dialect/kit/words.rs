//! Messages for protocols that know no files, and addresses for pages that come from elsewhere.

use std::borrow::Cow;

use crate::chat::{Reader, files::signed_address};
use crate::model::Message;

/// A message's text, and below it name and address of each of its files.
pub fn words<'a>(message: &'a Message, reader: Reader<'_>) -> Cow<'a, str> {
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

/// An address that leads here from any page.
pub fn absolute(address: String, base: &str) -> String {
    match address.starts_with('/') {
        true => format!("{base}{address}"),
        false => address,
    }
}
