//! Quotas: the limits within which a deployment may begin.

use std::time::Duration;

use jiff::Timestamp;

use super::{Result, StoreError};
use domain::kind::KindName;
use domain::owner::OwnerId;
pub use domain::refusal::LimitReached;
use domain::time::{earlier, later};

/// The period in which starts are counted.
const HOUR: Duration = Duration::from_hours(1);
/// The maximum difference between the clocks of replicas on one database.
const CLOCK_SKEW: Duration = Duration::from_mins(2);

/// The limits within which a deployment may begin. By default there are none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Quota {
    /// Whose usage counts: an owner or an address. With `None`, only the limit of the whole portal
    /// applies.
    pub counted_as: Option<String>,
    /// The maximum number of stacks that are live, in progress or stuck.
    pub stacks: Option<u32>,
    /// The maximum number of deployments in progress.
    pub under_way: Option<u32>,
    /// The maximum number of deployments in progress in the whole portal.
    pub under_way_in_all: Option<u32>,
    /// The maximum number of deployments that begin within an hour.
    pub per_hour: Option<u32>,
    /// The time for which the name of a removed stack stays reserved for its owner.
    pub hold_down: Option<Duration>,
}

impl Quota {
    /// Returns whose usage must be counted; `None` if it has no limit.
    pub fn counts(&self) -> Option<&str> {
        let is_bounded = self.stacks.or(self.under_way).or(self.per_hour).is_some();
        self.counted_as.as_deref().filter(|_| is_bounded)
    }

    /// Returns the time after which a name must have become free to be still reserved for its
    /// former owner at `started`; `None` if names are not reserved.
    pub fn held_since(&self, started: Timestamp) -> Option<Timestamp> {
        Some(earlier(started, self.hold_down?))
    }

    /// Decides whether `owner` may have a name at `now`. `freed` is the result of
    /// [`Stacks::freed`]: the former owner, and when the name became free. The name of a stack
    /// without an owner is not reserved. If a clock that was ahead wrote the time, the name is
    /// reserved no longer than usual.
    ///
    /// # Errors
    ///
    /// [`StoreError::NameHeld`] if the name is reserved for somebody else.
    ///
    /// [`Stacks::freed`]: super::Stacks::freed
    pub fn admit_name(
        &self,
        owner: Option<&OwnerId>,
        freed: Option<&(Option<OwnerId>, Timestamp)>,
        now: Timestamp,
    ) -> Result<()> {
        match (self.hold_down, freed) {
            (Some(hold_down), Some((Some(former), at)))
                if owner != Some(former) && *at <= later(now, hold_down) =>
            {
                Err(StoreError::NameHeld { until: later((*at).min(now), hold_down) })
            }
            (Some(_) | None, _) => Ok(()),
        }
    }

    /// Decides whether another deployment may begin at `started`, given the present `usage` and the
    /// number of deployments in progress in the whole portal.
    ///
    /// # Errors
    ///
    /// [`StoreError::LimitReached`] with the first limit that is reached.
    pub fn admit(&self, usage: &Usage, under_way_in_all: u32, started: Timestamp) -> Result<()> {
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
            let wait = wait(&usage.begun, max, started)?;
            Some(LimitReached::PerHour { max, wait })
        };
        let stacks = stacks.map(LimitReached::Stacks);
        stacks.or(under_way.map(LimitReached::UnderWay)).or_else(per_hour)
    }
}

/// How many operations on stacks of one owner or address may begin within an hour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperationLimit {
    /// The maximum number.
    pub max: u32,
    /// The kinds that count.
    pub kinds: Vec<KindName>,
}

impl OperationLimit {
    /// Decides whether another one may begin at `started`, given when those that count began, oldest
    /// first.
    ///
    /// # Errors
    ///
    /// [`StoreError::LimitReached`] if the limit is reached.
    pub fn admit(&self, mut begun: Vec<Timestamp>, started: Timestamp) -> Result<()> {
        let (max, hour_ago) = (self.max, hour_before(started));
        begun.retain(|at| is_within_hour(*at, hour_ago));
        match wait(&begun, max, started) {
            Some(wait) => {
                Err(StoreError::LimitReached(LimitReached::OperationsPerHour { max, wait }))
            }
            None => Ok(()),
        }
    }
}

/// Returns how long another one must wait, if `max` have begun in the last hour.
fn wait(begun: &[Timestamp], max: u32, started: Timestamp) -> Option<Duration> {
    let surplus = begun.len().checked_sub(max as usize)?;
    let wait = begun.get(surplus).map_or(HOUR, |begun| {
        later(*begun, HOUR).duration_since(started).try_into().unwrap_or_default()
    });
    Some(wait.min(HOUR))
}

/// Returns the time one hour before `now`. Starts after it count; a start at exactly that time does
/// not.
pub fn hour_before(now: Timestamp) -> Timestamp {
    earlier(now, HOUR)
}

/// Returns whether a start at `started` lies within the hour after `hour_ago`. A start in the
/// future, written by a clock that was ahead, does not count, so nobody has to wait for longer than
/// an hour because of it.
pub fn is_within_hour(started: Timestamp, hour_ago: Timestamp) -> bool {
    started > hour_ago && started <= later(hour_ago, HOUR + CLOCK_SKEW)
}

/// The usage of an owner or address that counts against a quota.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// The number of stacks that are live, in progress or stuck.
    pub stacks: u32,
    /// The number of deployments in progress.
    pub under_way: u32,
    /// The times at which the deployments of the last hour began, oldest first.
    pub begun: Vec<Timestamp>,
}
