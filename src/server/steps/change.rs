//! Leads a stack to another revision, and back to the one that it had if that does not run.
//!
//! The way back writes the former revision into the platform's row first: after a rollback of the
//! swarm itself the row keeps what failed, and the next reload would try it again (recordings
//! day-two 65 to 69).

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;

use super::deploy::stop_jobs;
use super::row::{self, Row};
use super::{Deploy, Former, OperationTag, Service, attachments, last_log, visitors};
use crate::server::platform::{ContainerId, OPERATION, ServiceState, TaskId, TaskState};
use crate::server::saga::context::Context;
use crate::server::saga::failure::StepError;
use crate::server::saga::lineage::FormerRevision;
use crate::server::saga::step::Step;
use crate::server::settings::Deadlines;
use crate::server::store::{Desired, StepId};
use domain::event::FailureCode;
use domain::message::MessageCode;
use domain::receipt::{Line, Outcome, ResourceKind};
use domain::remedy::Remedy;
use domain::time::elapsed_ms;

/// The pause between two looks at what runs.
const PAUSE: Duration = Duration::from_millis(500);
/// For how long the swarm may need until the one container runs that is meant.
const SETTLES: Duration = Duration::from_mins(1);
/// The number of calls of one look, for the rate limit that all operations share.
const CALLS_PER_LOOK: u32 = 3;

/// Lets visitors wait during the change, and looks at what runs before it. A domain keeps the middleware
/// by which they wait, unless the address has no route by it.
pub(crate) struct Prepare(pub(crate) Service);

impl Step for Prepare {
    const ID: StepId = StepId::PREPARE;
    type Output = Former;

    async fn run(&self, cx: &Context) -> Result<Former, StepError> {
        match cx.desired {
            Desired::Running => visitors::let_wait(cx, &self.0.application.id).await?,
            // It has no visitors.
            Desired::Stopped => {}
        }
        self.0.former(cx).await
    }

    async fn undo(&self, cx: &Context, _: Option<&Former>) -> Result<Vec<Line>, StepError> {
        match cx.desired {
            Desired::Running => visitors::restore(cx, &self.0.application.id).await?,
            Desired::Stopped => {}
        }
        Ok(Vec::new())
    }
}

/// Lets the new revision take the place of the former one. Its undo leads back.
pub(crate) struct Switch(pub(crate) Service);

impl Step for Switch {
    const ID: StepId = StepId::SWITCH;
    type Output = ();

    fn limit(deadlines: &Deadlines) -> Duration {
        deadlines.deploy
    }

    async fn run(&self, cx: &Context) -> Result<(), StepError> {
        let former = former(cx)?;
        let is_attached_anew = attachments::may_differ(cx, &former.spec.stack);
        if is_attached_anew {
            self.0.mount(cx, Self::ID, &cx.spec.stack).await?;
        }
        let done = format!("Wrote revision {} into the application", cx.revision);
        let row = self.0.row(cx);
        row.write_for(cx, Self::ID, &done).await?;
        match cx.desired {
            Desired::Stopped => self.0.write_scale(cx, 0).await?,
            Desired::Running if is_by_job(cx, former) => {
                let deploy = Deploy { application: self.0.application.clone() };
                deploy.follow(cx, Self::ID).await?;
            }
            Desired::Running => self.reload_once(cx).await?,
        }
        // Not before: the former container does not listen on the port of the new one.
        if is_attached_anew {
            self.0.route(cx, Self::ID, &cx.spec.stack).await?;
        }
        Ok(())
    }

    async fn undo(&self, cx: &Context, _: Option<&()>) -> Result<Vec<Line>, StepError> {
        let former = former(cx)?;
        cx.wait_out_late_commit(Self::ID).await?;
        let spec = &former.spec.stack;
        let is_attached_anew = attachments::may_differ(cx, spec);
        if is_attached_anew {
            self.0.mount(cx, Self::ID, spec).await?;
        }
        let (row, tag) = (self.row_of(former), self.tag_of(former));
        row.write(cx, &format!("Wrote revision {} back into the application", former.number))
            .await?;
        let mut lines = vec![self.line(cx, ResourceKind::Application, Outcome::Restored)];
        if cx.desired == Desired::Stopped {
            self.0.write_scale(cx, 0).await?;
            if is_attached_anew {
                self.0.route(cx, Self::ID, spec).await?;
            }
            return Ok(lines);
        }
        if is_by_job(cx, former) {
            stop_jobs(cx, &self.0.application.id).await?;
        }
        // What the new revision's tasks did says nothing of the former one.
        let tasks = self.0.former(cx).await?.tasks;
        if !self.0.settles_on(cx, tag.as_ref()).await? {
            self.0.reload(cx).await?;
        }
        if is_attached_anew {
            self.0.route(cx, Self::ID, spec).await?;
        }
        let verified = Service { mark: tag.clone(), ..self.0.clone() };
        verified.verified(Former { containers: Vec::new(), tasks }).run(cx).await?;
        if !self.0.settles_on(cx, tag.as_ref()).await? {
            let message = MessageCode::StillRunning;
            return Err(StepError::failed(FailureCode::StillRunning, message));
        }
        lines.insert(0, self.line(cx, ResourceKind::Service, Outcome::Restored));
        Ok(lines)
    }

    fn possible_leftovers(&self, cx: &Context, _: Option<&()>) -> Vec<Line> {
        let left = |kind| {
            let remedy = Some(Remedy::AwaitCleanUp { marker: None });
            Line { remedy, ..self.line(cx, kind, Outcome::Left) }
        };
        vec![left(ResourceKind::Service), left(ResourceKind::Application)]
    }
}

impl Switch {
    /// Applies the row to the service, and does not repeat that if it took effect: a second time
    /// while the first is under way would make what was never proven the one to which a failure leads
    /// back (recording day-two 621).
    async fn reload_once(&self, cx: &Context) -> Result<(), StepError> {
        let application = &self.0.application;
        let (action, done) = ("application.reload", "Applied it to the container");
        let reload = || cx.platform.reload_application(application);
        let find = || async {
            let state = self.0.state(cx).await?;
            Ok(state.filter(|state| is_tagged(state, self.0.mark.as_ref())).map(drop))
        };
        cx.create_or_adopt(Self::ID, action, done, reload, find).await
    }

    fn row_of<'a>(&'a self, former: &'a FormerRevision) -> Row<'a> {
        let stack = &former.spec.stack;
        let node = self.0.node_of(stack);
        let first = self.0.first.as_ref().map(|tag| tag.operation.as_str());
        Row {
            application: &self.0.application,
            spec: &former.spec,
            revision: former.number,
            operation: former.made.as_ref().map_or(first, |made| Some(made.as_str())),
            node,
            update: Some(row::update(stack, node)),
        }
    }

    /// Returns the tag of the former revision's container, if it has one.
    fn tag_of(&self, former: &FormerRevision) -> Option<OperationTag> {
        let made = former.made.as_ref();
        let made = made.map(|made| OperationTag { operation: made.to_string() });
        made.or_else(|| self.0.first.clone())
    }

    fn line(&self, cx: &Context, kind: ResourceKind, outcome: Outcome) -> Line {
        let application = &self.0.application;
        match kind {
            ResourceKind::Application => {
                let name = cx.deployment.name.as_str();
                cx.line(kind, Some(application.id.0.as_str()), name, outcome)
            }
            ResourceKind::Service
            | ResourceKind::Domain
            | ResourceKind::Project
            | ResourceKind::Volume => cx.line(kind, None, &application.app_name.0, outcome),
        }
    }
}

impl Service {
    /// Returns the service as the swarm runs it.
    async fn state(&self, cx: &Context) -> Result<Option<ServiceState>, StepError> {
        let name = &self.application.app_name;
        cx.query("docker.getConfig", || cx.platform.service(name)).await
    }

    /// Waits while the swarm replaces a container, and returns whether exactly one container runs
    /// then, which is the one with this `tag`.
    async fn settles_on(
        &self,
        cx: &Context,
        tag: Option<&OperationTag>,
    ) -> Result<bool, StepError> {
        let since = cx.now();
        loop {
            let Some(state) = self.state(cx).await? else { return Ok(false) };
            if !is_tagged(&state, tag) {
                return Ok(false);
            }
            let is_one = self.containers(cx).await?.len() == 1;
            if is_one && !state.is_moving() && self.running(cx, tag).await?.len() == 1 {
                return Ok(true);
            }
            if u128::from(elapsed_ms(since, cx.now())) >= SETTLES.as_millis() {
                return Ok(false);
            }
            cx.wait(PAUSE.max(cx.paced_delay(CALLS_PER_LOOK))).await?;
        }
    }
}

/// Watches whether the new revision goes on to run. There is nothing to undo.
pub(crate) struct Watch {
    pub(crate) service: Service,
    /// What ran before the change, whose ends do not count.
    pub(crate) former: Former,
}

/// What a watch has seen.
struct Seen {
    /// The time at which the swarm began to update the service.
    updated: Option<Timestamp>,
    /// Whether it was not done with that at the last look.
    was_moving: bool,
    /// The container of the new revision.
    container: Option<ContainerId>,
    /// The tasks that had failed at the first look.
    failed: BTreeSet<TaskId>,
}

/// What a look found.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Look {
    /// The container is the only one, and the swarm is done.
    Settled,
    /// That may become so.
    Moving,
    /// The swarm has begun to apply the row once more: a deploy job whose end the platform lost is
    /// queued again, and both have an effect.
    Anew,
}

impl Step for Watch {
    const ID: StepId = StepId::WATCH;
    type Output = ();

    fn limit(deadlines: &Deadlines) -> Duration {
        deadlines.whole
    }

    async fn run(&self, cx: &Context) -> Result<(), StepError> {
        let ended = self.watch(cx).await;
        let name = &self.service.application.app_name;
        last_log::explain(cx, name, &self.former.containers, ended).await
    }
}

impl Watch {
    /// Watches for as long as the settings say. After a restart of the portal it begins anew, since
    /// nobody looked meanwhile.
    async fn watch(&self, cx: &Context) -> Result<(), StepError> {
        let (began, mut since) = (cx.clock.now(), cx.now());
        let limit = cx.watch();
        let mut seen: Option<Seen> = None;
        loop {
            let look = self.look(cx, &mut seen).await?;
            if look == Look::Anew {
                (seen, since) = (None, cx.now());
            }
            let watched = Duration::from_millis(elapsed_ms(since, cx.now()));
            if watched >= limit && look == Look::Settled {
                cx.info("stack.watch", "The container kept running", began);
                return Ok(());
            }
            if watched >= limit + SETTLES {
                return Err(not_kept());
            }
            let pause = (PAUSE * 2).min(limit.saturating_sub(watched).max(PAUSE));
            cx.wait(pause.max(cx.paced_delay(CALLS_PER_LOOK))).await?;
        }
    }

    /// Fails if the container does not go on to run. While Docker is down, nothing is known.
    async fn look(&self, cx: &Context, seen: &mut Option<Seen>) -> Result<Look, StepError> {
        let service = &self.service;
        let Some(state) = service.state(cx).await? else { return Ok(Look::Moving) };
        let name = &service.application.app_name;
        let tasks = || cx.platform.tasks(name);
        let tasks = cx.query("docker.getServiceContainersByAppName", tasks).await?;
        let failed = tasks.into_iter().filter(|task| task.state == TaskState::Failed);
        let failed: BTreeSet<_> = failed.map(|task| task.id).collect();
        let seen = seen.get_or_insert_with(|| Seen {
            updated: updated(&state),
            was_moving: state.is_moving(),
            container: None,
            failed: failed.clone(),
        });
        let is_new = |id: &TaskId| !seen.failed.contains(id) && !self.former.tasks.contains(id);
        if state.is_taken_back() || failed.iter().any(is_new) {
            return Err(not_kept());
        }
        if updated(&state) != seen.updated {
            return Ok(Look::Anew);
        }
        let running = service.running(cx, service.mark.as_ref()).await?;
        if seen.container.as_ref().is_some_and(|id| !running.contains(id)) {
            return self.without_container(cx, seen).await;
        }
        seen.was_moving = state.is_moving();
        seen.container = seen.container.take().or_else(|| running.first().cloned());
        let is_one = service.containers(cx).await?.len() == 1;
        let is_settled = is_one && running.len() == 1 && !seen.was_moving;
        Ok(if is_settled { Look::Settled } else { Look::Moving })
    }

    /// Fails since the container is gone, unless Docker is down or replaces it by one of the same
    /// revision.
    async fn without_container(&self, cx: &Context, seen: &Seen) -> Result<Look, StepError> {
        let Some(state) = self.service.state(cx).await? else { return Ok(Look::Moving) };
        let is_replaced = seen.was_moving || updated(&state) != seen.updated;
        if is_replaced && !state.is_taken_back() {
            return Ok(Look::Anew);
        }
        if cx.node_count().await? > 0 { Err(not_kept()) } else { Ok(Look::Moving) }
    }
}

/// Returns the time at which the swarm began to update the service.
fn updated(state: &ServiceState) -> Option<Timestamp> {
    state.update.as_ref().and_then(|update| update.started_at)
}

/// Returns the failure of a container that does not go on to run.
fn not_kept() -> StepError {
    StepError::failed(FailureCode::CrashLoop, MessageCode::CrashLoop { exit_code: None })
}

/// Releases what only the former revision used. Its secrets stay, since one can go back to it.
pub(crate) struct Release;

impl Step for Release {
    const ID: StepId = StepId::RELEASE;
    type Output = ();

    async fn run(&self, _: &Context) -> Result<(), StepError> {
        Ok(())
    }
}

/// Returns the revision that the stack had before the change.
fn former(cx: &Context) -> Result<&FormerRevision, StepError> {
    let former = cx.lineage.former.as_ref().filter(|former| !former.spec.is_lost);
    former.ok_or_else(|| StepError::Failed(StepError::spec_lost()))
}

/// Returns whether a deploy job makes the change, since the node may not have the image.
fn is_by_job(cx: &Context, former: &FormerRevision) -> bool {
    former.spec.stack.image != cx.spec.stack.image
}

/// Returns whether the swarm runs, or tries to run, the revision with this tag.
fn is_tagged(state: &ServiceState, tag: Option<&OperationTag>) -> bool {
    state.spec.variables.get(OPERATION) == tag.map(|tag| &tag.operation)
}
