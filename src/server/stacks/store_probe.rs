//! Probes whether the store accepts writes.
//!
//! However many callers there are, one small write runs at a time, and at most one every two
//! seconds. If a write hangs, callers wait up to a limit.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use tokio::sync::watch;

use crate::server::store::Store;
use clock::Clock;

/// The age up to which a result is reused.
const LIFETIME: Duration = Duration::from_secs(2);
/// The time for which a caller waits; then the store counts as unavailable. It is shorter than the
/// time limit of the command `healthcheck`.
const TIMEOUT: Duration = Duration::from_secs(3);

/// The outcome of the last write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct StoreStatus {
    /// True if the store accepted it in time.
    pub(super) ok: bool,
    /// The time since the last write ended, if there was one.
    pub(super) age: Option<Duration>,
}

/// Tests whether the store accepts writes.
pub(super) struct StoreProbe {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The outcome of the last write, and its time on the monotonic clock.
    last: Option<(bool, Duration)>,
    /// Closes when the write in progress has ended.
    under_way: Option<watch::Receiver<()>>,
}

impl StoreProbe {
    pub(super) fn new(store: Arc<dyn Store>, clock: Arc<dyn Clock>) -> Self {
        Self { store, clock, state: Mutex::default() }
    }

    /// Returns the outcome of a write within the last two seconds, and makes one if there was none.
    pub(super) async fn current(self: &Arc<Self>) -> StoreStatus {
        let mut ended = {
            let mut state = self.state.lock();
            if let Some((ok, at)) = state.last
                && self.age(at) < LIFETIME
            {
                return StoreStatus { ok, age: Some(self.age(at)) };
            }
            // A closed channel without an outcome means that the task panicked.
            match &state.under_way {
                Some(ended) if ended.has_changed().is_ok() => ended.clone(),
                Some(_) | None => state.under_way.insert(self.try_write()).clone(),
            }
        };
        let in_time = tokio::select! {
            _ = ended.changed() => true,
            () = self.clock.sleep(TIMEOUT) => false,
        };
        let last = self.state.lock().last;
        StoreStatus {
            ok: in_time && last.is_some_and(|(ok, at)| ok && self.age(at) < LIFETIME + TIMEOUT),
            age: last.map(|(_, at)| self.age(at)),
        }
    }

    /// Starts a write in a task of its own, which continues even if nobody waits for it.
    fn try_write(self: &Arc<Self>) -> watch::Receiver<()> {
        let (ending, ended) = watch::channel(());
        let own = Arc::clone(self);
        tokio::spawn(async move {
            let result = own.store.check().await;
            if let Err(error) = &result {
                let source = std::error::Error::source(error).map(ToString::to_string);
                tracing::warn!(%error, source, "The database does not accept writes");
            }
            let at = own.clock.monotonic();
            let mut state = own.state.lock();
            *state = State { last: Some((result.is_ok(), at)), under_way: None };
            drop((state, ending));
        });
        ended
    }

    fn age(&self, at: Duration) -> Duration {
        self.clock.monotonic().saturating_sub(at)
    }
}
