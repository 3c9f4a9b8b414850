//! The use cases of stacks whose time ends: give one another time, and stop and remove those whose
//! time is over.

mod rounds;

use std::time::Duration;

use jiff::Timestamp;

use crate::server::audit::{AuditAction, AuditEntry};
use crate::server::auth::access::{Caller, Permission};
use crate::server::notifier::Notification;
use crate::server::stacks::Service;
use crate::server::stacks::listing::no_stack;
use crate::server::store::{
    Desired, Disposal, ExpiredStack, NewKept, NewOperation, NewRemoval, OperationOutcome,
    RemovalOutcome, Result, Stack, StackTurn, State, Turn,
};
use crate::wire::{ApiError, StackView};
use domain::deployment::DeploymentId;
use domain::event::{EventBody, ProgressUpdate};
use domain::kind::KindName;
use domain::refusal::Refusal;
use domain::time::{earlier, later};

/// The time before the end of a stack from which its pages say so.
const SAID_BEFORE: Duration = Duration::from_hours(24);
/// How much longer a stack is kept by one press, where nothing limits it.
const KEPT_FOR: Duration = Duration::from_hours(7 * 24);
/// The pause after something happened to a stack whose time is over, such as a stop that failed.
const PAUSE: Duration = Duration::from_mins(10);
/// The number of attempts to give a stack another time while other things happen to it.
const TRIES: u32 = 5;

/// When a stack expires from now on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NewExpiry {
    /// At this time.
    At(Timestamp),
    /// Not at all.
    Never,
    /// As much later as one press keeps it.
    Later,
    /// At a time that cannot be read.
    Unreadable,
}

/// The end of a stack's time, as its pages say it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ending {
    /// The time at which it expires.
    pub at: Timestamp,
    /// True if that is over.
    pub is_over: bool,
    /// The time at which it is removed at the earliest.
    pub removed: Timestamp,
    /// How much longer one press keeps it.
    pub keeps: Duration,
}

/// What is due for a stack whose time is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Due {
    Stop,
    Remove,
}

impl Service {
    /// Gives the stack called `name` another time at which it expires, and returns whether that
    /// changes anything. One that was stopped at the end of its time stays stopped.
    ///
    /// # Errors
    ///
    /// Returns an error if there is no such stack, it is being removed, or the time is over or too
    /// far ahead.
    pub async fn set_expiry(
        &self,
        caller: &Caller,
        name: &str,
        of: Option<&DeploymentId>,
        expiry: NewExpiry,
    ) -> Result<bool, ApiError> {
        let mut stack = self.authorize_stack(caller, Permission::Change, name, of).await?;
        for _ in 0..TRIES {
            let changed = self.expiry_permitted(caller, &stack, expiry).await;
            let changed =
                self.parts.audit.failure(caller, AuditAction::ChangeStack, name, changed).await?;
            if let Some(is_changed) = changed {
                return Ok(is_changed);
            }
            let id = stack.deployment.id;
            stack = self.authorize_stack(caller, Permission::Change, name, Some(&id)).await?;
            if stack.deployment.id != id {
                return Err(no_stack());
            }
        }
        Err(Refusal::StoreUnavailable.into())
    }

    /// Returns `None` if something else has happened to the stack since it was read.
    async fn expiry_permitted(
        &self,
        caller: &Caller,
        stack: &Stack,
        expiry: NewExpiry,
    ) -> Result<Option<bool>, ApiError> {
        let name = stack.deployment.name.clone();
        if let Some((removal, _)) = &stack.removal {
            return Err(Refusal::OperationUnderWay(name, removal.clone()).into());
        }
        let (at, max) = (self.parts.clock.now(), self.parts.stack.lifetime_max);
        let expires = permitted(expiry, stack.expires, at, max)?;
        if expires == stack.expires {
            return Ok(Some(false));
        }
        let act = AuditAction::ChangeStack;
        let turn = StackTurn {
            stack: stack.revision.stack,
            seen: stack.last_event,
            at,
            turn: Turn::Expires(expires),
            audit_entry: Some(self.parts.audit.entry(caller, act, name.as_str())),
        };
        let is_recorded = self.parts.store.record_turn(&turn).await?;
        if is_recorded {
            self.parts.notifier.notify(&Notification::Stacks);
        }
        Ok(is_recorded.then_some(true))
    }

    /// Returns what the pages of a stack say of the end of its time, from a day before on.
    pub(crate) fn ending(&self, stack: &StackView) -> Option<Ending> {
        let (now, at) = (self.parts.clock.now(), stack.expires_at?);
        let is_removed = stack.removal_id.is_some();
        let removed = later(at, self.parts.quotas.removal_grace);
        let keeps = self.parts.stack.lifetime_max.unwrap_or(KEPT_FOR);
        let ending = Ending { at, is_over: at <= now, removed, keeps };
        (!is_removed && earlier(at, SAID_BEFORE) <= now).then_some(ending)
    }

    /// Stops the stacks whose time is over, and removes those that nobody has kept within
    /// `REMOVAL_GRACE` after that; their data is kept. One that is busy waits for the next round.
    ///
    /// # Errors
    ///
    /// Returns a `StoreError` if the database fails.
    pub async fn end_expired(&self) -> Result<()> {
        let now = self.parts.clock.now();
        for stack in self.parts.store.expired_stacks(now).await? {
            let begun = match due(&stack, now, self.parts.quotas.removal_grace) {
                None => continue,
                Some(Due::Stop) => self.stop_expired(&stack).await?,
                Some(Due::Remove) => self.remove_expired(&stack).await?,
            };
            if let Some(id) = begun {
                tracing::info!(deployment.id = %id, stack.name = %stack.name, "The time of a stack is over");
                self.parts.notifier.notify(&Notification::Work);
            }
        }
        Ok(())
    }

    /// Begins to stop a stack whose time is over, and returns the operation.
    async fn stop_expired(&self, stack: &ExpiredStack) -> Result<Option<DeploymentId>> {
        let kind = self.parts.kinds.of(KindName::STOP);
        let started = self.parts.clock.now();
        let new = NewOperation {
            id: kind.operation_id((self.parts.random)()),
            kind,
            started,
            first: EventBody::Progress(ProgressUpdate::first(kind, started)),
            of: Some(stack.deployment.clone()),
            expired: Some(stack.expires),
            limit: None,
            revision: None,
            audit_entry: Some(of_portal(stack, started, AuditAction::StopStack)),
            claim: None,
        };
        match self.parts.store.begin_operation(&stack.name, &new).await? {
            OperationOutcome::Accepted(id) | OperationOutcome::Later(id) => Ok(Some(id)),
            // Something has come first, or it has another time by now.
            OperationOutcome::UnderWay(_)
            | OperationOutcome::Unchanged
            | OperationOutcome::WrongState(_)
            | OperationOutcome::RevisionChanged(_)
            | OperationOutcome::DifferentStack
            | OperationOutcome::NotLive => Ok(None),
        }
    }

    /// Begins to remove a stack whose time is over, and returns the operation. It keeps the data,
    /// however much its owner keeps already.
    async fn remove_expired(&self, stack: &ExpiredStack) -> Result<Option<DeploymentId>> {
        let kind = self.parts.kinds.of(KindName::REMOVE);
        let started = self.parts.clock.now();
        let kept = self.keepable(&stack.deployment, started).await?;
        let kept = kept.map(|kept| NewKept { most: None, ..kept });
        let new = NewRemoval {
            id: kind.operation_id((self.parts.random)()),
            kind: kind.name,
            started,
            first: EventBody::Progress(ProgressUpdate::first(kind, started)),
            of: Some(stack.deployment.clone()),
            expired: Some(stack.expires),
            disposal: kept.as_ref().map_or(Disposal::Delete, |_| Disposal::Keep),
            kept,
            audit_entry: Some(of_portal(stack, started, AuditAction::Remove)),
            claim: None,
        };
        match self.parts.store.begin_removal(&stack.name, &new).await? {
            RemovalOutcome::Accepted(id) | RemovalOutcome::Later(id) => Ok(Some(id)),
            RemovalOutcome::UnderWay(_)
            | RemovalOutcome::KeptFull(_)
            | RemovalOutcome::DifferentStack
            | RemovalOutcome::NotLive => Ok(None),
        }
    }
}

fn of_portal(stack: &ExpiredStack, at: Timestamp, act: AuditAction) -> AuditEntry {
    AuditEntry::of_portal(at, act, stack.name.to_string())
}

/// Returns when a stack that expires at `present` expires from now on, if that is `wanted` and it may
/// expire at most `max` ahead.
fn permitted(
    wanted: NewExpiry,
    present: Option<Timestamp>,
    now: Timestamp,
    max: Option<Duration>,
) -> Result<Option<Timestamp>, ApiError> {
    let latest = max.map(|max| later(now, max));
    let is_good = |at: &Timestamp| *at > now && latest.is_none_or(|latest| *at <= latest);
    match (wanted, latest) {
        (NewExpiry::At(at), _) if is_good(&at) => Ok(Some(at)),
        (NewExpiry::Never, None) => Ok(None),
        (NewExpiry::At(_) | NewExpiry::Unreadable, _) | (NewExpiry::Never, Some(_)) => {
            Err(Refusal::InvalidExpiry(latest).into())
        }
        (NewExpiry::Later, Some(latest)) => Ok(Some(latest)),
        (NewExpiry::Later, None) => Ok(present.map(|present| later(present.max(now), KEPT_FOR))),
    }
}

/// Returns what is due for a stack whose time is over. The time until its removal counts from the
/// last thing that happened to it: the stop may have been late.
fn due(stack: &ExpiredStack, now: Timestamp, grace: Duration) -> Option<Due> {
    let ExpiredStack { expires, last, desired, ref operation, .. } = *stack;
    // What is stuck goes on in the background, and makes way, unless it removes the stack.
    let is_busy = operation
        .as_ref()
        .is_some_and(|one| one.state == State::Active || one.kind == KindName::REMOVE);
    let is_quiet = last < expires || later(last, PAUSE) <= now;
    match desired {
        _ if is_busy => None,
        Desired::Running => is_quiet.then_some(Due::Stop),
        Desired::Stopped => (later(expires.max(last), grace) <= now).then_some(Due::Remove),
    }
}

#[cfg(test)]
mod tests;
