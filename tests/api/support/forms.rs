//! Multipart forms and generated images.

use std::io::Cursor;

use image::{DynamicImage, ImageFormat, Rgba, RgbaImage};

use serde_json::Value;

use super::{Client, Reply};

const BOUNDARY: &str = "parlor-test-boundary";

/// Builder of a multipart form.
#[derive(Clone, Default)]
pub struct Form {
    body: Vec<u8>,
}

impl Form {
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a text field.
    pub fn text(mut self, name: &str, value: &str) -> Self {
        self.part(&format!("name=\"{name}\""), "", value.as_bytes());
        self
    }

    /// Adds a file in the field `file`.
    pub fn file(self, name: &str, media_type: &str, bytes: impl AsRef<[u8]>) -> Self {
        self.file_in("file", name, media_type, bytes)
    }

    pub fn file_in(
        mut self,
        field: &str,
        name: &str,
        media_type: &str,
        bytes: impl AsRef<[u8]>,
    ) -> Self {
        let media_type = format!("content-type: {media_type}\r\n");
        let names = format!("name=\"{field}\"; filename=\"{name}\"");
        self.part(&names, &media_type, bytes.as_ref());
        self
    }

    /// Returns the complete body.
    pub fn body(&self) -> Vec<u8> {
        [&self.body, format!("--{BOUNDARY}--\r\n").as_bytes()].concat()
    }

    pub fn content_type() -> String {
        format!("multipart/form-data; boundary={BOUNDARY}")
    }

    fn part(&mut self, names: &str, headers: &str, bytes: &[u8]) {
        let head =
            format!("--{BOUNDARY}\r\ncontent-disposition: form-data; {names}\r\n{headers}\r\n");
        self.body.extend(head.as_bytes());
        self.body.extend(bytes);
        self.body.extend(b"\r\n");
    }
}

impl Client {
    pub async fn form(&self, method: &str, path: &str, form: &Form) -> Reply {
        let kind = Form::content_type();
        self.send(method, path, Some(&kind), form.body()).await
    }

    /// Posts a message with one file.
    pub async fn upload(
        &self,
        room: i64,
        name: &str,
        media_type: &str,
        bytes: impl AsRef<[u8]>,
    ) -> Reply {
        let form = Form::new().file(name, media_type, bytes);
        self.form("POST", &format!("rooms/{room}/files"), &form)
            .await
    }
}

/// Encodes an image with varying pixels.
pub fn picture(width: u32, height: u32, format: ImageFormat) -> Vec<u8> {
    let shade = |x: u32, y: u32| Rgba([(x * 7) as u8, (y * 5) as u8, (x ^ y) as u8, 255]);
    let image = DynamicImage::from(RgbaImage::from_fn(width, height, shade));
    let image = match format {
        ImageFormat::Jpeg => image.to_rgb8().into(),
        _ => image,
    };
    let mut bytes = Cursor::new(Vec::new());
    image.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// Returns the file of a message that has exactly one.
pub fn only_file(message: &Value) -> Value {
    let files = message["files"].as_array().unwrap();
    assert_eq!(files.len(), 1, "{message}");
    files[0].clone()
}

pub fn url(file: &Value) -> &str {
    file["url"].as_str().unwrap()
}
