//! What carries our marker. Nothing else is ever changed (promise P9).

use super::{context::Context, failure::StepError};
use crate::server::ports::platform::{ApplicationSummary, ProjectId, ProjectSummary};

impl Context {
    /// Lists the projects that this deployment made, oldest first.
    pub(super) async fn our_projects(&self) -> Result<Vec<ProjectSummary>, StepError> {
        let mut projects = self.ask("project.all", || self.platform.projects()).await?;
        projects.retain(|project| self.is_ours(project.description.as_deref()));
        projects.sort_by(|a, b| a.created_at.cmp(&b.created_at));
        Ok(projects)
    }

    /// Lists the applications that this deployment made in `project`, oldest first.
    pub(super) async fn our_applications_in(
        &self,
        project: &ProjectId,
    ) -> Result<Vec<ApplicationSummary>, StepError> {
        let project = self.ask("project.one", || self.platform.project(project)).await?;
        let environments = project.into_iter().flat_map(|project| project.environments);
        let mut applications: Vec<_> =
            environments.flat_map(|environment| environment.applications).collect();
        applications.retain(|application| self.is_ours(application.description.as_deref()));
        applications.sort_by(|a, b| a.created_at.cmp(&b.created_at));
        Ok(applications)
    }

    /// Lists the applications that this deployment made, whichever of its projects they are in.
    pub(super) async fn our_applications(&self) -> Result<Vec<ApplicationSummary>, StepError> {
        let mut applications = Vec::new();
        for project in self.our_projects().await? {
            applications.append(&mut self.our_applications_in(&project.id).await?);
        }
        Ok(applications)
    }

    fn is_ours(&self, description: Option<&str>) -> bool {
        description == Some(self.marker.as_str())
    }
}
