//! Lets a stack run, or lets nothing of it run, by the number of its containers, and replaces its
//! container.
//!
//! The platform's own calls for that are not used: they leave another number in its row, which the
//! next reload applies, and hide errors (recordings day-two 349, 359).

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::configuration::OperationTag;
use super::deploy::stop_jobs;
use super::row::{self, Row};
use super::{Deploy, Former, VerifyHealth, last_log};
use crate::server::platform::{Application, Container, ContainerId, TaskState};
use crate::server::saga::absence;
use crate::server::saga::context::Context;
use crate::server::saga::failure::StepError;
use crate::server::saga::step::Step;
use crate::server::settings::Deadlines;
use crate::server::store::StepId;
use domain::event::FailureCode;
use domain::last_log::LastLog;
use domain::message::MessageCode;
use domain::receipt::{Line, Outcome, ResourceKind};
use domain::remedy::Remedy;
use domain::stack_spec::StackSpec;

/// The pauses between two looks for a container.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// The maximum number of containers of the service that are inspected. It normally has one, and two
/// for a moment.
const MAX_CONTAINERS: usize = 4;

/// The stack's part on the platform that runs.
#[derive(Clone, Debug)]
pub(crate) struct Service {
    pub(crate) application: Application,
    /// The tag that its container carries, unless an older version of the portal configured it.
    pub(crate) mark: Option<OperationTag>,
    /// The tag of the first revision, unless an older version of the portal configured it.
    pub(crate) first: Option<OperationTag>,
    /// The node of its volumes, if any of its revisions has some.
    pub(crate) node: Option<String>,
}

impl Service {
    /// Lets this many containers run. The change takes effect after the call.
    async fn scale(&self, cx: &Context, replicas: u32) -> Result<(), StepError> {
        self.write_scale(cx, replicas).await?;
        self.reload(cx).await
    }

    /// Writes the number of containers, without any effect until the next reload.
    pub(super) async fn write_scale(&self, cx: &Context, replicas: u32) -> Result<(), StepError> {
        let id = &self.application.id;
        let set = || cx.platform.set_replicas(id, replicas);
        cx.mutate("application.update", "Set the number of containers", set).await
    }

    /// Returns the platform's row for the revision by which the operation works.
    pub(super) fn row<'a>(&'a self, cx: &'a Context) -> Row<'a> {
        let node = self.node_of(&cx.spec.stack);
        Row {
            application: &self.application,
            spec: &cx.spec,
            revision: cx.revision,
            operation: self.mark.as_ref().map(|mark| mark.operation.as_str()),
            node,
            update: Some(row::update(&cx.spec.stack, node)),
        }
    }

    /// Returns the node on which a revision must run, since it has its volumes.
    pub(super) fn node_of(&self, spec: &StackSpec) -> Option<&str> {
        self.node.as_deref().filter(|_| !spec.volumes.is_empty())
    }

    /// Writes the revision that the stack has into the row once more, if a change that ended stuck
    /// may have left another one there. `step` is the one that does this.
    async fn write_again(&self, cx: &Context, step: StepId) -> Result<(), StepError> {
        if !cx.lineage.has_changed || cx.spec.is_lost {
            return Ok(());
        }
        if cx.lineage.has_failed {
            self.mount(cx, step, &cx.spec.stack).await?;
            self.route(cx, step, &cx.spec.stack).await?;
        }
        self.row(cx).write(cx, "Wrote the stack's revision into the application").await
    }

    /// Returns the running containers of the service.
    pub(super) async fn containers(&self, cx: &Context) -> Result<Vec<Container>, StepError> {
        let name = &self.application.app_name;
        let running = || cx.platform.running_containers(name);
        let found = cx.query("docker.getContainersByAppLabel", running).await?;
        let is_own = |one: &Container| one.is_running && name.owns_container(&one.name);
        Ok(found.into_iter().filter(is_own).collect())
    }

    /// Returns those of them that carry this tag.
    pub(super) async fn running(
        &self,
        cx: &Context,
        tag: Option<&OperationTag>,
    ) -> Result<Vec<ContainerId>, StepError> {
        let mut running = Vec::new();
        for Container { id, .. } in self.containers(cx).await?.into_iter().take(MAX_CONTAINERS) {
            let inspect = || cx.platform.inspect_container(&id);
            let found = cx.query("docker.getConfig", inspect).await?;
            let found = found.filter(|found| found.is_running);
            if found.is_some_and(|found| found.operation.as_ref() == tag.map(|tag| &tag.operation))
            {
                running.push(id);
            }
        }
        Ok(running)
    }

    pub(super) async fn reload(&self, cx: &Context) -> Result<(), StepError> {
        let reload = || cx.platform.reload_application(&self.application);
        cx.mutate("application.reload", "Applied it to the container", reload).await
    }

    /// Lets nothing run, and waits until that is proved.
    async fn stop(&self, cx: &Context) -> Result<(), StepError> {
        self.scale(cx, 0).await?;
        let since = cx.clock.now();
        if !absence::nothing_runs(cx, &self.application.app_name).await? {
            let message = MessageCode::StillRunning;
            return Err(StepError::failed(FailureCode::StillRunning, message));
        }
        cx.info("service.verify", "Verified that no container runs", since);
        Ok(())
    }

    /// Lets it run for `step`, and waits until the stack answers.
    async fn start(&self, cx: &Context, step: StepId) -> Result<(), StepError> {
        let former = self.former(cx).await?;
        self.write_again(cx, step).await?;
        self.scale(cx, 1).await?;
        self.verified(former).run(cx).await
    }

    /// Returns what is there now. Docker answers both before and after: while it is down, the platform
    /// shows nothing, and what runs all the same would count as new later.
    pub(super) async fn former(&self, cx: &Context) -> Result<Former, StepError> {
        loop {
            if !absence::docker_is_up(cx).await? {
                let message = MessageCode::DockerUnreachable;
                return Err(StepError::failed(FailureCode::DockerUnreachable, message));
            }
            let former = self.shown(cx).await?;
            if absence::has_node(cx).await? {
                return Ok(former);
            }
        }
    }

    /// Returns what the platform shows now.
    async fn shown(&self, cx: &Context) -> Result<Former, StepError> {
        let name = &self.application.app_name;
        let running = || cx.platform.running_containers(name);
        let containers = cx.query("docker.getContainersByAppLabel", running).await?;
        let tasks = || cx.platform.tasks(name);
        let tasks = cx.query("docker.getServiceContainersByAppName", tasks).await?;
        Ok(Former {
            containers: containers.into_iter().map(|container| container.id).collect(),
            tasks: tasks.into_iter().map(|task| task.id).collect(),
        })
    }

    /// Waits until a container that was not there before runs, or cannot be kept running, which is for
    /// the next step to say.
    async fn wait_for_container(&self, cx: &Context, former: &Former) -> Result<(), StepError> {
        let name = &self.application.app_name;
        let mut pause = FIRST_PAUSE;
        loop {
            let tasks = || cx.platform.tasks(name);
            let tasks = cx.query("docker.getServiceContainersByAppName", tasks).await?;
            let mut new = tasks.iter().filter(|task| !former.tasks.contains(&task.id));
            if new.any(|task| matches!(task.state, TaskState::Running | TaskState::Failed)) {
                return Ok(());
            }
            cx.wait(pause.max(cx.paced_delay(1))).await?;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Returns the step that waits until the stack answers, with a container that was not there
    /// before.
    pub(crate) fn verified(&self, former: Former) -> VerifyHealth {
        VerifyHealth { application: self.application.clone(), mark: self.mark.clone(), former }
    }

    fn line(&self, cx: &Context, outcome: Outcome) -> Line {
        cx.line(ResourceKind::Service, None, &self.application.app_name.0, outcome)
    }

    /// Returns the line of a service of which it is not known whether it runs.
    fn unknown(&self, cx: &Context) -> Line {
        let remedy = Some(Remedy::AwaitCleanUp { marker: None });
        Line { remedy, ..self.line(cx, Outcome::Left) }
    }
}

/// What is known of a stack that was stopped. An older version recorded nothing. Persisted: never
/// rename.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Stopped {
    /// What its container wrote last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    last_log: Option<LastLog>,
}

/// Lets nothing of the stack run. Its undo lets it run again.
pub(crate) struct StopService(pub(crate) Service);

impl Step for StopService {
    const ID: StepId = StepId::STOP;
    type Output = Option<Stopped>;

    fn limit(deadlines: &Deadlines) -> Duration {
        deadlines.deploy
    }

    async fn run(&self, cx: &Context) -> Result<Option<Stopped>, StepError> {
        // It is gone with the container.
        let name = &self.0.application.app_name;
        let last_log = last_log::read(cx, name, &[], last_log::Meant::Running).await;
        self.0.stop(cx).await?;
        Ok(Some(Stopped { last_log: Some(last_log) }))
    }

    async fn undo(
        &self,
        cx: &Context,
        _: Option<&Option<Stopped>>,
    ) -> Result<Vec<Line>, StepError> {
        self.0.start(cx, Self::ID).await?;
        Ok(vec![self.0.line(cx, Outcome::Restored)])
    }

    fn possible_leftovers(&self, cx: &Context, _: Option<&Option<Stopped>>) -> Vec<Line> {
        vec![self.0.unknown(cx)]
    }
}

/// Lets a stopped stack run. Its undo stops it again.
pub(crate) struct StartService(pub(crate) Service);

impl Step for StartService {
    const ID: StepId = StepId::START;
    type Output = Former;

    /// An image that the node does not have any more is pulled first.
    fn limit(deadlines: &Deadlines) -> Duration {
        deadlines.deploy
    }

    async fn run(&self, cx: &Context) -> Result<Former, StepError> {
        let former = self.0.former(cx).await?;
        self.0.write_again(cx, Self::ID).await?;
        if cx.lineage.is_untried {
            // Its image may have never been pulled.
            self.0.write_scale(cx, 1).await?;
            let deploy = Deploy { application: self.0.application.clone() };
            deploy.follow(cx, Self::ID).await?;
        } else {
            self.0.scale(cx, 1).await?;
        }
        self.0.wait_for_container(cx, &former).await?;
        Ok(former)
    }

    async fn undo(&self, cx: &Context, _: Option<&Former>) -> Result<Vec<Line>, StepError> {
        if cx.lineage.is_untried {
            cx.wait_out_late_commit(Self::ID).await?;
            stop_jobs(cx, &self.0.application.id).await?;
        }
        self.0.stop(cx).await?;
        Ok(vec![self.0.line(cx, Outcome::VerifiedGone)])
    }

    fn possible_leftovers(&self, cx: &Context, _: Option<&Former>) -> Vec<Line> {
        vec![self.0.unknown(cx)]
    }
}

/// Replaces the container, also of a stack that somebody has scaled to nothing. Returns what was
/// there before. There is no undo: a container that is gone does not come back.
pub(crate) struct ReplaceContainer(pub(crate) Service);

impl Step for ReplaceContainer {
    const ID: StepId = StepId::RESTART;
    type Output = Former;

    async fn run(&self, cx: &Context) -> Result<Former, StepError> {
        let former = self.0.former(cx).await?;
        self.0.write_again(cx, Self::ID).await?;
        self.0.scale(cx, 1).await?;
        Ok(former)
    }
}
