//! Sets what the application runs, in one idempotent call; it goes with the application.
//!
//! Among it is which deployment it was, by which its container is known from any other.

use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::server::{
    orchestrator::{context::Context, failure::StepError, step::Step},
    platform::{Application, Configuration, OPERATION},
    ports::store::StepId,
};

/// Sets what the application runs.
pub(in crate::server::orchestrator) struct Configure {
    pub(in crate::server::orchestrator) application: Application,
}

/// The tag that the container carries in its environment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::server::orchestrator) struct OperationTag {
    /// The id of the deployment.
    pub(super) operation: String,
}

impl Step for Configure {
    const ID: StepId = StepId::Configuration;
    /// Older versions of the portal marked nothing.
    type Output = Option<OperationTag>;

    async fn run(&self, cx: &Context) -> Result<Option<OperationTag>, StepError> {
        let settings = &cx.settings;
        let operation = cx.deployment.id.to_string();
        let mut environment = settings.environment.clone();
        environment.push((OPERATION.to_owned(), SecretString::from(operation.as_str())));
        let configuration = Configuration {
            image: settings.image.clone(),
            registry: settings.registry.clone(),
            environment,
            cpu_nanos: settings.cpu_nanos,
            memory_bytes: settings.memory_bytes,
        };
        let id = &self.application.id;
        let configure = || cx.platform.configure_application(id, &configuration);
        cx.mutate("application.update", "Configured the application", configure).await?;
        Ok(Some(OperationTag { operation }))
    }
}
