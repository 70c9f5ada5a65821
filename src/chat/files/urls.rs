//! File URLs: `/files/<id>/<name>`, optionally with a signed pass in `?k=` for clients that cannot authenticate.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sha2::Sha256;

use crate::model::{File, FileId, FileKey, Millis, UserId};

/// Characters left unescaped in a path (RFC 3986, unreserved).
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

/// Minimum lifetime of a pass, in milliseconds.
const GOOD_FOR: i64 = 24 * HOUR;
/// Passes made within the same hour are equal, so that browsers can cache the file.
const HOUR: i64 = 3_600_000;
/// Stands for the reader in a pass without one.
const ANYBODY: UserId = UserId(0);

/// Returns the URL of a file for authenticated clients. A linked file keeps its external URL.
pub fn address(file: &File) -> String {
    match &file.url {
        Some(url) => url.as_str().to_owned(),
        None => path(file.id, &file.name),
    }
}

/// Returns a URL that needs no login. Valid for 24 to 25 hours, while `reader` may read what the file belongs to.
pub fn signed_address(file: &File, reader: UserId) -> String {
    match &file.url {
        Some(url) => url.as_str().to_owned(),
        None => signed(file.id, &file.name, &file.key, reader),
    }
}

/// Returns the URL of a file's thumbnail, if it has one.
pub fn thumbnail_address(file: &File) -> Option<String> {
    let small = file.thumbnail.as_ref()?;
    Some(path(small.id, &small.name))
}

/// Returns a URL that needs no login, for an avatar. Valid as long as an account uses the file as its avatar.
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

/// Makes a pass. `until` counts hours since 1970; 0 means that the pass does not expire.
fn seal(key: &FileKey, until: i64, reader: UserId) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(&key.0).expect("HMAC takes a key of any length");
    mac.update(&until.to_be_bytes());
    mac.update(&reader.0.to_be_bytes());
    let seal = URL_SAFE_NO_PAD.encode(&mac.finalize().into_bytes()[..18]);
    format!("{until:x}.{:x}.{seal}", reader.0)
}

/// Access granted by a valid pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pass {
    /// Fetch the file as long as an account uses it as its avatar.
    Lasting,
    /// Fetch what this account may read.
    Of(UserId),
}

/// Returns the access that the pass `given` grants to the file with that key, or `None` if it is forged or expired.
pub(super) fn opens(key: &FileKey, given: &str, now: Millis) -> Option<Pass> {
    let (until, rest) = given.split_once('.')?;
    let (reader, _) = rest.split_once('.')?;
    let number = |text| i64::from_str_radix(text, 16).ok();
    let (until, reader) = (number(until)?, UserId(number(reader)?));
    // Compares hashes, so that the time taken reveals nothing about the right pass.
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
    fn a_signed_url_is_valid_for_a_day_and_names_its_reader() {
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
    fn forged_url_signatures_are_refused() {
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
    fn a_signature_without_expiry_is_distinguished() {
        let lasting = seal(&KEY, 0, ANYBODY);
        assert_eq!(opens(&KEY, &lasting, Millis::now()), Some(Pass::Lasting));
    }
}
