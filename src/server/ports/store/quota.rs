//! Within which bounds a deployment may begin.

use std::time::Duration;

use jiff::Timestamp;

use crate::server::access::OwnerId;

use super::{DeploymentId, State};

/// The bounds within which a deployment may begin. Nothing is counted by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Quota {
    /// What is counted together: an owner, or an address. `None` bounds only the portal.
    pub counted_as: Option<String>,
    /// How many stacks may be live or under way, stuck ones among them.
    pub stacks: Option<u32>,
    /// How many deployments may be under way.
    pub under_way: Option<u32>,
    /// How many deployments may be under way in all the portal.
    pub under_way_in_all: Option<u32>,
    /// How many deployments may begin within an hour.
    pub per_hour: Option<u32>,
    /// How long the name of a removed stack is kept for its owner.
    pub hold_down: Option<Duration>,
}

/// What counts against a quota.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Stacks that are live or under way, stuck ones among them.
    pub stacks: u32,
    /// Deployments under way.
    pub under_way: u32,
    /// When the deployments of the last hour began, oldest first.
    pub begun: Vec<Timestamp>,
}

/// Which bound is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LimitReached {
    /// So many stacks are there.
    Stacks(u32),
    /// So many deployments are under way.
    UnderWay(u32),
    /// So many deployments are under way in all the portal.
    UnderWayInAll(u32),
    /// So many deployments have begun within an hour; there is room again after `wait`.
    PerHour {
        /// How many.
        most: u32,
        /// Until there is room.
        wait: Duration,
    },
}

/// Which operations to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OperationFilter {
    /// Only those of this owner.
    pub owner: Option<OwnerId>,
    /// Only those in this state.
    pub state: Option<State>,
    /// Only those whose stack's name contains this, or whose id it is.
    pub search: Option<String>,
    /// Only those that began before this one: the next page.
    pub before: Option<DeploymentId>,
    /// How many at most.
    pub limit: u32,
}
