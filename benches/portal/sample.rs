//! Measured values, and what is said of them: the median and the middle half.

use std::time::Duration;

/// Values of one kind.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sample(Vec<f64>);

impl Sample {
    pub(crate) fn push(&mut self, value: f64) {
        let at = self.0.partition_point(|other| *other < value);
        self.0.insert(at, value);
    }

    /// Adds a time, in milliseconds; one that came out below nothing counts as it is.
    pub(crate) fn push_ms(&mut self, whole: Duration, subtracted: Duration) {
        self.push((whole.as_secs_f64() - subtracted.as_secs_f64()) * 1_000.0);
    }

    pub(crate) fn median(&self) -> f64 {
        self.quantile(1, 2)
    }

    /// Returns the first and the third quartile.
    pub(crate) fn middle_half(&self) -> (f64, f64) {
        (self.quantile(1, 4), self.quantile(3, 4))
    }

    pub(crate) fn percentile(&self, percent: usize) -> f64 {
        self.quantile(percent, 100)
    }

    pub(crate) fn largest(&self) -> f64 {
        self.quantile(1, 1)
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns the value at `part` of `whole`, between two values their mean.
    fn quantile(&self, part: usize, whole: usize) -> f64 {
        let last = self.0.len().saturating_sub(1) * part;
        let at = |index: usize| self.0.get(index).copied().unwrap_or(f64::NAN);
        f64::midpoint(at(last / whole), at(last.div_ceil(whole)))
    }
}
