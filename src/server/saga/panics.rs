//! Panics: a saga that panics affects its own operation only.
//!
//! The operation is retried after growing pauses. The store keeps the time of the next attempt, so
//! no replica retries sooner. After [`LIMIT`] panics, the operation ends as stuck without another
//! step, with everything left over, and clean-up tries to remove it.

use std::time::Duration;

use super::failure::StepError;
use super::outcomes;
use super::ports::Ports;
use crate::server::metrics::Outcome as Ended;
use crate::server::settings::StackSettings;
use crate::server::store::{End, Fact, Lease, Record, Result, State, StoreError};
use domain::receipt::{Line, Outcome, Receipt, ResourceKind};
use domain::remedy::Remedy;

/// The number of panics after which an operation ends as stuck.
pub(crate) const LIMIT: u32 = 5;
const FIRST_PAUSE: Duration = Duration::from_secs(2);
const LONGEST_PAUSE: Duration = Duration::from_mins(30);

/// Records that the saga of `lease` panicked, and when it is retried. It releases the lease.
///
/// # Errors
///
/// Returns a [`StoreError`] if that cannot be recorded. The lease then expires by itself.
pub(crate) async fn suspend(ports: &Ports, lease: &Lease) -> Result<()> {
    let store = &ports.store;
    let record = store.find(&lease.id).await?.ok_or(StoreError::LeaseLost)?;
    let now = ports.clock.now();
    let panics = record.panics + 1;
    tracing::error!(
        deployment.id = %lease.id,
        deployment.reference = lease.id.reference(),
        panics,
        "A saga panicked"
    );
    match record.state {
        // The stack is healthy: only the search for duplicates panicked, which the reconciler also
        // does. So it does not count as a panic of the operation.
        State::Live => {
            store.rechecked(lease, outcomes::next_check(now, record.clean_up.tries)).await?;
            store.release(lease).await
        }
        // The next attempt only ends the operation, so it need not wait.
        State::Active if panics >= LIMIT => store.suspend(lease, now).await,
        State::Active | State::Stuck | State::RolledBack => {
            store.suspend(lease, now + pause(panics)).await
        }
    }
}

/// Returns the pause after this many panics: 2 s, and twice as long after each, up to half an hour.
fn pause(panics: u32) -> Duration {
    FIRST_PAUSE.saturating_mul(1 << panics.saturating_sub(1).min(16)).min(LONGEST_PAUSE)
}

/// Ends an operation that panics even without steps and undo. This uses only the operation's row,
/// since whatever else is read may be the cause of the panic.
///
/// # Errors
///
/// Returns a [`StoreError`] if the end cannot be recorded.
pub(crate) async fn end(ports: &Ports, lease: &Lease, record: &Record) -> Result<()> {
    let at = ports.clock.now();
    let marker = Some(ports.settings.marker(record.revision.stack));
    let remedy = Remedy::AwaitCleanUp { marker };
    let line = Line {
        resource: ResourceKind::Project,
        id: None,
        name: StackSettings::project(&record.deployment.name),
        outcome: Outcome::Left,
        at,
        remedy: Some(remedy),
    };
    let phase = ports.kinds.of(record.deployment.kind).first_phase();
    let receipt = Receipt::of(vec![line]);
    let cause = StepError::panicked();
    let code = cause.code;
    let event = outcomes::failure(&lease.id, phase, cause, receipt);
    let due = Some(outcomes::due(at, 0));
    let end =
        End { state: State::Stuck, leaves: None, at, cancel_request: record.cancel_request, due };
    let fact = Fact { events: vec![event], end: Some(end), ..Fact::default() };
    ports.store.record(lease, &fact).await?;
    let (kind, started) = (record.deployment.kind, record.deployment.started);
    ports.metrics.ended(kind, Ended::Stuck, Some(code));
    ports.traces.of(lease, kind).ended(Ended::Stuck, Some(code), (started, at));
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::server::saga::panics::*;

    #[test]
    fn the_pauses_after_panics_grow_from_seconds_to_half_an_hour() {
        let pauses: Vec<u64> = [1, 2, 3, 4, 5, 10, 100].map(|count| pause(count).as_secs()).into();
        assert_eq!(pauses, [2, 4, 8, 16, 32, 1_024, 1_800]);
    }
}
