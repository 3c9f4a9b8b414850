//! The handlers of the routes that are asked most, which need nothing of a request but its head. They
//! are answered without axum's router, whose layers copy and box more than these handlers cost.
//!
//! The guards are the same for all routes: `http/router.rs` asks them before it comes here.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{FromRequestParts as _, Request};
use axum::http::Method;
use axum::response::{IntoResponse, Response};

use super::api::deployments;
use super::routes::{Answer, ROUTES, Route};
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
    /// Finds the route of a request that needs no router, with its handler.
    pub(super) fn find(method: &Method, path: &str) -> Option<(&'static Route, Self)> {
        let mut routes = ROUTES.iter().filter_map(|route| match route.answer {
            Answer::Direct(handler) => Some((route, handler)),
            Answer::Handler(_)
            | Answer::SignIn(_)
            | Answer::Function
            | Answer::Page
            | Answer::Files => None,
        });
        routes.find(|(route, _)| route.method == *method && route.is_spelled(path))
    }

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
