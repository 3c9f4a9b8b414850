//! The edge: the addresses of the stacks, served over HTTP on one port and routed by host.
//!
//! It must not know rows: a host has a route, the route leads to a service, and the service
//! determines the answer.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::uri::PathAndQuery;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;

use super::core::Core;
use super::environment;
use super::images::{Behaviour, Image, SLUGGISH};
use super::middleware::Middleware;
use super::programs::{Program, variable};
use super::rotation::Backend;
use super::shared::{Shared, lock};
use super::state::Route;
use super::traefik::NOOP;
use super::visit::{EdgeAnswer, Visit};

/// The page of a stack. `{{name}}` and `{{host}}` are replaced.
const PAGE: &str = include_str!("stack_page.html");
/// The variable that names the revision of a stack.
const REVISION: &str = "STACK_REVISION";
/// The largest body of a request, in bytes: a file of 64 KiB, of which a form may encode each byte as
/// three.
const LARGEST_BODY: usize = 256 * 1024;

/// The answer of a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EdgeResponse {
    /// There is no route for the host.
    UnknownHost,
    /// There is a route, but no service answers.
    Down,
    /// The reverse proxy itself answers with 418.
    Noop,
    /// The stack runs and is healthy.
    Healthy,
    /// The stack runs and reports that it is unhealthy.
    Unhealthy,
    /// The stack accepts the connection, and never answers.
    Silent,
}

/// The container that takes a request, and what it runs.
struct Taken {
    app_name: String,
    backend: Backend,
    image: String,
    behaviour: Behaviour,
    env: Vec<String>,
}

impl Core {
    /// Returns how `host` (with or without a port) answers at `now`.
    pub fn visit(&mut self, now: Timestamp, host: &str) -> EdgeResponse {
        match self.lead(now, host) {
            Err(response) => response,
            Ok(taken) => taken.response(),
        }
    }

    /// Answers a request for a stack that arrives at `now`.
    pub fn answer_visit(&mut self, now: Timestamp, visit: &Visit) -> EdgeAnswer {
        let taken = match self.lead(now, &visit.host) {
            Ok(taken) => taken,
            Err(EdgeResponse::UnknownHost) => return EdgeAnswer::text(404, "404 page not found\n"),
            Err(EdgeResponse::Noop) => return EdgeAnswer::text(418, ""),
            Err(
                EdgeResponse::Down
                | EdgeResponse::Healthy
                | EdgeResponse::Unhealthy
                | EdgeResponse::Silent,
            ) => {
                let retries = self.retries(&visit.host);
                return EdgeAnswer { retries, ..EdgeAnswer::text(502, "Bad Gateway") };
            }
        };
        let is_well = match taken.response() {
            EdgeResponse::Silent => return EdgeAnswer::never(),
            EdgeResponse::Healthy => true,
            EdgeResponse::Unhealthy
            | EdgeResponse::Down
            | EdgeResponse::UnknownHost
            | EdgeResponse::Noop => false,
        };
        let answer = match program(&taken.image) {
            Program::Plain => plain(visit, &taken.env, is_well),
            program => {
                let folder = program.folder(&taken.env);
                let files = self.files_in(&taken.app_name, taken.backend.place, &folder);
                program.answer(visit, &taken.env, files, is_well)
            }
        };
        answer.of(&taken.backend.task, variable(&taken.env, REVISION)).after(taken.delay())
    }

    /// Finds the container that takes the next request for `host`.
    ///
    /// # Errors
    ///
    /// Returns the reverse proxy's own answer, if there is none.
    fn lead(&mut self, now: Timestamp, host: &str) -> Result<Taken, EdgeResponse> {
        self.tick(now);
        let route = self.route(host).ok_or(EdgeResponse::UnknownHost)?;
        // A router whose middleware does not exist is not used (recording day-two 476).
        self.state.middlewares_of(route).ok_or(EdgeResponse::UnknownHost)?;
        if route.app_name == NOOP {
            return Err(EdgeResponse::Noop);
        }
        let (app_name, port) = (route.app_name.clone(), route.port);
        if self.outages.docker.lasts(now) {
            return Err(EdgeResponse::Down);
        }
        let backend = self.next_backend(now, &app_name).filter(|backend| backend.answers);
        let (Some(backend), Some(service)) = (backend, self.state.service(&app_name)) else {
            return Err(EdgeResponse::Down);
        };
        let generation = service.generation(backend.place);
        if !listens(&generation.image, port) {
            return Err(EdgeResponse::Down);
        }
        let (image, behaviour) = (generation.image.clone(), generation.behaviour);
        let variables = &generation.spec.env;
        let env = environment::of_container(variables, &service.id, &app_name, &backend.task);
        Ok(Taken { env: env.unwrap_or_default(), app_name, backend, image, behaviour })
    }

    /// Returns the pauses after which a request for `host` that no container took is repeated.
    fn retries(&self, host: &str) -> Vec<Duration> {
        let middlewares = self.route(host).and_then(|route| self.state.middlewares_of(route));
        let pauses = |middleware| match middleware {
            Middleware::Retry(retry) => Some(retry.pauses()),
            Middleware::Other => None,
        };
        middlewares.into_iter().flatten().find_map(pauses).unwrap_or_default()
    }

    fn route(&self, host: &str) -> Option<&Route> {
        let host = without_port(host);
        self.state.loaded_routes().iter().find(|route| route.host.eq_ignore_ascii_case(host))
    }
}

impl Taken {
    fn response(&self) -> EdgeResponse {
        let is_well = program(&self.image).is_well();
        match self.behaviour {
            Behaviour::Silent => EdgeResponse::Silent,
            Behaviour::Hello | Behaviour::Slow | Behaviour::Dying | Behaviour::Sluggish
                if is_well =>
            {
                EdgeResponse::Healthy
            }
            Behaviour::Hello
            | Behaviour::Slow
            | Behaviour::Dying
            | Behaviour::Sluggish
            | Behaviour::Unhealthy => EdgeResponse::Unhealthy,
            Behaviour::Crashloop | Behaviour::OutOfMemory | Behaviour::Rejected => {
                EdgeResponse::Down
            }
        }
    }

    /// Returns the time that it takes for its answer.
    fn delay(&self) -> Duration {
        if self.behaviour == Behaviour::Sluggish { SLUGGISH } else { Duration::ZERO }
    }
}

fn program(image: &str) -> Program {
    Image::of(image).map_or(Program::Plain, |image| image.program)
}

/// Returns whether the program of an image listens on the port to which a route leads.
fn listens(image: &str, port: Option<u64>) -> bool {
    match (program(image).port(), port) {
        (Some(own), Some(port)) => own == port,
        (None, _) | (_, None) => true,
    }
}

/// Returns the answer of a stack without a program of its own.
fn plain(visit: &Visit, env: &[String], is_well: bool) -> EdgeAnswer {
    match visit.path_alone() {
        "/health" => EdgeAnswer::health(is_well),
        "/" => page(&visit.host, variable(env, REVISION)),
        _ => EdgeAnswer::text(404, "Not found.\n"),
    }
}

/// Renders the stack's page. A host that has a route consists of letters, digits, hyphens and dots,
/// and its port of digits, so it needs no escaping. A revision is shown if it is a number.
fn page(host: &str, revision: Option<&str>) -> EdgeAnswer {
    let name = without_port(host).split('.').next().unwrap_or(host);
    let number = revision.filter(|text| text.chars().all(|c| c.is_ascii_digit()));
    let row = number.map(|number| format!("<dt>Revision</dt><dd>{number}</dd>\n"));
    let html = PAGE.replace("{{name}}", name).replace("{{host}}", host);
    let html = html.replace("{{revision}}", &row.unwrap_or_default());
    EdgeAnswer::html(html, "default-src 'none'; style-src 'unsafe-inline'; img-src data:")
}

/// Returns the HTTP router of the stacks.
pub(super) fn router(shared: Arc<Shared>) -> Router {
    Router::new().fallback(answer).with_state(shared)
}

async fn answer(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let answer = match read(request).await {
        Some(visit) => ask(&shared, &visit).await,
        None => EdgeAnswer::too_large(),
    };
    shared.keeper.commit().await;
    if answer.delay == Duration::MAX {
        shared.shutdown.cancelled().await;
    } else if !answer.delay.is_zero() {
        shared.clock.sleep(answer.delay).await;
    }
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = (status, Body::from(answer.body)).into_response();
    for (name, value) in answer.headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().insert(HeaderName::from_static(name), value);
        }
    }
    response
}

/// Asks until a container takes the request, as often as the reverse proxy does.
async fn ask(shared: &Shared, visit: &Visit) -> EdgeAnswer {
    let once = || lock(&shared.core).answer_visit(shared.clock.now(), visit);
    let mut answer = once();
    for pause in answer.retries.clone() {
        if answer.retries.is_empty() {
            break;
        }
        tokio::select! {
            () = shared.shutdown.cancelled() => break,
            () = shared.clock.sleep(pause) => answer = once(),
        }
    }
    answer
}

/// Reads a request; `None` if its body is too large.
async fn read(request: Request) -> Option<Visit> {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, LARGEST_BODY).await.ok()?;
    let named = |(name, value): (&HeaderName, &HeaderValue)| {
        Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
    };
    Some(Visit {
        host: host(&parts.headers).to_owned(),
        method: parts.method.as_str().to_owned(),
        path: parts.uri.path_and_query().map_or("/", PathAndQuery::as_str).to_owned(),
        headers: parts.headers.iter().filter_map(named).collect(),
        body: body.into(),
    })
}

fn host(headers: &HeaderMap) -> &str {
    headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default()
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.parse::<u16>().is_ok() => name,
        _ => host,
    }
}

/// Returns the pattern of the stacks' addresses, for the log.
pub(super) fn pattern(edge: SocketAddr) -> String {
    format!("http://<name>.localhost:{}", edge.port())
}
