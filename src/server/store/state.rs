//! The states of an operation, as the store keeps them.

/// The current state of an operation. All states of a deployment but [`State::RolledBack`] reserve
/// its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Under way.
    Active,
    /// Ended: up and verified.
    Live,
    /// Ended: nothing is left. A live deployment gets here by its stack's removal.
    RolledBack,
    /// Ended: something could not be removed.
    Stuck,
}

impl State {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Active, Self::Live, Self::RolledBack, Self::Stuck];

    /// Finds a state by its word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }

    /// Returns the word in the database. Persisted: never rename.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Live => "live",
            Self::RolledBack => "rolled_back",
            Self::Stuck => "stuck",
        }
    }
}
