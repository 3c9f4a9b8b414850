//! The handlers of the routes that are asked most, which need nothing of a request but its head. They
//! are answered without axum's router, whose layers copy and box more than these handlers cost.
//!
//! The guards are the same for all routes: `http/router.rs` asks them before it comes here.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{FromRequestParts as _, Request};
use axum::response::{IntoResponse, Response};

use super::api::deployments;
use super::{HttpState, health};

/// The handler of a route that is answered without the router.
#[derive(Clone, Copy, Debug)]
pub(super) enum Direct {
    /// `GET /livez`.
    Live,
    /// `GET /readyz`.
    Ready,
    /// `GET /health`.
    Health,
    /// `GET /api/check/:name`.
    CheckName,
}

impl Direct {
    /// Responds to a request that has passed the guards.
    pub(super) async fn respond(self, state: &Arc<HttpState>, request: Request) -> Response {
        match self {
            Self::Live => health::live(),
            Self::Ready => health::ready(state).await,
            Self::Health => Box::pin(health::health(state)).await,
            Self::CheckName => {
                let (mut parts, _) = request.into_parts();
                match Extension::from_request_parts(&mut parts, state).await {
                    Ok(Extension(caller)) => {
                        deployments::check(state, &caller, parts.uri.path()).await.into_response()
                    }
                    Err(missing) => missing.into_response(),
                }
            }
        }
    }
}
