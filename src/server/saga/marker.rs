//! Finds the resources that carry our marker. Nothing else is ever changed (promise P9).
//!
//! The marker alone is not enough: somebody who copies a project or an application in Dokploy
//! copies its description as well, but the copy has another name. It is theirs, and is not changed.

use super::context::Context;
use super::failure::StepError;
use crate::server::platform::{ApplicationSummary, ProjectId, ProjectSummary};
use crate::server::settings::StackSettings;

impl Context {
    /// Lists the projects that this deployment created, oldest first.
    pub(crate) async fn marked_projects(&self) -> Result<Vec<ProjectSummary>, StepError> {
        let mut projects = self.query("project.all", || self.platform.projects()).await?;
        projects.retain(|project| self.is_our_project(project));
        projects.sort_by(|a, b| a.created_at.cmp(&b.created_at));
        Ok(projects)
    }

    /// Lists the applications that this deployment created in `project`, oldest first.
    pub(crate) async fn marked_applications_in(
        &self,
        project: &ProjectId,
    ) -> Result<Vec<ApplicationSummary>, StepError> {
        let project = self.query("project.one", || self.platform.project(project)).await?;
        let environments = project.into_iter().flat_map(|project| project.environments);
        let mut applications: Vec<_> =
            environments.flat_map(|environment| environment.applications).collect();
        applications.retain(|application| self.is_our_application(application));
        applications.sort_by(|a, b| a.created_at.cmp(&b.created_at));
        Ok(applications)
    }

    /// Lists the applications that this deployment created, in all of its projects.
    pub(crate) async fn marked_applications(&self) -> Result<Vec<ApplicationSummary>, StepError> {
        let mut applications = Vec::new();
        for project in self.marked_projects().await? {
            applications.append(&mut self.marked_applications_in(&project.id).await?);
        }
        Ok(applications)
    }

    /// Returns whether this deployment created `project`. A copy has another name, and another id
    /// than the recorded one.
    pub(crate) fn is_our_project(&self, project: &ProjectSummary) -> bool {
        let recorded = self.journal.resources().project_id;
        self.is_marked(project.description.as_deref())
            && (project.name == StackSettings::project(&self.deployment.name)
                || recorded.as_ref() == Some(&project.id.0))
    }

    /// Returns whether this deployment created `application`, which is in one of its projects. A
    /// copy has another name, and another id than the recorded one.
    pub(crate) fn is_our_application(&self, application: &ApplicationSummary) -> bool {
        let recorded = self.journal.resources().application_id;
        self.is_marked(application.description.as_deref())
            && (application.name == self.deployment.name.as_str()
                || recorded.as_ref() == Some(&application.id.0))
    }

    pub(crate) fn is_marked(&self, description: Option<&str>) -> bool {
        description == Some(self.marker.as_str())
    }
}
