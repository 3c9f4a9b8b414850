//! Faults of the portal itself, which say nothing of a stack or of the platform.
//!
//! It must not know how a fault is found out.

/// What the portal lacks to ask anybody anything, or to put on record what it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LocalFault {
    /// File descriptors, memory or local ports.
    #[error("the portal is short of resources")]
    Resources,
    /// A resolver that answers.
    #[error("the portal's name resolution does not answer")]
    Names,
    /// A way out: no route leads there, or a rule of this machine forbids it.
    #[error("the portal has no network")]
    Network,
    /// Its records.
    #[error("the portal's records are out of reach")]
    Records,
}

impl LocalFault {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Resources, Self::Names, Self::Network, Self::Records];

    /// Returns what a person reads meanwhile. Limits are counted by it across restarts.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::Resources => "Waiting: the portal is short of resources",
            Self::Names => "Waiting: the portal cannot look addresses up",
            Self::Network => "Waiting: the portal has no network",
            Self::Records => "Waiting: the portal cannot reach its records",
        }
    }

    /// Returns the one that a person reads about in `sentence`, if it is about one.
    pub fn told_by(sentence: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|fault| fault.sentence() == sentence)
    }

    /// Says that it is so, without a full stop.
    pub fn describe_failure(self) -> &'static str {
        match self {
            Self::Resources => "The portal itself is short of resources",
            Self::Names => "The portal itself cannot look addresses up",
            Self::Network => "The portal itself has no network",
            Self::Records => "The portal itself cannot reach its records",
        }
    }

    /// Says that it was so, without a full stop.
    pub fn past(self) -> &'static str {
        match self {
            Self::Resources => "The portal itself was short of resources",
            Self::Names => "The portal itself could not look addresses up",
            Self::Network => "The portal itself had no network",
            Self::Records => "The portal itself could not reach its records",
        }
    }
}
