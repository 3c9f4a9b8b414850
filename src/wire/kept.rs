//! The wire types of kept data.

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
