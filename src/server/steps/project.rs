//! Creates the project. It is undone last, and only if it contains nothing that the portal did not
//! create.

use serde::{Deserialize, Serialize};

use super::removal;
use crate::server::platform::{EnvironmentId, NewProject, ProjectId};
use crate::server::saga::context::Context;
use crate::server::saga::failure::StepError;
use crate::server::saga::step::Step;
use crate::server::settings::StackSettings;
use crate::server::store::StepId;
use domain::event::Resources;
use domain::message::MessageCode;
use domain::receipt::{Line, Outcome, ResourceKind};

/// Creates the project.
pub(crate) struct CreateProject;

/// The project, with its default environment if the platform returned it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ProjectOutput {
    pub(super) id: ProjectId,
    pub(super) environment: Option<EnvironmentId>,
}

impl Step for CreateProject {
    const ID: StepId = StepId::PROJECT;
    const REMOVING: Option<MessageCode> = Some(MessageCode::RemovingProject);
    type Output = ProjectOutput;

    async fn run(&self, cx: &Context) -> Result<ProjectOutput, StepError> {
        let new = NewProject { name: name(cx), marker: cx.marker.clone() };
        let make = || async {
            let created = cx.platform.create_project(&new).await?;
            Ok(ProjectOutput { id: created.id, environment: created.environment })
        };
        cx.create_or_adopt(Self::ID, "project.create", "Created the project", make, || adopt(cx))
            .await
    }

    fn record_resources(output: &ProjectOutput, resources: &mut Resources) {
        resources.project_id = Some(output.id.0.clone());
    }

    async fn undo(
        &self,
        cx: &Context,
        output: Option<&ProjectOutput>,
    ) -> Result<Vec<Line>, StepError> {
        let mut lines = Vec::new();
        // A lost create call may commit late, so the search is repeated when it no longer can.
        let mut is_late = true;
        loop {
            let marked = cx.marked_projects().await?;
            if marked.is_empty() && is_late {
                cx.wait_out_late_commit(Self::ID).await?;
                is_late = false;
                continue;
            }
            if marked.is_empty() {
                break;
            }
            for project in marked {
                lines.extend(removal::remove_project(cx, &project.id, &project.name).await?);
            }
            if lines.iter().any(|line| line.outcome == Outcome::Left) {
                return Ok(lines);
            }
        }
        if let Some(output) = output
            && !lines.iter().any(|line| line.id.as_ref() == Some(&output.id.0))
        {
            lines.push(unmarked(cx, output).await?);
        }
        Ok(lines)
    }

    fn possible_leftovers(&self, cx: &Context, output: Option<&ProjectOutput>) -> Vec<Line> {
        let (id, name) = (output.map(|output| output.id.0.as_str()), name(cx));
        vec![cx.line(ResourceKind::Project, id, &name, Outcome::Left)]
    }
}

fn name(cx: &Context) -> String {
    StackSettings::project(&cx.deployment.name)
}

/// Adopts the oldest project with our marker, and removes the others.
async fn adopt(cx: &Context) -> Result<Option<ProjectOutput>, StepError> {
    let mut marked = cx.marked_projects().await?.into_iter();
    let Some(oldest) = marked.next() else { return Ok(None) };
    for other in marked {
        cx.warn("project.create", "Removing a duplicate project of this deployment");
        removal::remove_project(cx, &other.id, &other.name).await?;
    }
    Ok(Some(ProjectOutput { id: oldest.id, environment: None }))
}

/// Returns the receipt's line for a project that has lost our marker or is gone.
async fn unmarked(cx: &Context, output: &ProjectOutput) -> Result<Line, StepError> {
    let is_there = cx.query("project.one", || cx.platform.project(&output.id)).await?.is_some();
    Ok(cx.checked_line(ResourceKind::Project, &output.id.0, &name(cx), is_there))
}
