//! The probe port: asks a stack's own address whether it answers.
//!
//! It must not know who asks, nor how long to keep asking.

use std::time::Duration;

use async_trait::async_trait;

use crate::server::local_fault::LocalFault;

/// Asks a stack's own address once.
#[async_trait]
pub trait Probe: Send + Sync {
    /// Asks `url` once, without following redirects, within `limit`.
    async fn check(&self, url: &str, limit: Duration) -> Health;
}

/// The answer of the stack's address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Health {
    /// A success status.
    Healthy,
    /// Something answers, with this other status.
    Answering(u16),
    /// Nothing answers: no connection, no name, no answer in time. Holds the reason.
    Silent(String),
    /// It could not be asked, for what the portal itself lacks: that says nothing of the stack.
    /// Holds the reason as well.
    Unasked(LocalFault, String),
    /// The connection is refused for its certificate, which may still be on its way.
    Untrusted(String),
}
