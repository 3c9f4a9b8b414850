//! The operations of a caller.

use super::admin::{PAGE, page};
use super::operations::next_try;
use super::{Service, deployment_id, no_deployment};
use crate::server::auth::access::Caller;
use crate::server::store::{self, CancelRequest, OperationFilter, Record, State};
use crate::wire::{ApiError, OperationEntry, OperationsPage};
use domain::deployment::{DeploymentId, Snapshot};
use domain::kind::Kind;
use domain::last_log::LastLog;
use domain::phase::Status;
use domain::progress::Progress;
use domain::refusal::{QueryField, Refusal, Unreadable};
use domain::stack_name::StackName;

/// The filter of the operations, as sent. What is missing matches all of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OwnOperations {
    /// The name of a stack.
    pub stack: Option<String>,
    /// The kind, by its noun.
    pub kind: Option<String>,
    /// `in_progress` or `stuck`.
    pub status: Option<String>,
    /// The id of the last operation on the previous page.
    pub before: Option<String>,
}

impl Service {
    /// Lists the caller's operations on all stacks, also on those that are gone, newest first. A
    /// caller without an owner, who is not known again, has none.
    ///
    /// # Errors
    ///
    /// Returns an error if the filter is invalid, the operation before the page is not there any
    /// more, or the store is unavailable.
    pub async fn own_operations(
        &self,
        caller: &Caller,
        filter: &OwnOperations,
    ) -> Result<OperationsPage, ApiError> {
        let filter = self.filter_of(filter)?;
        let Some(owner) = caller.identity.owner() else {
            return Ok(OperationsPage { operations: Vec::new(), next: None });
        };
        // An empty page would look like the last one.
        if let Some(before) = &filter.before
            && self.record(before).await?.is_none()
        {
            return Err(no_deployment());
        }
        let filter = OperationFilter { owner: Some(owner.clone()), ..filter };
        let (records, goes_on) = page(self.parts.store.operations(&filter).await?);
        let ids: Vec<_> = records.iter().map(|record| &record.deployment.id).collect();
        let mut told = store::told(&*self.parts.store, &ids).await?;
        let entry = |record: Record| {
            let kind = self.kind(&record);
            let told = told.remove(&record.deployment.id);
            entry(record, kind, told.as_ref())
        };
        let operations: Vec<_> = records.into_iter().map(entry).collect();
        let last = operations.last().map(|operation| operation.id.clone());
        Ok(OperationsPage { operations, next: last.filter(|_| goes_on) })
    }

    /// Returns an operation, and what its container wrote last, for a caller who may change the
    /// stack.
    ///
    /// # Errors
    ///
    /// Returns an error when there is none under `id` for this caller, or the store is unavailable.
    pub async fn operation(
        &self,
        caller: &Caller,
        id: &DeploymentId,
    ) -> Result<(OperationEntry, Option<LastLog>), ApiError> {
        let (record, progress) = self.read_current(caller, id).await?;
        let last_log = self.last_log(caller, &record).await?;
        let kind = self.kind(&record);
        Ok((entry(record, kind, Some(&progress)), last_log))
    }

    fn filter_of(&self, sent: &OwnOperations) -> Result<OperationFilter, ApiError> {
        let invalid = |field| Refusal::InvalidRequest(Unreadable::Field(field));
        let name = sent.stack.as_deref().map(StackName::parse).transpose();
        let of_noun = |noun: &str| {
            let kind = self.parts.kinds.all().find(|kind| kind.noun == noun);
            kind.map(|kind| kind.name).ok_or_else(|| invalid(QueryField::Kind))
        };
        let state = sent.status.as_deref().map(|text| match text {
            "in_progress" => Ok(State::Active),
            "stuck" => Ok(State::Stuck),
            _ => Err(invalid(QueryField::Status)),
        });
        let before = sent.before.as_deref().map(deployment_id).transpose();
        Ok(OperationFilter {
            name: name.map_err(|_| invalid(QueryField::Stack))?,
            kind: sent.kind.as_deref().map(of_noun).transpose()?,
            state: state.transpose()?,
            before: before.map_err(|_| invalid(QueryField::Before))?,
            limit: PAGE + 1,
            ..OperationFilter::default()
        })
    }
}

/// Returns the entry of an operation with this progress; without it, it has not begun yet.
fn entry(record: Record, kind: &Kind, progress: Option<&Progress>) -> OperationEntry {
    let (stack, revision, from) = (record.revision.stack, record.revision.number, record.from);
    let (state, next_try) = (record.state, next_try(&record));
    let is_cancelled = record.cancel_request == CancelRequest::Requested;
    let fresh = Progress::default();
    let first = progress.is_none().then(|| kind.first_phase());
    let first = first.map(|phase| (phase, kind.sentence(phase).to_owned()));
    let progress = progress.unwrap_or(&fresh);
    let told = record.deployment.snapshot(kind, progress, record.metadata);
    let Snapshot { id, kind, stack_name, phase, progress: percent, message, url, .. } = told;
    let (phase, message) = first.unwrap_or((phase, message));
    let status = if state == State::Stuck { Status::Failure } else { told.status };
    OperationEntry {
        id,
        kind,
        stack_name,
        stack_id: stack.to_string(),
        revision,
        from_revision: from,
        phase,
        status,
        progress: percent,
        message,
        url,
        timestamps: told.timestamps,
        cancelling: is_cancelled && !progress.is_finished(),
        error: told.error,
        receipt: told.receipt,
        next_try,
    }
}
