//! Latest: one list for all who wait for it, read by one call at a time.
//!
//! Whoever changed something may only believe a call that began afterwards: an older list without
//! the job that was just put into the queue would look as if the job were lost.

use std::{
    fmt,
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures::{
    FutureExt,
    future::{BoxFuture, Shared, WeakShared},
};

use crate::server::ports::{clock::Clock, platform::PlatformError};

/// How long after its beginning a call may still serve somebody who has not seen its answer.
const AGE: Duration = Duration::from_millis(250);
/// How long after its beginning a call is joined: one that hangs keeps nobody else.
const JOINED: Duration = Duration::from_secs(2);

/// Up to which call the answers are known, or too old to be believed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::server::orchestrator) struct Seen(u64);

/// What the last call answered.
pub(super) struct Latest<T>(Mutex<State<T>>);

/// An answer; none where the call panicked.
type Answer<T> = Option<Result<Arc<T>, PlatformError>>;
type Call<T> = BoxFuture<'static, Answer<T>>;

struct State<T> {
    begun: Seen,
    /// The call under way. Whoever waits for it keeps it going, so one who is gone stops nobody.
    call: Option<(Seen, Duration, WeakShared<Call<T>>)>,
    last: Option<(Seen, Duration, Arc<T>)>,
}

impl<T: Send + Sync + 'static> Latest<T> {
    /// Returns up to which call they have begun.
    pub(super) fn so_far(&self) -> Seen {
        self.state().begun
    }

    /// Returns what a call that began after `seen` answered, and which one that was: one of just
    /// now, the one under way, or one of its own.
    ///
    /// # Errors
    ///
    /// Returns how the call failed, to all who waited for it; nobody else hears of that.
    pub(super) async fn after<F>(
        &self,
        seen: Seen,
        clock: &dyn Clock,
        ask: impl Fn() -> F,
    ) -> Result<(Arc<T>, Seen), PlatformError>
    where
        F: Future<Output = Result<T, PlatformError>> + Send + 'static,
    {
        loop {
            let now = clock.monotonic();
            if let Some(found) = self.of_just_now(seen, now) {
                return Ok(found);
            }
            let (number, began, call) = self.join(now, &ask);
            let answer = call.await;
            self.keep(number, began, answer.as_ref());
            if number <= seen {
                continue;
            }
            return match answer {
                Some(answer) => Ok((answer?, number)),
                // Whoever panics does so alone.
                None => Ok((Arc::new(ask().await?), number)),
            };
        }
    }

    fn of_just_now(&self, seen: Seen, now: Duration) -> Option<(Arc<T>, Seen)> {
        let state = self.state();
        let (number, began, answer) = state.last.as_ref()?;
        let serves = *number > seen && now.saturating_sub(*began) <= AGE;
        serves.then(|| (Arc::clone(answer), *number))
    }

    /// Joins the call under way, or begins one.
    fn join<F>(&self, now: Duration, ask: impl Fn() -> F) -> (Seen, Duration, Shared<Call<T>>)
    where
        F: Future<Output = Result<T, PlatformError>> + Send + 'static,
    {
        let mut state = self.state();
        let under_way = state.call.as_ref();
        if let Some((number, began, call)) = under_way
            && now.saturating_sub(*began) <= JOINED
            && let Some(call) = call.upgrade()
        {
            return (*number, *began, call);
        }
        state.begun.0 += 1;
        let (number, call) = (state.begun, ask().map(|answer| answer.map(Arc::new)));
        let call = AssertUnwindSafe(call).catch_unwind().map(Result::ok).boxed().shared();
        state.call = call.downgrade().map(|weak| (number, now, weak));
        (number, now, call)
    }

    /// Keeps the answer of a call that has ended.
    fn keep(&self, number: Seen, began: Duration, answer: Option<&Result<Arc<T>, PlatformError>>) {
        let mut state = self.state();
        state.call.take_if(|(under_way, ..)| *under_way == number);
        if let Some(Ok(answer)) = answer
            && state.last.as_ref().is_none_or(|(last, ..)| *last < number)
        {
            state.last = Some((number, began, Arc::clone(answer)));
        }
    }
}

impl<T> Latest<T> {
    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Default for Latest<T> {
    fn default() -> Self {
        Self(Mutex::new(State { begun: Seen::default(), call: None, last: None }))
    }
}

impl<T> fmt::Debug for Latest<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Latest").field("begun", &self.state().begun).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
