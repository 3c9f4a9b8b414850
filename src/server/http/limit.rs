//! How many deployments one caller can ask for.
//!
//! A caller is the address at the other end of the connection: what a header says of it
//! could be anyone's invention.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    num::NonZeroU32,
    sync::Arc,
    time::Duration,
};

use axum::{
    extract::{ConnectInfo, Request, State},
    http::{Extensions, Method},
    middleware::Next,
    response::{IntoResponse, Response},
};
use governor::{
    Quota, RateLimiter, clock::Clock as GovernorClock, middleware::NoOpMiddleware,
    state::keyed::HashMapStateStore,
};

use super::{HttpState, error::Failed};
use crate::{api::wire::ApiError, server::ports::clock::Clock};

/// From this many callers on, those with a full allowance are forgotten.
const MANY_CALLERS: usize = 10_000;

/// Counts what each caller asks for.
pub(super) struct Limiter {
    limiter: RateLimiter<IpAddr, HashMapStateStore<IpAddr>, PortClock, NoOpMiddleware<Duration>>,
    clock: PortClock,
}

impl Limiter {
    pub(super) fn new(per_minute: u32, clock: Arc<dyn Clock>) -> Self {
        let quota = Quota::per_minute(NonZeroU32::new(per_minute).unwrap_or(NonZeroU32::MIN));
        let clock = PortClock(clock);
        Self { limiter: RateLimiter::hashmap_with_clock(quota, clock.clone()), clock }
    }

    /// Counts one request, or returns after how long there is room for it.
    fn check(&self, caller: IpAddr) -> Result<(), Duration> {
        if self.limiter.len() > MANY_CALLERS {
            self.limiter.retain_recent();
        }
        let full = self.limiter.check_key(&caller);
        full.map_err(|full| full.wait_time_from(self.clock.now()))
    }
}

/// Refuses a caller's deployments beyond the limit.
pub(super) async fn limit(
    State(state): State<HttpState>,
    request: Request,
    next: Next,
) -> Response {
    let counts = request.method() == Method::POST && starts_deployment(request.uri().path());
    match counts.then(|| state.limiter.check(caller(request.extensions()))) {
        None | Some(Ok(())) => next.run(request).await,
        Some(Err(wait)) => too_many(wait).into_response(),
    }
}

/// Returns the address at the other end of the connection.
pub(super) fn caller(extensions: &Extensions) -> IpAddr {
    let peer = extensions.get::<ConnectInfo<SocketAddr>>();
    peer.map_or(Ipv4Addr::LOCALHOST.into(), |ConnectInfo(peer)| peer.ip().to_canonical())
}

/// Tells whether a post to `path` starts a deployment: by the API, or by the page's form.
fn starts_deployment(path: &str) -> bool {
    matches!(path, "/api/deploy" | "/api/fn/start_deployment" | "/api/fn/retry_deployment")
        || path.starts_with("/api/deployment/") && path.ends_with("/retry")
}

fn too_many(wait: Duration) -> Failed {
    let seconds = wait.as_secs() + 1;
    Failed::from(ApiError {
        status: 429,
        code: String::from("TOO_MANY_REQUESTS"),
        message: format!("You have asked for many deployments: try again in {seconds} seconds."),
        retry_after: Some(seconds),
    })
}

/// The clock port, as the rate limiter takes it: the time since 1970.
#[derive(Clone)]
struct PortClock(Arc<dyn Clock>);

impl GovernorClock for PortClock {
    type Instant = Duration;

    fn now(&self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.now().as_millisecond()).unwrap_or(0))
    }
}
