//! The context of a step: the ports that it may use, and its deadlines.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::call_gate::CallGate;
use super::failure::StepError;
use super::journal::Journal;
use super::late_commit;
use super::lineage::Lineage;
use super::outages::Outages;
use super::polls::Polls;
use super::ports::Ports;
use super::retry_middleware::RetryMiddleware;
use super::run_mode::RunMode;
use crate::server::logs::LogParts;
use crate::server::metrics::Metrics;
use crate::server::platform::{Platform, VolumeName};
use crate::server::probe::Probe;
use crate::server::settings::Deadlines;
use crate::server::spec::OperationSpec;
use crate::server::store::{Cause, Desired, Disposal, Lease, Result, StepId, StoreError};
use crate::server::traces::{Attempt, Trace};
use clock::Clock;
use domain::deployment::Deployment;
use domain::event::{Level, LogEntry};
use domain::stack_id::StackId;
use domain::stack_spec::StackSpec;
use domain::time::elapsed_ms;

mod calls;

/// The context that the steps of one deployment share.
pub struct Context {
    pub(crate) platform: Arc<dyn Platform>,
    /// What the log of the stack is read with.
    pub(crate) logs: LogParts,
    pub(crate) probe: Arc<dyn Probe>,
    pub(crate) retry: RetryMiddleware,
    pub(crate) clock: Arc<dyn Clock>,
    /// The stored spec of the stack. The present settings may differ.
    pub(crate) spec: OperationSpec,
    /// The number of the stack's revision that the operation works by.
    pub(crate) revision: u32,
    /// The stack.
    pub(crate) stack: StackId,
    /// The revisions of the stack.
    pub(crate) lineage: Lineage,
    /// What the stack should be.
    pub(crate) desired: Desired,
    deadlines: Deadlines,
    /// How long a stack lives that the operation makes, if that is limited.
    pub(crate) lifetime: Option<Duration>,
    pub(crate) polls: Arc<Polls>,
    pub(crate) call_gate: Arc<CallGate>,
    pub(crate) outages: Arc<Outages>,
    pub(crate) journal: Journal,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) trace: Trace,
    pub(crate) deployment: Deployment,
    pub(crate) host: String,
    pub(crate) marker: String,
    /// What a removal does with the data of the stack.
    pub(crate) disposal: Disposal,
    pub(crate) volume_prefix: String,
    /// The number of clean-up attempts since the end.
    pub(crate) tries: u32,
    /// The number of panics while the operation was driven.
    pub(crate) panics: u32,
    /// The deadline of the current step or of the undo, in Unix milliseconds. It is extended by the
    /// time for which the platform has hung since `counts_from_ms`.
    deadline_ms: AtomicI64,
    /// The time at which the context was opened, by the wall clock and by the monotonic clock.
    opened: (Timestamp, Duration),
    counts_from_ms: AtomicI64,
    is_undoing: AtomicBool,
}

impl Context {
    /// Opens the operation that `lease` is for. `cancelled` is cancelled when somebody asks to
    /// cancel the operation.
    ///
    /// # Errors
    ///
    /// Returns a [`StoreError`] if the operation cannot be read.
    pub async fn open(ports: &Ports, lease: Lease, cancelled: CancellationToken) -> Result<Self> {
        let record = ports.store.find(&lease.id).await?.ok_or(StoreError::LeaseLost)?;
        let marker = ports.settings.marker(record.revision.stack);
        let spec = ports.spec(&lease, &record).await?;
        let lineage = ports.lineage(&record).await?;
        let trace = ports.traces.of(&lease, record.deployment.kind);
        let journal = Journal::open(ports, lease, &record, cancelled).await?;
        let opened = (ports.clock.now(), ports.clock.monotonic());
        let started = record.deployment.started.min(opened.0);
        let deadline = deadline_ms(started, ports.settings.deadlines.whole);
        let started_ms = started.as_millisecond();
        Ok(Self {
            platform: Arc::clone(&ports.platform),
            logs: ports.logs(),
            probe: Arc::clone(&ports.probe),
            retry: ports.retry_middleware(),
            clock: Arc::clone(&ports.clock),
            spec,
            revision: record.revision.number,
            stack: record.revision.stack,
            lineage,
            desired: record.desired,
            deadlines: ports.settings.deadlines,
            lifetime: ports.settings.lifetime_max,
            polls: Arc::clone(&ports.polls),
            call_gate: Arc::clone(&ports.call_gate),
            outages: Arc::clone(&ports.outages),
            journal,
            metrics: Arc::clone(&ports.metrics),
            trace,
            deployment: record.deployment,
            host: record.host,
            marker,
            disposal: record.disposal,
            volume_prefix: ports.settings.volume_prefix(record.revision.stack),
            tries: record.clean_up.tries,
            panics: record.panics,
            deadline_ms: AtomicI64::new(deadline),
            opened,
            counts_from_ms: AtomicI64::new(started_ms),
            is_undoing: AtomicBool::new(false),
        })
    }

    /// Sets the deadline of `step` to its `limit`. The deadline of the whole operation applies as
    /// well. Both are computed from recorded times, so a restart does not extend them.
    pub(crate) fn begin_step(&self, step: StepId, limit: fn(&Deadlines) -> Duration) {
        let now = self.now();
        // Only a step that an earlier run began uses the recorded time. For a step that begins now,
        // the recorded time may differ from this run's clock, because the wall clock was set
        // meanwhile.
        let recorded =
            self.journal.running_since(step).filter(|_| self.journal.was_interrupted(step));
        let began = recorded.map_or(now, |recorded| recorded.min(now));
        self.count_from(began, deadline_ms(began, limit(&self.deadlines)));
    }

    /// Makes an attempt within a span of its own.
    pub(crate) async fn traced<T>(
        &self,
        what: Attempt,
        attempt: impl Future<Output = Result<T, StepError>> + Send,
    ) -> Result<T, StepError> {
        let span = self.trace.attempt(what, &*self.clock);
        let result = attempt.await;
        match &result {
            Ok(_) => span.end(None),
            Err(StepError::Failed(cause)) => span.end(Some(cause.code)),
            // The next holder of the lease makes another attempt.
            Err(StepError::Store(_)) => drop(span),
        }
        result
    }

    /// Sets the deadline of the undo, which counts from the decision to undo.
    pub(crate) fn begin_undo(&self) {
        let now = self.now();
        let began = match self.journal.mode() {
            RunMode::Forward => self.journal.cause().and_then(|(_, cause)| cause.at),
            RunMode::Back => Some(self.deployment.started),
            RunMode::CleanUp | RunMode::Recheck => None,
        };
        let began = began.unwrap_or(now).min(now);
        let deadline =
            deadline_ms(began, self.deadlines.drain).max(deadline_ms(now, Deadlines::LEAST_DRAIN));
        self.count_from(began, deadline);
        self.is_undoing.store(true, Ordering::Relaxed);
    }

    /// Waits for `pause`, but not past the deadline and, unless it undoes, not past a request to
    /// cancel. It first records the log entries that are waiting, so that watchers see them during
    /// the wait.
    ///
    /// # Errors
    ///
    /// `DEADLINE` if the deadline passes first, `CANCELLED` if a request to cancel comes first.
    /// Only waits end early: a call to the platform is never interrupted, because it could then
    /// take effect unnoticed.
    pub(crate) async fn wait(&self, pause: Duration) -> Result<(), StepError> {
        self.wait_or(pause, std::future::pending()).await
    }

    /// Does the same as [`Context::wait`], but returns early when `sooner` completes.
    pub(crate) async fn wait_or(
        &self,
        pause: Duration,
        sooner: impl Future<Output = ()> + Send,
    ) -> Result<(), StepError> {
        self.journal.flush().await?;
        let left = self.longest(self.time_left()).min(self.whole_left());
        let sleep = async {
            tokio::select! {
                biased;
                () = sooner => {}
                () = self.clock.sleep(pause.min(left)) => {}
            }
        };
        if self.is_undoing() {
            sleep.await;
        } else {
            tokio::select! {
                biased;
                () = self.journal.cancelled().cancelled() => {
                    return Err(StepError::Failed(StepError::cancelled()));
                }
                () = sleep => {}
            }
        }
        if pause < left || !self.time_left().is_zero() {
            Ok(())
        } else {
            Err(StepError::Failed(self.overdue()))
        }
    }

    /// Returns whether steps are being undone.
    pub(crate) fn is_undoing(&self) -> bool {
        self.is_undoing.load(Ordering::Relaxed)
    }

    fn count_from(&self, began: Timestamp, deadline_ms: i64) {
        self.counts_from_ms.store(began.as_millisecond(), Ordering::Relaxed);
        self.deadline_ms.store(deadline_ms, Ordering::Relaxed);
    }

    /// Returns the time until the deadline of the current step, or of the undo.
    fn time_left(&self) -> Duration {
        let Deadlines { whole, drain, .. } = self.deadlines;
        let began = self.counts_from_ms.load(Ordering::Relaxed);
        let own = self.deadline_ms.load(Ordering::Relaxed);
        let own = own.saturating_add(self.hung_ms(began));
        let deadline = match (self.is_undoing(), self.journal.mode()) {
            (false, _) => own.saturating_add(self.local_fault_ms(began)).min(self.end_ms()),
            // However long the platform hangs, the undo ends within twice the deadline plus the
            // drain limit (promise P13).
            (true, RunMode::Forward) => {
                let latest = whole.saturating_mul(2).saturating_add(drain);
                let latest = deadline_ms(self.started(), latest);
                own.min(latest.max(self.deadline_ms.load(Ordering::Relaxed)))
            }
            (true, RunMode::Back | RunMode::CleanUp | RunMode::Recheck) => own,
        };
        let left = deadline.saturating_sub(self.now().as_millisecond());
        Duration::from_millis(u64::try_from(left).unwrap_or(0))
    }

    /// Returns the time until the deadline of the whole operation. It does not limit an undo.
    fn whole_left(&self) -> Duration {
        if self.is_undoing() {
            return Duration::MAX;
        }
        let left = self.end_ms().saturating_sub(self.now().as_millisecond());
        Duration::from_millis(u64::try_from(left).unwrap_or(0))
    }

    /// Returns the deadline of the whole operation, in Unix milliseconds.
    fn end_ms(&self) -> i64 {
        let started = self.started();
        let end = deadline_ms(started, self.deadlines.whole);
        end.saturating_add(self.hung_ms(started.as_millisecond()))
    }

    /// Returns for how many milliseconds since `began_ms` the platform hung. The result is at most
    /// the time limit of the whole operation, so that no operation lasts more than twice as long.
    fn hung_ms(&self, began_ms: i64) -> i64 {
        let began = Timestamp::from_millisecond(began_ms).unwrap_or(self.deployment.started);
        let hung = self.platform.hung_for(began, self.clock.now());
        let hung = hung.min(self.deadlines.whole);
        i64::try_from(hung.as_millis()).unwrap_or(i64::MAX)
    }

    /// Returns for how many milliseconds since `began_ms` the portal had a local fault. This time
    /// extends the deadline of the step, but not that of the whole operation.
    fn local_fault_ms(&self, began_ms: i64) -> i64 {
        let began = Timestamp::from_millisecond(began_ms).unwrap_or(self.deployment.started);
        i64::try_from(self.local_fault_time(began).as_millis()).unwrap_or(i64::MAX)
    }

    /// Returns the cause for a passed deadline. A local fault at that time is the more exact cause.
    pub(crate) fn overdue(&self) -> Cause {
        let now = self.clock.now();
        let end = Timestamp::from_millisecond(self.end_ms()).unwrap_or(now);
        let end = if self.is_undoing() { now } else { end.min(now) };
        match self.local_fault_at(end) {
            Some(fault) => StepError::local_fault(self.journal.phase(), fault),
            None => StepError::overdue(),
        }
    }

    /// Returns the time for measuring durations: the wall clock's time when this run began, plus
    /// the monotonic time since. So setting the wall clock forward makes no deadline pass, and
    /// setting it back extends no wait.
    pub(crate) fn now(&self) -> Timestamp {
        let (wall, at) = self.opened;
        let passed = self.clock.monotonic().saturating_sub(at);
        wall.checked_add(passed).unwrap_or(wall)
    }

    /// Returns the time at which the operation began, or at which this run began if that is
    /// earlier, because the clock was set back in between.
    fn started(&self) -> Timestamp {
        self.deployment.started.min(self.opened.0)
    }

    /// Returns whether the deadline of the whole operation has passed.
    pub(crate) fn is_overdue(&self) -> bool {
        self.now().as_millisecond() >= self.end_ms()
    }

    /// Waits until a lost call of `step`, if there was one, can no longer take effect.
    pub(crate) async fn wait_out_late_commit(&self, step: StepId) -> Result<(), StepError> {
        let Some(until) = self.journal.late_commit_until(step) else { return Ok(()) };
        let left = Duration::from_millis(elapsed_ms(self.clock.now(), until));
        if left.is_zero() { Ok(()) } else { self.wait(left.min(late_commit::WINDOW)).await }
    }

    /// Returns the milliseconds from the deployment's start to `at`.
    pub(crate) fn elapsed_ms(&self, at: Timestamp) -> u64 {
        elapsed_ms(self.deployment.started, at)
    }

    /// Logs a warning, both for the person who watches and for operators.
    pub(crate) fn warn(&self, action: &str, message: &str) {
        tracing::warn!(action, "{message}");
        self.log(Level::Warn, action, message, 0, None);
    }

    /// Returns the name of the stack's volume `key`: that which the data of an earlier stack has, if it
    /// brought some back.
    pub(crate) fn volume(&self, key: &str) -> VolumeName {
        let former = self.spec.stack.brought_back.as_ref().and_then(|data| data.volumes.get(key));
        let own = || format!("{}{key}", self.volume_prefix);
        VolumeName(former.cloned().unwrap_or_else(own))
    }

    /// Returns what the stack should be made of now: while a change is undone, what it was before.
    pub(crate) fn target(&self) -> &StackSpec {
        let former = self.lineage.former.as_ref().filter(|_| self.is_undoing());
        former.map_or(&self.spec.stack, |former| &former.spec.stack)
    }

    /// Returns for how long a changed stack is watched.
    pub(crate) fn watch(&self) -> Duration {
        self.deadlines.watch
    }

    /// Returns the URL of a path of the stack.
    pub(crate) fn url_of(&self, path: &str) -> String {
        format!("{}{path}", self.deployment.url)
    }

    /// Returns the URLs of the stack's health check.
    pub(crate) fn health_urls(&self) -> Vec<String> {
        self.target().health.paths.iter().map(|one| self.url_of(&one.path)).collect()
    }

    /// Logs for the person who watches that something succeeded which began at `since`.
    pub(crate) fn info(&self, action: &str, message: &str, since: Timestamp) {
        let took_ms = elapsed_ms(since, self.clock.now());
        self.log(Level::Info, action, message, took_ms, None);
    }

    /// Adds an entry to the log that people see; `action` has the form `noun.verb`.
    pub(crate) fn log(
        &self,
        level: Level,
        action: &str,
        message: &str,
        duration_ms: u64,
        attempt: Option<u32>,
    ) {
        self.journal.log(LogEntry {
            timestamp: self.clock.now(),
            level,
            phase: self.journal.phase(),
            action: action.to_owned(),
            message: message.to_owned(),
            duration_ms,
            attempt,
        });
    }
}

fn deadline_ms(began: Timestamp, limit: Duration) -> i64 {
    let limit = i64::try_from(limit.as_millis()).unwrap_or(i64::MAX);
    began.as_millisecond().saturating_add(limit)
}
