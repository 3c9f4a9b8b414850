//! Within which bounds a deployment may begin.

use std::time::Duration;

use jiff::Timestamp;

pub use domain::refusal::LimitReached;

use crate::server::auth::access::OwnerId;

use super::{DeploymentId, State, StoreError};

/// The period in which starts count.
const HOUR: Duration = Duration::from_hours(1);
/// How far the clocks of portals on one database may be apart.
const APART: Duration = Duration::from_mins(2);

/// The bounds within which a deployment may begin. Nothing is counted by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Quota {
    /// The key of the count: an owner, or an address. `None` bounds only the portal.
    pub counted_as: Option<String>,
    /// The number of stacks that may be live or under way, stuck ones among them.
    pub stacks: Option<u32>,
    /// The number of deployments that may be under way.
    pub under_way: Option<u32>,
    /// The number of deployments that may be under way in all the portal.
    pub under_way_in_all: Option<u32>,
    /// The number of deployments that may begin within an hour.
    pub per_hour: Option<u32>,
    /// The time for which the name of a removed stack is kept for its owner.
    pub hold_down: Option<Duration>,
}

impl Quota {
    /// Returns what is counted together, where anything of it is bounded.
    pub fn counts(&self) -> Option<&str> {
        let is_bounded = self.stacks.or(self.under_way).or(self.per_hour).is_some();
        self.counted_as.as_deref().filter(|_| is_bounded)
    }

    /// Returns since when a name that became free is kept from a deployment that begins at
    /// `started`, where names are kept at all.
    pub fn held_since(&self, started: Timestamp) -> Option<Timestamp> {
        Some(earlier(started, self.hold_down?))
    }

    /// Decides whether `owner` may have a name at `now` that became free recently, as
    /// [`Stacks::freed`] tells. What belonged to nobody is kept for nobody, and what became free by
    /// a clock that was ahead is kept no longer than anything else.
    ///
    /// # Errors
    ///
    /// [`StoreError::NameHeld`] when it is kept for somebody else.
    ///
    /// [`Stacks::freed`]: super::Stacks::freed
    pub fn admit_name(
        &self,
        owner: Option<&OwnerId>,
        freed: Option<&(Option<OwnerId>, Timestamp)>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        match (self.hold_down, freed) {
            (Some(hold_down), Some((Some(former), at)))
                if owner != Some(former) && *at <= later(now, hold_down) =>
            {
                Err(StoreError::NameHeld { until: later((*at).min(now), hold_down) })
            }
            (Some(_) | None, _) => Ok(()),
        }
    }

    /// Decides whether one more may begin at `started`, beside what is counted already.
    ///
    /// # Errors
    ///
    /// [`StoreError::LimitReached`] with the first bound that is reached.
    pub fn admit(
        &self,
        usage: &Usage,
        under_way_in_all: u32,
        started: Timestamp,
    ) -> Result<(), StoreError> {
        let counted = if self.counts().is_some() { self.reached(usage, started) } else { None };
        let is_full = |max: &u32| under_way_in_all >= *max;
        let in_all = self.under_way_in_all.filter(is_full).map(LimitReached::UnderWayInAll);
        counted.or(in_all).map_or(Ok(()), |limit| Err(StoreError::LimitReached(limit)))
    }

    fn reached(&self, usage: &Usage, started: Timestamp) -> Option<LimitReached> {
        let stacks = self.stacks.filter(|max| usage.stacks >= *max);
        let under_way = self.under_way.filter(|max| usage.under_way >= *max);
        let per_hour = || {
            let max = self.per_hour?;
            let surplus = usage.begun.len().checked_sub(max as usize)?;
            let wait = usage.begun.get(surplus).map_or(HOUR, |begun| {
                later(*begun, HOUR).duration_since(started).try_into().unwrap_or_default()
            });
            Some(LimitReached::PerHour { max, wait: wait.min(HOUR) })
        };
        let stacks = stacks.map(LimitReached::Stacks);
        stacks.or(under_way.map(LimitReached::UnderWay)).or_else(per_hour)
    }
}

/// Returns the time after which what has begun counts at `now`: what began exactly then does
/// not any more.
pub fn hour_before(now: Timestamp) -> Timestamp {
    earlier(now, HOUR)
}

/// Returns whether what began at `started` counts as begun within the hour after `hour_ago`. What a
/// clock that was set back since says to begin later does not: nobody waits for longer than an hour
/// because of it.
pub fn is_within_hour(started: Timestamp, hour_ago: Timestamp) -> bool {
    started > hour_ago && started <= later(hour_ago, HOUR + APART)
}

/// Returns the time `by` before `time`, or the first there is.
pub fn earlier(time: Timestamp, by: Duration) -> Timestamp {
    time.checked_sub(by).unwrap_or(Timestamp::MIN)
}

fn later(time: Timestamp, by: Duration) -> Timestamp {
    time.checked_add(by).unwrap_or(Timestamp::MAX)
}

/// The usage that counts against a quota.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Stacks that are live or under way, stuck ones among them.
    pub stacks: u32,
    /// Deployments under way.
    pub under_way: u32,
    /// The time at which the deployments of the last hour began, oldest first.
    pub begun: Vec<Timestamp>,
}

/// The operations to list.
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
    /// The maximum number of rows.
    pub limit: u32,
}
