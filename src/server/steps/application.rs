//! Creates the application. The undo verifies that its service is gone.

use super::{ProjectOutput, removal, routes};
use crate::server::platform::{AppName, Application, EnvironmentId, NewApplication};
use crate::server::saga::context::Context;
use crate::server::saga::failure::StepError;
use crate::server::saga::step::Step;
use crate::server::store::StepId;
use domain::event::Resources;
use domain::message::MessageCode;
use domain::receipt::{Line, Outcome, ResourceKind};

/// Creates the application.
pub(crate) struct CreateApplication {
    pub(crate) project: ProjectOutput,
    pub(crate) environment: EnvironmentId,
}

impl Step for CreateApplication {
    const ID: StepId = StepId::APPLICATION;
    const REMOVING: Option<MessageCode> = Some(MessageCode::StoppingContainer);
    type Output = Application;

    async fn run(&self, cx: &Context) -> Result<Application, StepError> {
        let name = cx.deployment.name.to_string();
        let new = NewApplication {
            app_name_base: format!("stack-{name}"),
            name,
            marker: cx.marker.clone(),
            environment: self.environment.clone(),
        };
        let make = || cx.platform.create_application(&new);
        let done = "Created the application";
        cx.create_or_adopt(Self::ID, "application.create", done, make, || self.adopt(cx)).await
    }

    fn record_resources(output: &Application, resources: &mut Resources) {
        resources.application_id = Some(output.id.0.clone());
    }

    fn services(output: &Application) -> Vec<AppName> {
        vec![output.app_name.clone()]
    }

    async fn undo(
        &self,
        cx: &Context,
        output: Option<&Application>,
    ) -> Result<Vec<Line>, StepError> {
        let mut lines = Vec::new();
        for application in cx.marked_applications().await? {
            lines.extend(removal::remove_application(cx, &application.into()).await?);
        }
        if let Some(output) = output
            && !lines.iter().any(|line| line.id.as_ref() == Some(&output.id.0))
        {
            lines.extend(unmarked(cx, output).await?);
        }
        // Services of earlier runs and of duplicates may still run although their application is
        // gone.
        for service in cx.journal.services() {
            let is_told =
                |line: &Line| line.resource == ResourceKind::Service && line.name == service.0;
            if !lines.iter().any(is_told) {
                lines.push(removal::service_line(cx, &service).await?);
            }
        }
        Ok(lines)
    }

    fn possible_leftovers(&self, cx: &Context, output: Option<&Application>) -> Vec<Line> {
        let Some(output) = output else {
            let name = cx.deployment.name.as_str();
            return vec![cx.line(ResourceKind::Application, None, name, Outcome::Left)];
        };
        cx.leftover_application(output)
    }
}

impl CreateApplication {
    /// Adopts the oldest application with our marker, and removes the others.
    async fn adopt(&self, cx: &Context) -> Result<Option<Application>, StepError> {
        let mut marked = cx.marked_applications_in(&self.project.id).await?.into_iter();
        let Some(oldest) = marked.next() else { return Ok(None) };
        for other in marked {
            cx.warn("application.create", "Removing a duplicate application of this deployment");
            removal::remove_application(cx, &other.into()).await?;
        }
        Ok(Some(oldest.into()))
    }
}

/// Returns the receipt's lines for an application that has lost our marker or does not exist.
async fn unmarked(cx: &Context, output: &Application) -> Result<Vec<Line>, StepError> {
    if routes::is_elsewhere(cx, output).await? {
        return Ok(cx.leftover_application(output));
    }
    // The address was undone before this, but perhaps by an older version, which did not overwrite
    // the route file.
    let mut lines = Vec::from_iter(routes::close_left_open(cx, output).await?);
    let (id, name) = (Some(output.id.0.as_str()), cx.deployment.name.as_str());
    lines.push(removal::service_line(cx, &output.app_name).await?);
    lines.push(cx.line(ResourceKind::Application, id, name, Outcome::VerifiedGone));
    Ok(lines)
}
