//! Table `settings`: identity of this file, and the secret that signs tokens.

use rusqlite::params;

use super::{Store, StoreError};

impl Store {
    /// Returns the 32-byte secret that signs tokens; created with the file.
    ///
    /// # Errors
    ///
    /// If the store fails.
    pub async fn secret(&self) -> Result<Vec<u8>, StoreError> {
        self.setting("secret").await
    }

    /// Returns a short word that distinguishes this server's cookie from those of others on the same host.
    ///
    /// # Errors
    ///
    /// If the store fails.
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
