//! Rate limits for each address: deployments, name checks and sign-ins.
//!
//! An address is the one at the other end of the connection, or what a trusted proxy says of
//! it. It is counted before anything is looked up.

use std::{net::IpAddr, num::NonZeroU32, sync::Arc, time::Duration};

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use governor::{
    Quota, RateLimiter, clock::Clock as GovernorClock, middleware::NoOpMiddleware,
    state::keyed::HashMapStateStore,
};

use super::{HttpState, auth, error::Failed};
use crate::server::{audit::AuditAction, settings::Limits};
use clock::Clock;
use domain::refusal::{Counted, Refusal, RefusalCode};

/// From this many callers on, those with a full allowance are forgotten.
const MANY_CALLERS: usize = 10_000;

/// Counts what each address asks for.
pub(super) struct Limiter {
    starts: Counter,
    /// Looks at names, and sign-ins; `None` where they are not bounded.
    checks: Option<Counter>,
}

struct Counter {
    limiter: RateLimiter<IpAddr, HashMapStateStore<IpAddr>, PortClock, NoOpMiddleware<Duration>>,
    clock: PortClock,
}

impl Limiter {
    pub(super) fn new(limits: &Limits, clock: &Arc<dyn Clock>) -> Self {
        let at_least_one = |max| NonZeroU32::new(max).unwrap_or(NonZeroU32::MIN);
        let starts = Quota::per_minute(at_least_one(limits.deploys_per_minute));
        let per_second = |max| Quota::per_second(at_least_one(max));
        Self {
            starts: Counter::new(starts, clock),
            checks: limits.checks_per_second.map(|max| Counter::new(per_second(max), clock)),
        }
    }

    /// Counts one request, or returns after how long there is room for it.
    fn check(&self, counted: Counted, address: IpAddr) -> Result<(), Duration> {
        match counted {
            Counted::Start => self.starts.check(address),
            Counted::Check | Counted::SignIn => {
                self.checks.as_ref().map_or(Ok(()), |checks| checks.check(address))
            }
        }
    }
}

impl Counter {
    fn new(quota: Quota, clock: &Arc<dyn Clock>) -> Self {
        let clock = PortClock(Arc::clone(clock));
        Self { limiter: RateLimiter::hashmap_with_clock(quota, clock.clone()), clock }
    }

    fn check(&self, address: IpAddr) -> Result<(), Duration> {
        if self.limiter.len() > MANY_CALLERS {
            self.limiter.retain_recent();
        }
        let full = self.limiter.check_key(&address);
        full.map_err(|full| full.wait_time_from(self.clock.now()))
    }
}

/// Refuses what an address asks for beyond its limits.
pub(super) async fn limit(
    State(state): State<HttpState>,
    request: Request,
    next: Next,
) -> Response {
    let Some(counted) = counted(request.uri().path()) else { return next.run(request).await };
    let address = auth::address(request.extensions(), request.headers(), &state.proxies);
    match state.limiter.check(counted, address) {
        Ok(()) => next.run(request).await,
        Err(wait) => {
            let caller = state.authenticator.anonymous_caller(address);
            let path = request.uri().path();
            state
                .service
                .record_rejection(
                    &caller,
                    AuditAction::ReachLimit,
                    path,
                    RefusalCode::TooManyRequests,
                )
                .await;
            too_many(counted, wait).into_response()
        }
    }
}

/// Returns what a request to `path` counts as: by the API, or by the page.
fn counted(path: &str) -> Option<Counted> {
    match path {
        "/api/deploy" | "/api/fn/start_deployment" | "/api/fn/retry_deployment" => {
            Some(Counted::Start)
        }
        "/api/fn/check_name" => Some(Counted::Check),
        "/auth/sign-in" | "/auth/callback" => Some(Counted::SignIn),
        path if path.starts_with("/api/check/") => Some(Counted::Check),
        path if path.starts_with("/api/deployment/") && path.ends_with("/retry") => {
            Some(Counted::Start)
        }
        _ => None,
    }
}

fn too_many(counted: Counted, wait: Duration) -> Failed {
    // Whole seconds, rounded up: never longer than the window itself.
    let seconds = u64::try_from(wait.as_millis().div_ceil(1000)).unwrap_or(u64::MAX).max(1);
    Refusal::TooManyRequests(counted, seconds).into()
}

/// The clock port, as the rate limiter takes it: the monotonic clock. Another one would lock
/// everybody out for as long as somebody sets the clock back.
#[derive(Clone)]
struct PortClock(Arc<dyn Clock>);

impl GovernorClock for PortClock {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.0.monotonic()
    }
}
