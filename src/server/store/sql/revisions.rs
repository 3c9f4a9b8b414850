//! The revisions of a stack: inserts one with the operation that leads to it, and records what
//! became of it.

use super::dialect::Dialect;
use super::pool::Transaction;
use super::purge::delete_expired;
use super::rows;
use super::statement::Statement;
use super::{responses, specs, templates};
use crate::server::store::{
    Desired, End, NewOperation, NewRevision, Result, RevisionOutcome, State, StoreError,
};
use domain::deployment::DeploymentId;
use domain::event::EventBody;
use domain::stack_id::RevisionId;

const CORRUPT: StoreError = StoreError::Corrupt { what: "revision" };

/// Uses the idempotency key of the request for a revision, if it has one.
pub(super) async fn use_key<D: Dialect>(tx: &mut Transaction<D>, new: &NewOperation) -> Result<()> {
    let Some(NewRevision { response: Some(response), .. }) = &new.revision else { return Ok(()) };
    delete_expired::<D>("answers", "caller, key", "expires_ms", new.started).execute(tx).await?;
    if responses::insert(response).execute(tx).await? == 0 {
        return Err(StoreError::KeyUsed);
    }
    Ok(())
}

/// Inserts the revision to which `new` leads, which `live` created the stack of. Returns the
/// revision that the stack has instead of the one that is meant, or if its number is not free.
pub(super) async fn insert<D: Dialect>(
    tx: &mut Transaction<D>,
    live: &DeploymentId,
    new: &NewOperation,
) -> Result<Option<u32>> {
    let Some(revision) = &new.revision else { return Ok(None) };
    let find = Statement::new(
        "SELECT stack, revision FROM stacks
         WHERE stack = (SELECT stack FROM operations WHERE id = $1)",
    );
    let row = find.bind(live).fetch_optional(tx).await?.ok_or(CORRUPT)?;
    let present = rows::revision(&row)?;
    if present.number != revision.from {
        return Ok(Some(present.number));
    }
    let id = RevisionId { stack: present.stack, number: revision.number };
    let maker =
        specs::Maker { made: Some(&new.id), by: revision.by.as_ref(), at: Some(new.started) };
    if !specs::insert(tx, id, &revision.spec, maker).await? {
        return Ok(Some(present.number));
    }
    if let Some(template) = &revision.template {
        templates::insert(tx, template, new.started).await?;
    }
    Ok(None)
}

/// Returns what the end of an operation says of the revision to which it led; `None` if it is not
/// known yet.
pub(super) fn outcome(end: &End, events: &[EventBody]) -> Option<RevisionOutcome> {
    match (end.state, is_good(events), end.leaves) {
        (State::Live, ..) | (State::RolledBack, true, Some(Desired::Running)) => {
            Some(RevisionOutcome::Live)
        }
        (State::RolledBack, true, Some(Desired::Stopped)) => Some(RevisionOutcome::Untried),
        (State::RolledBack, false, leaves) => Some(failed(leaves)),
        (State::RolledBack, true, None) | (State::Active | State::Stuck, ..) => None,
    }
}

/// Returns whether the last of these events is that of a good end.
pub(super) fn is_good(events: &[EventBody]) -> bool {
    match events.last() {
        Some(EventBody::Complete(_)) => true,
        Some(
            EventBody::Progress(_)
            | EventBody::Log(_)
            | EventBody::Removed(_)
            | EventBody::Error(_),
        )
        | None => false,
    }
}

/// Returns what became of a revision whose operation failed and left its stack like that.
pub(super) fn failed(leaves: Option<Desired>) -> RevisionOutcome {
    match leaves {
        Some(_) => RevisionOutcome::Reverted,
        None => RevisionOutcome::NeverLive,
    }
}

/// Returns the statement that records what became of the revision to which the operation `id` led.
/// Nothing changes that was said before, but that one which was untried can turn out to live.
pub(super) fn conclude(id: &DeploymentId, outcome: RevisionOutcome) -> Statement {
    let conclude = Statement::new(
        "UPDATE revisions SET outcome = $1
         WHERE stack = (SELECT stack FROM operations WHERE id = $2)
           AND revision = (SELECT to_revision FROM operations WHERE id = $2)
           AND (outcome IS NULL OR ($1 = 'live' AND outcome = 'untried'))",
    );
    conclude.bind(outcome.as_str()).bind(id)
}

/// Returns the statement that gives the stack the revision to which the operation `id` led. One that
/// leads to none changes nothing.
pub(super) fn reach(id: &DeploymentId) -> Statement {
    let reach = Statement::new(
        "UPDATE stacks
         SET revision = COALESCE((SELECT to_revision FROM operations WHERE id = $1), revision)
         WHERE stack = (SELECT stack FROM operations WHERE id = $1)",
    );
    reach.bind(id)
}
