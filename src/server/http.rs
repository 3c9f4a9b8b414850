//! HTTP: what is on the wire, and nothing of what it means.
//!
//! A handler reads the request, calls one use case and writes the answer. The layers around
//! them guard every route alike, the pages and their server functions included.

mod account;
mod compat;
mod cookies;
mod cross_site;
mod error;
mod events;
mod functions;
mod headers;
mod health;
mod limit;
mod operations;
mod pages;
mod router;
mod sign_in;
mod visit;
mod visitor;

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

pub use pages::pages;
pub use router::router;
pub use sign_in::sign_in;

use self::limit::Limiter;
use super::{origin::Origin, service::Service, settings::Limits};

/// What the handlers share.
#[derive(Clone)]
pub struct HttpState {
    service: Arc<Service>,
    public_url: Arc<Origin>,
    limiter: Arc<Limiter>,
    shutdown: CancellationToken,
}

impl HttpState {
    /// Puts together what the handlers share. Streams end when `shutdown` is cancelled.
    pub fn new(
        service: Arc<Service>,
        public_url: Origin,
        limits: &Limits,
        shutdown: CancellationToken,
    ) -> Self {
        let limiter = Limiter::new(limits.deploys_per_minute, Arc::clone(service.clock()));
        Self { service, public_url: Arc::new(public_url), limiter: Arc::new(limiter), shutdown }
    }
}
