//! Local faults: faults of the portal itself, which say nothing about a stack or the platform.
//!
//! It must not know how a fault is detected.

use serde::{Deserialize, Serialize};

/// A local fault, because of which the portal cannot make calls or record anything. Its words are
/// persisted: never rename.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
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
    #[error("the portal's database cannot be reached")]
    #[serde(rename = "records")]
    Database,
}

impl LocalFault {
    /// All faults.
    pub const ALL: [Self; 4] = [Self::Resources, Self::Names, Self::Network, Self::Database];
}
