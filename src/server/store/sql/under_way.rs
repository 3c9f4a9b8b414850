//! Finds the operations that are under way on a stack, and lets another one take their place.

use super::dialect::Dialect;
use super::pool::Transaction;
use super::rows::{self, Columns as _};
use super::statement::Statement;
use crate::server::store::{Claim, Result, State};
use domain::deployment::DeploymentId;
use jiff::Timestamp;

/// An operation on a stack that is under way.
pub(super) struct UnderWay {
    pub(super) id: DeploymentId,
    /// Its kind, as the database has it.
    pub(super) kind: Option<String>,
}

/// Whether another operation on a stack can begin.
pub(super) enum Superseded {
    /// It cannot: this one is under way, and stays.
    Held(UnderWay),
    /// It can. If there is a time, a worker may still clean up after the former one until then.
    Free(Option<Timestamp>),
}

/// Ends the stuck operation on the stack that `live` created, if there is one, so that another one
/// can begin: its clean-up loses its lease. A stuck removal stays, since only it can finish.
pub(super) async fn supersede<D: Dialect>(
    tx: &mut Transaction<D>,
    live: &DeploymentId,
) -> Result<Superseded> {
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
             lease_until_ms = CASE WHEN lease_owner IS NULL THEN 0 ELSE lease_until_ms END,
             lease_owner = NULL, lease_token = lease_token + 1
         WHERE stack = (SELECT stack FROM operations WHERE id = $1) AND state = 'stuck'
           AND removes IS NULL
         RETURNING lease_until_ms",
    );
    let ended = end.bind(live).fetch_optional(tx).await?;
    for state in [State::Active, State::Stuck] {
        if let Some(held) = under_way(tx, live, state).await? {
            return Ok(Superseded::Held(held));
        }
    }
    let until = ended.map(|row| rows::optional_time(&row, "lease_until_ms")).transpose()?;
    Ok(Superseded::Free(until.flatten()))
}

/// Returns a lease of nobody until `until`, if that is after `now`. The worker that cleaned up under
/// a lease learns only by its next heartbeat that it has lost it, and may call the platform until
/// then. So what takes its place waits, as it would for a worker that was killed.
pub(super) fn nobodys(until: Option<Timestamp>, now: Timestamp) -> Option<Claim> {
    let until = until.filter(|until| *until > now)?;
    Some(Claim { owner: String::new(), token: 0, until })
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
