//! The states of an operation in the store.

use strum::{EnumString, IntoStaticStr, VariantArray};

/// The current state of an operation. A deployment reserves its name in all states except
/// [`State::RolledBack`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumString, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum State {
    /// In progress.
    Active,
    /// Ended: the stack is live and verified.
    Live,
    /// Ended: nothing is left. A live deployment gets this state when its stack is removed.
    RolledBack,
    /// Ended: something could not be removed.
    Stuck,
}

impl State {
    /// All states.
    pub const ALL: &[Self] = Self::VARIANTS;

    /// Returns the word in the database. Persisted: never rename.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}
