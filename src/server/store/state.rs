//! The states of an operation in the store.

/// The current state of an operation. A deployment reserves its name in all states except
/// [`State::RolledBack`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
