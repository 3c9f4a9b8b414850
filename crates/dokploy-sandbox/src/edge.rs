//! The edge: the addresses of the stacks, served over HTTP on one port and routed by host.
//!
//! It must not know rows: a host has a route, the route leads to a service, and the service
//! determines the answer.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::uri::PathAndQuery;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;

use super::core::Core;
use super::images::{Behaviour, Image};
use super::programs::Program;
use super::shared::{Shared, lock};
use super::state::{Route, Service};
use super::visit::{EdgeAnswer, Visit};

/// The page of a stack. `{{name}}` and `{{host}}` are replaced.
const PAGE: &str = include_str!("stack_page.html");
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
    /// The stack runs and is healthy.
    Healthy,
    /// The stack runs and reports that it is unhealthy.
    Unhealthy,
}

impl Core {
    /// Returns how `host` (with or without a port) answers at `now`.
    pub fn visit(&mut self, now: Timestamp, host: &str) -> EdgeResponse {
        self.tick(now);
        let Some(route) = self.route(host) else { return EdgeResponse::UnknownHost };
        let service = self.state.service(&route.app_name);
        let up = |service: &&Service| service.answers(now, &self.timing);
        let reachable = |service: &&Service| listens(service, route);
        let service = service.filter(up).filter(reachable);
        match service.filter(|_| !self.outages.docker.lasts(now)) {
            None => EdgeResponse::Down,
            Some(service) => match service.behaviour {
                Behaviour::Hello | Behaviour::Slow if program(service).is_well() => {
                    EdgeResponse::Healthy
                }
                Behaviour::Hello | Behaviour::Slow | Behaviour::Unhealthy => {
                    EdgeResponse::Unhealthy
                }
                Behaviour::Crashloop | Behaviour::Rejected => EdgeResponse::Down,
            },
        }
    }

    /// Answers a request for a stack that arrives at `now`.
    pub fn answer_visit(&mut self, now: Timestamp, visit: &Visit) -> EdgeAnswer {
        let is_well = match self.visit(now, &visit.host) {
            EdgeResponse::UnknownHost => return EdgeAnswer::text(404, "404 page not found\n"),
            EdgeResponse::Down => return EdgeAnswer::text(502, "Bad Gateway"),
            EdgeResponse::Healthy => true,
            EdgeResponse::Unhealthy => false,
        };
        let found = self.route(&visit.host).and_then(|route| self.state.service(&route.app_name));
        let program = found.map_or(Program::Plain, program);
        match (found, program) {
            (None, _) | (_, Program::Plain) => plain(visit, is_well),
            (Some(service), program) => {
                let container = service.containers(now, &self.timing).into_iter().next();
                let env = container.map(|container| container.env).unwrap_or_default();
                let app_name = service.app_name.clone();
                let files = self.files_in(&app_name, &program.folder(&env));
                program.answer(visit, &env, files)
            }
        }
    }

    fn route(&self, host: &str) -> Option<&Route> {
        let host = without_port(host);
        self.state.loaded_routes().iter().find(|route| route.host.eq_ignore_ascii_case(host))
    }
}

fn program(service: &Service) -> Program {
    Image::of(&service.image).map_or(Program::Plain, |image| image.program)
}

/// Returns whether the service listens on the port to which the route leads.
fn listens(service: &Service, route: &Route) -> bool {
    match (program(service).port(), route.port) {
        (Some(own), Some(port)) => own == port,
        (None, _) | (_, None) => true,
    }
}

/// Returns the answer of a stack without a program of its own.
fn plain(visit: &Visit, is_well: bool) -> EdgeAnswer {
    match visit.path_alone() {
        "/health" => EdgeAnswer::health(is_well),
        "/" => page(&visit.host),
        _ => EdgeAnswer::text(404, "Not found.\n"),
    }
}

/// Renders the stack's page. A host that has a route consists of letters, digits, hyphens and dots,
/// and its port of digits, so it needs no escaping.
fn page(host: &str) -> EdgeAnswer {
    let name = without_port(host).split('.').next().unwrap_or(host);
    let html = PAGE.replace("{{name}}", name).replace("{{host}}", host);
    EdgeAnswer::html(html, "default-src 'none'; style-src 'unsafe-inline'; img-src data:")
}

/// Returns the HTTP router of the stacks.
pub(super) fn router(shared: Arc<Shared>) -> Router {
    Router::new().fallback(answer).with_state(shared)
}

async fn answer(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let answer = match read(request).await {
        Some(visit) => lock(&shared.core).answer_visit(shared.clock.now(), &visit),
        None => EdgeAnswer::too_large(),
    };
    shared.keeper.commit().await;
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = (status, Body::from(answer.body)).into_response();
    for (name, value) in answer.headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().insert(HeaderName::from_static(name), value);
        }
    }
    response
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
