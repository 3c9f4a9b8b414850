//! Creates the project; undone last, and only while nothing foreign is in it.

use serde::{Deserialize, Serialize};

use crate::{
    domain::{
        event::Resources,
        receipt::{Line, Outcome, ResourceKind},
    },
    server::{
        orchestrator::{context::Context, failure::StepError, removal, step::Step},
        ports::{
            platform::{EnvironmentId, NewProject, ProjectId},
            store::StepId,
        },
        settings::StackSettings,
    },
};

/// Creates the project.
pub(in crate::server::orchestrator) struct CreateProject;

/// The project, with its default environment where the platform told it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::server::orchestrator) struct MadeProject {
    pub(super) id: ProjectId,
    pub(super) environment: Option<EnvironmentId>,
}

impl Step for CreateProject {
    const ID: StepId = StepId::Project;
    const REMOVING: Option<&'static str> = Some("Removing the project");
    type Output = MadeProject;

    async fn run(&self, cx: &Context) -> Result<MadeProject, StepError> {
        let new = NewProject { name: name(cx), marker: cx.marker.clone() };
        let make = || async {
            let created = cx.platform.create_project(&new).await?;
            Ok(MadeProject { id: created.id, environment: created.environment })
        };
        cx.create(Self::ID, "project.create", "Created the project", make, || adopt(cx)).await
    }

    fn note(made: &MadeProject, resources: &mut Resources) {
        resources.project_id = Some(made.id.0.clone());
    }

    async fn undo(&self, cx: &Context, made: Option<&MadeProject>) -> Result<Vec<Line>, StepError> {
        let mut lines = Vec::new();
        // Until a look by marker finds none: a lost create may be carried out late.
        let mut is_late = true;
        loop {
            let ours = cx.our_projects().await?;
            if ours.is_empty() && is_late {
                cx.outwait(Self::ID).await?;
                is_late = false;
                continue;
            }
            if ours.is_empty() {
                break;
            }
            for project in ours {
                lines.extend(removal::remove_project(cx, &project.id, &project.name).await?);
            }
            if lines.iter().any(|line| line.outcome == Outcome::Left) {
                return Ok(lines);
            }
        }
        if let Some(made) = made
            && !lines.iter().any(|line| line.id.as_ref() == Some(&made.id.0))
        {
            lines.push(unmarked(cx, made).await?);
        }
        Ok(lines)
    }

    fn remains(&self, cx: &Context, made: Option<&MadeProject>) -> Vec<Line> {
        let (id, name) = (made.map(|made| made.id.0.as_str()), name(cx));
        vec![cx.left(ResourceKind::Project, id, &name, None)]
    }
}

fn name(cx: &Context) -> String {
    StackSettings::project(&cx.deployment.name)
}

/// Keeps the oldest project of ours, and removes the others.
async fn adopt(cx: &Context) -> Result<Option<MadeProject>, StepError> {
    let mut ours = cx.our_projects().await?.into_iter();
    let Some(oldest) = ours.next() else { return Ok(None) };
    for other in ours {
        cx.warn("project.create", "Removing a second project of this deployment");
        removal::remove_project(cx, &other.id, &other.name).await?;
    }
    Ok(Some(MadeProject { id: oldest.id, environment: None }))
}

/// Tells what became of a project that no longer carries our marker.
async fn unmarked(cx: &Context, made: &MadeProject) -> Result<Line, StepError> {
    let (id, name) = (Some(made.id.0.as_str()), name(cx));
    let there = cx.ask("project.one", || cx.platform.project(&made.id)).await?.is_some();
    Ok(if there {
        cx.left(ResourceKind::Project, id, &name, None)
    } else {
        cx.line(ResourceKind::Project, id, &name, Outcome::VerifiedGone)
    })
}
