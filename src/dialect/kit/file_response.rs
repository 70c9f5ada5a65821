//! Sends a file: whole or a range, read chunk by chunk, with headers that keep browsers from running anything in it.
//! Does not check permissions.

use std::ops::Range;

use bytes::Bytes;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use tokio::sync::mpsc;

use crate::chat::files::Download;

use super::{Answer, Call, Fault, Response, StatusCode, set_header};

/// `Cache-Control` of files: browsers reuse their copy for 600 seconds.
const CACHE: &str = "private, max-age=600";
/// Characters left unescaped in `filename*` (RFC 5987).
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

/// Responds with a file, or with the range of it that the request's headers ask for.
///
/// # Errors
/// [`Fault::BadRange`].
pub fn send_file(call: &Call, download: &Download) -> Answer {
    let size = download.file.size;
    let tag = format!("\"{}\"", download.tag);
    if call
        .header("if-none-match")
        .is_some_and(|known| knows(known, &tag))
    {
        let mut response = Response::default();
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        describe(&mut response, download, &tag);
        return Ok(response);
    }
    let is_current = call.header("if-range").is_none_or(|known| known == tag);
    let range = match call.header("range").filter(|_| is_current) {
        Some(range) => parse_range(range, size).map_err(|()| Fault::BadRange(size))?,
        None => None,
    };
    let part = range.clone().unwrap_or(0..size);
    let mut response = stream(download.clone(), part.clone());
    describe(&mut response, download, &tag);
    set_header(&mut response, "content-type", served_type(download));
    set_header(&mut response, "content-disposition", &disposition(download));
    set_header(
        &mut response,
        "content-length",
        &(part.end - part.start).to_string(),
    );
    if range.is_some() {
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
        let told = format!("bytes {}-{}/{size}", part.start, part.end - 1);
        set_header(&mut response, "content-range", &told);
    }
    Ok(response)
}

fn describe(response: &mut Response, download: &Download, tag: &str) {
    for (name, value) in [
        ("etag", tag),
        ("accept-ranges", "bytes"),
        ("cache-control", CACHE),
        ("vary", "authorization, cookie"),
        ("x-content-type-options", "nosniff"),
        ("content-security-policy", "sandbox; default-src 'none'"),
    ] {
        set_header(response, name, value);
    }
    debug_assert!(
        download.file.url.is_none(),
        "other hosts' files are not ours to give"
    );
}

/// Whether `If-None-Match` contains this ETag.
fn knows(header: &str, tag: &str) -> bool {
    header
        .split(',')
        .map(|known| known.trim().trim_start_matches("W/"))
        .any(|known| known == tag || known == "*")
}

/// Parses one range of a file of `size` bytes. `None` means to ignore the header, `Err` a range outside the file.
fn parse_range(header: &str, size: u64) -> Result<Option<Range<u64>>, ()> {
    let Some((first, last)) = header
        .split_once('=')
        .filter(|(unit, _)| unit.trim().eq_ignore_ascii_case("bytes"))
        .and_then(|(_, range)| range.split_once('-'))
    else {
        return Ok(None);
    };
    let number = |text: &str| match text.trim() {
        "" => Some(None),
        digits if digits.bytes().all(|b| b.is_ascii_digit()) => {
            // A number too large for u64 lies past every end.
            Some(Some(digits.parse::<u64>().unwrap_or(u64::MAX)))
        }
        _ => None,
    };
    let (Some(first), Some(last)) = (number(first), number(last)) else {
        return Ok(None);
    };
    let range = match (first, last) {
        (None, None) => return Ok(None),
        (Some(first), Some(last)) if last < first => return Ok(None),
        (Some(first), last) => first..last.unwrap_or(u64::MAX).saturating_add(1).min(size),
        (None, Some(count)) => size.saturating_sub(count)..size,
    };
    if range.is_empty() {
        Err(())
    } else {
        Ok(Some(range))
    }
}

/// Returns the media type to send: the file's own only if browsers do not run code in that type.
fn served_type(download: &Download) -> &str {
    let file = &download.file;
    let media_type = file.media_type.as_str();
    let is_quiet = matches!(
        media_type,
        "application/pdf" | "application/zip" | "text/plain" | "text/csv"
    );
    let is_media = media_type.starts_with("audio/") || media_type.starts_with("video/");
    if file.media.recognized || is_quiet || is_media {
        media_type
    } else {
        "application/octet-stream"
    }
}

/// Images may be displayed as a page of their own, other files are saved. Media players in a page ignore this header.
fn disposition(download: &Download) -> String {
    let file = &download.file;
    let kind = if file.shown_dimensions().is_some() {
        "inline"
    } else {
        "attachment"
    };
    let plain: String = file
        .name
        .chars()
        .map(|c| match c {
            '"' | '\\' | '%' => '_',
            ' '..='~' => c,
            _ => '_',
        })
        .collect();
    let exact = utf8_percent_encode(&file.name, PLAIN);
    format!("{kind}; filename=\"{plain}\"; filename*=UTF-8''{exact}")
}

/// Streams the file: reads the next chunk while the previous one is sent, and holds no store connection in between.
fn stream(download: Download, part: Range<u64>) -> Response {
    if part.is_empty() {
        return Response::default();
    }
    let (pieces, mut inbox) = mpsc::channel::<Result<Bytes, std::io::Error>>(1);
    tokio::spawn(async move {
        let mut at = part.start;
        while at < part.end {
            let piece = download.piece(at).await.map_err(std::io::Error::other);
            let piece = piece.map(|mut piece| {
                let left = usize::try_from(part.end - at).unwrap_or(usize::MAX);
                piece.truncate(left);
                piece
            });
            at = match &piece {
                Ok(piece) if !piece.is_empty() => at + piece.len() as u64,
                _ => part.end,
            };
            if pieces.send(piece).await.is_err() {
                return;
            }
        }
    });
    let stream = futures_util::stream::poll_fn(move |context| inbox.poll_recv(context));
    warp::reply::Reply::into_response(warp::reply::stream(stream))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_clamped_to_the_file() {
        for (header, expected) in [
            ("bytes=0-0", Ok(Some(0..1))),
            ("bytes=2-", Ok(Some(2..10))),
            ("bytes=2-99", Ok(Some(2..10))),
            ("bytes=-3", Ok(Some(7..10))),
            ("Bytes=-3", Ok(Some(7..10))),
            ("bytes=-99", Ok(Some(0..10))),
            ("bytes=3-99999999999999999999999", Ok(Some(3..10))),
            ("bytes=10-", Err(())),
            ("bytes=99999999999999999999999-", Err(())),
            ("bytes=-0", Err(())),
            ("bytes=5-2", Ok(None)),
            ("bytes=0-1,4-5", Ok(None)),
            ("bytes=-", Ok(None)),
            ("bytes=a-b", Ok(None)),
            ("bytes=+1-2", Ok(None)),
            ("lines=1-2", Ok(None)),
        ] {
            assert_eq!(parse_range(header, 10), expected, "{header}");
        }
        assert_eq!(parse_range("bytes=0-", 0), Err(()));
    }

    #[test]
    fn if_none_match_accepts_lists_and_weak_etags() {
        for header in ["\"a\"", "W/\"a\"", "\"b\", \"a\"", "*"] {
            assert!(knows(header, "\"a\""), "{header}");
        }
        assert!(!knows("\"ab\", a", "\"a\""));
    }
}
