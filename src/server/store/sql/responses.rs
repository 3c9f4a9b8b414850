//! Implements the idempotency port: stored responses to requests.

use async_trait::async_trait;
use jiff::Timestamp;

use super::dialect::Dialect;
use super::statement::Statement;
use super::{SqlStore, rows};
use crate::server::store::{Idempotency, IdempotencyKey, Result, StoredResponse};

#[async_trait]
impl<D: Dialect> Idempotency for SqlStore<D> {
    async fn store_response(&self, response: &StoredResponse) -> Result<()> {
        self.change(insert(response)).await.map(drop)
    }

    async fn stored_response(
        &self,
        key: &IdempotencyKey,
        now: Timestamp,
    ) -> Result<Option<StoredResponse>> {
        let find = Statement::new(
            "SELECT fingerprint, status, location, body, expires_ms FROM answers
             WHERE caller = $1 AND key = $2 AND expires_ms > $3",
        );
        let found = self.row(find.bind(&key.caller).bind(&key.key).bind(now)).await?;
        found.map(|row| rows::stored_response(&row, key)).transpose()
    }
}

/// Returns the statement that inserts a response, unless its key already has one.
pub(super) fn insert(response: &StoredResponse) -> Statement {
    Statement::new(
        "INSERT INTO answers (caller, key, fingerprint, status, location, body, expires_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING",
    )
    .bind(&response.key.caller)
    .bind(&response.key.key)
    .bind(&response.fingerprint)
    .bind(i64::from(response.status))
    .bind(response.location.as_deref())
    .bind(&response.body)
    .bind(response.expires)
}
