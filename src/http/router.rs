//! The router: each route of the table behind what guards all of them.

use std::ops::ControlFlow;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{Method, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, get_service, on};
use futures::FutureExt as _;
use leptos::config::LeptosOptions;
use tower::util::MapResponseLayer;
use tower::{Layer as _, ServiceExt as _};

use super::connections::Site;
use super::direct::Direct;
use super::error::{Code, Failed};
use super::pages::Pages;
use super::request_size::{self, Size};
use super::routes::{self, Answer, NotInTable, ROUTES, Route};
use super::{HttpState, auth, cross_site, functions, headers, limit, new};
use crate::server::run_to_completion::RunToCompletion;
use domain::refusal::Refusal;

/// What responds to requests: to those of direct routes at once, to all others through the router.
#[derive(Clone)]
pub struct Responder {
    router: Router,
    /// The state of the handlers of direct routes; `None` if the router answers those as well.
    direct: Option<Arc<HttpState>>,
}

impl Site for Responder {
    async fn respond(self, request: Request) -> Response {
        let found = direct_route(request.method(), request.uri().path());
        if let (Some((route, handler)), Some(state)) = (found, self.direct) {
            let chosen = Chosen { route, handler, state: Arc::clone(&state) };
            return guard(state, request, chosen).await;
        }
        self.router.respond(request).await
    }
}

impl Site for Router {
    async fn respond(self, request: Request) -> Response {
        match self.oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        }
    }
}

/// Finds the route of a request that needs no router, with its handler.
fn direct_route(method: &Method, path: &str) -> Option<(&'static Route, Direct)> {
    let mut routes = ROUTES.iter().filter_map(|route| match route.answer {
        Answer::Direct(handler) => Some((route, handler)),
        Answer::Handler(_)
        | Answer::SignIn(_)
        | Answer::Function
        | Answer::Page
        | Answer::Form(_)
        | Answer::Files => None,
    });
    routes.find(|(route, _)| route.method == *method && route.is_spelled(path))
}

/// Returns what responds for the whole site: the API, the pages and the files that `options` name.
pub fn responder(state: HttpState, options: LeptosOptions) -> Responder {
    let share = (!state.cors_origins.is_empty()).then(|| cross_site::share(&state.cors_origins));
    let state = Arc::new(state);
    let router = table(&state, options)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(from_fn_with_state(Arc::clone(&state), guard_router));
    match share {
        Some(share) => Responder {
            router: router.layer(share).layer(MapResponseLayer::new(headers::secure)),
            direct: None,
        },
        None => Responder { router, direct: Some(state) },
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
                Answer::Direct(handler) => {
                    on(method, move |State(state), request: Request| async move {
                        handler.respond(&state, request).await
                    })
                    .with_state(Arc::clone(state))
                }
                Answer::Handler(handler) => handler(method).with_state(Arc::clone(state)),
                Answer::SignIn(handler) => {
                    handler(method).with_state(state.sign_in_service.clone()?)
                }
                Answer::Function => on(method, pages.function()),
                Answer::Page => on(method, pages.page()).layer(headers::compression()),
                Answer::Form(form) => {
                    on(method, pages.form(state, form)).layer(headers::compression())
                }
                Answer::Files => get_service(pages.code()),
            };
            Some((route.path, answer))
        })
        .fold(Router::new(), |router, (path, answer)| router.route(path, answer))
        .fallback_service(headers::compression().layer(pages.other()))
}

/// Guards the routes of the router.
///
/// This is one layer (three if other origins may read the API), because each layer of a router copies
/// all those within it for every request.
async fn guard_router(
    State(state): State<Arc<HttpState>>,
    request: Request,
    next: Next,
) -> Response {
    guard(state, request, next).await
}

/// Guards what comes `next`: responds to a panic, and adds the headers that every response carries.
async fn guard(state: Arc<HttpState>, request: Request, next: impl Onward) -> Response {
    let response = AssertUnwindSafe(pass(state, request, next)).catch_unwind().await;
    headers::secure(response.unwrap_or_else(Failed::from_panic))
}

/// What comes after the guards.
trait Onward: Send + 'static {
    /// Returns the route of a request; `None` if there is none for its path and method.
    fn chosen(&self, parts: &Parts) -> Result<Option<&'static Route>, NotInTable>;

    /// Responds to a request that has passed the guards.
    fn respond(self, request: Request) -> impl Future<Output = Response> + Send;
}

/// The router, which has found the route.
impl Onward for Next {
    fn chosen(&self, parts: &Parts) -> Result<Option<&'static Route>, NotInTable> {
        Route::of(parts)
    }

    async fn respond(self, request: Request) -> Response {
        self.run(request).await
    }
}

/// A direct route.
struct Chosen {
    route: &'static Route,
    handler: Direct,
    state: Arc<HttpState>,
}

impl Onward for Chosen {
    fn chosen(&self, _: &Parts) -> Result<Option<&'static Route>, NotInTable> {
        Ok(Some(self.route))
    }

    async fn respond(self, request: Request) -> Response {
        self.handler.respond(&self.state, request).await
    }
}

/// Passes a request through everything that guards the routes, to its handler. The request is handled
/// to its end, even if the client disconnects: otherwise hyper would drop the handler then, possibly
/// between two writes.
async fn pass(state: Arc<HttpState>, request: Request, next: impl Onward) -> Response {
    let token = state.requests.token();
    let work = async move {
        let response = response_of(respond(&state, request, next).await);
        if let Some(&Code(code)) = response.extensions().get::<Code>() {
            state.service.metrics().refused(code);
        }
        response
    };
    RunToCompletion::new(token, work).await
}

/// Responds to a request. Breaks with the response to one that does not get to its handler.
async fn respond(
    state: &HttpState,
    request: Request,
    next: impl Onward,
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
        // What most requests do not need is boxed, here and below, so that their futures stay small.
        Box::pin(functions::answer(state, parts, body, handle)).await
    } else {
        handle(parts, body).await
    })
}

/// Lets a request to its handler if its caller may send it and has not sent too many.
async fn handle(
    state: &HttpState,
    mut parts: Parts,
    body: Body,
    next: impl Onward,
) -> ControlFlow<Response, Response> {
    let Ok(route) = next.chosen(&parts) else {
        return ControlFlow::Break(auth::close(parts.uri.path()));
    };
    unless_refused(limit::check(state, route.and_then(|route| route.counted), &parts).await)?;
    let size = route.map_or(Size::Usual, |route| route.size);
    let is_newcomer = match auth::admit(state, route, &mut parts).await {
        ControlFlow::Continue(is_newcomer) => is_newcomer,
        ControlFlow::Break(response)
            if route.is_some_and(Route::is_form) && is_redirect(&response) =>
        {
            let body = request_size::receive(&parts.headers, body, size, state.service.clock());
            let body = unless_refused(body.await)?;
            return ControlFlow::Break(new::sign_in_again(&parts, body).await);
        }
        ControlFlow::Break(response) => return ControlFlow::Break(response),
    };
    let body = request_size::receive(&parts.headers, body, size, state.service.clock()).await;
    let mut response = next.respond(Request::from_parts(parts, unless_refused(body)?)).await;
    if let Some(cookie) = is_newcomer.then(|| state.authenticator.new_cookie()).flatten() {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    ControlFlow::Continue(response)
}

fn is_redirect(response: &Response) -> bool {
    response.status().is_redirection()
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
