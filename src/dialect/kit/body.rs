//! Bodies: bounded, of the right type, and decoded with the name of the field that is wrong.

use std::pin::Pin;
use std::time::Duration;

use futures_util::{Stream, StreamExt};
use percent_encoding::percent_decode;
use serde::de::DeserializeOwned;
use warp::Buf;

use super::{Call, Fault};

/// The largest JSON or form body, bytes.
const BODY_MAX: usize = 64 * 1024;
/// A body must have arrived after this time.
const BODY_TIMEOUT: Duration = Duration::from_secs(20);
/// So much of a body that is too large is still read, so that its sender gets to see the answer.
const DRAIN_MAX: usize = 4 * 1024 * 1024;

/// The bytes of a body as they come.
pub(super) type BodyStream =
    Pin<Box<dyn Stream<Item = Result<bytes::Bytes, warp::Error>> + Send + Sync>>;

/// Boxes what warp hands out.
pub(super) fn boxed<B: Buf>(
    stream: impl Stream<Item = Result<B, warp::Error>> + Send + Sync + 'static,
) -> BodyStream {
    Box::pin(stream.map(|chunk| chunk.map(|mut chunk| chunk.copy_to_bytes(chunk.remaining()))))
}

/// The body as JSON of that shape.
///
/// # Errors
/// [`Fault::MediaType`], [`Fault::TooLarge`], [`Fault::BadJson`].
pub async fn json_body<T: DeserializeOwned>(call: &mut Call) -> Result<T, Fault> {
    if !call.is_of_type("application/json") {
        return Err(Fault::MediaType("application/json"));
    }
    parse_json(&read(call).await?)
}

/// The fields of a form, in order.
///
/// # Errors
/// [`Fault::MediaType`], [`Fault::TooLarge`], [`Fault::BadJson`] when it is not UTF-8.
pub async fn form_fields(call: &mut Call) -> Result<Vec<(String, String)>, Fault> {
    const TYPE: &str = "application/x-www-form-urlencoded";
    if !call.is_of_type(TYPE) {
        return Err(Fault::MediaType(TYPE));
    }
    let body = read(call).await?;
    check_utf8(&percent_decode(&body).collect::<Vec<_>>())?;
    Ok(form_urlencoded::parse(&body).into_owned().collect())
}

/// Refuses what is not UTF-8: parsers skip or replace it where they do not look closely.
fn check_utf8(bytes: &[u8]) -> Result<(), Fault> {
    let checked = std::str::from_utf8(bytes).map(drop);
    checked.map_err(|error| Fault::BadJson {
        field: None,
        detail: format!("the body is not UTF-8: {error}"),
    })
}

/// JSON of that shape.
///
/// # Errors
/// [`Fault::BadJson`] with the field that is wrong.
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

/// Reads on to the end, or until `most` bytes were read.
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
    fn the_field_that_is_wrong_is_named() {
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
    fn bodies_are_utf8_also_where_nobody_looks() {
        let ignored = b"{\"id\":1,\"name\":\"a\",\"x\xff\":\"\xfe\"}";
        assert!(parse_json::<Shape>(ignored).is_err());
    }

    #[test]
    fn what_is_no_json_is_refused() {
        for text in ["", "{", "[]", r#"{"id":1,"name":"a"} x"#, "\u{feff}{}"] {
            assert!(parse_json::<Shape>(text.as_bytes()).is_err(), "{text:?}");
        }
    }
}
