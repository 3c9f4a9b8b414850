//! The live stacks, and all that are not gone.

use std::collections::HashMap;

use super::Service;
use super::authorization::refused;
use crate::server::audit::AuditAction;
use crate::server::auth::access::{Caller, Denial, IdentifiedBy, Permission, Target};
use crate::server::page::stack_page;
use crate::server::reconciler::report::ReconcileReport;
use crate::server::store::{
    self, Desired, PresentStack, Record, Stack, StackOperation, State, Unhealthy,
};
use crate::wire::{
    ApiError, DesiredState, Downtime, HealthState, OperationView, StackHealth, StackRemoval,
    StackState, StackView,
};
use domain::deployment::DeploymentId;
use domain::kind::{Direction, Kinds, StackStatus};
use domain::phase::{Phase, Status};
use domain::progress::Progress;
use domain::refusal::{Missing, Refusal};
use domain::stack_event::Problem;
use domain::stack_name::StackName;

/// The stacks to list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listed {
    /// The live ones, which are those that older clients know.
    Live,
    /// Every one that is not gone: also those that are stopped or not live yet.
    All,
}

impl Service {
    /// Lists the stacks that a caller may see, by name: the live ones, or with [`Listed::All`] every one
    /// that is not gone. Stacks without an owner are shown to everybody who is not signed in, but
    /// without their ids, which are sufficient to change them.
    ///
    /// # Errors
    ///
    /// Returns an error when the store is unavailable.
    pub async fn stacks(
        &self,
        caller: &Caller,
        listed: Listed,
    ) -> Result<Vec<StackView>, ApiError> {
        let mut stacks = self.parts.store.present_stacks(None).await?;
        stacks.retain(|present| match listed {
            Listed::All => true,
            Listed::Live => present.is_live && status_is_live(present),
        });
        self.all_shown(caller, stacks).await
    }

    /// Lists every stack of the caller that is not gone, by name.
    ///
    /// # Errors
    ///
    /// Returns an error when the store is unavailable.
    pub async fn my_stacks(&self, caller: &Caller) -> Result<Vec<StackView>, ApiError> {
        let Some(owner) = caller.identity.owner() else { return Ok(Vec::new()) };
        let stacks = self.parts.store.present_stacks(Some(owner)).await?;
        self.all_shown(caller, stacks).await
    }

    async fn all_shown(
        &self,
        caller: &Caller,
        stacks: Vec<PresentStack>,
    ) -> Result<Vec<StackView>, ApiError> {
        let held = stacks.iter().filter_map(|present| present.stack.operation.as_ref());
        let held: Vec<_> = held.map(|operation| &operation.id).collect();
        let told = store::told(&*self.parts.store, &held).await?;
        let shown = |present: PresentStack| {
            let revision = present.stack.revision;
            Some((revision, self.shown(caller, present, None, &told)?))
        };
        self.with_updates(caller, stacks.into_iter().filter_map(shown).collect()).await
    }

    /// Returns the view of a live stack.
    pub(super) async fn one_shown(
        &self,
        caller: &Caller,
        stack: Stack,
        of: Option<&DeploymentId>,
    ) -> Result<StackView, ApiError> {
        let held: Vec<_> = stack.operation.iter().map(|operation| &operation.id).collect();
        let told = store::told(&*self.parts.store, &held).await?;
        let revision = stack.revision;
        let present = PresentStack { stack, is_live: true };
        let view = self.shown(caller, present, of, &told).ok_or_else(no_stack)?;
        let mut views = self.with_updates(caller, vec![(revision, view)]).await?;
        views.pop().ok_or_else(no_stack)
    }

    fn shown(
        &self,
        caller: &Caller,
        stack: PresentStack,
        of: Option<&DeploymentId>,
        told: &HashMap<DeploymentId, Progress>,
    ) -> Option<StackView> {
        shown(caller, stack, of, told, self.parts.kinds, &self.parts.reconcile_report)
    }

    /// Returns what a stack is now.
    pub(super) fn status_of(&self, stack: &Stack) -> StackStatus {
        let is_down = problem(stack, &self.parts.reconcile_report).is_some();
        status(self.parts.kinds, stack.desired, stack.operation.as_ref(), is_down)
    }

    /// Finds the live stack called `name`, if the caller has this permission for it. Whoever would
    /// change it and means another one, which had the name before, is told so.
    pub(super) async fn authorize_stack(
        &self,
        caller: &Caller,
        permission: Permission,
        name: &str,
        of: Option<&DeploymentId>,
    ) -> Result<Stack, ApiError> {
        let parsed = StackName::parse(name).map_err(|_| no_stack())?;
        let stacks = self.parts.store.stacks(Some(&parsed)).await?;
        let stack = stacks.into_iter().next().ok_or_else(no_stack)?;
        let target = target(&stack, of);
        let is_another =
            of.is_some() && matches!(target, Target::Operation { by: IdentifiedBy::Name, .. });
        match caller.may(permission, target) {
            Ok(()) if is_another && permission == Permission::Change => {
                Err(Refusal::AnotherStack(parsed).into())
            }
            Ok(()) => Ok(stack),
            // Callers who may know that this stack exists are told that it is not the one that they
            // mean.
            Err(_) if is_another && caller.may(Permission::ViewPublic, target).is_ok() => {
                Err(Refusal::AnotherStack(parsed).into())
            }
            // A stack without an owner is listed publicly, but changing it requires its id.
            Err(Denial::Hidden)
                if of.is_none() && caller.may(Permission::ViewPublic, target).is_ok() =>
            {
                let refusal = Refusal::IdRequired(parsed);
                let act = AuditAction::Enter;
                self.parts.audit.rejection(caller, act, Some(name), refusal.code()).await;
                Err(refusal.into())
            }
            Err(denial) => {
                self.parts.audit.denial(caller, name, denial).await;
                Err(refused(denial, no_stack()))
            }
        }
    }

    /// Returns since when the live stack of `record` has no running container, if the reconciler
    /// found that.
    pub(super) fn downtime(&self, record: &Record) -> Option<Downtime> {
        let is_live = record.state == State::Live;
        let found = self.parts.reconcile_report.not_running(&record.deployment.id);
        found.filter(|_| is_live).map(|(since, seen)| Downtime { since, seen })
    }

    /// Returns what became of the stack of the operation in `record`, for a caller who `may_change`
    /// it.
    pub(super) async fn stack_by_now(
        &self,
        record: &Record,
        progress: &Progress,
        may_change: bool,
    ) -> Result<StackByNow, ApiError> {
        let kind = self.kind(record);
        let name = &record.deployment.name;
        let id = record.owner.is_none().then(|| record.revision.stack.deployment());
        let page = may_change.then(|| stack_page(name, id.as_ref()));
        let is_of_stack = kind.direction == Direction::Forward;
        if progress.phase != Phase::COMPLETED && !kind.keeps_stack() {
            let page = page.filter(|_| is_of_stack && record.state == State::Active);
            return Ok(StackByNow { page, ..StackByNow::default() });
        }
        let stacks = self.parts.store.stacks(Some(name)).await?;
        let stack = stacks.into_iter().find(|stack| stack.revision.stack == record.revision.stack);
        if kind.keeps_stack() {
            return Ok(StackByNow { page: page.filter(|_| stack.is_some()), ..Default::default() });
        }
        if record.state == State::RolledBack {
            return Ok(StackByNow { removal: Some(StackRemoval::Done), ..Default::default() });
        }
        let is_stopped = stack
            .as_ref()
            .is_some_and(|stack| stack.desired == Desired::Stopped && stack.operation.is_none());
        let page = page.filter(|_| stack.is_some());
        let removal = stack.and_then(|stack| stack.removal);
        let removal = removal.map(|(id, _)| StackRemoval::NotYet(id));
        Ok(StackByNow { removal, is_stopped, page })
    }
}

/// What became of the stack of an operation.
#[derive(Default)]
pub(super) struct StackByNow {
    /// The state of its removal, if there is one.
    pub(super) removal: Option<StackRemoval>,
    /// True if it was live and is stopped.
    pub(super) is_stopped: bool,
    /// The address of its page, if it is there and the caller may change it.
    pub(super) page: Option<String>,
}

/// Returns the error that no live stack has the name.
pub(super) fn no_stack() -> ApiError {
    Refusal::NotFound(Missing::Stack).into()
}

/// Returns the target of the access decision: the stack, identified by its id if the caller knows
/// it, otherwise by its name.
pub(super) fn target<'a>(stack: &'a Stack, of: Option<&DeploymentId>) -> Target<'a> {
    let removal = stack.removal.as_ref().map(|(id, _)| id);
    let is_known = of.is_some_and(|id| *id == stack.deployment.id || removal == Some(id));
    let by = if is_known { IdentifiedBy::Id } else { IdentifiedBy::Name };
    Target::Operation { owner: stack.owner.as_ref(), by }
}

/// Returns what a stack is now.
fn status(
    kinds: Kinds,
    desired: Desired,
    operation: Option<&StackOperation>,
    is_down: bool,
) -> StackStatus {
    let held = operation.map(|one| (one.kind, one.state == State::Stuck));
    StackStatus::of(kinds, desired.state(), held, is_down)
}

/// Returns the problem that the health watch found.
fn health_of(found: &Unhealthy) -> StackHealth {
    let state = match found.why.problem {
        Problem::NotRunning => HealthState::NotRunning,
        Problem::Restarting => HealthState::Restarting,
        Problem::NoAnswer | Problem::Unknown => HealthState::NoAnswer,
        Problem::BadAnswer => HealthState::BadAnswer,
        Problem::BadCertificate => HealthState::BadCertificate,
    };
    StackHealth { state, since: found.since, seen: found.since }
}

/// Returns what is wrong with a stack that should work, if something is. The health watch decides
/// whether a stack works. Until it has, the reconciler's finding counts, which takes two looks at the
/// platform, and none at the address.
fn problem(stack: &Stack, reconcile_report: &ReconcileReport) -> Option<StackHealth> {
    let found = reconcile_report.not_running(&stack.deployment.id);
    found
        .map(|(since, seen)| StackHealth { state: HealthState::NotRunning, since, seen })
        .or_else(|| stack.unhealthy.as_ref().map(health_of))
        .filter(|_| stack.removal.is_none() && stack.desired == Desired::Running)
}

/// Returns whether a stack that has been live is live now: it should not be stopped.
fn status_is_live(present: &PresentStack) -> bool {
    present.stack.desired == Desired::Running || present.stack.operation.is_some()
}

/// Returns the view of a stack that a caller may see; `None` if it is hidden from them.
fn shown(
    caller: &Caller,
    present: PresentStack,
    of: Option<&DeploymentId>,
    told: &HashMap<DeploymentId, Progress>,
    kinds: Kinds,
    reconcile_report: &ReconcileReport,
) -> Option<StackView> {
    let PresentStack { stack, is_live } = present;
    let found = problem(&stack, reconcile_report);
    let target = target(&stack, of);
    caller.may(Permission::ViewPublic, target).ok()?;
    let may_see = caller.may(Permission::View, target).is_ok();
    let Stack {
        deployment,
        since,
        removal,
        template,
        desired,
        revision,
        label,
        operation,
        expires,
        ..
    } = stack;
    let state = match removal {
        None => StackState::Live,
        Some((_, State::Stuck)) => StackState::Stuck,
        Some((_, State::Active | State::Live | State::RolledBack)) => StackState::Removing,
    };
    Some(StackView {
        id: may_see.then(|| revision.stack.to_string()),
        name: deployment.name,
        url: deployment.url,
        since,
        deployment_id: Some(deployment.id).filter(|_| may_see),
        state: is_live.then_some(state),
        status: status(kinds, desired, operation.as_ref(), found.is_some()),
        desired: match desired {
            Desired::Running => DesiredState::Running,
            Desired::Stopped => DesiredState::Stopped,
        },
        revision: revision.number,
        template,
        label: label.filter(|_| may_see),
        update_available: None,
        expires_at: expires.filter(|_| may_see),
        operation: operation.filter(|_| may_see).map(|held| operation_view(&held, kinds, told)),
        health: found,
        removal_id: removal.map(|(id, _)| id).filter(|_| may_see),
    })
}

/// Returns the view of the operation on a stack that is in progress or stuck.
fn operation_view(
    StackOperation { id, kind, state }: &StackOperation,
    kinds: Kinds,
    told: &HashMap<DeploymentId, Progress>,
) -> OperationView {
    let kind = kinds.of(*kind);
    let status = if *state == State::Stuck { Status::Failure } else { Status::InProgress };
    let first = || kind.sentence(kind.first_phase()).to_owned();
    let (progress, message) =
        told.get(id).map_or_else(|| (0, first()), |told| (told.percent, told.message.clone()));
    OperationView { id: id.clone(), kind: kind.noun.to_owned(), status, progress, message }
}
