//! The use cases of the revisions of a stack: plan a change, make it, go back, and list them.

mod drafts;
mod learning;
mod revisions;
mod settings;

pub(crate) use revisions::ShownRevision;
pub(crate) use settings::{REVISION, SentSettings, SettingsForm, Update};

use super::on_stack::Asked;
use crate::server::audit::AuditAction;
use crate::server::auth::access::{Caller, Permission};
use crate::server::intake::SlotReservation;
use crate::server::notifier::Notification;
use crate::server::stacks::listing::no_stack;
use crate::server::stacks::{IdempotentRequest, Response, SentAnswers, Service};
use crate::server::store::{
    Desired, NewOperation, NewRevision, OperationOutcome, Revision, SealedSpec, Stack, StoreError,
    StoredResponse, TemplateDefinition,
};
use crate::wire::{ApiError, DowntimeView, PlanView, PlannedChange};
use domain::deployment::DeploymentId;
use domain::event::{EventBody, ProgressUpdate};
use domain::kind::{Direction, KindName};
use domain::refusal::Refusal;
use domain::stack_id::RevisionId;
use domain::template::answer_error::{AnswerError, AnswerErrors};

/// The number of attempts to insert a revision whose number others take at the same time.
const TRIES: u32 = 5;

/// The number of characters of the longest label of a stack.
pub(crate) const LABEL_MAX: u32 = 100;
/// The field of the label.
const LABEL: &str = "label";

/// What a stack is to become.
#[derive(Clone, Debug)]
pub enum Wanted {
    /// One with these answers, where the present ones do not count, and this version of its template.
    Answers(SentAnswers, Option<String>),
    /// One like this revision.
    Revision(u32),
}

/// A request to change a stack.
#[derive(Clone, Debug)]
pub struct ChangeRequest {
    /// What it is to become.
    pub wanted: Wanted,
    /// The revision that it must have, if the caller says so.
    pub expected: Option<u32>,
}

/// A stack as it is before a change.
struct Present {
    stack: Stack,
    revisions: Vec<Revision>,
    sealed: SealedSpec,
}

/// What a change would make.
struct Draft {
    spec: SealedSpec,
    number: u32,
    template: Option<TemplateDefinition>,
    /// What differs.
    changes: Vec<PlannedChange>,
}

impl Present {
    fn from(&self) -> RevisionId {
        self.stack.revision
    }

    /// Returns the number of the next revision.
    fn next(&self) -> RevisionId {
        let newest = self.revisions.iter().map(|one| one.number).max();
        let number = newest.unwrap_or(self.from().number) + 1;
        RevisionId { number, ..self.from() }
    }
}

impl Service {
    /// Returns what a change would do.
    ///
    /// # Errors
    ///
    /// Returns why it would be refused.
    pub async fn plan(
        &self,
        caller: &Caller,
        name: &str,
        of: Option<&DeploymentId>,
        request: &ChangeRequest,
    ) -> Result<PlanView, ApiError> {
        let stack = self.authorize_stack(caller, Permission::Change, name, of).await?;
        let present = self.as_it_is(stack, request.expected).await?;
        let draft = self.draft(caller, &present, &request.wanted).await?;
        let is_stopped = present.stack.desired == Desired::Stopped;
        let is_unseen = draft.changes.is_empty() || is_stopped;
        let new = &draft.spec.spec;
        // Two containers that listen on different ports cannot both be reached.
        let is_reached = new.port == present.sealed.spec.port;
        let has_no_gap = is_unseen || (is_reached && new.is_replaced_without_a_gap());
        let usual = match &present.sealed.spec.template {
            Some(template) => self.usual_of(&template.id).await,
            None => None,
        };
        let downtime = if has_no_gap {
            DowntimeView::None
        } else if self.parts.reconcile_report.has_retry() {
            DowntimeView::Waits
        } else {
            DowntimeView::Seconds
        };
        Ok(PlanView { changes: draft.changes, downtime, usual })
    }

    /// Begins a change of the stack called `name`, unless it is so already. `accepted` makes the
    /// response that is replayed for a request with the same key.
    ///
    /// # Errors
    ///
    /// Returns why it is refused.
    pub async fn change(
        &self,
        caller: &Caller,
        name: &str,
        of: Option<&DeploymentId>,
        request: &ChangeRequest,
    ) -> Result<Asked, ApiError> {
        let stack = self.authorize_stack(caller, Permission::Change, name, of).await?;
        let changed = self.change_permitted(caller, stack, request, None).await;
        self.parts.audit.failure(caller, AuditAction::ChangeStack, name, changed).await
    }

    /// Does the same for a request with an idempotency key, whose answer is replayed.
    ///
    /// # Errors
    ///
    /// Returns why it is refused.
    pub async fn change_idempotent(
        &self,
        caller: &Caller,
        name: &str,
        of: Option<&DeploymentId>,
        request: &ChangeRequest,
        idempotency: IdempotentRequest,
        accepted: fn(&DeploymentId) -> Response,
    ) -> Result<Result<Asked, Response>, ApiError> {
        let stack = self.authorize_stack(caller, Permission::Change, name, of).await?;
        let idempotency = self.identified(idempotency);
        if let Some(response) = self.replay(&idempotency).await? {
            return Ok(Err(response));
        }
        let stored = |id: &DeploymentId| self.stored_response(&idempotency, accepted(id));
        let changed = self.change_permitted(caller, stack, request, Some(&stored)).await;
        let changed =
            self.parts.audit.failure(caller, AuditAction::ChangeStack, name, changed).await;
        match changed {
            // Another request with the same key was faster.
            Err(error) => match self.replay(&idempotency).await? {
                Some(response) => Ok(Err(response)),
                None => Err(error),
            },
            Ok(asked) => Ok(Ok(asked)),
        }
    }

    /// Returns the response to an earlier change of the stack called `name` with the same key, if
    /// there was one.
    ///
    /// # Errors
    ///
    /// Returns an error if there is no such stack, or the key was used for another request.
    pub async fn replayed(
        &self,
        caller: &Caller,
        name: &str,
        of: Option<&DeploymentId>,
        idempotency: IdempotentRequest,
    ) -> Result<Option<Response>, ApiError> {
        self.authorize_stack(caller, Permission::Change, name, of).await?;
        self.replay(&self.identified(idempotency)).await
    }

    /// Checks that the stack called `name` has the revision that the caller expects, if they say so.
    ///
    /// # Errors
    ///
    /// Returns an error if there is no such stack, or it has another revision.
    pub async fn expect_revision(
        &self,
        caller: &Caller,
        name: &str,
        of: Option<&DeploymentId>,
        expected: Option<u32>,
    ) -> Result<(), ApiError> {
        let Some(expected) = expected else { return Ok(()) };
        let stack = self.authorize_stack(caller, Permission::Change, name, of).await?;
        has_revision(&stack, Some(expected))
    }

    /// Sets or removes what the owner of the stack calls it.
    ///
    /// # Errors
    ///
    /// Returns an error if there is no such stack, the label is too long, or the store is unavailable.
    pub async fn label(
        &self,
        caller: &Caller,
        name: &str,
        of: Option<&DeploymentId>,
        label: Option<&str>,
    ) -> Result<(), ApiError> {
        let stack = self.authorize_stack(caller, Permission::Change, name, of).await?;
        let entry = self.parts.audit.entry(caller, AuditAction::ChangeStack, name);
        let most = usize::try_from(LABEL_MAX).unwrap_or(usize::MAX);
        if label.is_some_and(|label| label.chars().nth(most).is_some()) {
            let mut errors = AnswerErrors::default();
            errors.add(LABEL, AnswerError::TooLong(LABEL_MAX));
            return Err(Refusal::InvalidParameters(errors).into());
        }
        // Neither a database nor a page has a use for control characters.
        let label = label.map(|label| label.replace(char::is_control, ""));
        let label = label.as_deref().map(str::trim).filter(|label| !label.is_empty());
        self.parts.store.set_label(stack.revision.stack, label, Some(&entry)).await?;
        self.parts.notifier.notify(&Notification::Name(stack.deployment.name));
        Ok(())
    }

    async fn change_permitted(
        &self,
        caller: &Caller,
        stack: Stack,
        request: &ChangeRequest,
        response: Option<&(dyn Fn(&DeploymentId) -> StoredResponse + Sync)>,
    ) -> Result<Asked, ApiError> {
        let name = stack.deployment.name.clone();
        let mut present = self.as_it_is(stack, request.expected).await?;
        for _ in 0..TRIES {
            let draft = self.draft(caller, &present, &request.wanted).await?;
            if draft.changes.is_empty() {
                return Ok(Asked::Unchanged);
            }
            let from = present.from().number;
            let kind = self.parts.kinds.of(KindName::CHANGE);
            let id = kind.operation_id((self.parts.random)());
            let revision = NewRevision {
                from,
                number: draft.number,
                spec: draft.spec,
                by: caller.identity.owner().cloned(),
                template: draft.template,
                response: response.map(|response| response(&id)),
            };
            match self.begin_change(caller, &present.stack, id, revision).await? {
                OperationOutcome::Accepted(id) | OperationOutcome::Later(id) => {
                    return Ok(Asked::Begun(id));
                }
                OperationOutcome::Unchanged => return Ok(Asked::Unchanged),
                OperationOutcome::UnderWay(id) => {
                    return Err(Refusal::OperationUnderWay(name, id).into());
                }
                OperationOutcome::WrongState(desired) => {
                    return Err(Refusal::WrongState(name, desired.state()).into());
                }
                OperationOutcome::DifferentStack => return Err(Refusal::AnotherStack(name).into()),
                OperationOutcome::NotLive => return Err(no_stack()),
                OperationOutcome::RevisionChanged(number) if number != from => {
                    return Err(Refusal::RevisionChanged(name, number).into());
                }
                // Another change has just taken the number, and may have failed by now.
                OperationOutcome::RevisionChanged(_) => {
                    present = self.as_it_is(present.stack, request.expected).await?;
                }
            }
        }
        Err(Refusal::RevisionChanged(name, present.from().number).into())
    }

    async fn begin_change(
        &self,
        caller: &Caller,
        stack: &Stack,
        id: DeploymentId,
        revision: NewRevision,
    ) -> Result<OperationOutcome, ApiError> {
        let started = self.parts.clock.now();
        let kind = self.parts.kinds.of(KindName::CHANGE);
        let name = &stack.deployment.name;
        let place = self.parts.notifier.intake().reserve(&id, Direction::Back, started);
        let act = AuditAction::ChangeStack;
        let new = NewOperation {
            id,
            kind,
            started,
            first: EventBody::Progress(ProgressUpdate::first(kind, started)),
            of: Some(stack.deployment.id.clone()),
            expired: None,
            limit: self.operation_limit(kind),
            audit_entry: Some(self.parts.audit.entry(caller, act, name.as_str())),
            claim: place.as_ref().and_then(SlotReservation::claim),
            revision: Some(revision),
        };
        let outcome = self.parts.store.begin_operation(name, &new).await;
        match (&outcome, place) {
            (_, None) => {}
            (Ok(OperationOutcome::Accepted(id)), Some(place)) if *id == new.id => drop(place),
            (Ok(_), Some(place)) => place.give_back(),
            (Err(error), Some(place)) => place.fail(error),
        }
        match outcome {
            Ok(outcome) => {
                self.parts.notifier.notify(&Notification::Work);
                Ok(outcome)
            }
            Err(StoreError::LimitReached(limit)) => Err(Refusal::LimitReached(limit).into()),
            Err(StoreError::KeyUsed) => Err(Refusal::IdempotencyKeyInUse.into()),
            Err(StoreError::TemplateChanged) => Err(Refusal::TemplateChanged.into()),
            Err(error) => Err(error.into()),
        }
    }

    /// Reads what the stack is made of, from the platform if an older version of the portal made it
    /// and kept nothing.
    async fn as_it_is(&self, stack: Stack, expected: Option<u32>) -> Result<Present, ApiError> {
        has_revision(&stack, expected)?;
        let name = stack.deployment.name.clone();
        if let Some(present) = self.known(&stack).await? {
            return Ok(present);
        }
        self.learn(&stack).await?;
        let present = self.known(&stack).await?;
        present.ok_or_else(|| Refusal::SpecUnknown(name).into())
    }

    /// Returns what the stack is made of, if that is known.
    async fn known(&self, stack: &Stack) -> Result<Option<Present>, ApiError> {
        let revisions = self.parts.store.revisions(stack.revision.stack).await?;
        let number = stack.revision.number;
        let is_known = revisions.iter().any(|one| one.number == number && one.origin.is_known());
        let sealed = self.parts.store.spec(stack.revision).await?;
        let stack = || stack.clone();
        Ok(sealed.filter(|_| is_known).map(|sealed| Present { stack: stack(), revisions, sealed }))
    }
}

/// Checks that the stack has the revision that is expected, if one is.
fn has_revision(stack: &Stack, expected: Option<u32>) -> Result<(), ApiError> {
    let number = stack.revision.number;
    if expected.is_some_and(|expected| expected != number) {
        return Err(Refusal::RevisionChanged(stack.deployment.name.clone(), number).into());
    }
    Ok(())
}
