//! Waits until the stack answers at its own address, twice in a row (promise P15).
//!
//! "Done" on the platform means only that it accepted the service, so nothing but the stack's own
//! answer counts, and only while the platform shows that the stack's own container runs: anybody
//! can answer at an address. A certificate may take minutes after that: it has a limit of its own.
//! A container that stops again and again ends the wait early.

mod container;
mod span;

use std::time::Duration;

use jiff::Timestamp;

use self::{container::ContainerState, span::Stopwatch};
use super::OperationTag;
use crate::server::{
    platform::{Application, ContainerId, Task, TaskState},
    probe::Health,
    saga::{context::Context, failure::StepError, step::Step},
    store::{StepId, StoreError},
};
use domain::{event::FailureCode, progress::elapsed_ms, stack_spec::StackSpec};

/// The time that one question to the stack may take.
const PROBE_TIMEOUT: Duration = Duration::from_secs(5);
/// The pause between the two answers that count.
const CONFIRM_PAUSE: Duration = Duration::from_millis(50);
/// The pause between questions in the first minute.
const PAUSE: Duration = Duration::from_millis(250);
/// The pause while the portal itself cannot ask.
const LACK_PAUSE: Duration = Duration::from_secs(1);
/// The time for which the first pause stays.
const FAST_POLL_PERIOD: Duration = Duration::from_mins(1);
/// The interval at which the platform is asked how the container fares.
const TASKS_PAUSE: Duration = Duration::from_secs(1);
/// The time for which the stack is asked at least after a restart, however long the portal was
/// away: both may have come back at the same moment.
const GRACE: Duration = Duration::from_secs(5);
/// The time for which the stack is asked again at least, once it could not be asked, or neither it
/// nor the platform was in reach.
const AGAIN: Duration = Duration::from_secs(15);
/// The number of failed tasks that are a crash loop.
const CRASHES: usize = 3;

/// The message shown while only the certificate is missing.
const UNTRUSTED: &str = "Waiting for the address to get its certificate";

/// The message shown while only the container is missing.
const NOT_RUNNING: &str = "The address answers, but the stack's container does not run yet";
/// The message shown while the platform does not say whether the container runs.
const UNKNOWN: &str = "The address answers; waiting for the platform to show the stack's container";
/// The message shown while there is no way to anybody.
const ALL_AWAY: &str = "Neither the stack nor the platform can be reached: waiting for both";
/// Every sentence that is shown while something more exact is waited for.
const SPECIFIC: [&str; 4] = [UNTRUSTED, NOT_RUNNING, UNKNOWN, ALL_AWAY];

/// Waits until the stack answers.
pub(crate) struct VerifyHealth {
    pub(crate) application: Application,
    /// The tag that the container carries, unless an older version of the portal configured it.
    pub(crate) mark: Option<OperationTag>,
}

impl Step for VerifyHealth {
    const ID: StepId = StepId::HEALTH;
    type Output = ();

    async fn run(&self, cx: &Context) -> Result<(), StepError> {
        let url = cx.health_url();
        let since = cx.clock.now();
        let mut wait = HealthWait::resume(cx, since);
        loop {
            let (health, container) = self.look(cx, &url).await;
            // It was seen before the first of these answers, and is seen after the second.
            if let Some(ContainerState::Running(id)) = &container
                && wait.seen.as_ref() == Some(id)
            {
                let done = "The stack answered at its own address, twice in a row";
                cx.info("stack.verify", done, since);
                return Ok(());
            }
            let now = cx.clock.now();
            wait.note(health, container, now);
            wait.show_message(cx).await?;
            wait.lacked = cx.lacked_since(wait.since);
            if let Err(given_up) = wait.check(cx, now) {
                if self.is_all_away(cx, &wait).await {
                    cx.journal.set_message(ALL_AWAY).await?;
                    (wait.grace_until, wait.is_all_away) = (cx.clock.now() + AGAIN, true);
                } else if wait.is_all_away {
                    // The way to the platform is back: the one to the stack may take a moment more.
                    (wait.grace_until, wait.is_all_away) = (cx.clock.now() + AGAIN, false);
                } else {
                    tracing::warn!(
                        stack.health = ?wait.last, stack.container = ?wait.container, %url,
                        "The stack did not become healthy in time"
                    );
                    return Err(given_up);
                }
            }
            if wait.tasks_are_due(cx, now) {
                self.check_tasks(cx).await?;
            }
            cx.wait(wait.pause(cx, now)).await?;
        }
    }
}

impl VerifyHealth {
    /// Asks the stack twice, and then what runs of it, if it answers well.
    async fn look(&self, cx: &Context, url: &str) -> (Health, Option<ContainerState>) {
        let mut health = cx.probe.check(url, PROBE_TIMEOUT).await;
        if health == Health::Healthy {
            cx.clock.sleep(CONFIRM_PAUSE).await;
            health = cx.probe.check(url, PROBE_TIMEOUT).await;
        }
        let container = match health {
            Health::Healthy => {
                Some(container::look(cx, &self.application, self.mark.as_ref()).await)
            }
            Health::Answering(_)
            | Health::Silent(_)
            | Health::Unasked(..)
            | Health::Untrusted(_) => None,
        };
        (health, container)
    }

    /// Returns whether the platform is as silent as the stack: then it is more likely the way there
    /// that is missing than the stack, and nothing could be undone either.
    async fn is_all_away(&self, cx: &Context, wait: &HealthWait) -> bool {
        let is_silent = matches!(wait.last, Some(Health::Silent(_)));
        let name = &self.application.app_name;
        is_silent && cx.platform.tasks(name).await.is_err_and(|error| error.is_out_of_reach())
    }

    /// Fails when the container stops again and again.
    async fn check_tasks(&self, cx: &Context) -> Result<(), StepError> {
        let name = &self.application.app_name;
        let ask = || cx.platform.tasks(name);
        // Not worth failing for: the stack itself is asked again anyway.
        let Ok(tasks) = ask().await else { return Ok(()) };
        match crash(&tasks) {
            Some(message) => Err(StepError::failed(FailureCode::CrashLoop, message)),
            None => Ok(()),
        }
    }
}

/// Says how the container stops again and again, if it does.
fn crash(tasks: &[Task]) -> Option<String> {
    let count = |state| tasks.iter().filter(|task| task.state == state).count();
    if count(TaskState::Failed) < CRASHES || count(TaskState::Running) > 0 {
        return None;
    }
    let exit_code = tasks
        .iter()
        .filter_map(|task| task.error.as_deref())
        .find_map(|error| error.strip_prefix("task: non-zero exit (")?.strip_suffix(')'));
    Some(match exit_code {
        Some(code) => format!("The container stopped right after starting (exit code {code})."),
        None => String::from("The container could not be kept running."),
    })
}

/// The time for which the stack has kept us waiting, and for what. It counts from what is recorded,
/// so a restart gives no more time.
struct HealthWait {
    /// The time at which the step began.
    since: Timestamp,
    /// The time until which nothing is given up, although its time is over.
    grace_until: Timestamp,
    /// The time spent on the certificate so far, which does not count against the stack.
    untrusted: Stopwatch,
    /// The time spent while the platform did not show the container, which does not count either.
    unknown: Stopwatch,
    /// What the portal itself has cost, which lacked something: nobody is blamed for that.
    lacked: Duration,
    /// True if neither it nor the platform was in reach when its time was over.
    is_all_away: bool,
    last: Option<Health>,
    container: Option<ContainerState>,
    /// The container that ran when it was last looked for.
    seen: Option<ContainerId>,
    tasks_asked: Timestamp,
    /// The time at which it is this one's turn to ask for tasks, on the monotonic clock.
    turn: Option<Duration>,
}

impl HealthWait {
    fn new(now: Timestamp) -> Self {
        Self {
            since: now,
            grace_until: now,
            untrusted: Stopwatch::default(),
            unknown: Stopwatch::default(),
            lacked: Duration::ZERO,
            is_all_away: false,
            last: None,
            container: None,
            seen: None,
            tasks_asked: now,
            turn: None,
        }
    }

    /// Goes on with the wait that an earlier run began, if one did.
    fn resume(cx: &Context, now: Timestamp) -> Self {
        let journal = &cx.journal;
        let since = journal.running_since(VerifyHealth::ID).unwrap_or(now);
        let grace = if journal.was_interrupted(VerifyHealth::ID) { GRACE } else { Duration::ZERO };
        Self {
            since,
            grace_until: now + grace.min(cx.spec.stack.health.timeout),
            untrusted: Stopwatch::resume(cx, UNTRUSTED, now),
            unknown: Stopwatch::resume(cx, UNKNOWN, now),
            ..Self::new(now)
        }
    }

    fn note(&mut self, health: Health, container: Option<ContainerState>, now: Timestamp) {
        self.untrusted.note(matches!(health, Health::Untrusted(_)), now);
        self.unknown.note(container == Some(ContainerState::Unknown), now);
        let was_away = self.is_all_away && !matches!(health, Health::Silent(_));
        // The question that was first to fail took some of the stack's time, perhaps its last.
        let was_unasked = self.is_unasked() && !matches!(health, Health::Unasked(..));
        if was_away || was_unasked {
            (self.grace_until, self.is_all_away) = (self.grace_until.max(now + AGAIN), false);
        }
        if let Some(ContainerState::Running(id)) = &container {
            self.seen = Some(id.clone());
        }
        (self.last, self.container) = (Some(health), container);
    }

    /// Tells whoever watches what is missing, where it is not the answer.
    async fn show_message(&self, cx: &Context) -> Result<(), StoreError> {
        let sentence = match (&self.last, &self.container) {
            // It is asked once more, at once.
            (_, Some(ContainerState::Running(_))) => return Ok(()),
            (_, Some(ContainerState::None)) => Some(NOT_RUNNING),
            (_, Some(ContainerState::Unknown)) => Some(UNKNOWN),
            (Some(Health::Unasked(fault, reason)), None)
            | (_, Some(ContainerState::Unasked(fault, reason))) => {
                return cx.say_lack("stack.verify", *fault, reason).await;
            }
            (Some(Health::Untrusted(_)), None) => Some(UNTRUSTED),
            (Some(Health::Silent(_)), None) if self.is_all_away => Some(ALL_AWAY),
            (_, None) => None,
        };
        if let Some(sentence) = sentence {
            return cx.journal.set_message(sentence).await;
        }
        for sentence in SPECIFIC {
            cx.journal.clear_message(sentence).await?;
        }
        cx.unsay_lacks().await
    }

    /// Returns whether the portal itself cannot ask, which is no word about the stack.
    fn is_unasked(&self) -> bool {
        matches!(self.last, Some(Health::Unasked(..)))
            || matches!(self.container, Some(ContainerState::Unasked(..)))
    }

    fn tasks_are_due(&mut self, cx: &Context, now: Timestamp) -> bool {
        if u128::from(elapsed_ms(self.tasks_asked, now)) < TASKS_PAUSE.as_millis() {
            return false;
        }
        let passed = cx.clock.monotonic();
        let due = passed >= *self.turn.get_or_insert_with(|| passed + cx.paced_delay(1));
        if due {
            (self.tasks_asked, self.turn) = (now, None);
        }
        due
    }

    /// Fails when the stack, or its certificate, has taken too long.
    fn check(&self, cx: &Context, now: Timestamp) -> Result<(), StepError> {
        let StackSpec { health, certificate: trust, .. } = &cx.spec.stack;
        if now < self.grace_until || self.is_unasked() {
            return Ok(());
        }
        let (stack, certificate) = self.waited(now);
        if certificate >= trust.timeout {
            let message = "The address did not get a valid certificate in time.";
            return Err(StepError::failed(FailureCode::CertificateTimeout, message));
        }
        if stack >= health.timeout {
            let limit = health.timeout.as_secs();
            return Err(StepError::failed(FailureCode::HealthTimeout, self.timeout_message(limit)));
        }
        Ok(())
    }

    /// Returns how long the stack, and its certificate, have taken so far.
    fn waited(&self, now: Timestamp) -> (Duration, Duration) {
        let certificate_ms = self.untrusted.total_ms(now);
        let others_ms = certificate_ms + self.unknown.total_ms(now);
        let stack_ms = elapsed_ms(self.since, now).saturating_sub(others_ms);
        let stack = Duration::from_millis(stack_ms).saturating_sub(self.lacked);
        (stack, Duration::from_millis(certificate_ms))
    }

    fn timeout_message(&self, limit: u64) -> String {
        match &self.last {
            Some(Health::Answering(status)) => format!(
                "The stack did not become healthy within {limit} seconds (it answers with status \
                 {status})."
            ),
            Some(Health::Healthy) => format!(
                "Something answers at the address, but the stack's container did not run within \
                 {limit} seconds."
            ),
            Some(Health::Silent(_) | Health::Unasked(..) | Health::Untrusted(_)) | None => {
                format!("The stack did not answer within {limit} seconds.")
            }
        }
    }

    /// Returns the pause before the next question: short in the first minute, and never
    /// past the limit.
    fn pause(&self, cx: &Context, now: Timestamp) -> Duration {
        if self.is_unasked() {
            // Only the time of the whole deployment ends that.
            return LACK_PAUSE;
        }
        let StackSpec { health, certificate: trust, .. } = &cx.spec.stack;
        let (stack, certificate) = self.waited(now);
        let left = match (self.untrusted.since, self.unknown.since) {
            (Some(_), _) => trust.timeout.saturating_sub(certificate),
            (None, None) => health.timeout.saturating_sub(stack),
            // Only the time of the whole deployment ends that.
            (None, Some(_)) => Duration::MAX,
        };
        let left = left.max(Duration::from_millis(elapsed_ms(now, self.grace_until)));
        let left = cx.longest(left);
        if let Some(ContainerState::Running(_)) = self.container {
            return CONFIRM_PAUSE.min(left);
        }
        let patient = (stack + certificate).saturating_sub(FAST_POLL_PERIOD) / 4;
        (PAUSE + patient).min(health.interval).max(PAUSE).min(left)
    }
}

#[cfg(test)]
mod tests {
    use crate::server::steps::health::*;

    fn task(state: TaskState, error: &str) -> Task {
        Task { state, error: (!error.is_empty()).then(|| error.to_owned()) }
    }

    #[test]
    fn three_failed_tasks_and_none_running_are_a_crash_loop() {
        let failed = || task(TaskState::Failed, "task: non-zero exit (1)");
        let starting = || task(TaskState::Other, "");
        assert_eq!(crash(&[starting(), failed(), failed()]), None);
        let running = task(TaskState::Running, "");
        assert_eq!(crash(&[running, failed(), failed(), failed()]), None);
        assert_eq!(
            crash(&[starting(), failed(), failed(), failed()]).unwrap(),
            "The container stopped right after starting (exit code 1)."
        );
    }

    #[test]
    fn a_rejected_container_is_a_crash_loop_without_an_exit_code() {
        let rejected = || task(TaskState::Failed, "invalid mount config for type \"bind\"");
        let message = crash(&[rejected(), rejected(), rejected()]).unwrap();
        assert_eq!(message, "The container could not be kept running.");
    }

    #[test]
    fn time_without_a_certificate_is_not_counted_against_the_stack() {
        let at = |s| Timestamp::from_second(s).unwrap();
        let mut wait = HealthWait::new(at(0));
        wait.note(Health::Untrusted(String::new()), None, at(1));
        assert_eq!(wait.waited(at(11)), (Duration::from_secs(1), Duration::from_secs(10)));
        wait.note(Health::Answering(502), None, at(11));
        assert_eq!(wait.waited(at(13)), (Duration::from_secs(3), Duration::from_secs(10)));
    }
}
