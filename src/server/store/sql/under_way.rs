//! Finds the operations that are under way on a stack, and lets another one take their place.

use super::dialect::Dialect;
use super::pool::Transaction;
use super::rows::{self, Columns as _};
use super::statement::Statement;
use crate::server::store::{Result, State};
use domain::deployment::DeploymentId;

/// An operation on a stack that is under way.
pub(super) struct UnderWay {
    pub(super) id: DeploymentId,
    /// Its kind, as the database has it.
    pub(super) kind: Option<String>,
}

/// Ends the stuck operation on the stack that `live` created, if there is one, so that another one
/// can begin: its clean-up loses its lease. Returns the operation that is under way instead, which
/// stays. A stuck removal stays as well, since only it can finish.
pub(super) async fn supersede<D: Dialect>(
    tx: &mut Transaction<D>,
    live: &DeploymentId,
) -> Result<Option<UnderWay>> {
    // Nobody knows whether the former revision is back: the next operation writes it again.
    let conclude = Statement::new(
        "UPDATE revisions SET outcome = 'never_live'
         WHERE outcome IS NULL AND stack = (SELECT stack FROM operations WHERE id = $1)
           AND revision IN (SELECT to_revision FROM operations WHERE state = 'stuck'
                              AND stack = (SELECT stack FROM operations WHERE id = $1))",
    );
    conclude.bind(live).execute(tx).await?;
    let end = Statement::new(
        "UPDATE operations
         SET state = 'rolled_back', released_ms = COALESCE(completed_ms, started_ms), due_ms = NULL,
             lease_owner = NULL, lease_token = lease_token + 1
         WHERE stack = (SELECT stack FROM operations WHERE id = $1) AND state = 'stuck'
           AND removes IS NULL",
    );
    end.bind(live).execute(tx).await?;
    match under_way(tx, live, State::Active).await? {
        Some(active) => Ok(Some(active)),
        None => under_way(tx, live, State::Stuck).await,
    }
}

/// Finds the operation in `state` on the stack that `live` created.
pub(super) async fn under_way<D: Dialect>(
    tx: &mut Transaction<D>,
    live: &DeploymentId,
    state: State,
) -> Result<Option<UnderWay>> {
    let find = Statement::new(
        "SELECT id, kind FROM operations
         WHERE stack = (SELECT stack FROM operations WHERE id = $1) AND state = $2",
    );
    let Some(row) = find.bind(live).bind(state.as_str()).fetch_optional(tx).await? else {
        return Ok(None);
    };
    Ok(Some(UnderWay { id: rows::id(&row, "id")?, kind: row.optional_text("kind")? }))
}
