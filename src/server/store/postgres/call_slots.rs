//! Call slots as rows, which all portals on the database share.
//!
//! A slot holds no database connection while its call runs.

use async_trait::async_trait;
use jiff::Timestamp;

use super::{PostgresStore, unavailable};
use crate::server::{
    platform::call_slots::{CallSlots, SlotAnswer, SlotId, SlotRequest},
    store::StoreError,
};

#[async_trait]
impl CallSlots for PostgresStore {
    async fn take(&self, request: &SlotRequest) -> Result<SlotAnswer, StoreError> {
        let (store, request) = (self.clone(), request.clone());
        self.finish(async move { take(&store, &request).await }).await
    }

    async fn give_back(&self, id: &SlotId) -> Result<(), StoreError> {
        let (store, id) = (self.clone(), id.clone());
        self.finish(async move {
            let statement = sqlx::query("DELETE FROM call_slots WHERE id = $1").bind(&id.0);
            statement.execute(&store.pool).await.map(drop).map_err(unavailable)
        })
        .await
    }

    async fn keep(&self, id: &SlotId, until: Timestamp) -> Result<(), StoreError> {
        let (store, id) = (self.clone(), id.clone());
        self.finish(async move {
            let text = "UPDATE call_slots SET is_lost = TRUE, until_ms = $2 WHERE id = $1";
            let statement = sqlx::query(text).bind(&id.0).bind(until.as_millisecond());
            statement.execute(&store.pool).await.map(drop).map_err(unavailable)
        })
        .await
    }

    /// Does nothing: the row stays until its `until_ms`, as that of a killed portal does.
    fn abandon(&self, _: &SlotId, _: Timestamp) {}
}

/// Takes a slot with one call of a database function, which decides and inserts atomically.
async fn take(store: &PostgresStore, request: &SlotRequest) -> Result<SlotAnswer, StoreError> {
    let (max_each, max) = request.bounds.of(request.kind);
    let bound = |max: u32| i32::try_from(max).unwrap_or(i32::MAX);
    let response: String =
        sqlx::query_scalar("SELECT take_call_slot($1, $2, $3, $4, $5, $6, $7, $8, $9)")
            .bind(&request.id.0)
            .bind(request.kind.as_str())
            .bind(&request.portal)
            .bind(request.age.as_millisecond())
            .bind(request.now.as_millisecond())
            .bind(request.until.as_millisecond())
            .bind(bound(max_each))
            .bind(bound(max))
            .bind(request.is_well)
            .fetch_one(&store.pool)
            .await
            .map_err(unavailable)?;
    match response.as_str() {
        "taken" => Ok(SlotAnswer::Taken),
        "wait" => Ok(SlotAnswer::Wait),
        "doubt" => Ok(SlotAnswer::Doubt),
        _ => Err(StoreError::Corrupt { what: "call slot" }),
    }
}
