//! Describes how records whose time is up are purged: in batches, so that whoever wants to write
//! waits for few rows only.

use crate::server::store::StoreError;
use domain::deployment::DeploymentId;

use super::rows::{self, Columns};

/// The number of rows that one transaction deletes at most, those of other tables that go along
/// included.
pub(super) const ROWS: i64 = 1_000;
/// The number of deployments that are looked at for one transaction.
pub(super) const CANDIDATES: i64 = 100;
/// The number of rows that a deployment has besides its events: its own, its steps, its services.
const BESIDES_EVENTS: i64 = 16;
/// The rows that one transaction deletes.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Batch {
    /// Nothing is left to delete.
    Nothing,
    /// These deployments, with all that belongs to them.
    Deployments(Vec<DeploymentId>),
    /// The oldest events of this deployment, which has more than one transaction may delete.
    Events(DeploymentId),
}

/// Decides what to delete of `candidates`, oldest first: rows with an `id`, and with the number of
/// events in `events`.
pub(super) fn batch<R: Columns>(candidates: &[R]) -> Result<Batch, StoreError> {
    let mut all = Vec::new();
    let mut count = 0;
    for row in candidates {
        let id = rows::id(row, "id")?;
        count += row.number("events")? + BESIDES_EVENTS;
        if count > ROWS {
            return Ok(if all.is_empty() { Batch::Events(id) } else { Batch::Deployments(all) });
        }
        all.push(id);
    }
    Ok(if all.is_empty() { Batch::Nothing } else { Batch::Deployments(all) })
}
