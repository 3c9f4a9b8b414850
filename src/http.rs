//! HTTP: the routes, the handlers and the layers around them.
//!
//! A handler reads the request, calls one use case and writes the response. It must not apply
//! business rules. The layers guard every route, including the pages and their server functions.

mod address;
mod admin;
mod api;
mod auth;
mod check;
mod connections;
mod cross_site;
mod data;
mod direct;
mod error;
mod events;
mod functions;
mod generated;
mod headers;
mod health;
mod limit;
mod logs;
mod metrics;
mod new;
mod openapi;
mod origins;
mod pages;
mod query;
mod request_size;
mod reveal;
mod router;
mod routes;
mod settings;
mod sign_in;
mod site;
mod stack;
mod streams;

use std::sync::{Arc, LazyLock};

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use check::{parse_callback, take_callbacks};
pub use connections::{ConnectionLimits, ConnectionTimes, Site, serve};
pub use metrics::metrics_router;
pub use router::{Responder, responder};
pub use routes::routes;

use self::events::Channels;
use self::limit::Limiter;
use self::openapi::Document;
use self::streams::Streams;
use crate::server::audit::AuditTrail;
use crate::server::auth::authenticate::Authenticator;
use crate::server::auth::sign_in::SignInService;
use crate::server::origin::Origin;
use crate::server::proxies::Proxy;
use crate::server::settings::{HttpSettings, Limits, MetricsSettings};
use crate::server::stacks::Service;

/// The description of the API.
static DOCUMENT: LazyLock<Document> = LazyLock::new(|| Document::of(routes::described()));

/// Returns the description of the API: an OpenAPI document in JSON.
pub fn openapi_document() -> &'static str {
    DOCUMENT.json()
}

/// The state that the handlers share.
#[derive(Clone)]
pub struct HttpState {
    service: Arc<Service>,
    audit: Arc<AuditTrail>,
    authenticator: Authenticator,
    sign_in_service: Option<Arc<SignInService>>,
    /// The origins at which people reach the portal, the first for links.
    origins: Arc<[Origin]>,
    cors_origins: Arc<[Origin]>,
    proxies: Arc<[Proxy]>,
    limiter: Arc<Limiter>,
    streams: Arc<Streams>,
    channels: Arc<Channels>,
    metrics_settings: Arc<MetricsSettings>,
    /// The requests in progress.
    requests: TaskTracker,
}

impl HttpState {
    /// Creates the state. `authenticator` authenticates the callers; `sign_in_service` is `None` if
    /// people do not sign in. Event streams end when `shutdown` is cancelled.
    pub fn new(
        service: Arc<Service>,
        authenticator: Authenticator,
        sign_in_service: Option<Arc<SignInService>>,
        http: &HttpSettings,
        limits: &Limits,
        shutdown: CancellationToken,
    ) -> Self {
        let limiter = Limiter::new(limits, service.clock());
        let streams = Streams::new(limits.streams_per_person, limits.streams_per_address);
        let requests = TaskTracker::new();
        let channels =
            Channels::new(Arc::clone(&service), authenticator.clone(), requests.clone(), shutdown);
        Self {
            audit: service.audit_trail(),
            service,
            authenticator,
            sign_in_service,
            origins: http.origins().cloned().collect(),
            cors_origins: http.cors_origins.clone().into(),
            proxies: http.trusted_proxies.clone().into(),
            limiter: Arc::new(limiter),
            streams: Arc::new(streams),
            channels: Arc::new(channels),
            metrics_settings: Arc::new(http.metrics.clone()),
            requests,
        }
    }

    /// Limits the open event streams to half of this many connections, so that streams keep nobody
    /// out: a page without one asks now and then.
    #[must_use]
    pub fn with_streams_among(mut self, connections: usize) -> Self {
        self.streams = Arc::new(self.streams.within(connections / 2));
        self
    }

    /// Returns the tracker of the requests in progress, so that a shutdown can wait for them.
    pub fn requests(&self) -> &TaskTracker {
        &self.requests
    }
}
