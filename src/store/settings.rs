//! The table `settings`: what this file is, and the secret that signs tokens.

use rusqlite::params;

use super::{Store, StoreError};

impl Store {
    /// The secret that signs tokens, 32 bytes; made with the file.
    ///
    /// # Errors
    /// Whatever keeps the file from being read.
    pub async fn secret(&self) -> Result<Vec<u8>, StoreError> {
        self.setting("secret").await
    }

    /// A short word that tells this server's cookie from those of others on the same host.
    ///
    /// # Errors
    /// Whatever keeps the file from being read.
    pub async fn instance(&self) -> Result<String, StoreError> {
        self.setting("instance").await
    }

    async fn setting<T: rusqlite::types::FromSql + Send + 'static>(
        &self,
        key: &'static str,
    ) -> Result<T, StoreError> {
        const SQL: &str = "SELECT value FROM settings WHERE key = ?1";
        self.read(move |db| {
            Ok(db
                .prepare_cached(SQL)?
                .query_row(params![key], |row| row.get(0))?)
        })
        .await
    }
}
