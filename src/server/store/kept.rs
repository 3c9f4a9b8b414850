//! The data of stacks that are gone, which somebody wanted to keep.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use domain::deployment::DeploymentId;
use domain::owner::OwnerId;
use domain::stack_id::StackId;
use domain::stack_name::StackName;

/// The data of a stack that is gone, or is being removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptData {
    /// The stack whose data it is.
    pub stack: StackId,
    /// The name that the stack had.
    pub name: StackName,
    /// The owner of the stack.
    pub owner: Option<OwnerId>,
    /// The id of the template of the stack.
    pub template: String,
    /// The volumes.
    pub volumes: Vec<KeptVolume>,
    /// The time after which it is deleted.
    pub until: Timestamp,
    /// What happens to it now.
    pub state: KeptState,
}

/// A volume that is kept. Persisted: never rename.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptVolume {
    /// The key in the template.
    pub key: String,
    /// The name on the node.
    pub name: String,
}

/// What happens to kept data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeptState {
    /// The stack is being removed.
    Removing,
    /// It is kept.
    Kept,
    /// It is kept, but the platform shows since this time that none of its volumes exists.
    Lost(Timestamp),
    /// A new stack has it.
    InUse(DataUser),
    /// It is being deleted.
    Deleting,
}

/// A new stack that has the data of a former one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataUser {
    /// The deployment that makes the stack.
    pub deployment: DeploymentId,
    /// The name of the stack.
    pub name: StackName,
    /// True once the stack has been live: from then on, the data is that of the stack.
    pub is_live: bool,
}

/// The data that a removal keeps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewKept {
    /// The volumes.
    pub volumes: Vec<KeptVolume>,
    /// The time after which it is deleted.
    pub until: Timestamp,
    /// How many stacks' data may be kept for what the stack is counted as.
    pub most: Option<u32>,
}

/// The kept data to list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeptFilter {
    /// All there is.
    All,
    /// That of this stack.
    Stack(StackId),
    /// That of stacks of this owner.
    Owner(OwnerId),
    /// That which is kept and whose time was over at this time.
    Due(Timestamp),
}

/// The outcome of a request to delete kept data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DataDeletion {
    /// This operation deletes it.
    Accepted(DeploymentId),
    /// A stack has it, or is being removed.
    InUse,
    /// There is no such data.
    Unknown,
}
