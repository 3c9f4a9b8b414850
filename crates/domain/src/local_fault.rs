//! Local faults: faults of the portal itself, which say nothing about a stack or the platform.
//!
//! It must not know how a fault is detected.

/// A local fault, because of which the portal cannot make calls or record anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LocalFault {
    /// File descriptors, memory or local ports.
    #[error("the portal is short of resources")]
    Resources,
    /// Name resolution: the resolver does not answer.
    #[error("the portal's name resolution does not answer")]
    Names,
    /// The network: no route leads to an address, or a firewall rule of this machine forbids it.
    #[error("the portal has no network")]
    Network,
    /// The database cannot be read or written.
    #[error("the portal's records are out of reach")]
    Records,
}

impl LocalFault {
    /// All faults.
    pub const ALL: [Self; 4] = [Self::Resources, Self::Names, Self::Network, Self::Records];

    /// Returns the message during the fault. It is recorded as progress, from which limits are
    /// computed across restarts, so it must not change.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::Resources => "Waiting: the portal is short of resources",
            Self::Names => "Waiting: the portal cannot look addresses up",
            Self::Network => "Waiting: the portal has no network",
            Self::Records => "Waiting: the portal cannot reach its records",
        }
    }

    /// Returns the fault with this `sentence`, if there is one.
    pub fn told_by(sentence: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|fault| fault.sentence() == sentence)
    }

    /// Returns a sentence in the present tense, without a full stop.
    pub fn describe_failure(self) -> &'static str {
        match self {
            Self::Resources => "The portal itself is short of resources",
            Self::Names => "The portal itself cannot look addresses up",
            Self::Network => "The portal itself has no network",
            Self::Records => "The portal itself cannot reach its records",
        }
    }

    /// Returns a sentence in the past tense, without a full stop.
    pub fn past(self) -> &'static str {
        match self {
            Self::Resources => "The portal itself was short of resources",
            Self::Names => "The portal itself could not look addresses up",
            Self::Network => "The portal itself had no network",
            Self::Records => "The portal itself could not reach its records",
        }
    }
}
