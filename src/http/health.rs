//! The endpoints of the portal's own health, for people and for automatic probes.

use std::time::Duration;

use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;

use super::{HttpState, headers};
use crate::server::stacks::Health;
use domain::platform_problem::PlatformProblem;
use domain::words;

/// The answer to a probe.
#[derive(Serialize)]
struct Status {
    status: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct HealthBody {
    status: &'static str,
    version: &'static str,
    features: Features,
    circuit_breaker: BreakerBody,
    platform: PlatformBody,
    store: StoreBody,
    stuck: u64,
    panics: u64,
    /// The parts of the portal that ended unexpectedly.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    lost_parts: Vec<&'static str>,
}

/// The feature flags of the older server's response. This server always has all features, also with
/// the sandbox.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_excessive_bools, reason = "the form of the older server's answer")]
struct Features {
    production_client: bool,
    retry_logic: bool,
    circuit_breaker: bool,
    auto_rollback: bool,
    health_verification: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct BreakerBody {
    state: &'static str,
    consecutive_failures: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after_ms: Option<u64>,
}

#[derive(Serialize)]
struct PlatformBody {
    kind: &'static str,
    reachable: bool,
    /// The code of the problem of the whole platform, if there is one. `remedy` says what an
    /// operator can do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<&'static str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct StoreBody {
    kind: &'static str,
    ok: bool,
    /// The time since the last attempt to write, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    age_ms: Option<u64>,
}

/// Answers `GET /livez`: the process runs.
pub(super) fn live() -> Response {
    headers::json(StatusCode::OK, &Status { status: "ok" })
}

/// Answers `GET /readyz`: whether the portal can serve requests, including those that write.
pub(super) async fn ready(state: &HttpState) -> Response {
    if state.service.is_ready().await {
        headers::json(StatusCode::OK, &Status { status: "ok" })
    } else {
        headers::json(StatusCode::SERVICE_UNAVAILABLE, &Status { status: "unavailable" })
    }
}

/// Answers `GET /health` with the state of each part. The status is 503 only if the store or
/// a part of the portal fails: without the platform the portal is degraded, but serves requests.
pub(super) async fn health(state: &HttpState) -> Response {
    let health = state.service.health().await;
    let works = health.store_ok && health.lost_parts.is_empty();
    let (code, status) = match (works, health.is_complete()) {
        (false, _) => (StatusCode::SERVICE_UNAVAILABLE, "unhealthy"),
        (true, false) => (StatusCode::OK, "degraded"),
        (true, true) => (StatusCode::OK, "healthy"),
    };
    headers::json(code, &body(status, &health))
}

fn body(status: &'static str, health: &Health) -> HealthBody {
    let retry_after = health.breaker.retry_after;
    HealthBody {
        status,
        version: env!("CARGO_PKG_VERSION"),
        features: Features {
            production_client: true,
            retry_logic: true,
            circuit_breaker: true,
            auto_rollback: true,
            health_verification: true,
        },
        circuit_breaker: BreakerBody {
            state: health.breaker.state.as_str(),
            consecutive_failures: health.breaker.consecutive_failures,
            retry_after_ms: retry_after.map(millis),
        },
        platform: PlatformBody {
            kind: if health.sandbox { "sandbox" } else { "dokploy" },
            reachable: health.platform_reachable,
            problem: health.problem.map(PlatformProblem::code),
            remedy: health.problem.map(words::fault::advice),
        },
        store: StoreBody {
            kind: health.store_kind,
            ok: health.store_ok,
            age_ms: health.store_age.map(millis),
        },
        stuck: health.stuck,
        panics: health.panics,
        lost_parts: health.lost_parts.clone(),
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
