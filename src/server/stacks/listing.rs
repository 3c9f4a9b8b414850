//! The live stacks.

use super::Service;
use super::authorization::refused;
use crate::server::audit::AuditAction;
use crate::server::auth::access::{Caller, Denial, IdentifiedBy, Permission, Target};
use crate::server::reconciler::report::ReconcileReport;
use crate::server::store::{Desired, Record, Stack, StackOperation, State, Unhealthy};
use crate::wire::{
    ApiError, DesiredState, Downtime, HealthState, OperationView, StackHealth, StackRemoval,
    StackState, StackView,
};
use domain::deployment::DeploymentId;
use domain::kind::{Kinds, StackStatus};
use domain::phase::Phase;
use domain::progress::Progress;
use domain::refusal::{Missing, Refusal};
use domain::stack_event::Problem;
use domain::stack_name::StackName;

impl Service {
    /// Lists the live stacks that a caller may see, by name. Stacks without an owner are shown to
    /// everybody who is not signed in, but without their ids, which are sufficient to change them.
    ///
    /// # Errors
    ///
    /// Returns an error when the store is unavailable.
    pub async fn stacks(&self, caller: &Caller) -> Result<Vec<StackView>, ApiError> {
        let stacks = self.parts.store.stacks(None).await?;
        let shown = |stack| self.shown(caller, stack, None);
        Ok(stacks.into_iter().filter_map(shown).collect())
    }

    /// Finds the live stack called `name`, as far as a caller may see it; `of` is the id of its
    /// deployment, if they know it.
    ///
    /// # Errors
    ///
    /// Returns an error if there is none, it is hidden from the caller, or the store is
    /// unavailable.
    pub async fn stack(
        &self,
        caller: &Caller,
        name: &str,
        of: Option<&DeploymentId>,
    ) -> Result<StackView, ApiError> {
        let stack = self.authorize_stack(caller, Permission::ViewPublic, name, of).await?;
        self.shown(caller, stack, of).ok_or_else(no_stack)
    }

    pub(super) fn shown(
        &self,
        caller: &Caller,
        stack: Stack,
        of: Option<&DeploymentId>,
    ) -> Option<StackView> {
        shown(caller, stack, of, self.parts.kinds, &self.parts.reconcile_report)
    }

    /// Finds the live stack called `name`, if the caller has this permission for it.
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

    /// Returns the state of the removal of the stack that `record` created, if there is one.
    pub(super) async fn stack_removal(
        &self,
        record: &Record,
        progress: &Progress,
    ) -> Result<Option<StackRemoval>, ApiError> {
        if progress.phase != Phase::COMPLETED {
            return Ok(None);
        }
        if record.state == State::RolledBack {
            return Ok(Some(StackRemoval::Done));
        }
        let stacks = self.parts.store.stacks(Some(&record.deployment.name)).await?;
        let removal = stacks.into_iter().find_map(|stack| stack.removal);
        Ok(removal.map(|(id, _)| StackRemoval::NotYet(id)))
    }
}

/// Returns the error that no live stack has the name.
pub(super) fn no_stack() -> ApiError {
    Refusal::NotFound(Missing::Stack).into()
}

/// Returns the target of the access decision: the stack, identified by its id if the caller knows
/// it, otherwise by its name.
fn target<'a>(stack: &'a Stack, of: Option<&DeploymentId>) -> Target<'a> {
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

/// Returns the view of a stack that a caller may see; `None` if it is hidden from them.
fn shown(
    caller: &Caller,
    stack: Stack,
    of: Option<&DeploymentId>,
    kinds: Kinds,
    reconcile_report: &ReconcileReport,
) -> Option<StackView> {
    let target = target(&stack, of);
    caller.may(Permission::ViewPublic, target).ok()?;
    let may_see = caller.may(Permission::View, target).is_ok();
    let Stack { deployment, since, removal, desired, revision, operation, unhealthy, .. } = stack;
    // The health watch decides whether a stack works. Until it has, the reconciler's finding counts,
    // which takes two looks at the platform, and none at the address.
    let found = reconcile_report.not_running(&deployment.id);
    let found = found
        .map(|(since, seen)| StackHealth { state: HealthState::NotRunning, since, seen })
        .or_else(|| unhealthy.as_ref().map(health_of))
        .filter(|_| removal.is_none() && desired == Desired::Running);
    Some(StackView {
        name: deployment.name,
        url: deployment.url,
        since,
        deployment_id: Some(deployment.id).filter(|_| may_see),
        state: match removal {
            None => StackState::Live,
            Some((_, State::Stuck)) => StackState::Stuck,
            Some((_, State::Active | State::Live | State::RolledBack)) => StackState::Removing,
        },
        status: status(kinds, desired, operation.as_ref(), found.is_some()),
        desired: match desired {
            Desired::Running => DesiredState::Running,
            Desired::Stopped => DesiredState::Stopped,
        },
        revision: revision.number,
        operation: operation.filter(|_| may_see).map(|StackOperation { id, kind, .. }| {
            OperationView { id, kind: kinds.of(kind).noun.to_owned() }
        }),
        health: found,
        removal_id: removal.map(|(id, _)| id).filter(|_| may_see),
    })
}
