//! Streaming parser of `multipart/form-data`; the form is never held in memory as a whole. Does not know what the files
//! are for.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use multer::{Constraints, Field, Multipart, SizeLimit};
use tokio::time::timeout;

use super::slow_client::Paced;
use super::{Call, Fault, body};

const TYPE: &str = "multipart/form-data";
/// Deadline of a form: this time, plus the time its bytes take at `WHOLE_RATE` bytes per second.
const LEAST_TIME: Duration = Duration::from_secs(60);
const WHOLE_RATE: u64 = 8 * 1024;
/// Number of bytes that may be read without completing a field or a chunk of one, to refuse endless headers.
const UNPARSED_MAX: usize = 512 * 1024;
/// Allowance for everything in a form other than its files, in bytes.
const BESIDE_FILES: u64 = 256 * 1024;
/// Longest text field, in bytes.
const TEXT_MAX: usize = 64 * 1024;
/// Number of bytes of a refused form that are still read, so that the client gets to read the error.
const DRAIN_MAX: usize = 32 * 1024 * 1024;
/// Longest time for which a refused form is still read.
const DRAIN_TIME: Duration = Duration::from_secs(10);

/// A form that is being read.
pub struct Form {
    parts: Multipart<'static>,
    source: Arc<Source>,
}

/// The body, and the number of bytes read since the parser last made progress.
struct Source {
    body: Mutex<Paced>,
    unparsed: AtomicUsize,
}

pub struct Part {
    field: Field<'static>,
    source: Arc<Source>,
}

/// Opens the body as a form with at most `files` bytes of files.
///
/// # Errors
/// [`Fault::MediaType`], and [`Fault::TooLarge`] if `Content-Length` exceeds that.
pub fn form(call: &mut Call, files: u64) -> Result<Form, Fault> {
    let most = files.saturating_add(BESIDE_FILES);
    let boundary = call
        .header("content-type")
        .filter(|_| call.is_of_type(TYPE))
        .and_then(|value| multer::parse_boundary(value).ok())
        .ok_or(Fault::MediaType(TYPE))?;
    let announced = call
        .header("content-length")
        .and_then(|length| length.parse::<u64>().ok());
    if announced.is_some_and(|length| length > most) {
        return Err(Fault::TooLarge(
            usize::try_from(files).unwrap_or(usize::MAX),
        ));
    }
    let length = announced.unwrap_or(most);
    let whole = LEAST_TIME.saturating_add(Duration::from_secs(length / WHOLE_RATE));
    let source = Arc::new(Source {
        body: Mutex::new(call.take_body(whole)),
        unparsed: AtomicUsize::new(0),
    });
    let limit = SizeLimit::new().whole_stream(most);
    let constraints = Constraints::new().size_limit(limit);
    Ok(Form {
        parts: Multipart::with_constraints(feed(source.clone()), boundary, constraints),
        source,
    })
}

impl Form {
    /// Returns the next field and skips the rest of the previous one.
    ///
    /// # Errors
    /// [`Fault::BrokenBody`], [`Fault::TooLarge`], [`Fault::BadJson`] if it is not a valid form.
    pub async fn next(&mut self) -> Result<Option<Part>, Fault> {
        let field = self.parts.next_field().await.map_err(fault)?;
        self.source.unparsed.store(0, Ordering::Relaxed);
        field.iter().try_for_each(check_headers)?;
        Ok(field.map(|field| Part {
            field,
            source: self.source.clone(),
        }))
    }

    /// Returns `outcome`. After an error it first drains the body, because clients do not read the response before they
    /// have sent the request.
    ///
    /// # Errors
    /// That of `outcome`.
    pub async fn end<T>(self, outcome: Result<T, Fault>) -> Result<T, Fault> {
        if outcome.is_err() {
            let mut rest = stream::poll_fn(|context| self.source.poll(context));
            let _ = timeout(DRAIN_TIME, body::drain(&mut rest, DRAIN_MAX)).await;
        }
        outcome
    }
}

impl Part {
    pub fn name(&self) -> &str {
        self.field.name().unwrap_or_default()
    }

    /// Returns the file name if the field is a file. A file field that was left empty is not one.
    pub fn file_name(&self) -> Option<String> {
        let name = self.field.file_name().filter(|name| !name.is_empty())?;
        Some(decode(name))
    }

    /// Returns the media type given by the client.
    pub fn media_type(&self) -> &str {
        self.field
            .content_type()
            .map_or("", |kind| kind.essence_str())
    }

    /// Reads the field as text.
    ///
    /// # Errors
    /// [`Fault::TooLarge`], [`Fault::BadJson`] if it is not UTF-8, [`Fault::BrokenBody`].
    pub async fn text(self) -> Result<String, Fault> {
        let name = self.name().to_owned();
        let mut text = Vec::new();
        let mut bytes = std::pin::pin!(self.bytes());
        while let Some(part) = bytes.next().await {
            text.extend_from_slice(&part?);
            if text.len() > TEXT_MAX {
                return Err(Fault::TooLarge(TEXT_MAX));
            }
        }
        String::from_utf8(text).map_err(|_| Fault::BadJson {
            field: Some(name),
            detail: "is not UTF-8".to_owned(),
        })
    }

    /// Returns the bytes of the field as they arrive.
    pub fn bytes(self) -> impl Stream<Item = Result<Bytes, Fault>> + Send {
        let Self { field, source } = self;
        stream::try_unfold((field, source), |(mut field, source)| async move {
            let bytes = field.chunk().await.map_err(fault)?;
            source.unparsed.store(0, Ordering::Relaxed);
            Ok(bytes.map(|bytes| (bytes, (field, source))))
        })
    }
}

impl Source {
    fn poll(&self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Fault>>> {
        let mut body = self.body.lock().unwrap_or_else(PoisonError::into_inner);
        body.poll_next_unpin(context)
    }
}

/// Returns the body as the parser's input. The parser reads until the stream is pending and buffers everything, so the
/// stream is pending once after each chunk.
fn feed(source: Arc<Source>) -> impl Stream<Item = io::Result<Bytes>> + Send {
    let mut pause = false;
    stream::poll_fn(move |context| {
        if std::mem::take(&mut pause) {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        match source.poll(context) {
            Poll::Ready(Some(Ok(bytes))) => {
                pause = true;
                let unparsed = source.unparsed.fetch_add(bytes.len(), Ordering::Relaxed);
                if unparsed > UNPARSED_MAX {
                    return Poll::Ready(Some(Err(io::ErrorKind::InvalidData.into())));
                }
                Poll::Ready(Some(Ok(bytes)))
            }
            Poll::Ready(Some(Err(_))) => Poll::Ready(Some(Err(io::ErrorKind::TimedOut.into()))),
            Poll::Ready(None) => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
}

/// Refuses header values that are not UTF-8: the parser would take such a name as missing.
fn check_headers(field: &Field<'_>) -> Result<(), Fault> {
    let mut values = field.headers().values();
    match values.all(|value| std::str::from_utf8(value.as_bytes()).is_ok()) {
        true => Ok(()),
        false => Err(Fault::BadJson {
            field: None,
            detail: "the head of a field is not UTF-8".to_owned(),
        }),
    }
}

/// Decodes a file name: browsers escape quotes and line breaks in forms, and nothing else (HTML, "multipart/form-data
/// encoding algorithm").
fn decode(name: &str) -> String {
    name.replace("%22", "\"")
        .replace("%0D", "\r")
        .replace("%0A", "\n")
}

fn fault(error: multer::Error) -> Fault {
    use multer::Error as E;
    match error {
        E::StreamSizeExceeded { limit } | E::FieldSizeExceeded { limit, .. } => {
            Fault::TooLarge(usize::try_from(limit).unwrap_or(usize::MAX))
        }
        E::StreamReadFailed(_)
        | E::IncompleteFieldData { .. }
        | E::IncompleteHeaders
        | E::IncompleteStream => Fault::BrokenBody,
        other => Fault::BadJson {
            field: None,
            detail: other.to_string(),
        },
    }
}
