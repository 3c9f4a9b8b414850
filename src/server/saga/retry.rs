//! Retry: the only place that repeats a call to the platform.
//!
//! Each call has a budget: five retries after 1, 2, 4, 8 and 16 s with jitter. Waiting for an open
//! breaker uses no retry. Before a call that is not idempotent is repeated, the retry searches for
//! a resource that a lost call may have created.

mod lost;
mod pauses;

use std::time::Duration;

use backon::ExponentialBackoff;

use self::pauses::{FIRST_PAUSE, schedule};
use super::context::Context;
use super::failure::{StepError, call_failure};
use crate::server::local_fault::{self, LocalFault};
use crate::server::platform::{Advice, BreakerState, PlatformError};
use crate::server::store::Cause;
use domain::event::{FailureCode, Level};
use domain::message::MessageCode;
use domain::time::elapsed_ms;
use domain::words::fault::call_failed;

/// The maximum pause for a call that is repeated until the deadline.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

impl Context {
    /// Makes an idempotent mutating call, each time with a permit, until it succeeds or its budget
    /// is used up. `on_success` is logged for people when it succeeds.
    pub(crate) async fn mutate<T, F>(
        &self,
        action: &'static str,
        on_success: &str,
        make: impl FnMut() -> F + Send,
    ) -> Result<T, StepError>
    where
        F: Future<Output = Result<T, PlatformError>> + Send,
    {
        self.repeat(Attempts::new(self, action, Some(on_success)).in_turn(), make).await
    }

    /// Does the same, but gives up after `most` attempts, however the call fails: for a call without
    /// which the operation goes on. Attempts during a hang, or a local fault of the portal, do not
    /// count: the deadline waits for them as well.
    pub(crate) async fn mutate_at_most<T, F>(
        &self,
        most: u32,
        action: &'static str,
        on_success: &str,
        make: impl FnMut() -> F + Send,
    ) -> Result<T, StepError>
    where
        F: Future<Output = Result<T, PlatformError>> + Send,
    {
        let attempts = Attempts::new(self, action, Some(on_success)).in_turn();
        self.repeat(Attempts { left: Some(most), ..attempts }, make).await
    }

    /// Does the same as `mutate`, but logs it only when it fails: its answer says whether it had an
    /// effect.
    pub(crate) async fn mutate_unlogged<T, F>(
        &self,
        action: &'static str,
        make: impl FnMut() -> F + Send,
    ) -> Result<T, StepError>
    where
        F: Future<Output = Result<T, PlatformError>> + Send,
    {
        self.repeat(Attempts::new(self, action, None).in_turn(), make).await
    }

    /// Makes a call that only reads, and logs `on_success` for people when it succeeds.
    pub(crate) async fn query_and_log<T, F>(
        &self,
        action: &'static str,
        on_success: &str,
        make: impl FnMut() -> F + Send,
    ) -> Result<T, StepError>
    where
        F: Future<Output = Result<T, PlatformError>> + Send,
    {
        self.repeat(Attempts::new(self, action, Some(on_success)), make).await
    }

    /// Makes a call that only reads, and logs it only when it fails: such calls are frequent.
    pub(crate) async fn query<T, F>(
        &self,
        action: &'static str,
        make: impl FnMut() -> F + Send,
    ) -> Result<T, StepError>
    where
        F: Future<Output = Result<T, PlatformError>> + Send,
    {
        self.repeat(Attempts::new(self, action, None), make).await
    }

    async fn repeat<T, F>(
        &self,
        mut tries: Attempts<'_>,
        mut make: impl FnMut() -> F + Send,
    ) -> Result<T, StepError>
    where
        F: Future<Output = Result<T, PlatformError>> + Send,
    {
        loop {
            match tries.try_once(&mut make).await? {
                Ok(value) => return tries.succeed(value).await,
                Err(error) => tries.pause(&error).await?,
            }
        }
    }

    /// Returns for how long the breaker stays open, if it is open.
    fn breaker_pause(&self) -> Option<Duration> {
        let breaker = self.platform.breaker();
        breaker.retry_after.filter(|_| breaker.state == BreakerState::Open)
    }
}

/// The attempts of one call, and what is left of its budget.
struct Attempts<'a> {
    cx: &'a Context,
    action: &'static str,
    /// The message to log when it succeeds; `None` if nothing is logged.
    on_success: Option<&'a str>,
    attempt: u32,
    /// The time that the last attempt took.
    took_ms: u64,
    pauses: ExponentialBackoff,
    has_checked: bool,
    /// The number of repetitions until the deadline, which use no retry.
    deadline_retries: u32,
    /// The number of repetitions because of a local fault of the portal, which use no retry.
    local_fault_retries: u32,
    /// True if it is a mutating call, which needs a permit.
    is_mutation: bool,
    /// The number of attempts that may still fail, if that is limited.
    left: Option<u32>,
}

impl<'a> Attempts<'a> {
    fn new(cx: &'a Context, action: &'static str, on_success: Option<&'a str>) -> Self {
        let pauses = schedule(cx.deployment.id.seed());
        Self {
            cx,
            action,
            on_success,
            attempt: 1,
            took_ms: 0,
            pauses,
            has_checked: false,
            deadline_retries: 0,
            local_fault_retries: 0,
            is_mutation: false,
            left: None,
        }
    }

    /// Makes each attempt wait for a permit, as mutating calls must.
    fn in_turn(self) -> Self {
        Self { is_mutation: true, ..self }
    }

    /// Makes one attempt, after waiting for a permit if the call needs one. The wait uses no retry.
    async fn try_once<T, F>(
        &mut self,
        make: &mut (impl FnMut() -> F + Send),
    ) -> Result<Result<T, PlatformError>, StepError>
    where
        F: Future<Output = Result<T, PlatformError>> + Send,
    {
        let permit =
            if self.is_mutation { Some(self.cx.call_permit(self.action).await?) } else { None };
        let since = self.cx.clock.now();
        let result = make().await;
        let until = self.cx.clock.now();
        self.took_ms = elapsed_ms(since, until);
        let outcome = result.as_ref().err().map_or("done", PlatformError::outcome);
        self.cx.trace.called(self.action, self.attempt, outcome, (since, until));
        if let Some(permit) = permit {
            self.cx.end_call(permit, result.as_ref().err()).await;
        }
        if matches!(result, Err(PlatformError::TimedOut { .. })) {
            self.cx.diagnose().await;
        }
        Ok(result)
    }

    /// Logs that the call succeeded.
    async fn succeed<T>(&self, value: T) -> Result<T, StepError> {
        if let Some(on_success) = self.on_success {
            self.log(Level::Info, on_success);
        }
        self.resume().await?;
        Ok(value)
    }

    /// Waits until the next attempt, or returns the failure if there is none.
    async fn pause(&mut self, error: &PlatformError) -> Result<(), StepError> {
        // While the platform hangs, no attempt is made, and none is used up.
        if self.cx.is_wedged() && error.advice() != Advice::GiveUp {
            self.warn(error, "waiting for it");
            return self.cx.wait_out_hang().await;
        }
        let counts = error.local_fault().is_none();
        if let Some(left) = self.left.as_mut().filter(|_| counts) {
            *left = left.saturating_sub(1);
            if *left == 0 {
                self.resume().await?;
                return Err(self.give_up(error));
            }
        }
        match error.advice() {
            Advice::GiveUp => return Err(self.give_up(error)),
            Advice::CheckThenRetryOnce if self.has_checked => return Err(self.give_up(error)),
            Advice::CheckThenRetryOnce => {
                self.has_checked = true;
                self.warn(error, "trying once more");
            }
            // This failure, or that of another deployment, opened the breaker: the platform is
            // down, and waiting for it uses no attempt.
            Advice::Retry { .. } if let Some(pause) = self.cx.breaker_pause() => {
                self.warn(error, "waiting for it");
                return self.wait_for_breaker(pause).await;
            }
            Advice::Retry { after } => {
                let Some(pause) = self.pauses.next() else { return Err(self.give_up(error)) };
                self.warn(error, "trying again");
                self.resume().await?;
                self.cx.wait(pause.max(after.unwrap_or_default())).await?;
            }
            Advice::Wait(pause) => {
                return self.wait_for_breaker(pause).await;
            }
            Advice::WaitForLocalFault(fault) => {
                return self.wait_for_local_fault(local_fault::classify(fault), error).await;
            }
            Advice::RetryUntilDeadline => return self.retry_until_deadline(error).await,
        }
        self.attempt += 1;
        Ok(())
    }

    /// Waits before the next attempt of a call that is repeated until the deadline.
    async fn retry_until_deadline(&mut self, error: &PlatformError) -> Result<(), StepError> {
        if self.deadline_retries == 0 {
            self.warn(error, "waiting for it");
        }
        let is_refused = matches!(error, PlatformError::KeyRefused { .. });
        let message =
            if is_refused { MessageCode::WaitingForKey } else { MessageCode::WaitingForPlatform };
        self.show(message).await?;
        let pause =
            FIRST_PAUSE.saturating_mul(1 << self.deadline_retries.min(5)).min(LONGEST_PAUSE);
        self.deadline_retries += 1;
        match self.cx.wait(pause).await {
            // The last error of the call is a more exact cause than the passed deadline.
            Err(StepError::Failed(Cause { code: FailureCode::Deadline, .. })) => {
                Err(self.give_up(error))
            }
            result => result,
        }
    }

    /// Waits until the breaker lets calls through again.
    async fn wait_for_breaker(&self, pause: Duration) -> Result<(), StepError> {
        self.show(MessageCode::WaitingForPlatform).await?;
        self.cx.wait(pause).await.map_err(|error| self.cx.explain(error))
    }

    /// Waits while the portal has a local fault. The wait uses no attempt, and the step has as much
    /// time afterwards as before.
    async fn wait_for_local_fault(
        &mut self,
        fault: LocalFault,
        error: &PlatformError,
    ) -> Result<(), StepError> {
        let message = MessageCode::WaitingForPortal { fault };
        if self.cx.journal.message().as_ref() != Some(&message) {
            self.warn(error, "waiting for it");
        }
        self.show(message).await?;
        let pause = FIRST_PAUSE.saturating_mul(1 << self.local_fault_retries.min(3));
        self.local_fault_retries += 1;
        self.cx.wait(pause).await
    }

    /// Shows what the call waits for. If the platform hangs, that is the cause of every wait.
    async fn show(&self, message: MessageCode) -> Result<(), StepError> {
        let message = if self.cx.is_wedged() { MessageCode::WaitingForHang } else { message };
        Ok(self.cx.journal.set_message(message).await?)
    }

    /// Restores the phase's default message after a wait.
    async fn resume(&self) -> Result<(), StepError> {
        self.cx.journal.clear_message(is_wait).await?;
        Ok(self.cx.clear_local_fault().await?)
    }

    fn give_up(&self, error: &PlatformError) -> StepError {
        self.log(Level::Error, call_failed(call_failure(error)));
        StepError::of_platform(self.cx.journal.phase(), error)
    }

    /// Logs how the call failed, and what happens next.
    fn warn(&self, error: &PlatformError, next: &str) {
        let failed = call_failed(call_failure(error));
        self.log(Level::Warn, &format!("{failed}: {next}"));
    }

    fn log(&self, level: Level, message: &str) {
        self.cx.log(level, self.action, message, self.took_ms, Some(self.attempt));
    }
}

/// Returns whether the message is that of a waiting call.
fn is_wait(code: &MessageCode) -> bool {
    matches!(
        code,
        MessageCode::WaitingForPlatform
            | MessageCode::WaitingForKey
            | MessageCode::WaitingForTurn
            | MessageCode::WaitingForHang
    )
}
