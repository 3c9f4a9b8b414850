//! The platform's row of an application, which holds what the next container is made of.
//!
//! It includes the id of the operation that made the revision and its number, as variables and as
//! labels, which identify the container.

use std::time::Duration;

use secrecy::SecretString;

use crate::server::platform::{
    Application, Configuration, FailureAction, HealthCheck, OPERATION, PlatformError, REVISION,
    ServiceSettings, UpdateOrder, UpdateSettings,
};
use crate::server::saga::context::Context;
use crate::server::saga::failure::StepError;
use crate::server::spec::OperationSpec;
use crate::server::store::StepId;
use domain::stack_spec::StackSpec;

/// The interval between two runs of the container runtime's own health check.
const CHECK_INTERVAL: Duration = Duration::from_secs(5);
/// The time after which a run of it has failed.
const CHECK_TIMEOUT: Duration = Duration::from_secs(5);
/// The number of consecutive failures after which the container is replaced.
const CHECK_RETRIES: u32 = 3;
/// For how long the swarm watches the new container of an update.
const MONITOR: Duration = Duration::from_secs(5);
const ACTION: &str = "application.update";

/// What the row is to hold.
pub(super) struct Row<'a> {
    pub(super) application: &'a Application,
    /// What the revision is made of.
    pub(super) spec: &'a OperationSpec,
    /// Its number.
    pub(super) revision: u32,
    /// The operation that made it, unless an older version of the portal did, which set no tag.
    pub(super) operation: Option<&'a str>,
    /// The node that has its volumes, if it has some.
    pub(super) node: Option<&'a str>,
    /// How the swarm replaces a container; `None` for the platform's default.
    pub(super) update: Option<UpdateSettings>,
}

/// What is sent.
struct Content {
    configuration: Configuration,
    settings: Option<ServiceSettings>,
}

impl Row<'_> {
    /// Writes it. Nothing that runs changes before the next reload or deploy job.
    pub(super) async fn write(&self, cx: &Context, done: &str) -> Result<(), StepError> {
        let content = self.content()?;
        cx.mutate(ACTION, done, || self.send(cx, &content)).await
    }

    /// Does the same for `step`, whose undo writes another one.
    pub(super) async fn write_for(
        &self,
        cx: &Context,
        step: StepId,
        done: &str,
    ) -> Result<(), StepError> {
        let content = self.content()?;
        cx.mutate_for(step, ACTION, done, || self.send(cx, &content)).await
    }

    async fn send(&self, cx: &Context, content: &Content) -> Result<(), PlatformError> {
        let (id, Content { configuration, settings }) = (&self.application.id, content);
        match settings {
            Some(settings) => cx.platform.configure_service(id, configuration, settings).await,
            None => cx.platform.configure_application(id, configuration).await,
        }
    }

    fn content(&self) -> Result<Content, StepError> {
        let StackSpec { image, size, .. } = &self.spec.stack;
        let revision = self.revision.to_string();
        let tags = self.operation.map(|id| [(OPERATION, id), (REVISION, revision.as_str())]);
        let tags = || tags.into_iter().flatten();
        let mut environment = self.spec.environment().map_err(StepError::sealed)?;
        environment
            .extend(tags().map(|(name, value)| (name.to_owned(), SecretString::from(value))));
        let configuration = Configuration {
            image: image.clone(),
            registry: self.spec.registry().map_err(StepError::sealed)?,
            environment,
            labels: tags().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
            cpu_nanos: size.cpu_nanos,
            memory_bytes: size.memory_bytes,
        };
        Ok(Content { configuration, settings: self.settings() })
    }

    /// Returns how the swarm runs the container, if the stack says so.
    fn settings(&self) -> Option<ServiceSettings> {
        let stack = &self.spec.stack;
        // Volumes are on one node, so the container must be there, too.
        let on_node = |node: &str| format!("node.hostname=={node}");
        let settings = ServiceSettings {
            args: stack.command.clone(),
            health_check: stack.healthcheck.as_ref().map(|test| HealthCheck {
                test: test.clone(),
                interval: CHECK_INTERVAL,
                timeout: CHECK_TIMEOUT,
                // A container that needs longer would be killed (recording day-two 67).
                start_period: stack.health.timeout,
                retries: CHECK_RETRIES,
            }),
            constraints: self.node.into_iter().map(on_node).collect(),
            update: self.update.clone(),
        };
        (settings != ServiceSettings::default()).then_some(settings)
    }
}

/// Returns how the swarm replaces a container of this stack. The new one starts first only where
/// that is safe: the swarm can tell when it answers, and no data is written by two at once.
pub(super) fn update(stack: &StackSpec, node: Option<&str>) -> UpdateSettings {
    let is_safe = stack.is_replaced_without_a_gap() && node.is_none();
    let order = if is_safe { UpdateOrder::StartFirst } else { UpdateOrder::StopFirst };
    UpdateSettings { order, monitor: MONITOR, on_failure: FailureAction::Rollback }
}
