//! Rate limits for each address: deployments, name checks and sign-ins.
//!
//! The address is the peer's, or the one that a trusted proxy reports; with IPv6, its /64 network.
//! Requests are counted before anything is read from the store.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use axum::http::request::Parts;
use governor::clock::Clock as GovernorClock;
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};

use super::HttpState;
use super::address::address;
use super::error::Failed;
use crate::server::audit::AuditAction;
use crate::server::proxies::network_of;
use crate::server::settings::Limits;
use clock::Clock;
use domain::refusal::{Counted, Refusal, RefusalCode};

/// The number of callers from which on those with a full allowance are removed from memory.
const MANY_CALLERS: usize = 10_000;

/// Counts the requests of each address.
pub(super) struct Limiter {
    starts: Counter,
    /// Name checks and sign-ins; `None` if they are unlimited.
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

    /// Counts one request. If the limit is reached, returns the time until the next one is allowed.
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
        let full = self.limiter.check_key(&network_of(address));
        full.map_err(|full| full.wait_time_from(self.clock.now()))
    }
}

/// Rejects the requests of an address beyond the limit of what they are `counted` as with 429.
pub(super) async fn check(
    state: &HttpState,
    counted: Option<Counted>,
    parts: &Parts,
) -> Result<(), Failed> {
    match counted {
        Some(counted) => Ok(count(state, counted, parts).await?),
        None => Ok(()),
    }
}

/// Counts a request, and rejects those of an address beyond the limit with 429.
pub(super) async fn count(
    state: &HttpState,
    counted: Counted,
    parts: &Parts,
) -> Result<(), Refusal> {
    let address = address(&parts.extensions, &parts.headers, &state.proxies);
    let Err(wait) = state.limiter.check(counted, address) else { return Ok(()) };
    let caller = state.authenticator.anonymous_caller(address);
    let path = parts.uri.path();
    let code = RefusalCode::TooManyRequests;
    Box::pin(state.audit.rejection(&caller, AuditAction::ReachLimit, Some(path), code)).await;
    Err(too_many(counted, wait))
}

fn too_many(counted: Counted, wait: Duration) -> Refusal {
    // Whole seconds, rounded up, so that a client that waits exactly this long is not rejected
    // again.
    let seconds = u64::try_from(wait.as_millis().div_ceil(1000)).unwrap_or(u64::MAX).max(1);
    Refusal::TooManyRequests(counted, seconds)
}

/// Adapts the clock port's monotonic time to the rate limiter. With wall-clock time, setting the
/// clock back would block all callers for that long.
#[derive(Clone)]
struct PortClock(Arc<dyn Clock>);

impl GovernorClock for PortClock {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.0.monotonic()
    }
}
