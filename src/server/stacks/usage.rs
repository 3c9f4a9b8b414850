//! What a stack uses, for whoever may change it.

use std::time::Duration;

use super::{OwnStack, Service};
use crate::server::auth::access::Caller;
use crate::server::store::{Measured, SeriesStep};
use crate::wire::{ApiError, UsagePoint, UsageSeries};
use domain::deployment::DeploymentId;
use domain::stack_id::StackId;
use domain::time::earlier;

/// A CPU, in the unit of samples.
const CPU: f64 = 1e6;

/// How far back a series goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UsageRange {
    /// An hour, in steps of 15 seconds.
    Hour,
    /// Seven days, in steps of five minutes.
    Week,
    /// 90 days, in steps of an hour.
    Quarter,
}

impl UsageRange {
    /// Parses its name on the wire.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "1h" => Some(Self::Hour),
            "7d" => Some(Self::Week),
            "90d" => Some(Self::Quarter),
            _ => None,
        }
    }

    fn step(self) -> SeriesStep {
        match self {
            Self::Hour => SeriesStep::Seconds15,
            Self::Week => SeriesStep::Minutes5,
            Self::Quarter => SeriesStep::Hour,
        }
    }

    fn length(self) -> Duration {
        self.step().kept_for()
    }
}

impl Service {
    /// Returns what the live stack called `name` used.
    ///
    /// # Errors
    ///
    /// Returns an error if there is no such stack, the caller may not change it, or the store is
    /// unavailable.
    pub async fn usage(
        &self,
        caller: &Caller,
        name: &str,
        of: Option<&DeploymentId>,
        range: UsageRange,
    ) -> Result<UsageSeries, ApiError> {
        let stack = self.own_stack_id(caller, name, of).await?;
        self.usage_of(stack, range).await
    }

    /// Returns what a stack that the caller may change used in the last hour.
    ///
    /// # Errors
    ///
    /// Returns an error if the store is unavailable.
    pub async fn usage_now(&self, own: &OwnStack) -> Result<UsageSeries, ApiError> {
        self.usage_of(own.stack, UsageRange::Hour).await
    }

    async fn usage_of(&self, stack: StackId, range: UsageRange) -> Result<UsageSeries, ApiError> {
        let since = earlier(self.parts.clock.now(), range.length());
        let points = self.parts.store.measured(stack, range.step(), since).await?;
        let step = range.step().length().as_secs();
        Ok(UsageSeries { step, points: points.into_iter().map(point).collect() })
    }
}

fn point(measured: Measured) -> UsagePoint {
    let Measured { at, mean } = measured;
    #[expect(clippy::cast_precision_loss, reason = "it is a rounded measurement")]
    let cpu = mean.cpu as f64 / CPU;
    UsagePoint { at, cpu, memory: mean.memory, received: mean.received, sent: mean.sent }
}
