//! HTTP: what is on the wire, and nothing of what it means.
//!
//! A handler reads the request, calls one use case and writes the answer. The layers around
//! them guard every route alike, the pages and their server functions included.

mod account;
mod admin;
mod compat;
mod cookies;
mod cross_site;
mod door;
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
mod streams;
mod visit;
mod visitor;
mod whole;

use std::sync::Arc;

use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub use door::{Door, ruled_routes};
pub use pages::pages;
pub use router::router;
pub use sign_in::sign_in;

use self::{limit::Limiter, streams::Streams};
use super::{
    origin::Origin,
    proxies::Proxy,
    service::Service,
    settings::{HttpSettings, Limits},
};

/// What the handlers share.
#[derive(Clone)]
pub struct HttpState {
    service: Arc<Service>,
    door: Door,
    public_url: Arc<Origin>,
    cors_origins: Arc<[Origin]>,
    proxies: Arc<[Proxy]>,
    limiter: Arc<Limiter>,
    streams: Arc<Streams>,
    /// Those that are carried out.
    requests: TaskTracker,
    shutdown: CancellationToken,
}

impl HttpState {
    /// Puts together what the handlers share. People come in by `door`. Streams end when
    /// `shutdown` is cancelled.
    pub fn new(
        service: Arc<Service>,
        door: Door,
        http: &HttpSettings,
        limits: &Limits,
        shutdown: CancellationToken,
    ) -> Self {
        let limiter = Limiter::new(limits, service.clock());
        let streams = Streams::new(limits.streams_per_person, limits.streams_per_address);
        Self {
            service,
            door,
            public_url: Arc::new(http.public_url.clone()),
            cors_origins: http.cors_origins.clone().into(),
            proxies: http.trusted_proxies.clone().into(),
            limiter: Arc::new(limiter),
            streams: Arc::new(streams),
            requests: TaskTracker::new(),
            shutdown,
        }
    }

    /// Returns the requests that are carried out, to be waited for at the end.
    pub fn requests(&self) -> &TaskTracker {
        &self.requests
    }
}
