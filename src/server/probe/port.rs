//! The probe port: checks whether a stack's address answers.
//!
//! It must not know what the check is for, nor how often it is repeated.

use std::time::Duration;

use async_trait::async_trait;

use crate::server::local_fault::LocalFault;

/// Checks addresses of stacks.
#[async_trait]
pub trait Probe: Send + Sync {
    /// Sends one GET request to `url`, without following redirects. It takes at most `limit`.
    async fn check(&self, url: &str, limit: Duration) -> Health;
}

/// The result of a check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Health {
    /// A success status.
    Healthy,
    /// An answer with another status.
    Answering(u16),
    /// No answer: the name does not resolve, the connection fails, or the time is over. Contains
    /// the reason.
    Silent(String),
    /// A local fault of the portal prevented the check, so it says nothing about the stack.
    /// Contains the reason as well.
    LocalFault(LocalFault, String),
    /// The certificate is not trusted; a new stack may not have its certificate yet. Contains the
    /// reason.
    Untrusted(String),
}
