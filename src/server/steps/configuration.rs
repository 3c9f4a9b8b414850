//! Configures the application in one idempotent call. There is nothing to undo: the configuration
//! is removed with the application.
//!
//! It includes the deployment's id and the number of the stack's revision, as variables and as
//! labels, which identify the container.

use std::time::Duration;

use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::server::platform::{
    Application, Configuration, HealthCheck, OPERATION, REVISION, ServiceSettings,
};
use crate::server::saga::context::Context;
use crate::server::saga::failure::StepError;
use crate::server::saga::step::Step;
use crate::server::store::{StepId, VolumesOutput};
use domain::stack_spec::StackSpec;

/// The interval between two runs of the container runtime's own health check.
const CHECK_INTERVAL: Duration = Duration::from_secs(5);
/// The time after which a run of it has failed.
const CHECK_TIMEOUT: Duration = Duration::from_secs(5);
/// The number of consecutive failures after which the container is replaced.
const CHECK_RETRIES: u32 = 3;

/// Configures the application.
pub(crate) struct Configure {
    pub(crate) application: Application,
    /// Its volumes, if it has some.
    pub(crate) volumes: Option<VolumesOutput>,
}

/// The tag that the container carries in its environment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct OperationTag {
    /// The id of the deployment.
    pub(super) operation: String,
}

impl Step for Configure {
    const ID: StepId = StepId::CONFIGURATION;
    /// `None` if an older version of the portal configured it, which set no tag.
    type Output = Option<OperationTag>;

    async fn run(&self, cx: &Context) -> Result<Option<OperationTag>, StepError> {
        let (operation, revision) = (cx.deployment.id.to_string(), cx.revision.to_string());
        let StackSpec { image, size, .. } = &cx.spec.stack;
        let mut environment = cx.spec.environment().map_err(StepError::sealed)?;
        let labels = [(OPERATION, operation.as_str()), (REVISION, revision.as_str())];
        let as_variable =
            |(name, value): (&str, &str)| (name.to_owned(), SecretString::from(value));
        environment.extend(labels.map(as_variable));
        let configuration = Configuration {
            image: image.clone(),
            registry: cx.spec.registry().map_err(StepError::sealed)?,
            environment,
            labels: labels.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
            cpu_nanos: size.cpu_nanos,
            memory_bytes: size.memory_bytes,
        };
        let id = &self.application.id;
        let (action, done) = ("application.update", "Configured the application");
        if let Some(service) = self.service(&cx.spec.stack) {
            let configure = || cx.platform.configure_service(id, &configuration, &service);
            cx.mutate(action, done, configure).await?;
        } else {
            let configure = || cx.platform.configure_application(id, &configuration);
            cx.mutate(action, done, configure).await?;
        }
        Ok(Some(OperationTag { operation }))
    }
}

impl Configure {
    /// Returns how the swarm runs the container, if the stack says so.
    fn service(&self, stack: &StackSpec) -> Option<ServiceSettings> {
        // Volumes are on one node, so the container must be there, too.
        let on_node = |VolumesOutput { node, .. }: &VolumesOutput| format!("node.hostname=={node}");
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
            constraints: self.volumes.iter().map(on_node).collect(),
            update: None,
        };
        (settings != ServiceSettings::default()).then_some(settings)
    }
}
