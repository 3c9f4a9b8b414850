//! The calls for what runs: containers, services and tasks of the swarm, and what they use.
//!
//! None of them changes anything, so their answers may be lost without harm.

use serde::de::DeserializeOwned;

use crate::answer::Discretion;
use crate::client::{Call, Dokploy};
use crate::exchange::Content;
use crate::{
    AppName, Container, ContainerId, ContainerUsage, Error, Inspected, InspectedTask,
    NodeContainer, Scale, ServiceState, Task, TaskId, wire,
};

#[expect(clippy::missing_errors_doc, reason = "each fails as `Error` says")]
impl Dokploy {
    /// Lists the tasks of a service, newest first: those that run, and some that have ended, also
    /// those of before an update. A service that is scaled to zero keeps those (recording day-two
    /// 600). The list is also empty while Docker is down.
    pub async fn tasks(&self, name: &AppName) -> Result<Vec<Task>, Error> {
        let parameters = [("appName", name.0.as_str())];
        self.list::<wire::TaskRow, _>("docker.getServiceContainersByAppName", &parameters).await
    }

    /// Lists the running containers of exactly this service. The list is also empty while Docker is
    /// down.
    pub async fn running_containers(&self, name: &AppName) -> Result<Vec<Container>, Error> {
        let parameters = [("appName", name.0.as_str()), ("type", "swarm")];
        self.list::<wire::ContainerRow, _>("docker.getContainersByAppLabel", &parameters).await
    }

    /// Lists the containers of exactly this service, running or stopped. The list is also empty
    /// while Docker is down. Containers outlive their service and tasks by some seconds.
    pub async fn containers(&self, name: &AppName) -> Result<Vec<Container>, Error> {
        let (call, parameters) =
            ("docker.getContainersByAppNameMatch", [("appName", name.0.as_str())]);
        let mut containers: Vec<Container> =
            self.list::<wire::ContainerRow, _>(call, &parameters).await?;
        // The call lists the containers of all services whose names begin with this name (recording
        // day-two 45).
        containers.retain(|container| name.owns_container(&container.name));
        Ok(containers)
    }

    /// Inspects one container, running or exited, and returns those of its variables that are in `names`; the others
    /// may be secrets. `None` if there is no container with this id, or Docker is down.
    pub async fn inspect_container(
        &self,
        id: &ContainerId,
        variables: &[&str],
    ) -> Result<Option<Inspected>, Error> {
        let config: Option<wire::ContainerConfig> = self.inspect(&id.0).await?;
        Ok(config.map(|config| config.keep(variables)))
    }

    /// Inspects a service, and returns those of its variables that are in `names`; the others may be
    /// secrets (recordings day-two 370, 374, 376). `None` if there is no service of this name, or
    /// Docker is down.
    ///
    /// After a reload or deployment, [`ServiceState::update`] is that of it before the call's answer
    /// arrives, or `None` for some milliseconds (recording day-two 620).
    pub async fn service(
        &self,
        name: &AppName,
        variables: &[&str],
    ) -> Result<Option<ServiceState>, Error> {
        let config: Option<wire::ServiceConfig> = self.inspect(&name.0).await?;
        Ok(config.map(|config| config.keep(variables)))
    }

    /// Inspects a task (recordings day-two 381, 414). `None` if there is no task with this id, or
    /// Docker is down.
    pub async fn inspect_task(&self, id: &TaskId) -> Result<Option<InspectedTask>, Error> {
        let config: Option<wire::TaskConfig> = self.inspect(&id.0).await?;
        Ok(config.map(Into::into))
    }

    /// Inspects what has this id or name. The answer may contain every variable of it.
    async fn inspect<T: DeserializeOwned>(&self, id: &str) -> Result<Option<T>, Error> {
        let parameters = [("containerId", id)];
        let request = self.request("docker.getConfig", Content::Query(&parameters));
        let request = Call { discretion: Discretion::Confidential, ..request };
        self.call(request).await
    }

    /// Lists all containers of the platform's own node, running or not, also those of others
    /// (recording day-two 48). The list is also empty while Docker is down.
    ///
    /// With [`Self::scales`], this shows of all stacks in two calls which run, which have stopped,
    /// and which crash with which exit code; the reason is in [`Self::tasks`] and
    /// [`Self::inspect_container`] of the few that need a look.
    pub async fn node_containers(&self) -> Result<Vec<NodeContainer>, Error> {
        let rows: Option<Vec<wire::NodeContainerRow>> =
            self.query("docker.getContainers", &[]).await?;
        Ok(rows.into_iter().flatten().map(Into::into).collect())
    }

    /// Returns what every running container of the platform's own node uses, also those of others
    /// (recording day-two 385). The platform measures for two to three seconds: make one call at a
    /// time, and at most one in 15 seconds. The list is also empty while Docker is down.
    pub async fn usage(&self) -> Result<Vec<ContainerUsage>, Error> {
        let rows: Option<Vec<wire::UsageRow>> = self.query("swarm.getContainerStats", &[]).await?;
        Ok(rows.into_iter().flatten().map(Into::into).collect())
    }

    /// Lists all services with their scale, if the platform reports it.
    pub async fn scales(&self) -> Result<Vec<(AppName, Option<Scale>)>, Error> {
        self.list::<wire::ServiceRow, _>("swarm.getNodeApps", &[]).await
    }
}
