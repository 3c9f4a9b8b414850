//! Single flight: callers that wait for the same list share one call.
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

use crate::server::platform::PlatformError;
use clock::Clock;

/// The time after its beginning for which a call may still serve somebody who has not seen its
/// answer.
const MAX_AGE: Duration = Duration::from_millis(250);
/// The time after its beginning for which a call is joined: one that hangs keeps nobody else.
const MAX_JOIN_AGE: Duration = Duration::from_secs(2);

/// The position up to which results are known, or too old to be used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ReadCursor(u64);

/// The shared result of the last call.
pub(crate) struct SingleFlight<T>(Mutex<State<T>>);

/// An answer; none where the call panicked.
type CallResult<T> = Option<Result<Arc<T>, PlatformError>>;
type Call<T> = BoxFuture<'static, CallResult<T>>;

struct State<T> {
    begun: ReadCursor,
    /// The call under way. Whoever waits for it keeps it going, so one who is gone stops nobody.
    call: Option<(ReadCursor, Duration, WeakShared<Call<T>>)>,
    last: Option<(ReadCursor, Duration, Arc<T>)>,
}

impl<T: Send + Sync + 'static> SingleFlight<T> {
    /// Returns up to which call they have begun.
    pub(crate) fn cursor(&self) -> ReadCursor {
        self.state().begun
    }

    /// Returns what a call that began after `cursor` answered, and which one that was: one of just
    /// now, the one under way, or one of its own.
    ///
    /// # Errors
    ///
    /// Returns how the call failed, to all who waited for it; nobody else hears of that.
    pub(crate) async fn read_after<F>(
        &self,
        cursor: ReadCursor,
        clock: &dyn Clock,
        ask: impl Fn() -> F,
    ) -> Result<(Arc<T>, ReadCursor), PlatformError>
    where
        F: Future<Output = Result<T, PlatformError>> + Send + 'static,
    {
        loop {
            let now = clock.monotonic();
            if let Some(found) = self.cached(cursor, now) {
                return Ok(found);
            }
            let (number, began, call) = self.join(now, &ask);
            let answer = call.await;
            self.store(number, began, answer.as_ref());
            if number <= cursor {
                continue;
            }
            return match answer {
                Some(answer) => Ok((answer?, number)),
                // Whoever panics does so alone.
                None => Ok((Arc::new(ask().await?), number)),
            };
        }
    }

    fn cached(&self, cursor: ReadCursor, now: Duration) -> Option<(Arc<T>, ReadCursor)> {
        let state = self.state();
        let (number, began, answer) = state.last.as_ref()?;
        let serves = *number > cursor && now.saturating_sub(*began) <= MAX_AGE;
        serves.then(|| (Arc::clone(answer), *number))
    }

    /// Joins the call under way, or begins one.
    fn join<F>(&self, now: Duration, ask: impl Fn() -> F) -> (ReadCursor, Duration, Shared<Call<T>>)
    where
        F: Future<Output = Result<T, PlatformError>> + Send + 'static,
    {
        let mut state = self.state();
        let under_way = state.call.as_ref();
        if let Some((number, began, call)) = under_way
            && now.saturating_sub(*began) <= MAX_JOIN_AGE
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
    fn store(
        &self,
        number: ReadCursor,
        began: Duration,
        answer: Option<&Result<Arc<T>, PlatformError>>,
    ) {
        let mut state = self.state();
        state.call.take_if(|(under_way, ..)| *under_way == number);
        if let Some(Ok(answer)) = answer
            && state.last.as_ref().is_none_or(|(last, ..)| *last < number)
        {
            state.last = Some((number, began, Arc::clone(answer)));
        }
    }
}

impl<T> SingleFlight<T> {
    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Default for SingleFlight<T> {
    fn default() -> Self {
        Self(Mutex::new(State { begun: ReadCursor::default(), call: None, last: None }))
    }
}

impl<T> fmt::Debug for SingleFlight<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Latest").field("begun", &self.state().begun).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
