//! Turns at work that one portal does for all.

use sqlx::Row;

use super::{Pool, unavailable};
use crate::server::store::{StoreError, Turn, TurnHolder};

/// Takes `turn`, or keeps it, unless it is somebody else's.
pub(super) async fn take(pool: Pool, turn: Turn) -> Result<TurnHolder, StoreError> {
    let mut tx = pool.begin().await?;
    let taken = sqlx::query(
        "INSERT INTO turns AS kept (name, owner, until_ms, report) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (name) DO UPDATE
         SET owner = ?2, until_ms = ?3, report = COALESCE(?4, kept.report)
         WHERE kept.owner = ?2 OR kept.until_ms <= ?5 OR kept.until_ms > ?6
         RETURNING report",
    )
    .bind(turn.work)
    .bind(&turn.owner)
    .bind(turn.until().as_millisecond())
    .bind(&turn.report)
    .bind(turn.now.as_millisecond())
    .bind(turn.impossible().as_millisecond())
    .fetch_optional(&mut *tx)
    .await
    .map_err(unavailable)?;
    let taken = if let Some(row) = taken {
        TurnHolder::Ours(row.try_get("report").map_err(unavailable)?)
    } else {
        let row = sqlx::query("SELECT report FROM turns WHERE name = ?1")
            .bind(turn.work)
            .fetch_one(&mut *tx)
            .await
            .map_err(unavailable)?;
        TurnHolder::Theirs(row.try_get("report").map_err(unavailable)?)
    };
    tx.commit().await.map_err(unavailable)?;
    Ok(taken)
}
