//! Call slots as rows, which all replicas on the database share.
//!
//! A slot holds no database connection while its call runs.

use async_trait::async_trait;
use jiff::Timestamp;

use super::PostgresStore;
use crate::server::platform::call_slots::{CallSlots, SlotAnswer, SlotId, SlotRequest};
use crate::server::store::sql::rows::Columns as _;
use crate::server::store::sql::statement::Statement;
use crate::server::store::{Result, StoreError};

#[async_trait]
impl CallSlots for PostgresStore {
    async fn take(&self, request: &SlotRequest) -> Result<SlotAnswer> {
        let (store, take) = (self.clone(), take(request));
        self.finish(async move {
            let rows = store.writer.fetch_all(take).await?;
            let answer = rows.first().map(|row| row.text("answer")).transpose()?;
            match answer.as_deref() {
                Some("taken") => Ok(SlotAnswer::Taken),
                Some("wait") => Ok(SlotAnswer::Wait),
                Some("doubt") => Ok(SlotAnswer::CheckHealth),
                None | Some(_) => Err(StoreError::Corrupt { what: "call slot" }),
            }
        })
        .await
    }

    async fn give_back(&self, id: &SlotId) -> Result<()> {
        let delete = Statement::new("DELETE FROM call_slots WHERE id = $1").bind(&id.0);
        let store = self.clone();
        self.finish(async move { store.writer.execute(delete).await.map(drop) }).await
    }

    async fn keep(&self, id: &SlotId, until: Timestamp) -> Result<()> {
        let keep = "UPDATE call_slots SET is_lost = TRUE, until_ms = $2 WHERE id = $1";
        let (store, keep) = (self.clone(), Statement::new(keep).bind(&id.0).bind(until));
        self.finish(async move { store.writer.execute(keep).await.map(drop) }).await
    }

    /// Does nothing: the row expires at its `until_ms`, like that of a killed portal.
    fn abandon(&self, _: &SlotId, _: Timestamp) {}
}

/// Takes a slot with one call of a database function, which decides and inserts atomically.
fn take(request: &SlotRequest) -> Statement {
    let (max_each, max) = request.bounds.of(request.kind);
    Statement::new("SELECT take_call_slot($1, $2, $3, $4, $5, $6, $7::int, $8::int, $9) AS answer")
        .bind(&request.id.0)
        .bind(request.kind.as_str())
        .bind(&request.portal)
        .bind(request.age)
        .bind(request.now)
        .bind(request.until)
        .bind(i64::from(max_each.min(i32::MAX.unsigned_abs())))
        .bind(i64::from(max.min(i32::MAX.unsigned_abs())))
        .bind(request.is_healthy)
}
