//! Request bodies: limited in size and time, checked for their type, and decoded with the name of an invalid field.

use std::time::Duration;

use futures_util::{Stream, StreamExt};
use percent_encoding::percent_decode;
use serde::de::DeserializeOwned;
use warp::Buf;

use super::slow_client::BodyStream;
use super::{Call, Fault};

/// Largest JSON or form body, in bytes.
const BODY_MAX: usize = 64 * 1024;
/// Time within which a body must have arrived.
const BODY_TIMEOUT: Duration = Duration::from_secs(20);
/// Number of bytes of an oversized body that are still read, so that the client gets to read the response.
const DRAIN_MAX: usize = 4 * 1024 * 1024;

/// Boxes warp's body stream.
pub(super) fn boxed<B: Buf>(
    stream: impl Stream<Item = Result<B, warp::Error>> + Send + Sync + 'static,
) -> BodyStream {
    Box::pin(stream.map(|chunk| chunk.map(|mut chunk| chunk.copy_to_bytes(chunk.remaining()))))
}

/// Parses the body as JSON.
///
/// # Errors
/// [`Fault::MediaType`], [`Fault::TooLarge`], [`Fault::BadJson`].
pub async fn json_body<T: DeserializeOwned>(call: &mut Call) -> Result<T, Fault> {
    if !call.is_of_type("application/json") {
        return Err(Fault::MediaType("application/json"));
    }
    parse_json(&read(call).await?)
}

/// Returns the fields of a form, in order.
///
/// # Errors
/// [`Fault::MediaType`], [`Fault::TooLarge`], [`Fault::BadJson`] if it is not UTF-8.
pub async fn form_fields(call: &mut Call) -> Result<Vec<(String, String)>, Fault> {
    const TYPE: &str = "application/x-www-form-urlencoded";
    if !call.is_of_type(TYPE) {
        return Err(Fault::MediaType(TYPE));
    }
    let body = read(call).await?;
    check_utf8(&percent_decode(&body).collect::<Vec<_>>())?;
    Ok(form_urlencoded::parse(&body).into_owned().collect())
}

/// Refuses bytes that are not UTF-8: parsers skip or replace these in places that they do not decode.
fn check_utf8(bytes: &[u8]) -> Result<(), Fault> {
    let checked = std::str::from_utf8(bytes).map(drop);
    checked.map_err(|error| Fault::BadJson {
        field: None,
        detail: format!("the body is not UTF-8: {error}"),
    })
}

/// Parses JSON.
///
/// # Errors
/// [`Fault::BadJson`] with the name of the invalid field.
pub(super) fn parse_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Fault> {
    check_utf8(bytes)?;
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let path = error.path().to_string();
        Fault::BadJson {
            field: (path != "." && path != "?").then_some(path),
            detail: error.inner().to_string(),
        }
    })?;
    json.end().map_err(|error| Fault::BadJson {
        field: None,
        detail: error.to_string(),
    })?;
    Ok(value)
}

async fn read(call: &mut Call) -> Result<Vec<u8>, Fault> {
    let mut body = call.take_body(BODY_TIMEOUT);
    let mut bytes = Vec::new();
    while let Some(chunk) = body.next().await {
        bytes.extend_from_slice(&chunk?);
        if bytes.len() > BODY_MAX {
            drain(&mut body, DRAIN_MAX).await;
            return Err(Fault::TooLarge(BODY_MAX));
        }
    }
    Ok(bytes)
}

/// Reads on until the end of the body, or until `most` bytes were read.
pub(super) async fn drain<E>(
    body: &mut (impl Stream<Item = Result<bytes::Bytes, E>> + Unpin),
    most: usize,
) {
    let mut read = 0;
    while let Some(Ok(chunk)) = body.next().await {
        read += chunk.len();
        if read > most {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    struct Shape {
        #[allow(dead_code)]
        id: i64,
        #[allow(dead_code)]
        name: String,
    }

    #[test]
    fn the_invalid_field_is_named() {
        for (text, expected) in [
            (r#"{"id":99999999999999999999,"name":"a"}"#, "id"),
            (r#"{"id":1,"name":"\ud800"}"#, "name"),
            (r#"{"id":1,"name":7}"#, "name"),
        ] {
            let Err(Fault::BadJson { field, .. }) = parse_json::<Shape>(text.as_bytes()) else {
                panic!("{text}")
            };
            assert_eq!(field.as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn ignored_fields_must_be_utf8_too() {
        let ignored = b"{\"id\":1,\"name\":\"a\",\"x\xff\":\"\xfe\"}";
        assert!(parse_json::<Shape>(ignored).is_err());
    }

    #[test]
    fn invalid_json_is_refused() {
        for text in ["", "{", "[]", r#"{"id":1,"name":"a"} x"#, "\u{feff}{}"] {
            assert!(parse_json::<Shape>(text.as_bytes()).is_err(), "{text:?}");
        }
    }
}
