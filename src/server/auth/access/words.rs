//! The words for roles and scopes, in the database and on the wire.

use super::{Role, Scope};

impl Role {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Member, Self::Operator];

    /// Returns its word. Persisted: never rename.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Member => "member",
            Self::Operator => "operator",
        }
    }

    /// Finds a role by its word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == word)
    }
}

impl Scope {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Read, Self::Deploy];

    /// Returns its word. Persisted: never rename.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Deploy => "deploy",
        }
    }

    /// Finds a scope by its word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == word)
    }
}
