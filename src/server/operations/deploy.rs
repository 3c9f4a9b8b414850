//! A deployment: brings a stack up and verifies it, or removes everything that it created.

use async_trait::async_trait;
use jiff::Timestamp;

use super::orphans;
use crate::server::platform::call_slots::CallKind;
use crate::server::saga::context::Context;
use crate::server::saga::engine::{Halt, MayAsk, Operation, Saga};
use crate::server::saga::late_commit;
use crate::server::steps::{
    CheckAddressFree, Configure, CreateApplication, CreateDomain, CreateProject, Deploy,
    FindEnvironment, Former, MountVolumes, NameVolumes, VerifyHealth, advice, removal,
};
use crate::server::store::{Result, StackVolumes, StepId, VolumesOutput};
use domain::kind::{DEPLOY, Direction, Kind};
use domain::receipt::Line;

/// The time in seconds after the deploy step began for which its call may still be running: the
/// step enqueues a job with one call, and then only polls.
const ENQUEUING_S: u64 = 15;

/// The kind of operation that creates a stack.
pub(super) struct DeployStack;

/// Runs the steps of a deployment in order, each with the outputs of earlier ones.
pub(super) async fn steps(saga: &mut Saga) -> Result<(), Halt> {
    // A deployment that an older version began has no record of this step. It must not be checked
    // now, since its own stack may already answer at the address.
    if saga.is_new() || saga.has_record(StepId::ADDRESS) {
        saga.step(CheckAddressFree).await?;
    }
    let project = saga.step(CreateProject).await?;
    let environment = saga.step(FindEnvironment { project: project.clone() }).await?;
    let volumes = volumes(saga).await?;
    let application = saga.step(CreateApplication { project, environment }).await?;
    if let Some(volumes) = volumes.clone() {
        saga.step(MountVolumes { application: application.clone(), volumes }).await?;
    }
    let node = volumes.map(|volumes| volumes.node);
    let mark = saga.step(Configure { application: application.clone(), node }).await?;
    saga.step(CreateDomain { application: application.clone() }).await?;
    saga.step(Deploy { application: application.clone() }).await?;
    saga.step(VerifyHealth { application, mark, former: Former::default() }).await
}

/// Names the volumes, if the stack has some. The journal shows this as well, since a spec may be
/// lost. A stack that was made without volumes has no record of the step, also if an older version
/// began it: then the step must not be taken, since the undo would stop at it. If a change has added
/// some since then, a removal takes the step over.
pub(super) async fn volumes(saga: &mut Saga) -> Result<Option<VolumesOutput>, Halt> {
    let stack = &saga.cx.spec.stack;
    let has_volumes = match saga.cx.journal.kind().direction {
        Direction::Forward => !stack.volumes.is_empty() || stack.brought_back.is_some(),
        Direction::Back => false,
    };
    if has_volumes || saga.has_record(StepId::VOLUMES) {
        return saga.step(NameVolumes).await.map(Some);
    }
    let StackVolumes { node, volumes } = saga.cx.lineage.volumes.clone();
    if volumes.is_empty() {
        return Ok(None);
    }
    let output = VolumesOutput { node: node.unwrap_or_default(), volumes };
    saga.inherit(NameVolumes, output.clone())?;
    Ok(Some(output))
}

#[async_trait]
impl Operation for DeployStack {
    fn kind(&self) -> &'static Kind {
        &DEPLOY
    }

    async fn run(&self, saga: &mut Saga) -> Result<(), Halt> {
        steps(saga).await
    }

    /// Removes duplicates: if a response was lost, a retry may have created a resource twice.
    /// Returns the time of a second search, when no lost call can take effect any more.
    async fn finish(&self, cx: &Context) -> Result<Option<Timestamp>> {
        if !cx.journal.may_have_duplicates() {
            return Ok(None);
        }
        // The stack is healthy, so a failure is only logged.
        removal::warn_of_leftovers(cx, removal::remove_duplicates(cx).await)?;
        Ok(Some(late_commit::until(cx.clock.now())))
    }

    async fn recheck(&self, cx: &Context) -> Result<()> {
        orphans::remove_duplicates(cx).await
    }

    async fn advise(&self, cx: &Context, lines: Vec<Line>, may_ask: MayAsk) -> Vec<Line> {
        remedies(cx, lines, may_ask).await
    }

    fn call_under_way(&self, step: StepId, seconds: u64) -> Option<CallKind> {
        match step {
            StepId::DOMAIN => Some(CallKind::Domain),
            StepId::DEPLOY => (seconds < ENQUEUING_S).then_some(CallKind::Other),
            StepId::ADDRESS | StepId::ENVIRONMENT | StepId::VOLUMES | StepId::HEALTH => None,
            _ => Some(CallKind::Other),
        }
    }
}

/// Sets the remedy of each leftover of a stack. Without a query of the platform, the remedy is to
/// wait.
pub(super) async fn remedies(cx: &Context, lines: Vec<Line>, may_ask: MayAsk) -> Vec<Line> {
    match may_ask {
        MayAsk::Yes => advice::advise(cx, lines).await,
        MayAsk::No => lines.into_iter().map(advice::unseen).collect(),
    }
}
