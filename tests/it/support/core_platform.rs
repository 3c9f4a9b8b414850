//! The sandbox's core, in process and on the test's clock, as the server of the real client, and as
//! the probe.
//!
//! There are no sockets: a call that hangs advances the clock by the client's time limit.

use std::collections::BTreeSet;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use ai_stack_deployer::server::platform::{self, PlatformError};
use ai_stack_deployer::server::probe::{Health, Probe};
use async_trait::async_trait;
use clock::Clock;
use dokploy::{
    Answer, Content, Dokploy, DokployConfig, Exchange, Frame, Opened, Opening, Receiving, Sending,
    Socket,
};
use dokploy_sandbox::{Core, Disposition, EdgeResponse, LogAnswer, LogFollower, Request, Timing};
use jiff::Timestamp;
use secrecy::SecretString;
use serde_json::Value;
use transport::Outbound;

/// The name of probes among the calls that can panic.
pub(crate) const PROBE: &str = "probe";
const KEY: &str = "test-key";
/// The duration of a deploy job.
const JOB: Duration = Duration::from_millis(500);
/// The duration of a deploy job of `sandbox/slow`: longer than a call's whole budget.
const SLOW_JOB: Duration = Duration::from_mins(2);
/// The time that a container takes to start: long enough for late commits before the end.
const START: Duration = Duration::from_secs(5);

/// The time for which a container runs after its service is gone, and the time until it is removed
/// after that.
const STOP: Duration = Duration::from_millis(3_600);
const REAP: Duration = Duration::from_millis(2_300);

/// A moment of a call: before or after its effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    /// Before the request is sent.
    Before,
    /// Before the answer is read.
    After,
}

/// An action that happens once, at a call.
type Hook = (usize, Moment, Pin<Box<dyn Future<Output = ()> + Send>>);

/// The result of the next call of this name: an error, or `None` for that of the core.
type Planned = (&'static str, Option<PlatformError>);

/// The sandbox's core. Clones share it.
#[derive(Clone)]
pub(crate) struct CorePlatform {
    core: Arc<Mutex<Core>>,
    clock: Arc<dyn Clock>,
    calls: Arc<Mutex<Vec<(&'static str, Timestamp)>>>,
    script: Arc<Mutex<Vec<Planned>>>,
    hook: Arc<Mutex<Option<Hook>>>,
    /// The call that panics from now on, or the probe.
    panicking: Arc<Mutex<Option<&'static str>>>,
    /// Every probed address.
    probed: Arc<Mutex<BTreeSet<String>>>,
    /// The network delay of answers.
    way_back: Duration,
}

impl CorePlatform {
    /// Creates an empty platform. `seed` determines its ids.
    pub(crate) fn new(clock: Arc<dyn Clock>, seed: u64) -> Self {
        let timing = Timing {
            job: JOB,
            slow_job: SLOW_JOB,
            start: START,
            stop: STOP,
            reap: REAP,
            ..Timing::NONE
        };
        let core = Core::new(SecretString::from(KEY), timing, seed);
        Self {
            core: Arc::new(Mutex::new(core)),
            clock,
            calls: Arc::default(),
            script: Arc::default(),
            hook: Arc::default(),
            panicking: Arc::default(),
            probed: Arc::default(),
            way_back: Duration::ZERO,
        }
    }

    /// Delays each answer by `way_back`, so that a crash can hit between effect and answer.
    pub(crate) fn answering_after(self, way_back: Duration) -> Self {
        Self { way_back, ..self }
    }

    /// Returns the core, to inject faults and to read its state.
    pub(crate) fn core(&self) -> MutexGuard<'_, Core> {
        self.core.lock().unwrap()
    }

    /// Returns how often `call` was made.
    pub(crate) fn count(&self, call: &str) -> usize {
        self.times_of(call).len()
    }

    /// Returns when each `call` was made.
    pub(crate) fn times_of(&self, call: &str) -> Vec<Timestamp> {
        let calls = self.calls.lock().unwrap();
        calls.iter().filter(|(made, _)| *made == call).map(|(_, at)| *at).collect()
    }

    /// Returns all calls with their times, without probes.
    pub(crate) fn all_calls(&self) -> Vec<(&'static str, Timestamp)> {
        self.calls.lock().unwrap().clone()
    }

    /// Returns the number of calls, without probes.
    pub(crate) fn calls(&self) -> usize {
        self.calls.lock().unwrap().len()
    }

    /// Runs `act` once, at the `call`-th call since the start.
    pub(crate) fn at_call(
        &self,
        call: usize,
        moment: Moment,
        act: impl Future<Output = ()> + Send + 'static,
    ) {
        *self.hook.lock().unwrap() = Some((call, moment, Box::pin(act)));
    }

    /// Lets every `call` panic from now on, after it was counted. [`PROBE`] stands for probes.
    pub(crate) fn panic_at(&self, call: Option<&'static str>) {
        *self.panicking.lock().unwrap() = call;
    }

    fn panic_if_told(&self, call: &'static str) {
        let is_told = *self.panicking.lock().unwrap() == Some(call);
        assert!(!is_told, "{call} panics, as told");
    }

    async fn strike(&self, moment: Moment) {
        let now = (self.calls(), moment);
        let hook = self.hook.lock().unwrap().take_if(|(call, at, _)| (*call, *at) == now);
        if let Some((_, _, act)) = hook {
            act.await;
        }
    }

    /// Plans the result of the next `call` without a plan: an error, or `None` for that of the
    /// core.
    pub(crate) fn plan(&self, call: &'static str, error: Option<PlatformError>) {
        self.script.lock().unwrap().push((call, error));
    }

    /// Discards all plans.
    pub(crate) fn forget_plans(&self) {
        self.script.lock().unwrap().clear();
    }

    /// Calls the platform as another user.
    pub(crate) fn as_another_user(&self, call: &str, body: &Value) -> Value {
        let request = Request::post(&format!("/api/{call}"), body).with_key(KEY);
        let answer = self.core().handle(self.clock.now(), &request);
        assert_eq!(answer.status, 200, "{call}");
        answer.value().clone()
    }

    /// Reads from the platform as another user.
    pub(crate) fn read(&self, path: &str) -> Value {
        let answer = self.core().handle(self.clock.now(), &Request::get(path).with_key(KEY));
        assert_eq!(answer.status, 200, "{path}");
        answer.value().clone()
    }

    /// Returns every probed address.
    pub(crate) fn probed(&self) -> BTreeSet<String> {
        self.probed.lock().unwrap().clone()
    }

    fn scripted(&self, call: &str) -> Option<PlatformError> {
        let mut script = self.script.lock().unwrap();
        let index = script.iter().position(|(planned, _)| *planned == call)?;
        script.remove(index).1
    }

    /// Lists the existing resources, after everything in progress on the platform has finished.
    pub(crate) async fn inventory(&self) -> Value {
        self.clock.sleep(Duration::from_mins(1)).await;
        let now = self.clock.now();
        let mut core = self.core();
        core.tick(now);
        core.inventory(now)
    }

    /// Creates a client with its own breaker, as each portal has.
    pub(crate) fn client(&self) -> Arc<Dokploy> {
        self.client_of(platform::dokploy::config(
            "http://core",
            SecretString::from(KEY),
            Outbound::default(),
        ))
    }

    /// Creates a client whose breaker stays closed, so that each retry reaches the platform.
    pub(crate) fn client_without_breaker(&self) -> Arc<Dokploy> {
        let config =
            platform::dokploy::config("http://core", SecretString::from(KEY), Outbound::default());
        self.client_of(DokployConfig { failures_to_open: u32::MAX, ..config })
    }

    fn client_of(&self, config: DokployConfig) -> Arc<Dokploy> {
        Arc::new(Dokploy::over(Box::new(self.clone()), config, Arc::clone(&self.clock)))
    }

    async fn exchange(&self, request: dokploy::Request<'_>) -> Result<Answer, PlatformError> {
        let dokploy::Request { path: call, limit, .. } = request;
        if let Some(error) = self.scripted(call) {
            return Err(error);
        }
        tracing::info!(call, "A call is made");
        self.calls.lock().unwrap().push((call, self.clock.now()));
        self.panic_if_told(call);
        self.strike(Moment::Before).await;
        self.clock.sleep(Duration::from_millis(10)).await;
        let answer = self.core().handle(self.clock.now(), &in_core_terms(&request));
        self.strike(Moment::After).await;
        match answer.disposition {
            Disposition::Hang => {
                self.clock.sleep(limit).await;
                Err(PlatformError::TimedOut { call: request.call, limit })
            }
            Disposition::Reset => {
                let reason = String::from("connection reset");
                Err(PlatformError::Lost { call: request.call, reason })
            }
            Disposition::Send => {
                let delay = answer.delay + self.way_back;
                if !delay.is_zero() {
                    self.clock.sleep(delay).await;
                }
                Ok(Answer {
                    status: answer.status,
                    retry_after: answer.retry_after.map(|seconds| seconds.to_string()),
                    location: None,
                    body: answer.text().into_bytes(),
                })
            }
        }
    }
}

impl fmt::Debug for CorePlatform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CorePlatform").finish_non_exhaustive()
    }
}

impl Exchange for CorePlatform {
    fn send<'a>(&'a self, request: dokploy::Request<'a>) -> Sending<'a> {
        Box::pin(self.exchange(request))
    }

    fn open<'a>(&'a self, request: dokploy::Request<'a>) -> Opening<'a> {
        let opened = self.core().open_log(self.clock.now(), &in_core_terms(&request));
        let lost = || {
            let reason = String::from("connection reset");
            PlatformError::Lost { call: request.call, reason }
        };
        Box::pin(std::future::ready(match opened {
            LogAnswer::Follow(follower) => {
                let (core, clock) = (Arc::clone(&self.core), Arc::clone(&self.clock));
                Ok(Opened::Socket(Box::new(LogSocket { core, clock, follower })))
            }
            LogAnswer::Close(_) | LogAnswer::Hang | LogAnswer::Reset => Err(lost()),
        }))
    }
}

/// The log of a container: what was there. Nothing is new while it is read.
struct LogSocket {
    core: Arc<Mutex<Core>>,
    clock: Arc<dyn Clock>,
    follower: LogFollower,
}

impl fmt::Debug for LogSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogSocket").finish_non_exhaustive()
    }
}

impl Socket for LogSocket {
    fn receive(&mut self) -> Receiving<'_> {
        let now = self.clock.now();
        let text = self.core.lock().unwrap().read_log(now, &mut self.follower);
        if text.is_empty() {
            return Box::pin(std::future::pending());
        }
        Box::pin(std::future::ready(Ok(Frame::Data(text))))
    }
}

/// Converts a request of the client to one of the core.
fn in_core_terms(request: &dokploy::Request<'_>) -> Request {
    let path = request.path;
    let sent = match &request.content {
        Content::Query(parameters) => {
            let parameter = |(name, value): &(&str, &str)| format!("{name}={value}");
            let query: Vec<_> = parameters.iter().map(parameter).collect();
            Request::get(&format!("/api/{path}?{}", query.join("&")))
        }
        Content::Mutation(body) => Request::post(&format!("/api/{path}"), body),
    };
    if request.has_key { sent.with_key(KEY) } else { sent }
}

#[async_trait]
impl Probe for CorePlatform {
    async fn check(&self, url: &str, _: Duration) -> Health {
        let host = url.split("//").nth(1).and_then(|rest| rest.split('/').next());
        self.panic_if_told(PROBE);
        self.probed.lock().unwrap().insert(url.to_owned());
        self.clock.sleep(Duration::from_millis(5)).await;
        match self.core().visit(self.clock.now(), host.unwrap_or_default()) {
            EdgeResponse::Healthy => Health::Answering(200),
            EdgeResponse::UnknownHost => Health::Answering(404),
            EdgeResponse::Down => Health::Answering(502),
            EdgeResponse::Noop => Health::Answering(418),
            EdgeResponse::Unhealthy => Health::Answering(503),
            EdgeResponse::Silent => Health::Silent(String::from("the time is over")),
        }
    }
}
