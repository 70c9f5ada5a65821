//! Where a file is fetched: `/files/<id>/<name>`, and with `?k=` also by those who cannot show who they are.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sha2::Sha256;

use crate::model::{File, FileId, FileKey, Millis, UserId};

/// What stands in a path as it is.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

/// Milliseconds a pass is good for at least.
const GOOD_FOR: i64 = 24 * HOUR;
/// Passes made within one hour are the same, so that browsers fetch a picture once.
const HOUR: i64 = 3_600_000;
/// In the place of a reader: nobody is known.
const ANYBODY: UserId = UserId(0);

/// Where a file is, for those who show who they are; another host's file is where its sender said.
pub fn address(file: &File) -> String {
    match &file.url {
        Some(url) => url.as_str().to_owned(),
        None => path(file.id, &file.name),
    }
}

/// Where a file is, for whoever holds the address: good for 24 to 25 hours, as long as `reader` may read what shows it.
pub fn signed_address(file: &File, reader: UserId) -> String {
    match &file.url {
        Some(url) => url.as_str().to_owned(),
        None => signed(file.id, &file.name, &file.key, reader),
    }
}

/// Where a file's small picture is; without one, `None`.
pub fn thumbnail_address(file: &File) -> Option<String> {
    let small = file.thumbnail.as_ref()?;
    Some(path(small.id, &small.name))
}

/// Where a picture of a person is: for whoever holds the address, as long as it is their picture.
pub(super) fn lasting_address(file: &File) -> String {
    let pass = seal(&file.key, 0, ANYBODY);
    format!("{}?k={pass}", path(file.id, &file.name))
}

fn path(id: FileId, name: &str) -> String {
    format!("/files/{id}/{}", utf8_percent_encode(name, PLAIN))
}

fn signed(id: FileId, name: &str, key: &FileKey, reader: UserId) -> String {
    let until = (Millis::now().0 + GOOD_FOR) / HOUR + 1;
    format!("{}?k={}", path(id, name), seal(key, until, reader))
}

/// `until` counts hours since 1970; 0 is for good.
fn seal(key: &FileKey, until: i64, reader: UserId) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(&key.0).expect("HMAC takes a key of any length");
    mac.update(&until.to_be_bytes());
    mac.update(&reader.0.to_be_bytes());
    let seal = URL_SAFE_NO_PAD.encode(&mac.finalize().into_bytes()[..18]);
    format!("{until:x}.{:x}.{seal}", reader.0)
}

/// What a good pass lets its holder do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pass {
    /// Fetch the file as long as it is somebody's picture.
    Lasting,
    /// Fetch what this person may read.
    Of(UserId),
}

/// What `given` opens of the file of that key now.
pub(super) fn opens(key: &FileKey, given: &str, now: Millis) -> Option<Pass> {
    let (until, rest) = given.split_once('.')?;
    let (reader, _) = rest.split_once('.')?;
    let number = |text| i64::from_str_radix(text, 16).ok();
    let (until, reader) = (number(until)?, UserId(number(reader)?));
    // Compared by their hashes: how long it takes says nothing of the pass.
    if !same(&seal(key, until, reader), given) {
        return None;
    }
    match until {
        0 => Some(Pass::Lasting),
        until => (until.saturating_mul(HOUR) > now.0).then_some(Pass::Of(reader)),
    }
}

fn same(a: &str, b: &str) -> bool {
    use sha2::Digest;
    Sha256::digest(a) == Sha256::digest(b)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: FileKey = FileKey([1; 16]);
    const ANN: UserId = UserId(258);

    fn given(address: &str) -> &str {
        address.split_once("?k=").unwrap().1
    }

    #[test]
    fn a_pass_is_good_for_a_day_and_one_file_and_says_whose_it_is() {
        let address = signed(FileId(7), "a b?.jpg", &KEY, ANN);
        assert!(address.starts_with("/files/7/a%20b%3F.jpg?k="), "{address}");
        let now = Millis::now();
        let later = |hours: i64| Millis(now.0 + hours * HOUR);
        for at in [now, later(24)] {
            assert_eq!(opens(&KEY, given(&address), at), Some(Pass::Of(ANN)));
        }
        assert_eq!(opens(&KEY, given(&address), later(25)), None);
        assert_eq!(opens(&FileKey([2; 16]), given(&address), now), None);
    }

    #[test]
    fn a_pass_can_neither_be_stretched_nor_become_another_persons() {
        let now = Millis::now();
        let address = signed(FileId(7), "a", &KEY, ANN);
        let (until, rest) = given(&address).split_once('.').unwrap();
        let (reader, seal) = rest.split_once('.').unwrap();
        let later = i64::from_str_radix(until, 16).unwrap() + 1000;
        for forged in [
            format!("{later:x}.{reader}.{seal}"),
            format!("{until}.103.{seal}"),
            format!("{until}.0.{seal}"),
            format!("0.{reader}.{seal}"),
            format!("{until}.{reader}."),
            format!("{until}.{seal}"),
            format!("-{until}.{reader}.{seal}"),
            format!("7fffffffffffffff.{reader}.{seal}"),
            format!("0{until}.{reader}.{seal}"),
            format!("{until}.0{reader}.{seal}"),
            seal.to_owned(),
            String::new(),
        ] {
            assert_eq!(opens(&KEY, &forged, now), None, "{forged}");
        }
    }

    #[test]
    fn a_pass_without_end_is_told_from_others() {
        let lasting = seal(&KEY, 0, ANYBODY);
        assert_eq!(opens(&KEY, &lasting, Millis::now()), Some(Pass::Lasting));
    }
}
