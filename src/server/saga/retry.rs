//! Retry: the only place that repeats a call to the platform.
//!
//! One budget for each call: five retries after 1, 2, 4, 8 and 16 s with jitter. An open breaker
//! pauses without using the budget up. A call that is not idempotent looks for what a lost response
//! may hide before it is repeated.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};

use super::{
    context::Context,
    failure::{StepError, describe_failure},
};
use crate::server::{
    local_fault::{self, LocalFault},
    platform::{Advice, BreakerState, PlatformError},
    store::{Cause, StepId},
};
use domain::{
    event::{FailureCode, Level},
    message::MessageCode,
    progress::elapsed_ms,
};

const RETRIES: usize = 5;
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// The longest pause while a call is repeated for as long as there is time.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

impl Context {
    /// Makes an idempotent call that changes something, in its turn, until it succeeds or its
    /// budget is used up. `on_success` is what a person reads then.
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

    /// Makes a call that only looks, and tells what it found.
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

    /// Makes a call that only looks and is one of many, and logs it only when it fails.
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

    /// Makes a call that is not idempotent. Whenever it may have been carried out already, by an
    /// earlier run or behind a lost response, `find` looks before it is repeated.
    pub(crate) async fn create_or_adopt<T, F, G>(
        &self,
        step: StepId,
        action: &'static str,
        on_success: &str,
        mut make: impl FnMut() -> F + Send,
        mut find: impl FnMut() -> G + Send,
    ) -> Result<T, StepError>
    where
        F: Future<Output = Result<T, PlatformError>> + Send,
        G: Future<Output = Result<Option<T>, StepError>> + Send,
    {
        let mut tries = Attempts::new(self, action, Some(on_success)).in_turn();
        let mut may_exist = self.journal.was_interrupted(step);
        if may_exist {
            self.journal.record_lost_response(step);
        }
        loop {
            if may_exist && let Some(found) = find().await? {
                self.warn(action, "Adopted what an earlier attempt had created");
                return Ok(found);
            }
            match tries.try_once(&mut make).await? {
                Ok(value) => return tries.succeed(value).await,
                Err(error) => {
                    if error.may_have_committed() {
                        self.journal.record_lost_response(step);
                        may_exist = true;
                    }
                    match tries.pause(&error).await {
                        Ok(()) => {}
                        Err(given_up @ StepError::Failed(_)) => {
                            return self
                                .adopt_if_created(may_exist, &mut find)
                                .await?
                                .ok_or(given_up);
                        }
                        Err(lost @ StepError::Store(_)) => return Err(lost),
                    }
                }
            }
        }
    }

    /// Returns how long the breaker stays open, if it is.
    fn breaker_pause(&self) -> Option<Duration> {
        let breaker = self.platform.breaker();
        breaker.retry_after.filter(|_| breaker.state == BreakerState::Open)
    }

    /// Looks once more before a create is given up: a resource that exists after all is adopted.
    async fn adopt_if_created<T, G>(
        &self,
        may_exist: bool,
        find: &mut impl FnMut() -> G,
    ) -> Result<Option<T>, StepError>
    where
        G: Future<Output = Result<Option<T>, StepError>> + Send,
    {
        if !may_exist {
            return Ok(None);
        }
        match find().await {
            // The undo looks again, with time of its own.
            Err(StepError::Failed(_)) => Ok(None),
            found => found,
        }
    }
}

/// The budget of one call.
struct Attempts<'a> {
    cx: &'a Context,
    action: &'static str,
    /// The message shown when it succeeds, where that is news.
    on_success: Option<&'a str>,
    attempt: u32,
    /// The time that the last attempt took.
    took_ms: u64,
    pauses: ExponentialBackoff,
    has_checked: bool,
    /// The number of times that it was repeated without using the budget up.
    deadline_retries: u32,
    /// The number of times that it was repeated for what the portal itself lacked.
    waited_for_us: u32,
    /// True if it changes something, and so waits for its turn.
    is_mutation: bool,
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
            waited_for_us: 0,
            is_mutation: false,
        }
    }

    /// Lets each attempt wait for its turn: the call changes something.
    fn in_turn(self) -> Self {
        Self { is_mutation: true, ..self }
    }

    /// Makes one attempt of the call, when it is its turn. The wait for that uses no attempt up.
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
        self.took_ms = elapsed_ms(since, self.cx.clock.now());
        if let Some(permit) = permit {
            self.cx.end_call(permit, result.as_ref().err()).await;
        }
        if result.as_ref().is_err_and(PlatformError::is_timeout) {
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

    /// Waits for the next attempt, or says that there is none.
    async fn pause(&mut self, error: &PlatformError) -> Result<(), StepError> {
        // No attempt is burnt while it hangs, nor made.
        if self.cx.is_wedged() && error.advice() != Advice::GiveUp {
            self.log(Level::Warn, &format!("{}: waiting for it", describe_failure(error)));
            return self.cx.wait_out_hang().await;
        }
        match error.advice() {
            Advice::GiveUp => return Err(self.give_up(error)),
            Advice::CheckThenRetryOnce if self.has_checked => return Err(self.give_up(error)),
            Advice::CheckThenRetryOnce => {
                self.has_checked = true;
                self.log(Level::Warn, &format!("{}: trying once more", describe_failure(error)));
            }
            // This very failure, or another deployment's, opened the breaker: the platform is
            // down, and no attempt is burnt while it is.
            Advice::Retry { .. } if let Some(pause) = self.cx.breaker_pause() => {
                self.log(Level::Warn, &format!("{}: waiting for it", describe_failure(error)));
                return self.wait_for_breaker(pause).await;
            }
            Advice::Retry { after } => {
                let Some(pause) = self.pauses.next() else { return Err(self.give_up(error)) };
                self.log(Level::Warn, &format!("{}: trying again", describe_failure(error)));
                self.resume().await?;
                self.cx.wait(pause.max(after.unwrap_or_default())).await?;
            }
            Advice::Wait(pause) => {
                return self.wait_for_breaker(pause).await;
            }
            Advice::WaitForUs(fault) => {
                return self.wait_for_us(local_fault::classify(fault), error).await;
            }
            Advice::RetryUntilDeadline => return self.retry_until_deadline(error).await,
        }
        self.attempt += 1;
        Ok(())
    }

    /// Waits before a call is made once more that nothing but the deadline ends.
    async fn retry_until_deadline(&mut self, error: &PlatformError) -> Result<(), StepError> {
        if self.deadline_retries == 0 {
            self.log(Level::Warn, &format!("{}: waiting for it", describe_failure(error)));
        }
        let is_refused = matches!(error, PlatformError::KeyRefused { .. });
        let message =
            if is_refused { MessageCode::WaitingForKey } else { MessageCode::WaitingForPlatform };
        self.show(message).await?;
        let pause =
            FIRST_PAUSE.saturating_mul(1 << self.deadline_retries.min(5)).min(LONGEST_PAUSE);
        self.deadline_retries += 1;
        match self.cx.wait(pause).await {
            // What it waited for says more than that it took too long.
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

    /// Waits for what the portal itself lacks. That is nobody else's fault: no attempt is burnt,
    /// and the step has as much time afterwards as before.
    async fn wait_for_us(
        &mut self,
        fault: LocalFault,
        error: &PlatformError,
    ) -> Result<(), StepError> {
        let message = MessageCode::WaitingForPortal { fault };
        if self.cx.journal.message().as_ref() != Some(&message) {
            self.log(Level::Warn, &format!("{}: waiting for it", describe_failure(error)));
        }
        self.show(message).await?;
        let pause = FIRST_PAUSE.saturating_mul(1 << self.waited_for_us.min(3));
        self.waited_for_us += 1;
        self.cx.wait(pause).await
    }

    /// Shows what the call waits for; that the platform hangs explains everything.
    async fn show(&self, message: MessageCode) -> Result<(), StepError> {
        let message = if self.cx.is_wedged() { MessageCode::WaitingForHang } else { message };
        Ok(self.cx.journal.set_message(message).await?)
    }

    /// Goes back to the phase's own sentence.
    async fn resume(&self) -> Result<(), StepError> {
        self.cx.journal.clear_message(is_wait).await?;
        Ok(self.cx.unsay_lacks().await?)
    }

    fn give_up(&self, error: &PlatformError) -> StepError {
        self.log(Level::Error, describe_failure(error));
        StepError::of_platform(self.cx.journal.phase(), error)
    }

    fn log(&self, level: Level, message: &str) {
        self.cx.log(level, self.action, message, self.took_ms, Some(self.attempt));
    }
}

/// Returns whether the message says that a call waits.
fn is_wait(code: &MessageCode) -> bool {
    matches!(
        code,
        MessageCode::WaitingForPlatform
            | MessageCode::WaitingForKey
            | MessageCode::WaitingForTurn
            | MessageCode::WaitingForHang
    )
}

/// Pauses of 1, 2, 4, 8 and 16 s, each up to twice as long by the chance that `seed` decides.
fn schedule(seed: u64) -> ExponentialBackoff {
    ExponentialBuilder::default()
        .with_min_delay(FIRST_PAUSE)
        .with_factor(2.0)
        .with_max_delay(FIRST_PAUSE * 16)
        .with_max_times(RETRIES)
        .with_jitter()
        .with_jitter_seed(seed)
        .build()
}

#[cfg(test)]
mod tests {
    use crate::server::saga::retry::*;

    #[test]
    fn the_pauses_double_from_one_to_sixteen_seconds_and_then_end() {
        let pauses: Vec<u64> = schedule(7).map(|pause| pause.as_secs()).collect();
        assert_eq!(pauses.len(), RETRIES);
        for (pause, expected) in pauses.into_iter().zip([1, 2, 4, 8, 16]) {
            assert!((expected..=expected + expected).contains(&pause), "{pause} for {expected}");
        }
    }
}
