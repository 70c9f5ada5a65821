//! Parses URLs sent by clients, taking the host names of this server into account.

use crate::model::{Invalid, WebUrl};

use super::{Call, Kit};

impl Kit {
    /// Parses a URL from a client that reaches this server as `host`, a host name or a URL.
    ///
    /// # Errors
    /// As [`WebUrl::parse`].
    pub fn web_url(&self, field: &'static str, text: &str, host: &str) -> Result<WebUrl, Invalid> {
        let public = self.network.public_url.as_deref().unwrap_or(host);
        WebUrl::parse(field, text, &[public, host])
    }
}

impl Call {
    /// Parses a URL from this request.
    ///
    /// # Errors
    /// As [`WebUrl::parse`].
    pub fn web_url(&self, field: &'static str, text: &str) -> Result<WebUrl, Invalid> {
        let host = self.header("host").unwrap_or_default();
        self.kit.web_url(field, text, host)
    }
}
