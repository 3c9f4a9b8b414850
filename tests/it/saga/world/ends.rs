//! How an operation ended, and what is left on the platform.

use ai_stack_deployer::server::platform::ProjectId;
use ai_stack_deployer::server::store::{Disposal, State};
use domain::event::Failure;
use domain::progress::{End, Progress};
use domain::receipt::{Line, Receipt};
use serde_json::Value;

use super::World;

impl World {
    /// Returns how it ended.
    pub(in crate::saga) async fn end(&self) -> End {
        Progress::of(self.events().await).end.unwrap()
    }

    /// Returns the failure with which it ended.
    pub(in crate::saga) async fn failure(&self) -> Failure {
        match self.end().await {
            End::Failed(failure) => failure,
            other => panic!("it did not fail: {other:?}"),
        }
    }

    /// Returns the default environment of the project `id`.
    pub(in crate::saga) async fn environment_of(&self, id: &str) -> String {
        let project =
            self.platform.client().project(&ProjectId(id.to_owned())).await.unwrap().unwrap();
        project.environments[0].id.0.clone()
    }

    /// Counts the existing resources, as `(projects, applications, domains, services)`.
    pub(in crate::saga) async fn count(&self) -> (usize, usize, usize, usize) {
        let inventory = self.platform.inventory().await;
        let count = |key: &str| inventory[key].as_array().map_or(0, Vec::len);
        (count("projects"), count("applications"), count("domains"), count("services"))
    }

    /// Counts the mounts and the volumes.
    async fn count_volumes(&self) -> (usize, usize) {
        let inventory = self.platform.inventory().await;
        let count = |key: &str| inventory[key].as_array().map_or(0, Vec::len);
        (count("mounts"), count("volumes"))
    }

    /// Checks that the platform has all resources or none, as the store says (promises P1, P5, P8,
    /// P9).
    pub(in crate::saga) async fn assert_all_or_nothing(&self, what: &str) {
        let (state, end) = (self.record().await.state, self.end().await);
        match (state, end) {
            (State::Live, End::Live(completion)) => {
                assert_eq!(self.count().await, (1, 1, 1, 1), "{what}: live, once");
                assert_eq!(self.count_volumes().await, (self.volumes, self.volumes), "{what}");
                let inventory = self.platform.inventory().await;
                let id = |key: &str, id: &str| inventory[key][0][id].clone();
                let resources = completion.resources;
                assert_eq!(id("projects", "projectId"), Value::from(resources.project_id));
                assert_eq!(
                    id("applications", "applicationId"),
                    Value::from(resources.application_id),
                    "{what}"
                );
                assert_eq!(id("domains", "domainId"), Value::from(resources.domain_id));
            }
            (State::RolledBack, End::Failed(failure)) => {
                assert_eq!(self.count().await, (0, 0, 0, 0), "{what}: nothing is left");
                let left = if self.is_brought_back { self.volumes } else { 0 };
                assert_eq!(self.count_volumes().await, (0, left), "{what}: nothing is left");
                self.assert_given_back(what).await;
                let receipt = self.record().await.metadata.receipt.unwrap_or(failure.receipt);
                assert_is_clean(&receipt, what);
            }
            (State::RolledBack, End::Removed(removal)) => {
                assert_eq!(self.count().await, (0, 0, 0, 0), "{what}: nothing is left");
                let kept = match self.record().await.disposal {
                    Disposal::Keep => self.volumes,
                    Disposal::Delete => 0,
                };
                assert_eq!(self.count_volumes().await, (0, kept), "{what}");
                assert_is_clean(&removal.receipt, what);
            }
            (state, end) => panic!("{what}: neither all nor nothing: {state:?} {end:?}"),
        }
    }
}

fn assert_is_clean(receipt: &Receipt, what: &str) {
    assert!(receipt.clean, "{what}");
    assert!(receipt.lines.iter().all(Line::is_settled), "{what}");
}
