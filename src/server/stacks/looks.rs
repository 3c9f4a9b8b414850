//! How often a stack worked when the health watch looked at it, day by day.

use jiff::Timestamp;

use super::{OwnStack, Service};
use crate::server::store::{LookCounts, day_of};
use crate::wire::ApiError;

/// The number of days.
const DAYS: i64 = 90;
/// The seconds of a day.
const DAY: i64 = 86_400;

/// The looks at a stack in the last days, the oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StackLooks {
    /// The days: also those without looks.
    pub days: Vec<DayView>,
}

/// The looks of one day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DayView {
    /// The day in UTC, as in `2026-11-23`.
    pub date: String,
    /// The number of looks at which the stack worked.
    pub good: u32,
    /// The number of looks at which it did not.
    pub bad: u32,
}

impl Service {
    /// Reads the looks at a stack that the caller may change.
    ///
    /// # Errors
    ///
    /// Returns an error if the store is unavailable.
    pub async fn stack_looks(&self, own: &OwnStack) -> Result<StackLooks, ApiError> {
        let today = day_of(own.now);
        let first = today - DAYS + 1;
        let found = self.parts.store.looks(own.stack, first).await?;
        let of_day = |day: i64| {
            let looks = found.iter().find(|looks| looks.day == day);
            let LookCounts { good, bad, .. } = looks.map(|looks| looks.counts).unwrap_or_default();
            let begin = Timestamp::from_second(day * DAY).unwrap_or(own.now);
            DayView { date: begin.strftime("%Y-%m-%d").to_string(), good, bad }
        };
        Ok(StackLooks { days: (first..=today).map(of_day).collect() })
    }
}
