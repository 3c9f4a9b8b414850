//! What a stack is: for the operations that act on it, and for the people who see it.

use serde::{Deserialize, Serialize};

/// A state of a stack, as far as operations start from it or end in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StackState {
    /// There is none.
    Gone,
    /// It is up and verified.
    Live,
    /// Nothing of it runs, and its address and data are kept.
    Stopped,
}

/// What a stack is now, as people see it. It is derived from the operation under way, from what the
/// stack should be, and from whether it works.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StackStatus {
    /// It is being brought up.
    Deploying,
    /// It runs.
    Running,
    /// It is being changed.
    Changing,
    /// It is being stopped.
    Stopping,
    /// Nothing of it runs, as somebody asked.
    Stopped,
    /// It is being started again.
    Starting,
    /// Its container is being replaced.
    Restarting,
    /// It should run, and does not work.
    Unhealthy,
    /// It is being removed.
    Removing,
    /// An operation on it has ended, and something is left to be done.
    Stuck,
    /// Nothing of it is left, except perhaps data that is kept.
    Gone,
}
