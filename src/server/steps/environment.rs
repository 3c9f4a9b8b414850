//! Finds the project's default environment. There is nothing to undo: it is removed with the
//! project.

use super::ProjectOutput;
use crate::server::platform::EnvironmentId;
use crate::server::saga::context::Context;
use crate::server::saga::failure::StepError;
use crate::server::saga::step::Step;
use crate::server::store::StepId;
use domain::event::{FailureCode, Resources};
use domain::message::MessageCode;

/// Finds the project's default environment.
pub(crate) struct FindEnvironment {
    pub(crate) project: ProjectOutput,
}

impl Step for FindEnvironment {
    const ID: StepId = StepId::ENVIRONMENT;
    type Output = EnvironmentId;

    async fn run(&self, cx: &Context) -> Result<EnvironmentId, StepError> {
        if let Some(known) = &self.project.environment {
            return Ok(known.clone());
        }
        let find = || cx.platform.project(&self.project.id);
        let project =
            cx.query_and_log("project.one", "Read the project's environment", find).await?;
        let environments = project.into_iter().flat_map(|project| project.environments);
        environments
            .into_iter()
            .find(|environment| environment.is_default)
            .map(|environment| environment.id)
            // If the platform crashes between its two inserts, the project has no environment.
            .ok_or_else(|| {
                StepError::failed(FailureCode::PlatformRefused, MessageCode::NoEnvironment)
            })
    }

    fn record_resources(output: &EnvironmentId, resources: &mut Resources) {
        resources.environment_id = Some(output.0.clone());
    }
}
