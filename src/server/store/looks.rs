//! How often stacks were looked at on a day, and with what result.

/// The numbers of looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LookCounts {
    /// Those at which it worked.
    pub good: u32,
    /// Those at which it did not.
    pub bad: u32,
    /// Those at which nobody knows.
    pub unknown: u32,
}

/// The looks of one day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DayLooks {
    /// The day in UTC, as days since 1970.
    pub day: i64,
    /// The looks.
    pub counts: LookCounts,
}

impl LookCounts {
    /// Returns the sum of both.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            good: self.good + other.good,
            bad: self.bad + other.bad,
            unknown: self.unknown + other.unknown,
        }
    }
}

/// Returns the day of a time in UTC, as days since 1970.
pub fn day_of(at: jiff::Timestamp) -> i64 {
    at.as_second().div_euclid(86_400)
}
