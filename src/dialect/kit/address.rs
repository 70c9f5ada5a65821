//! Addresses that clients give, seen from the names under which this server is reached.

use crate::model::{Invalid, WebUrl};

use super::{Call, Kit};

impl Kit {
    /// An address that a client gives who reaches this server as `host` (or by an address with that host).
    ///
    /// # Errors
    /// As [`WebUrl::parse`].
    pub fn web_url(&self, field: &'static str, text: &str, host: &str) -> Result<WebUrl, Invalid> {
        let public = self.network.public_url.as_deref().unwrap_or(host);
        WebUrl::parse(field, text, &[public, host])
    }
}

impl Call {
    /// An address that the request holds.
    ///
    /// # Errors
    /// As [`WebUrl::parse`].
    pub fn web_url(&self, field: &'static str, text: &str) -> Result<WebUrl, Invalid> {
        let host = self.header("host").unwrap_or_default();
        self.kit.web_url(field, text, host)
    }
}
