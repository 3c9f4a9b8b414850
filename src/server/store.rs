//! The durable record of stacks, their operations, journals and events.
//!
//! [`ports`] defines what callers need; the other files beside it define the types that the ports
//! read and write. [`sql`] implements the ports for both databases, and [`dialect`] has what
//! differs between SQLite and PostgreSQL.

mod beginnings;
mod dialect;
mod facts;
mod folding;
mod journal;
mod kept;
mod looks;
mod measured;
mod ports;
mod quota;
mod records;
mod revisions;
mod sql;
mod stack_turns;
mod volumes;

pub use super::lease::{Claim, Lease};
pub use super::store_error::{Result, StoreError};
pub use beginnings::{
    Desired, Disposal, IdempotencyKey, LearnedSpec, NewDeployment, NewOperation, NewRemoval,
    NewRevision, SealedSpec, SpecOrigin, StoredResponse, TemplateDefinition,
};
pub use dialect::{postgres, sqlite};
pub use domain::kind::StepId;
pub use facts::{CleanupRecord, End, Fact, Recorded, StoredEvent};
pub use folding::{PAGE, progress, receipt, receipts, replay, told};
pub use journal::{Cause, StepRecord, Steps};
pub use kept::{DataDeletion, DataUser, KeptData, KeptFilter, KeptState, KeptVolume, NewKept};
pub use looks::{DayLooks, LookCounts, day_of};
pub use measured::{Measured, Sample, SeriesStep};
pub use ports::{
    Idempotency, Journal, Kept, Leases, Measurements, Operations, Specs, StackEvents, Stacks,
    Store, TaskLeases, Templates,
};
pub use quota::{LimitReached, OperationLimit, Quota, Usage, hour_before, is_within_hour};
pub use records::{
    CancelOutcome, CancelRequest, CleanUp, ExpiredStack, Lane, OperationFilter, OperationOutcome,
    PresentStack, Record, RemovalOutcome, Stack, StackOperation, State, TaskHolder, TaskLease,
    TimeToLive,
};
pub use revisions::{Revision, RevisionOutcome};
pub use stack_turns::{StackTurn, Turn, Unhealthy};
pub use volumes::{NamedVolume, StackVolumes, VolumesOutput};

/// Logs `otherwise` if a write failed whose loss does no harm.
fn warn_unless_written<T>(result: Result<T>, otherwise: &'static str) {
    if let Err(error) = result {
        tracing::warn!(%error, "{otherwise}");
    }
}

fn unavailable(error: sqlx::Error) -> StoreError {
    unavailable_for(error.into())
}

fn unavailable_for(error: Box<dyn std::error::Error + Send + Sync>) -> StoreError {
    StoreError::Unavailable(error)
}
