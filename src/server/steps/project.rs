//! Creates the project; undone last, and only while nothing foreign is in it.

use serde::{Deserialize, Serialize};

use super::removal;
use crate::server::{
    platform::{EnvironmentId, NewProject, ProjectId},
    saga::{context::Context, failure::StepError, step::Step},
    settings::StackSettings,
    store::StepId,
};
use domain::{
    event::Resources,
    receipt::{Line, Outcome, ResourceKind},
};

/// Creates the project.
pub(crate) struct CreateProject;

/// The project, with its default environment where the platform told it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ProjectOutput {
    pub(super) id: ProjectId,
    pub(super) environment: Option<EnvironmentId>,
}

impl Step for CreateProject {
    const ID: StepId = StepId::PROJECT;
    const REMOVING: Option<&'static str> = Some("Removing the project");
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
        // Until a look by marker finds none: a lost create may be carried out late.
        let mut is_late = true;
        loop {
            let marker = cx.marked_projects().await?;
            if marker.is_empty() && is_late {
                cx.wait_out_late_commit(Self::ID).await?;
                is_late = false;
                continue;
            }
            if marker.is_empty() {
                break;
            }
            for project in marker {
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
        vec![cx.leftover_line(ResourceKind::Project, id, &name, None)]
    }
}

fn name(cx: &Context) -> String {
    StackSettings::project(&cx.deployment.name)
}

/// Keeps the oldest project of ours, and removes the others.
async fn adopt(cx: &Context) -> Result<Option<ProjectOutput>, StepError> {
    let mut marker = cx.marked_projects().await?.into_iter();
    let Some(oldest) = marker.next() else { return Ok(None) };
    for other in marker {
        cx.warn("project.create", "Removing a duplicate project of this deployment");
        removal::remove_project(cx, &other.id, &other.name).await?;
    }
    Ok(Some(ProjectOutput { id: oldest.id, environment: None }))
}

/// Returns what became of a project that no longer carries our marker.
async fn unmarked(cx: &Context, output: &ProjectOutput) -> Result<Line, StepError> {
    let (id, name) = (Some(output.id.0.as_str()), name(cx));
    let there = cx.query("project.one", || cx.platform.project(&output.id)).await?.is_some();
    Ok(if there {
        cx.leftover_line(ResourceKind::Project, id, &name, None)
    } else {
        cx.line(ResourceKind::Project, id, &name, Outcome::VerifiedGone)
    })
}
