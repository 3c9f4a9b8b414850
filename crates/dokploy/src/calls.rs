//! The calls: the request of each, and the fields that are read from its answer.

mod configuration;
mod running;
mod volumes;

use std::time::Duration;

use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::{Value, json};

use super::answer::Discretion;
use super::client::{Call, Dokploy};
use super::exchange::Content;
use super::{version, wire};
use crate::{
    AppName, Application, ApplicationId, CreatedProject, Domain, DomainId, Error, Host, Job, JobId,
    NewApplication, NewDomain, NewProject, NodeName, Project, ProjectId, ProjectSummary, QueuedJob,
    Removal, Version,
};

/// The number of lines that are read from the end of a job's log, which contains the reason of a
/// failure.
const LOG_LINES: &str = "200";

impl Dokploy {
    /// Returns a call that carries no secrets, with the usual time limit.
    fn request<'a>(&self, name: &'static str, content: Content<'a>) -> Call<'a> {
        let (discretion, limit) = (Discretion::Ordinary, self.timeout);
        Call { name, content, discretion, limit, expected: &[] }
    }

    /// Makes a call that changes nothing.
    async fn query<T: DeserializeOwned>(
        &self,
        call: &'static str,
        parameters: &[(&'static str, &str)],
    ) -> Result<T, Error> {
        self.call(self.request(call, Content::Query(parameters))).await
    }

    /// Makes a call that returns a list.
    async fn list<Row: DeserializeOwned, T: From<Row>>(
        &self,
        call: &'static str,
        parameters: &[(&'static str, &str)],
    ) -> Result<Vec<T>, Error> {
        let rows: Vec<Row> = self.query(call, parameters).await?;
        Ok(rows.into_iter().map(Into::into).collect())
    }

    /// Makes a call that changes something.
    async fn change<T: DeserializeOwned>(
        &self,
        call: &'static str,
        body: Value,
    ) -> Result<T, Error> {
        self.call(self.request(call, Content::Mutation(body))).await
    }

    /// Makes a call that removes something. It succeeds if the resource does not exist.
    async fn remove(
        &self,
        call: &'static str,
        body: Value,
        limit: Duration,
    ) -> Result<Removal, Error> {
        let request = Call { limit, ..self.request(call, Content::Mutation(body)) };
        match self.call::<IgnoredAny>(request).await {
            Ok(_) => Ok(Removal::Removed),
            Err(Error::NotFound { .. }) => Ok(Removal::AlreadyGone),
            Err(error) => Err(error),
        }
    }
}

#[expect(clippy::missing_errors_doc, reason = "each fails as `Error` says")]
impl Dokploy {
    /// Requests the platform's version, which also checks the key.
    pub async fn version(&self) -> Result<Version, Error> {
        let text: String = self.query("settings.getDokployVersion", &[]).await?;
        Ok(version::judge(text))
    }

    /// Creates a project and its default environment. Not idempotent.
    pub async fn create_project(&self, new: &NewProject) -> Result<CreatedProject, Error> {
        let body = json!({ "name": new.name, "description": new.marker });
        let created: wire::ProjectCreated = self.change("project.create", body).await?;
        Ok(created.into())
    }

    /// Lists all projects with their applications, in the platform's order.
    pub async fn projects(&self) -> Result<Vec<ProjectSummary>, Error> {
        self.list::<wire::ProjectRow, _>("project.all", &[]).await
    }

    /// Finds one project with everything in it.
    pub async fn project(&self, id: &ProjectId) -> Result<Option<Project>, Error> {
        match self.query::<wire::ProjectWhole>("project.one", &[("projectId", &id.0)]).await {
            Ok(project) => Ok(Some(project.into())),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Removes a project's row. Services that still run in it become orphans.
    pub async fn remove_project(&self, id: &ProjectId) -> Result<Removal, Error> {
        self.remove("project.remove", json!({ "projectId": id }), self.timeout).await
    }

    /// Creates an application. Not idempotent.
    pub async fn create_application(&self, new: &NewApplication) -> Result<Application, Error> {
        let body = json!({
            "name": new.name,
            "appName": new.app_name_base,
            "description": new.marker,
            "environmentId": new.environment,
            "sourceType": "docker",
        });
        let created: wire::ApplicationRow = self.change("application.create", body).await?;
        Ok(created.into())
    }

    /// Removes an application, its domains and its service. The platform does not report errors of
    /// Docker.
    pub async fn delete_application(&self, id: &ApplicationId) -> Result<Removal, Error> {
        let body = json!({ "applicationId": id });
        self.remove("application.delete", body, self.removal_timeout).await
    }

    /// Attaches a host to an application. Not idempotent.
    pub async fn create_domain(&self, new: &NewDomain) -> Result<DomainId, Error> {
        let body = json!({
            "host": new.host,
            "path": "/",
            "port": new.port,
            "https": new.https,
            "certificateType": new.certificate,
            "applicationId": new.application,
            "domainType": "application",
            "middlewares": new.middlewares,
        });
        let created: wire::DomainRow = self.change("domain.create", body).await?;
        Ok(created.into())
    }

    /// Sets through which `middlewares` the requests for a domain pass, and nothing else (recording
    /// day-two 480). The reverse proxy takes that up within two seconds. Idempotent.
    pub async fn set_middlewares(
        &self,
        domain: &Domain,
        middlewares: &[String],
    ) -> Result<(), Error> {
        let body =
            json!({ "domainId": domain.id, "host": domain.host, "middlewares": middlewares });
        self.change::<IgnoredAny>("domain.update", body).await?;
        Ok(())
    }

    /// Sets to which `port` of the container a domain leads, and nothing else (recording day-two
    /// 480). The reverse proxy takes that up within two seconds. Idempotent.
    pub async fn set_port(&self, domain: &Domain, port: u16) -> Result<(), Error> {
        let body = json!({ "domainId": domain.id, "host": domain.host, "port": port });
        self.change::<IgnoredAny>("domain.update", body).await?;
        Ok(())
    }

    /// Lists an application's domains; none for an unknown application.
    pub async fn domains_of(&self, id: &ApplicationId) -> Result<Vec<Domain>, Error> {
        let parameters = [("applicationId", id.0.as_str())];
        self.list::<wire::DomainRow, _>("domain.byApplicationId", &parameters).await
    }

    /// Lists every host that the platform routes, with its application.
    pub async fn hosts(&self) -> Result<Vec<Host>, Error> {
        self.list::<wire::HostRow, _>("overview.domains", &[]).await
    }

    /// Detaches a host.
    pub async fn delete_domain(&self, id: &DomainId) -> Result<Removal, Error> {
        self.remove("domain.delete", json!({ "domainId": id }), self.timeout).await
    }

    /// Enqueues a deploy job with this `title`, which pulls the image of the application's row, and
    /// updates the service like [`Self::reload_application`]. If the image cannot be pulled, the job
    /// fails, and the former container goes on (recordings day-two 29 to 31). If the answer is lost,
    /// the job is found by its title in [`Self::queue`] or [`Self::jobs`].
    pub async fn enqueue_deploy(&self, id: &ApplicationId, title: &str) -> Result<(), Error> {
        let body = json!({ "applicationId": id, "title": title });
        self.change::<IgnoredAny>("application.deploy", body).await?;
        Ok(())
    }

    /// Lists an application's deploy jobs that have started, newest first.
    pub async fn jobs(&self, id: &ApplicationId) -> Result<Vec<Job>, Error> {
        let parameters = [("applicationId", id.0.as_str())];
        let mut rows: Vec<wire::JobRow> = self.query("deployment.all", &parameters).await?;
        rows.sort_by(|a, b| b.created_at.cmp(&a.created_at));
        Ok(rows.into_iter().map(Into::into).collect())
    }

    /// Lists the platform's queue, next job first.
    pub async fn queue(&self) -> Result<Vec<QueuedJob>, Error> {
        let mut rows: Vec<wire::QueueRow> = self.query("deployment.queueList", &[]).await?;
        rows.sort_by_key(wire::QueueRow::order);
        Ok(rows.into_iter().map(Into::into).collect())
    }

    /// Reads a deploy job's log.
    pub async fn job_log(&self, id: &JobId) -> Result<String, Error> {
        let parameters = [("deploymentId", id.0.as_str()), ("tail", LOG_LINES)];
        let log: Option<String> = self.query("deployment.readLogs", &parameters).await?;
        Ok(log.unwrap_or_default())
    }

    /// Removes an application's waiting jobs from the queue; a running one continues.
    pub async fn clear_queue(&self, id: &ApplicationId) -> Result<Removal, Error> {
        self.remove("application.cleanQueues", json!({ "applicationId": id }), self.timeout).await
    }

    /// Lists the names of all services. The list is also empty while Docker is down.
    pub async fn services(&self) -> Result<Vec<AppName>, Error> {
        self.list::<wire::ServiceRow, _>("swarm.getNodeApps", &[]).await
    }

    /// Reads a file of the reverse proxy by its absolute path; `None` if it does not exist.
    pub async fn read_traefik_file(&self, path: &str) -> Result<Option<String>, Error> {
        let text: Option<String> =
            self.query("settings.readTraefikFile", &[("path", path)]).await?;
        // For a file that does not exist, the answer is the text "null" (recording day-two 153).
        Ok(text.filter(|text| !matches!(text.trim(), "" | "null")))
    }

    /// Overwrites a file of the reverse proxy. The server checks neither path nor text, and may
    /// report success although it failed: read the file afterwards. If Traefik cannot parse a file,
    /// or it contains an empty map, Traefik no longer applies any change of any host (recording
    /// day-two 466).
    pub async fn update_traefik_file(&self, path: &str, text: &str) -> Result<(), Error> {
        let body = json!({ "path": path, "traefikConfig": text });
        self.change::<IgnoredAny>("settings.updateTraefikFile", body).await?;
        Ok(())
    }

    /// Counts the nodes that run services; 0 means that Docker does not answer.
    pub async fn node_count(&self) -> Result<usize, Error> {
        // While Docker is down, the body is empty (recording 246).
        let rows: Option<Vec<wire::NodeRow>> = self.query("swarm.getNodes", &[]).await?;
        Ok(rows.unwrap_or_default().iter().filter(|row| row.is_ready()).count())
    }

    /// Finds the node whose Docker the platform asks (recording day-two 190). `None` means that
    /// Docker does not answer.
    pub async fn own_node(&self) -> Result<Option<NodeName>, Error> {
        let rows: Option<Vec<wire::NodeRow>> = self.query("swarm.getNodes", &[]).await?;
        Ok(rows.into_iter().flatten().find_map(wire::NodeRow::into_own_name))
    }
}
