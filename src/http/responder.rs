//! Responds to requests: to those of direct routes at once, to all others through the router.

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::response::Response;
use tower::ServiceExt as _;

use super::HttpState;
use super::direct::Direct;
use super::router::{Chosen, guard};

/// What responds to requests.
#[derive(Clone)]
pub struct Responder {
    router: Router,
    /// The state of the handlers of direct routes; `None` if the router answers those as well.
    direct: Option<Arc<HttpState>>,
}

impl Responder {
    pub(super) fn new(router: Router, direct: Option<Arc<HttpState>>) -> Self {
        Self { router, direct }
    }

    /// Responds to a request.
    pub async fn respond(self, request: Request) -> Response {
        let found = Direct::find(request.method(), request.uri().path());
        if let (Some((route, handler)), Some(state)) = (found, self.direct) {
            let chosen = Chosen { route, handler, state: Arc::clone(&state) };
            return guard(state, request, chosen).await;
        }
        match self.router.oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        }
    }
}

impl From<Router> for Responder {
    fn from(router: Router) -> Self {
        Self::new(router, None)
    }
}
