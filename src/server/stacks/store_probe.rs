//! Probes whether the store takes writes.
//!
//! However often it is asked, and by however many at once, one tiny write at a time is under way,
//! and at most one within two seconds. One that hangs holds up nobody beyond a limit.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::sync::watch;

use crate::server::store::Store;
use clock::Clock;

/// Up to this age an answer serves everybody.
const LIFETIME: Duration = Duration::from_secs(2);
/// The time that somebody waits for an answer, and takes the store for unwell then. The command
/// `healthcheck` waits longer.
const TIMEOUT: Duration = Duration::from_secs(3);

/// The outcome of the last tiny write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct StoreStatus {
    /// True if it was taken, in time.
    pub(super) ok: bool,
    /// The time since the last one ended, if any has.
    pub(super) age: Option<Duration>,
}

/// Tries whether the store takes writes.
pub(super) struct StoreProbe {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The outcome of the last one, and when.
    last: Option<(bool, Duration)>,
    /// Closes when the one under way has ended.
    under_way: Option<watch::Receiver<()>>,
}

impl StoreProbe {
    pub(super) fn new(store: Arc<dyn Store>, clock: Arc<dyn Clock>) -> Self {
        Self { store, clock, state: Mutex::default() }
    }

    /// Returns what became of a tiny write within the last two seconds, trying one when there
    /// was none.
    pub(super) async fn current(self: &Arc<Self>) -> StoreStatus {
        let mut ended = {
            let mut state = self.state();
            if let Some((ok, at)) = state.last
                && self.age(at) < LIFETIME
            {
                return StoreStatus { ok, age: Some(self.age(at)) };
            }
            // One that has ended without a word has panicked.
            match &state.under_way {
                Some(ended) if ended.has_changed().is_ok() => ended.clone(),
                Some(_) | None => state.under_way.insert(self.try_write()).clone(),
            }
        };
        let in_time = tokio::select! {
            _ = ended.changed() => true,
            () = self.clock.sleep(TIMEOUT) => false,
        };
        let last = self.state().last;
        StoreStatus {
            ok: in_time && last.is_some_and(|(ok, at)| ok && self.age(at) < LIFETIME + TIMEOUT),
            age: last.map(|(_, at)| self.age(at)),
        }
    }

    /// Tries a write of its own, which goes on when nobody waits for it any more.
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
            let mut state = own.state();
            *state = State { last: Some((result.is_ok(), at)), under_way: None };
            drop((state, ending));
        });
        ended
    }

    fn age(&self, at: Duration) -> Duration {
        self.clock.monotonic().saturating_sub(at)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
