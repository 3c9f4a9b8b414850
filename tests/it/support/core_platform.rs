//! The platform and the probe over the sandbox's core, in process and on the test's clock.
//!
//! The same classification as the client's, without sockets: what hangs takes the client's
//! time limit on the clock.

use std::{
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use ai_stack_deployer::server::{
    platform::PlatformError,
    probe::{Health, Probe},
};
use async_trait::async_trait;
use clock::Clock;
use dokploy_sandbox::{Answer, Core, Disposition, EdgeResponse, Request, Timing};
use domain::platform_problem::PlatformProblem;
use jiff::Timestamp;
use secrecy::SecretString;
use serde_json::Value;

mod port;

/// The questions to stacks, among what can panic.
pub(crate) const PROBE: &str = "probe";
const KEY: &str = "test-key";
const CALL_LIMIT: Duration = Duration::from_secs(15);
/// The time that a deploy job takes.
const JOB: Duration = Duration::from_millis(500);
/// As [`JOB`], for `sandbox/slow`: longer than a call's whole budget.
const SLOW_JOB: Duration = Duration::from_mins(2);
/// The time that a container takes to start: long enough for what is late to come before the end.
const START: Duration = Duration::from_secs(5);

/// The time for which a container goes on after its service is gone, and how long it lies there
/// stopped.
const STOP: Duration = Duration::from_millis(3_600);
const REAP: Duration = Duration::from_millis(2_300);

/// When something happens at a call: before its effect, or after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    /// Nothing has been sent yet.
    Before,
    /// The answer is about to be read.
    After,
}

/// The time at which the platform hung, and until when it did.
type Hang = (Timestamp, Option<Timestamp>);

/// What happens at one call, once.
type Hook = (usize, Moment, Pin<Box<dyn Future<Output = ()> + Send>>);

/// What the next of these calls answers: an error, or what the core does.
type Planned = (&'static str, Option<PlatformError>);

/// The sandbox's core as a platform and a probe. Clones share it.
#[derive(Clone)]
pub(crate) struct CorePlatform {
    core: Arc<Mutex<Core>>,
    clock: Arc<dyn Clock>,
    calls: Arc<Mutex<Vec<(&'static str, Timestamp)>>>,
    script: Arc<Mutex<Vec<Planned>>>,
    hook: Arc<Mutex<Option<Hook>>>,
    /// What panics, from now on: a call, or the probe.
    panicking: Arc<Mutex<Option<&'static str>>>,
    /// When it hung, and until when; the last time has no end while it does.
    hangs: Arc<Mutex<Vec<Hang>>>,
    /// What keeps it from working for the portal, besides hanging.
    problem: Arc<Mutex<Option<PlatformProblem>>>,
    /// The time for which an answer is on its way back.
    way_back: Duration,
}

impl CorePlatform {
    /// Makes an empty platform; `seed` decides its ids.
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
            hangs: Arc::default(),
            problem: Arc::default(),
            way_back: Duration::ZERO,
        }
    }

    /// Lets each answer take `way_back`, so that a crash can strike between effect and answer.
    pub(crate) fn answering_after(self, way_back: Duration) -> Self {
        Self { way_back, ..self }
    }

    /// Returns the core, to inject faults and to look what there is.
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

    /// Returns all calls, and when each was made, the questions to stacks not counted.
    pub(crate) fn all_calls(&self) -> Vec<(&'static str, Timestamp)> {
        self.calls.lock().unwrap().clone()
    }

    /// Returns how many calls were made, the questions to stacks not counted.
    pub(crate) fn calls(&self) -> usize {
        self.calls.lock().unwrap().len()
    }

    /// Lets `act` happen at the `call`-th call from the beginning, once.
    pub(crate) fn at_call(
        &self,
        call: usize,
        moment: Moment,
        act: impl Future<Output = ()> + Send + 'static,
    ) {
        *self.hook.lock().unwrap() = Some((call, moment, Box::pin(act)));
    }

    /// Lets every `call` panic from now on, after it was counted; [`PROBE`] are the questions to
    /// stacks.
    pub(crate) fn panic_at(&self, call: Option<&'static str>) {
        *self.panicking.lock().unwrap() = call;
    }

    /// Lets the platform have a problem that lasts.
    pub(crate) fn stand(&self, problem: PlatformProblem) {
        *self.problem.lock().unwrap() = Some(problem);
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

    /// Plans the next `call` that nothing else is planned for: an error instead, or the core.
    pub(crate) fn plan(&self, call: &'static str, error: Option<PlatformError>) {
        self.script.lock().unwrap().push((call, error));
    }

    /// Forgets what was planned.
    pub(crate) fn forget_plans(&self) {
        self.script.lock().unwrap().clear();
    }

    /// Asks the platform something as somebody else.
    pub(crate) fn as_somebody_else(&self, call: &str, body: &Value) -> Value {
        let request = Request::post(&format!("/api/{call}"), body).with_key(KEY);
        let answer = self.core().handle(self.clock.now(), &request);
        assert_eq!(answer.status, 200, "{call}");
        answer.value().clone()
    }

    fn scripted(&self, call: &str) -> Option<PlatformError> {
        let mut script = self.script.lock().unwrap();
        let index = script.iter().position(|(planned, _)| *planned == call)?;
        script.remove(index).1
    }

    /// Lists what really exists now, once all that is under way has happened.
    pub(crate) async fn inventory(&self) -> Value {
        self.clock.sleep(Duration::from_mins(1)).await;
        let now = self.clock.now();
        let mut core = self.core();
        core.tick(now);
        core.inventory(now)
    }

    async fn get(&self, call: &'static str, query: &str) -> Result<Value, PlatformError> {
        self.send(call, Request::get(&format!("/api/{call}{query}"))).await
    }

    async fn post(&self, call: &'static str, body: Value) -> Result<Value, PlatformError> {
        self.send(call, Request::post(&format!("/api/{call}"), &body)).await
    }

    async fn send(&self, call: &'static str, request: Request) -> Result<Value, PlatformError> {
        if let Some(error) = self.scripted(call) {
            return Err(error);
        }
        tracing::info!(call, "A call is made");
        self.calls.lock().unwrap().push((call, self.clock.now()));
        self.panic_if_told(call);
        self.strike(Moment::Before).await;
        self.clock.sleep(Duration::from_millis(10)).await;
        let answer = self.core().handle(self.clock.now(), &request.with_key(KEY));
        self.strike(Moment::After).await;
        let lost = |reason: &str| PlatformError::Lost { call, reason: reason.to_owned() };
        match answer.disposition {
            Disposition::Hang => {
                self.clock.sleep(CALL_LIMIT).await;
                Err(PlatformError::timed_out(call, CALL_LIMIT))
            }
            Disposition::Reset => Err(lost("connection reset")),
            Disposition::Send => {
                let delay = answer.delay + self.way_back;
                if !delay.is_zero() {
                    self.clock.sleep(delay).await;
                }
                self.judge(call, &answer)
            }
        }
    }

    fn judge(&self, call: &'static str, answer: &Answer) -> Result<Value, PlatformError> {
        let detail = answer.text();
        let retry_after = answer.retry_after.map(Duration::from_secs);
        let status = answer.status;
        match status {
            200 => Ok(answer.value().clone()),
            404 => Err(PlatformError::NotFound { call }),
            400 if answer.value().get("issues").is_none() => {
                Err(PlatformError::Unexplained { call, detail })
            }
            401 if !self.is_well() => Err(PlatformError::Unavailable { call, status, retry_after }),
            401 => Err(PlatformError::KeyRefused { call }),
            429 | 500.. => Err(PlatformError::Unavailable { call, status, retry_after }),
            _ => Err(PlatformError::Refused { call, status, detail }),
        }
    }

    fn is_well(&self) -> bool {
        let request = Request::get("/api/trpc/settings.health");
        self.core().handle(self.clock.now(), &request).status == 200
    }
}

#[async_trait]
impl Probe for CorePlatform {
    async fn check(&self, url: &str, _: Duration) -> Health {
        let host = url.split("//").nth(1).and_then(|rest| rest.split('/').next());
        self.panic_if_told(PROBE);
        self.clock.sleep(Duration::from_millis(5)).await;
        match self.core().visit(self.clock.now(), host.unwrap_or_default()) {
            EdgeResponse::Healthy => Health::Healthy,
            EdgeResponse::UnknownHost => Health::Answering(404),
            EdgeResponse::Down => Health::Answering(502),
            EdgeResponse::Unhealthy => Health::Answering(503),
        }
    }
}
