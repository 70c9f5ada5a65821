//! Where a file is fetched: `/files/<id>/<name>`, and with `?k=` also by those who cannot show who they are.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sha2::Sha256;

use crate::model::{File, FileId, FileKey, Millis};

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

/// Where a file is, for those who show who they are; another host's file is where its sender said.
pub fn address(file: &File) -> String {
    match &file.url {
        Some(url) => url.clone(),
        None => path(file.id, &file.name),
    }
}

/// Where a file is, for whoever holds the address: good for 24 to 25 hours.
pub fn signed_address(file: &File) -> String {
    match &file.url {
        Some(url) => url.clone(),
        None => signed(file.id, &file.name, &file.key),
    }
}

/// Where a file's small picture is; without one, `None`.
pub fn thumbnail_address(file: &File) -> Option<String> {
    let small = file.thumbnail.as_ref()?;
    Some(path(small.id, &small.name))
}

/// As [`thumbnail_address`], for whoever holds the address.
pub fn signed_thumbnail_address(file: &File) -> Option<String> {
    let small = file.thumbnail.as_ref()?;
    Some(signed(small.id, &small.name, &small.key))
}

/// Where a picture of a person is: for whoever holds the address, as long as it is their picture.
pub(super) fn lasting_address(file: &File) -> String {
    format!("{}?k={}", path(file.id, &file.name), pass(&file.key, 0))
}

fn path(id: FileId, name: &str) -> String {
    format!("/files/{id}/{}", utf8_percent_encode(name, PLAIN))
}

fn signed(id: FileId, name: &str, key: &FileKey) -> String {
    let until = (Millis::now().0 + GOOD_FOR) / HOUR + 1;
    format!("{}?k={}", path(id, name), pass(key, until))
}

/// `until` counts hours since 1970; 0 is for good.
fn pass(key: &FileKey, until: i64) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(&key.0).expect("HMAC takes a key of any length");
    mac.update(&until.to_be_bytes());
    let seal = URL_SAFE_NO_PAD.encode(&mac.finalize().into_bytes()[..18]);
    format!("{until:x}.{seal}")
}

/// Whether `given` opens the file of that key now; only where `lasting` is set does a pass without an end.
pub(super) fn opens(key: &FileKey, given: &str, now: Millis, lasting: bool) -> bool {
    let until = given
        .split_once('.')
        .and_then(|(until, _)| i64::from_str_radix(until, 16).ok());
    let Some(until) = until else { return false };
    let in_time = match until {
        0 => lasting,
        until => until.saturating_mul(HOUR) > now.0,
    };
    // Compared by their hashes: how long it takes says nothing of the pass.
    in_time && same(&pass(key, until), given)
}

fn same(a: &str, b: &str) -> bool {
    use sha2::Digest;
    Sha256::digest(a) == Sha256::digest(b)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: FileKey = FileKey([1; 16]);

    fn given(address: &str) -> &str {
        address.split_once("?k=").unwrap().1
    }

    #[test]
    fn a_pass_is_good_for_a_day_and_one_file() {
        let address = signed(FileId(7), "a b?.jpg", &KEY);
        assert!(address.starts_with("/files/7/a%20b%3F.jpg?k="), "{address}");
        let now = Millis::now();
        let later = |hours: i64| Millis(now.0 + hours * HOUR);
        assert!(opens(&KEY, given(&address), now, false));
        assert!(opens(&KEY, given(&address), later(24), false));
        assert!(!opens(&KEY, given(&address), later(25), false));
        assert!(!opens(&FileKey([2; 16]), given(&address), now, false));
    }

    #[test]
    fn a_pass_cannot_be_stretched() {
        let now = Millis::now();
        let address = signed(FileId(7), "a", &KEY);
        let (until, seal) = given(&address).split_once('.').unwrap();
        let later = i64::from_str_radix(until, 16).unwrap() + 1000;
        for forged in [
            format!("{later:x}.{seal}"),
            format!("0.{seal}"),
            format!("{until}."),
            format!("-{until}.{seal}"),
            format!("7fffffffffffffff.{seal}"),
            format!("0{until}.{seal}"),
            seal.to_owned(),
            String::new(),
        ] {
            assert!(!opens(&KEY, &forged, now, true), "{forged}");
        }
    }

    #[test]
    fn only_where_it_may_last_does_a_pass_without_end_open() {
        let lasting = pass(&KEY, 0);
        assert!(opens(&KEY, &lasting, Millis::now(), true));
        assert!(!opens(&KEY, &lasting, Millis::now(), false));
    }
}
