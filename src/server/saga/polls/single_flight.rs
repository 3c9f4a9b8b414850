//! Single flight: callers that wait for the same list share one call.
//!
//! After a change, a caller may only use the result of a call that began later: in an older list, a
//! job that was just enqueued would seem lost. So each caller names the last call that it must not
//! use.

use std::fmt;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use futures::FutureExt;
use futures::future::{BoxFuture, Shared, WeakShared};

use crate::server::platform::PlatformError;
use clock::Clock;

/// The time after the start of a call for which its result still serves callers that have not seen
/// it.
const MAX_AGE: Duration = Duration::from_millis(250);
/// The time after the start of a call for which others join it, so that a call that hangs does not
/// block later callers.
const MAX_JOIN_AGE: Duration = Duration::from_secs(2);

/// The number of a call. A caller that passes it has seen the results of all calls up to it, or
/// must not use them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ReadCursor(u64);

/// The shared result of the last call.
pub(crate) struct SingleFlight<T>(Mutex<State<T>>);

/// The result of a call; `None` if it panicked.
type CallResult<T> = Option<Result<Arc<T>, PlatformError>>;
type Call<T> = BoxFuture<'static, CallResult<T>>;

struct State<T> {
    /// The number of the last call that has begun.
    begun: ReadCursor,
    /// The call in progress, with its number and start. All waiting callers own it together, so a
    /// caller that is dropped does not stop it for the others.
    call: Option<(ReadCursor, Duration, WeakShared<Call<T>>)>,
    /// The result of the last call that succeeded, with its number and start.
    last: Option<(ReadCursor, Duration, Arc<T>)>,
}

impl<T: Send + Sync + 'static> SingleFlight<T> {
    /// Returns the number of the last call that has begun.
    pub(crate) fn cursor(&self) -> ReadCursor {
        self.0.lock().begun
    }

    /// Returns the result of a call that began after `cursor`, with its number: a recent result,
    /// that of the call in progress, or that of a new call.
    ///
    /// # Errors
    ///
    /// Returns the error of the call, to all callers that waited for it. Later callers start a new
    /// one.
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
            // The joined call was too old for this caller.
            if number <= cursor {
                continue;
            }
            return match answer {
                Some(answer) => Ok((answer?, number)),
                // The shared call panicked. A call of its own lets a caller panic alone.
                None => Ok((Arc::new(ask().await?), number)),
            };
        }
    }

    fn cached(&self, cursor: ReadCursor, now: Duration) -> Option<(Arc<T>, ReadCursor)> {
        let state = self.0.lock();
        let (number, began, answer) = state.last.as_ref()?;
        let serves = *number > cursor && now.saturating_sub(*began) <= MAX_AGE;
        serves.then(|| (Arc::clone(answer), *number))
    }

    /// Joins the call under way, or begins one.
    fn join<F>(&self, now: Duration, ask: impl Fn() -> F) -> (ReadCursor, Duration, Shared<Call<T>>)
    where
        F: Future<Output = Result<T, PlatformError>> + Send + 'static,
    {
        let mut state = self.0.lock();
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

    /// Stores the result of a call that has ended.
    fn store(
        &self,
        number: ReadCursor,
        began: Duration,
        answer: Option<&Result<Arc<T>, PlatformError>>,
    ) {
        let mut state = self.0.lock();
        state.call.take_if(|(under_way, ..)| *under_way == number);
        if let Some(Ok(answer)) = answer
            && state.last.as_ref().is_none_or(|(last, ..)| *last < number)
        {
            state.last = Some((number, began, Arc::clone(answer)));
        }
    }
}

impl<T> Default for SingleFlight<T> {
    fn default() -> Self {
        Self(Mutex::new(State { begun: ReadCursor::default(), call: None, last: None }))
    }
}

impl<T> fmt::Debug for SingleFlight<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SingleFlight").field("begun", &self.0.lock().begun).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
