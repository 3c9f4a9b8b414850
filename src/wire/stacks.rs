//! The wire types of stacks, and of the data that is kept of those that are gone.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use domain::deployment::DeploymentId;
use domain::stack_name::StackName;

/// Kept data of a stack that is gone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KeptView {
    /// Its id.
    pub id: String,
    /// The id of the template of the stack.
    pub template: String,
    /// The name of the stack.
    pub from: StackName,
    /// The keys of its volumes.
    pub volumes: Vec<String>,
    /// The time after which it is deleted.
    #[serde(with = "domain::time")]
    pub until: Timestamp,
    /// True if it is being deleted.
    #[serde(rename = "deleting")]
    pub is_deleting: bool,
    /// The new stack that is to have it, and is not live yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used_by: Option<DataUserView>,
    /// The time since which the platform shows that none of its volumes exists.
    #[serde(default, with = "domain::time::optional", skip_serializing_if = "Option::is_none")]
    pub lost: Option<Timestamp>,
}

/// A new stack that brings kept data back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DataUserView {
    /// Its name.
    pub name: StackName,
    /// The deployment that makes it.
    pub deployment_id: DeploymentId,
}

/// A live stack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StackView {
    /// Its name.
    pub name: StackName,
    /// The address at which it is reached.
    pub url: String,
    /// The time since which it has been live.
    #[serde(with = "domain::time")]
    pub since: Timestamp,
    /// The deployment that created it, if the caller may view it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deployment_id: Option<DeploymentId>,
    /// Its state.
    pub state: StackState,
    /// Its removal that is in progress or stuck, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub removal_id: Option<DeploymentId>,
    /// The known problem of the live stack, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health: Option<StackHealth>,
}

/// A known problem of a live stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StackHealth {
    /// The problem.
    pub state: HealthState,
    /// The time since which it has been known.
    #[serde(with = "domain::time")]
    pub since: Timestamp,
    /// The time at which the platform was last compared with the database.
    #[serde(with = "domain::time")]
    pub seen: Timestamp,
}

/// A problem of a live stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HealthState {
    /// No container of it runs.
    NotRunning,
}

/// The state of a live stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StackState {
    /// It is live and is not being removed.
    Live,
    /// It is being removed.
    Removing,
    /// Part of it could not be removed yet.
    Stuck,
}
