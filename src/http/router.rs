//! The router: each route of the table behind the layers that guard all of them.

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, get_service, on};
use leptos::config::LeptosOptions;
use tokio_util::task::TaskTracker;
use tower::util::option_layer;
use tower_http::catch_panic::CatchPanicLayer;

use super::error::{self, BODY_LIMIT, Code, Failed};
use super::pages::Pages;
use super::routes::{self, Answer, ROUTES};
use super::{HttpState, auth, cross_site, functions, headers, limit, request_size};
use crate::server::metrics::Metrics;
use crate::server::run_to_completion::RunToCompletion;
use domain::refusal::Refusal;

/// Returns the router of the whole site: the API, the pages and the files that `options` name.
pub fn router(state: HttpState, options: LeptosOptions) -> Router {
    let share = (!state.cors_origins.is_empty()).then(|| cross_site::share(&state.cors_origins));
    let (requests, metrics) = (state.requests.clone(), state.service.metrics());
    table(&state, options)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(from_fn_with_state(state.clone(), request_size::receive))
        .layer(from_fn_with_state(state.clone(), auth::guard))
        .layer(from_fn_with_state(state.clone(), limit::limit))
        .layer(from_fn_with_state(state.clone(), functions::answer))
        .layer(from_fn(routes::spell))
        .layer(from_fn_with_state(state, cross_site::refuse))
        .layer(option_layer(share))
        .layer(from_fn(request_size::refuse_large_target))
        .layer(from_fn(add_error_body))
        .layer(from_fn_with_state(metrics, count_refusal))
        .layer(from_fn_with_state(requests, run_to_completion))
        .layer(CatchPanicLayer::custom(Failed::from_panic))
        .layer(headers::compression())
        .layer(from_fn(headers::allow_uncompressed))
        .layer(from_fn(headers::secure))
}

/// Returns the routes of the table. All other paths are files of the site, or not found.
fn table(state: &HttpState, options: LeptosOptions) -> Router {
    let pages = Pages::new(state, options);
    ROUTES
        .iter()
        .filter_map(|route| {
            let method = MethodFilter::try_from(route.method.clone()).ok()?;
            let answer = match route.answer {
                Answer::Handler(handler) => handler(method).with_state(state.clone()),
                Answer::SignIn(handler) => {
                    handler(method).with_state(state.sign_in_service.clone()?)
                }
                Answer::Function => on(method, pages.function()),
                Answer::Page => on(method, pages.page()),
                Answer::Files => get_service(pages.code()),
            };
            Some((route.path, answer))
        })
        .fold(Router::new(), |router, (path, answer)| router.route(path, answer))
        .fallback_service(pages.other())
}

/// Counts a refusal, which the response says by its code.
async fn count_refusal(
    State(metrics): State<Arc<Metrics>>,
    request: Request,
    next: Next,
) -> Response {
    let response = next.run(request).await;
    if let Some(&Code(code)) = response.extensions().get::<Code>() {
        metrics.refused(code);
    }
    response
}

/// Handles a request to its end, even if the client disconnects: otherwise hyper would drop the
/// handler then, possibly between two writes.
async fn run_to_completion(
    State(requests): State<TaskTracker>,
    request: Request,
    next: Next,
) -> Response {
    RunToCompletion::new(&requests, next.run(request)).await
}

/// Adds the JSON body to the 404 of a missing file.
async fn add_error_body(request: Request, next: Next) -> Response {
    let uri = request.uri().clone();
    // A `CONNECT` request, which is meant for a proxy, has no path, which axum's router cannot
    // handle.
    if uri.path().is_empty() {
        return method_not_allowed().await.into_response();
    }
    let response = next.run(request).await;
    let has_body = response.headers().contains_key(header::CONTENT_TYPE);
    if response.status() == StatusCode::NOT_FOUND && !has_body {
        return error::unknown(&uri).into_response();
    }
    response
}

async fn method_not_allowed() -> Failed {
    Refusal::MethodNotAllowed.into()
}
