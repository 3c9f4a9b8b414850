//! The router: each route of the table behind what guards all of them.

use std::ops::ControlFlow;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header;
use axum::http::request::Parts;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, get_service, on};
use futures::FutureExt as _;
use leptos::config::LeptosOptions;
use tower::Layer as _;
use tower::util::MapResponseLayer;

use super::error::{Code, Failed};
use super::pages::Pages;
use super::routes::{self, Answer, ROUTES, Route};
use super::{HttpState, auth, cross_site, functions, headers, limit, request_size};
use crate::server::run_to_completion::RunToCompletion;
use domain::refusal::Refusal;

/// Returns the router of the whole site: the API, the pages and the files that `options` name.
pub fn router(state: HttpState, options: LeptosOptions) -> Router {
    let share = (!state.cors_origins.is_empty()).then(|| cross_site::share(&state.cors_origins));
    let state = Arc::new(state);
    let router = table(&state, options)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(from_fn_with_state(state, guard));
    match share {
        Some(share) => router.layer(share).layer(MapResponseLayer::new(headers::secure)),
        None => router,
    }
}

/// Returns the routes of the table. All other paths are files of the site, or not found.
fn table(state: &Arc<HttpState>, options: LeptosOptions) -> Router {
    let pages = Pages::new(state, options);
    ROUTES
        .iter()
        .filter_map(|route| {
            let method = MethodFilter::try_from(route.method.clone()).ok()?;
            let answer = match route.answer {
                Answer::Handler(handler) => handler(method).with_state(Arc::clone(state)),
                Answer::SignIn(handler) => {
                    handler(method).with_state(state.sign_in_service.clone()?)
                }
                Answer::Function => on(method, pages.function()),
                Answer::Page => on(method, pages.page()).layer(headers::compression()),
                Answer::Files => get_service(pages.code()),
            };
            Some((route.path, answer))
        })
        .fold(Router::new(), |router, (path, answer)| router.route(path, answer))
        .fallback_service(headers::compression().layer(pages.other()))
}

/// Guards all routes: responds to a panic, and adds the headers that every response carries.
///
/// This is one layer (three if other origins may read the API), because each layer of a router copies
/// all those within it for every request.
async fn guard(State(state): State<Arc<HttpState>>, request: Request, next: Next) -> Response {
    let response = AssertUnwindSafe(pass(state, request, next)).catch_unwind().await;
    headers::secure(response.unwrap_or_else(Failed::from_panic))
}

/// Passes a request through everything that guards the routes, to its handler. The request is handled
/// to its end, even if the client disconnects: otherwise hyper would drop the handler then, possibly
/// between two writes.
async fn pass(state: Arc<HttpState>, request: Request, next: Next) -> Response {
    let requests = state.requests.clone();
    let work = async move {
        let response = response_of(respond(&state, request, next).await);
        if let Some(&Code(code)) = response.extensions().get::<Code>() {
            state.service.metrics().refused(code);
        }
        response
    };
    RunToCompletion::new(&requests, work).await
}

/// Responds to a request. Breaks with the response to one that does not get to its handler.
async fn respond(
    state: &HttpState,
    request: Request,
    next: Next,
) -> ControlFlow<Response, Response> {
    let (mut parts, body) = request.into_parts();
    // A `CONNECT` request, which is meant for a proxy, has no path, which axum's router cannot
    // handle.
    if parts.uri.path().is_empty() {
        return refuse(method_not_allowed().await);
    }
    unless_refused(request_size::check_target(&parts.uri))?;
    unless_refused(cross_site::check(state, &parts).await)?;
    routes::spell(&mut parts)?;
    let handle = |parts, body| async { response_of(handle(state, parts, body, next).await) };
    ControlFlow::Continue(if functions::is_function(&parts.uri) {
        functions::answer(state, parts, body, handle).await
    } else {
        handle(parts, body).await
    })
}

/// Lets a request to its handler if its caller may send it and has not sent too many.
async fn handle(
    state: &HttpState,
    mut parts: Parts,
    body: Body,
    next: Next,
) -> ControlFlow<Response, Response> {
    let Ok(route) = Route::of(&parts) else {
        return ControlFlow::Break(auth::close(parts.uri.path()));
    };
    unless_refused(limit::check(state, route, &parts).await)?;
    let is_newcomer = auth::admit(state, route, &mut parts).await?;
    let body = request_size::receive(&parts.headers, body, state.service.clock()).await;
    let mut response = next.run(Request::from_parts(parts, unless_refused(body)?)).await;
    if let Some(cookie) = is_newcomer.then(|| state.authenticator.new_cookie()).flatten() {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    ControlFlow::Continue(response)
}

/// Returns the response, whoever made it.
fn response_of(flow: ControlFlow<Response, Response>) -> Response {
    match flow {
        ControlFlow::Continue(response) | ControlFlow::Break(response) => response,
    }
}

fn refuse<T>(failed: Failed) -> ControlFlow<Response, T> {
    ControlFlow::Break(failed.into_response())
}

fn unless_refused<T>(result: Result<T, Failed>) -> ControlFlow<Response, T> {
    match result {
        Ok(value) => ControlFlow::Continue(value),
        Err(failed) => refuse(failed),
    }
}

async fn method_not_allowed() -> Failed {
    Refusal::MethodNotAllowed.into()
}
