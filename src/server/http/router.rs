//! The routes, and the layers around them.

use axum::{
    Router,
    extract::{DefaultBodyLimit, Request},
    http::{StatusCode, Uri, header},
    middleware::{Next, from_fn, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::{any, get, post},
};
use tower::util::option_layer;
use tower_http::catch_panic::CatchPanicLayer;

use super::{
    HttpState, admin,
    api::{deployments, operations},
    auth, completion, cross_site,
    error::{BODY_LIMIT, Failed},
    events, functions, headers, health, limit,
};

/// Returns the router of the whole site: the API and `pages`, behind the same layers.
pub fn router(state: HttpState, pages: Router) -> Router {
    let share = (!state.cors_origins.is_empty()).then(|| cross_site::share(&state.cors_origins));
    let requests = state.requests.clone();
    api(state.clone())
        .merge(pages)
        .layer(from_fn_with_state(state.clone(), auth::guard))
        .layer(from_fn_with_state(state.clone(), limit::limit))
        .layer(from_fn_with_state(state.clone(), functions::answer))
        .layer(from_fn_with_state(state, cross_site::refuse))
        .layer(option_layer(share))
        .layer(from_fn(add_error_body))
        .layer(from_fn_with_state(requests, completion::run_to_completion))
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
        .route("/api/check/{name}", get(deployments::check))
        .route("/api/deploy", post(deployments::deploy))
        .route("/api/deployment/{id}", get(deployments::deployment))
        .route("/api/deployment/{id}/cancel", post(operations::cancel))
        .route("/api/deployment/{id}/retry", post(operations::retry))
        .route("/api/stacks", get(operations::stacks))
        .route("/api/stacks/{name}", get(operations::stack).delete(operations::remove))
        .route("/api/status/{id}", get(events::status))
        .route("/admin/stuck/retry", post(admin::retry).layer(DefaultBodyLimit::max(BODY_LIMIT)))
        .route(
            "/admin/people/sign-out",
            post(admin::revoke_access).layer(DefaultBodyLimit::max(BODY_LIMIT)),
        )
        .method_not_allowed_fallback(method_not_allowed)
        .with_state(state)
}

async fn unknown(uri: Uri) -> Failed {
    let path: String = uri.path().chars().take(200).collect();
    Failed::new(404, "NOT_FOUND", format!("Nothing found at {path}: check the address."))
}

/// Adds a body to an error that has none: the routes of pages and files return only a status.
async fn add_error_body(request: Request, next: Next) -> Response {
    let uri = request.uri().clone();
    // A `CONNECT` request, meant for a proxy, has no path, and no route can handle that.
    if uri.path().is_empty() {
        return method_not_allowed().await.into_response();
    }
    let response = next.run(request).await;
    if response.headers().contains_key(header::CONTENT_TYPE) {
        return response;
    }
    match response.status() {
        StatusCode::NOT_FOUND => unknown(uri).await.into_response(),
        StatusCode::METHOD_NOT_ALLOWED => {
            let mut spelled = method_not_allowed().await.into_response();
            if let Some(allow) = response.headers().get(header::ALLOW) {
                spelled.headers_mut().insert(header::ALLOW, allow.clone());
            }
            spelled
        }
        _ => response,
    }
}

async fn method_not_allowed() -> Failed {
    let message =
        "This address does not support this method. The Allow header lists the supported methods.";
    Failed::new(405, "METHOD_NOT_ALLOWED", message)
}
