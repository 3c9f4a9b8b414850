//! The routes, and the layers around them.

use axum::{
    Router,
    http::Uri,
    middleware::{from_fn, from_fn_with_state},
    routing::{any, get, post},
};
use tower_http::catch_panic::CatchPanicLayer;

use super::{HttpState, compat, cross_site, error::Failed, events, headers, health, limit};

/// Returns the whole site: the API, and `pages` beside it, behind the same layers.
pub fn router(state: HttpState, pages: Router) -> Router {
    api(state.clone())
        .merge(pages)
        .layer(from_fn_with_state(state.clone(), limit::limit))
        .layer(from_fn_with_state(state, cross_site::refuse))
        .layer(CatchPanicLayer::custom(Failed::from_panic))
        .layer(from_fn(headers::secure))
}

fn api(state: HttpState) -> Router {
    Router::new()
        .route("/livez", get(health::live))
        .route("/readyz", get(health::ready))
        .route("/health", get(health::health))
        .route("/health/{*rest}", any(unknown))
        .route("/health/", any(unknown))
        .route("/api", any(unknown))
        .route("/api/", any(unknown))
        .route("/api/{*rest}", any(unknown))
        .route("/api/check/{name}", get(compat::check))
        .route("/api/deploy", post(compat::deploy))
        .route("/api/deployment/{id}", get(compat::deployment))
        .route("/api/status/{id}", get(events::status))
        .method_not_allowed_fallback(wrong_method)
        .with_state(state)
}

async fn unknown(uri: Uri) -> Failed {
    let path: String = uri.path().chars().take(200).collect();
    Failed::new(404, "NOT_FOUND", format!("There is nothing at {path}: check the address."))
}

async fn wrong_method() -> Failed {
    let message = "This address does not take this method: the Allow header lists those it takes.";
    Failed::new(405, "METHOD_NOT_ALLOWED", message)
}
