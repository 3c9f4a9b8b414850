//! What the health watch finds.

use strum::{IntoStaticStr, VariantArray};

use super::Metrics;
use super::labels::{LookLabels, TurnLabels};

/// The result of a look at a stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum LookResult {
    /// It works.
    Good,
    /// It does not work.
    Bad,
    /// It could not be found out.
    Unknown,
}

/// A change of the health of a stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum HealthTurn {
    /// It does not work any more.
    Unhealthy,
    /// It works again.
    Recovered,
}

impl Metrics {
    /// Counts a look at a stack.
    pub fn looked(&self, result: LookResult) {
        self.looks.get_or_create(&LookLabels { result: result.into() }).inc();
    }

    /// Counts a stack that does not work any more, or works again.
    pub fn turned(&self, turn: HealthTurn) {
        self.turns.get_or_create(&TurnLabels { turn: turn.into() }).inc();
    }

    /// Creates all series of looks and turns.
    pub(super) fn create_health(&self) {
        for result in LookResult::VARIANTS {
            drop(self.looks.get_or_create(&LookLabels { result: result.into() }));
        }
        for turn in HealthTurn::VARIANTS {
            drop(self.turns.get_or_create(&TurnLabels { turn: turn.into() }));
        }
    }
}
