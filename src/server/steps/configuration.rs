//! Configures the application in one idempotent call. There is nothing to undo: the configuration
//! is removed with the application.
//!
//! It includes the deployment's id and the number of the stack's revision, as variables and as
//! labels, which identify the container.

use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use super::VolumesOutput;
use crate::server::platform::{Application, Configuration, OPERATION, REVISION, ServiceSettings};
use crate::server::saga::context::Context;
use crate::server::saga::failure::StepError;
use crate::server::saga::step::Step;
use crate::server::store::StepId;
use domain::stack_spec::StackSpec;

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
        if let Some(service) = self.service() {
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
    fn service(&self) -> Option<ServiceSettings> {
        let VolumesOutput { node, .. } = self.volumes.as_ref()?;
        // Volumes are on one node, so the container must be there, too.
        let constraints = vec![format!("node.hostname=={node}")];
        Some(ServiceSettings { constraints, ..ServiceSettings::default() })
    }
}
