//! The edge: the addresses of the stacks, served over HTTP on one port and routed by host.
//!
//! It must not know rows: a host has a route, the route leads to a service, and the service
//! determines the answer.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;

use super::core::Core;
use super::images::Behaviour;
use super::shared::{Shared, lock};

/// The page of a stack. `{{name}}` and `{{host}}` are replaced.
const PAGE: &str = include_str!("stack_page.html");

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
        let host = without_port(host);
        let route =
            self.state.loaded_routes().iter().find(|route| route.host.eq_ignore_ascii_case(host));
        let Some(route) = route else { return EdgeResponse::UnknownHost };
        let service = self.state.service(&route.app_name);
        let up = |service: &&super::state::Service| service.answers(now, &self.timing);
        match service.filter(up).filter(|_| !self.outages.docker.lasts(now)) {
            None => EdgeResponse::Down,
            Some(service) => match service.behaviour {
                Behaviour::Hello | Behaviour::Slow => EdgeResponse::Healthy,
                Behaviour::Unhealthy => EdgeResponse::Unhealthy,
                Behaviour::Crashloop | Behaviour::Rejected => EdgeResponse::Down,
            },
        }
    }
}

/// Returns the HTTP router of the stacks.
pub(super) fn router(shared: Arc<Shared>) -> Router {
    Router::new().fallback(answer).with_state(shared)
}

async fn answer(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let host = host(request.headers());
    let visit = lock(&shared.core).visit(shared.clock.now(), host);
    shared.keeper.commit().await;
    match (visit, request.uri().path()) {
        (EdgeResponse::UnknownHost, _) => {
            (StatusCode::NOT_FOUND, "404 page not found\n").into_response()
        }
        (EdgeResponse::Down, _) => (StatusCode::BAD_GATEWAY, "Bad Gateway").into_response(),
        (EdgeResponse::Healthy, "/health") => health(StatusCode::OK, "ok"),
        (EdgeResponse::Unhealthy, "/health") => {
            health(StatusCode::SERVICE_UNAVAILABLE, "unhealthy")
        }
        (EdgeResponse::Healthy | EdgeResponse::Unhealthy, "/") => page(host),
        (EdgeResponse::Healthy | EdgeResponse::Unhealthy, _) => {
            (StatusCode::NOT_FOUND, "Not found.\n").into_response()
        }
    }
}

fn health(status: StatusCode, text: &str) -> Response {
    (status, axum::Json(serde_json::json!({ "status": text }))).into_response()
}

/// Renders the stack's page. A host that has a route consists of letters, digits, hyphens and dots,
/// and its port of digits, so it needs no escaping.
fn page(host: &str) -> Response {
    let name = without_port(host).split('.').next().unwrap_or(host);
    let html = PAGE.replace("{{name}}", name).replace("{{host}}", host);
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'unsafe-inline'; img-src data:",
        ),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (headers, html).into_response()
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
