//! Waits until the stack answers at its own address with success, twice in a row (promise P15).
//!
//! A deploy job that is done means only that Docker accepted the service, so the stack itself must
//! answer. Something else could answer at the address, so answers count only while the platform
//! shows a running container of this deployment. Waiting for a certificate can take minutes, and
//! has a limit of its own. A container that stops repeatedly ends the wait early.

mod answer;
mod container;
mod crash;
mod stopwatch;

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use self::answer::Answer;
use self::container::ContainerState;
use self::crash::{crash, crashed};
use self::stopwatch::Stopwatch;
use super::{OperationTag, last_log};
use crate::server::platform::{Application, ContainerId, Task, TaskId};
use crate::server::probe::Health;
use crate::server::saga::context::Context;
use crate::server::saga::failure::StepError;
use crate::server::saga::local_faults;
use crate::server::saga::step::Step;
use crate::server::settings::Deadlines;
use crate::server::store::{Result, StepId};
use domain::event::FailureCode;
use domain::message::MessageCode;
use domain::stack_spec::StackSpec;
use domain::time::elapsed_ms;

/// The pause before the second of the two answers that count.
const CONFIRM_PAUSE: Duration = Duration::from_millis(50);
/// The pause between probes in the first minute.
const PAUSE: Duration = Duration::from_millis(250);
/// The time after which the pause grows.
const FAST_POLL_PERIOD: Duration = Duration::from_mins(1);
/// The minimum interval between queries for the service's tasks.
const TASKS_PAUSE: Duration = Duration::from_secs(1);
/// The minimum time for which the stack is probed after a restart of the portal, even if its limit
/// has passed: both may have started at the same moment.
const GRACE: Duration = Duration::from_secs(5);
/// The minimum time for which the stack is probed again after a local fault of the portal, or after
/// neither the stack nor the platform could be reached.
const AGAIN: Duration = Duration::from_secs(15);

/// Waits until the stack answers.
pub(crate) struct VerifyHealth {
    pub(crate) application: Application,
    /// The tag that the container carries, unless an older version of the portal configured it.
    pub(crate) mark: Option<OperationTag>,
    /// What ran before, and does not count.
    pub(crate) former: Former,
}

/// What of a service was there before an operation. Persisted: never rename.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Former {
    /// The containers that ran.
    pub(super) containers: Vec<ContainerId>,
    /// The tasks, also those that had ended.
    pub(super) tasks: Vec<TaskId>,
}

impl Step for VerifyHealth {
    const ID: StepId = StepId::HEALTH;
    type Output = ();

    /// The step has limits of its own, for the stack and for its certificate.
    fn limit(deadlines: &Deadlines) -> Duration {
        deadlines.whole
    }

    async fn run(&self, cx: &Context) -> Result<(), StepError> {
        let ended = self.wait(cx).await;
        last_log::explain(cx, &self.application.app_name, &self.former.containers, ended).await
    }
}

impl VerifyHealth {
    /// Waits until the stack answers.
    async fn wait(&self, cx: &Context) -> Result<(), StepError> {
        let since = cx.clock.now();
        let mut wait = HealthWait::resume(cx, since);
        loop {
            let (answer, container) = self.look(cx).await;
            // The same container ran in the previous look, before these two answers, and runs after
            // them.
            if let Some(ContainerState::Running(id)) = &container
                && wait.seen.as_ref() == Some(id)
            {
                let done = "The stack answered at its own address, twice in a row";
                cx.info("stack.verify", done, since);
                return Ok(());
            }
            let now = cx.clock.now();
            wait.note(answer, container, now);
            wait.show_message(cx).await?;
            wait.local_fault_time = cx.local_fault_time(wait.since);
            if let Err(given_up) = wait.check(cx, now) {
                if self.is_all_away(cx, &wait).await {
                    cx.journal.set_message(MessageCode::WaitingForBoth).await?;
                    (wait.grace_until, wait.is_all_away) = (cx.clock.now() + AGAIN, true);
                } else if wait.is_all_away {
                    // The platform can be reached again: the stack may take a moment longer.
                    (wait.grace_until, wait.is_all_away) = (cx.clock.now() + AGAIN, false);
                } else {
                    tracing::warn!(
                        stack.health = ?wait.last, stack.container = ?wait.container,
                        stack.url = %cx.deployment.url,
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

    /// Probes all paths of the stack twice and, if all answers are good, looks for its container.
    async fn look(&self, cx: &Context) -> (Answer, Option<ContainerState>) {
        let mut answer = Answer::ask(cx).await;
        if answer.is_good {
            cx.clock.sleep(CONFIRM_PAUSE).await;
            answer = Answer::ask(cx).await;
        }
        let container = if answer.is_good { Some(container::look(cx, self).await) } else { None };
        (answer, container)
    }

    /// Returns whether the platform cannot be reached either: then the cause is probably the
    /// network and not the stack, and an undo would not be possible.
    async fn is_all_away(&self, cx: &Context, wait: &HealthWait) -> bool {
        let is_silent = matches!(wait.health(), Some(Health::Silent(_)));
        let name = &self.application.app_name;
        is_silent && cx.platform.tasks(name).await.is_err_and(|error| error.is_out_of_reach())
    }

    /// Fails if the container stops repeatedly.
    async fn check_tasks(&self, cx: &Context) -> Result<(), StepError> {
        let name = &self.application.app_name;
        let ask = || cx.platform.tasks(name);
        // A failed query changes nothing: it is repeated, and the stack is still probed.
        let Ok(tasks) = ask().await else { return Ok(()) };
        let is_new = |task: &Task| !self.former.tasks.contains(&task.id);
        let tasks: Vec<_> = tasks.into_iter().filter(is_new).collect();
        let failure = match crash(&tasks) {
            None if self.is_taken_back(cx).await => Some(crashed(&tasks)),
            failure => failure,
        };
        failure.map_or(Ok(()), |(code, message)| Err(StepError::failed(code, message)))
    }

    /// Returns whether a change was given up by the swarm itself, which then runs the former
    /// revision again.
    async fn is_taken_back(&self, cx: &Context) -> bool {
        if cx.lineage.former.is_none() || cx.is_undoing() {
            return false;
        }
        let state = cx.platform.service(&self.application.app_name).await;
        state.is_ok_and(|state| state.is_some_and(|state| state.is_taken_back()))
    }
}

/// Returns whether the message says that something more exact than the answer is waited for.
fn is_specific(code: &MessageCode) -> bool {
    matches!(
        code,
        MessageCode::WaitingForCertificate
            | MessageCode::WaitingForContainer
            | MessageCode::ContainerUnknown
            | MessageCode::WaitingForBoth
    )
}

/// The wait for the stack so far. Times are computed from recorded facts, so a restart does not
/// extend the limit.
#[derive(Default)]
struct HealthWait {
    /// The time at which the step began.
    since: Timestamp,
    /// The time until which the stack is not given up, even if its limit has passed.
    grace_until: Timestamp,
    /// The time spent waiting for the certificate, which does not count against the stack's limit.
    untrusted: Stopwatch,
    /// The time during which the platform did not show containers, which does not count either.
    unknown: Stopwatch,
    /// The duration of local faults of the portal, which does not count either.
    local_fault_time: Duration,
    /// True if neither the stack nor the platform could be reached when the limit had passed.
    is_all_away: bool,
    last: Option<Answer>,
    container: Option<ContainerState>,
    /// The container that ran in the last look that found one.
    seen: Option<ContainerId>,
    tasks_asked: Timestamp,
    /// The time of this operation's turn to query its tasks, on the monotonic clock.
    turn: Option<Duration>,
}

impl HealthWait {
    /// Continues the wait of an earlier run of this step, if there was one.
    fn resume(cx: &Context, now: Timestamp) -> Self {
        let journal = &cx.journal;
        let since = journal.running_since(VerifyHealth::ID).unwrap_or(now);
        let grace = if journal.was_interrupted(VerifyHealth::ID) { GRACE } else { Duration::ZERO };
        Self {
            since,
            grace_until: now + grace.min(cx.target().health.timeout),
            untrusted: Stopwatch::resume(cx, &MessageCode::WaitingForCertificate, now),
            unknown: Stopwatch::resume(cx, &MessageCode::ContainerUnknown, now),
            tasks_asked: now,
            ..Self::default()
        }
    }

    /// Returns the last answer.
    fn health(&self) -> Option<&Health> {
        self.last.as_ref().map(|answer| &answer.health)
    }

    fn note(&mut self, answer: Answer, container: Option<ContainerState>, now: Timestamp) {
        let health = &answer.health;
        self.untrusted.note(matches!(health, Health::Untrusted(_)), now);
        self.unknown.note(container == Some(ContainerState::Unknown), now);
        let was_away = self.is_all_away && !matches!(health, Health::Silent(_));
        // The first probe that failed because of the local fault counted against the stack's limit.
        let had_local_fault = self.has_local_fault() && !matches!(health, Health::LocalFault(..));
        if was_away || had_local_fault {
            (self.grace_until, self.is_all_away) = (self.grace_until.max(now + AGAIN), false);
        }
        if let Some(ContainerState::Running(id)) = &container {
            self.seen = Some(id.clone());
        }
        (self.last, self.container) = (Some(answer), container);
    }

    /// Shows watchers the cause of the wait, if it is not simply that the stack does not answer.
    async fn show_message(&self, cx: &Context) -> Result<()> {
        let message = match (self.health(), &self.container) {
            // The next look follows immediately.
            (_, Some(ContainerState::Running(_))) => return Ok(()),
            (_, Some(ContainerState::None)) => Some(MessageCode::WaitingForContainer),
            (_, Some(ContainerState::Unknown)) => Some(MessageCode::ContainerUnknown),
            (Some(Health::LocalFault(fault, reason)), None)
            | (_, Some(ContainerState::LocalFault(fault, reason))) => {
                return cx.show_local_fault("stack.verify", *fault, reason).await;
            }
            (Some(Health::Untrusted(_)), None) => Some(MessageCode::WaitingForCertificate),
            (Some(Health::Silent(_)), None) if self.is_all_away => {
                Some(MessageCode::WaitingForBoth)
            }
            (_, None) => None,
        };
        if let Some(message) = message {
            return cx.journal.set_message(message).await;
        }
        cx.journal.clear_message(is_specific).await?;
        cx.clear_local_fault().await
    }

    /// Returns whether a local fault of the portal prevented the last look, which says nothing
    /// about the stack.
    fn has_local_fault(&self) -> bool {
        matches!(self.health(), Some(Health::LocalFault(..)))
            || matches!(self.container, Some(ContainerState::LocalFault(..)))
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

    /// Fails if the stack or its certificate has taken too long.
    fn check(&self, cx: &Context, now: Timestamp) -> Result<(), StepError> {
        let StackSpec { health, certificate: trust, .. } = cx.target();
        if now < self.grace_until || self.has_local_fault() {
            return Ok(());
        }
        let (stack, certificate) = self.waited(now);
        if certificate >= trust.timeout {
            let message = MessageCode::NoCertificate;
            return Err(StepError::failed(FailureCode::CertificateTimeout, message));
        }
        if stack >= health.timeout {
            let limit = health.timeout.as_secs();
            return Err(StepError::failed(FailureCode::HealthTimeout, self.timeout_message(limit)));
        }
        Ok(())
    }

    /// Returns how long the stack has taken so far, and how long its certificate.
    fn waited(&self, now: Timestamp) -> (Duration, Duration) {
        let certificate_ms = self.untrusted.total_ms(now);
        let others_ms = certificate_ms + self.unknown.total_ms(now);
        let stack_ms = elapsed_ms(self.since, now).saturating_sub(others_ms);
        let stack = Duration::from_millis(stack_ms).saturating_sub(self.local_fault_time);
        (stack, Duration::from_millis(certificate_ms))
    }

    fn timeout_message(&self, seconds: u64) -> MessageCode {
        match &self.last {
            Some(Answer { is_good: true, .. }) => MessageCode::NoContainer { seconds },
            Some(Answer { health: Health::Answering(status), path, .. }) => {
                MessageCode::NotHealthy { seconds, status: *status, path: path.clone() }
            }
            Some(Answer {
                health: Health::Silent(_) | Health::LocalFault(..) | Health::Untrusted(_),
                ..
            })
            | None => MessageCode::StackSilent { seconds },
        }
    }

    /// Returns the pause before the next look: short in the first minute, and never past the limit.
    fn pause(&self, cx: &Context, now: Timestamp) -> Duration {
        if self.has_local_fault() {
            // Only the deadline of the deployment ends this wait.
            return local_faults::PROBE_PAUSE;
        }
        let StackSpec { health, certificate: trust, .. } = cx.target();
        let (stack, certificate) = self.waited(now);
        let left = match (self.untrusted.since, self.unknown.since) {
            (Some(_), _) => trust.timeout.saturating_sub(certificate),
            (None, None) => health.timeout.saturating_sub(stack),
            // Only the deadline of the deployment ends this wait.
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

    #[test]
    fn time_without_a_certificate_is_not_counted_against_the_stack() {
        let at = |s| Timestamp::from_second(s).unwrap();
        let mut wait = HealthWait { since: at(0), ..HealthWait::default() };
        wait.note(Answer::of(Health::Untrusted(String::new())), None, at(1));
        assert_eq!(wait.waited(at(11)), (Duration::from_secs(1), Duration::from_secs(10)));
        wait.note(Answer::of(Health::Answering(502)), None, at(11));
        assert_eq!(wait.waited(at(13)), (Duration::from_secs(3), Duration::from_secs(10)));
    }
}
