//! The board: the phases of all deployments, as reported by their watchers.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::event::EventBody;
use domain::kind::DEPLOY;
use domain::phase::Phase;

/// The state that the watchers, the starter and the killing test share.
#[derive(Debug, Default)]
pub(crate) struct Board {
    known: Mutex<Known>,
    changed: Condvar,
}

#[derive(Debug, Default)]
pub(crate) struct Known {
    /// The deployments that have not ended, with their phases.
    under_way: BTreeMap<String, UnderWay>,
    /// The number of watchers that have not seen the end yet.
    watchers: usize,
    /// The names of rolled-back deployments, which are free again.
    free: Vec<String>,
    /// The first violation that a watcher saw.
    wrong: Option<String>,
    given_up: bool,
}

#[derive(Debug)]
struct UnderWay {
    name: String,
    phase: Phase,
}

impl Known {
    pub(crate) fn count(&self) -> usize {
        self.under_way.len()
    }

    /// Returns whether every deployment has ended and every watcher has seen the end.
    pub(crate) fn is_over(&self) -> bool {
        self.under_way.is_empty() && self.watchers == 0
    }

    pub(crate) fn phases(&self) -> BTreeSet<Phase> {
        self.under_way.values().map(|one| one.phase).collect()
    }
}

impl Board {
    /// Records that a deployment was accepted.
    pub(crate) fn started(&self, id: &str, name: &str) {
        let one = UnderWay { name: name.to_owned(), phase: Phase::INITIALIZING };
        self.change(|known| drop(known.under_way.insert(id.to_owned(), one)));
    }

    /// Records an event that a watcher of `id` saw for the first time.
    pub(crate) fn saw(&self, id: &str, body: &EventBody) {
        self.change(|known| match body {
            EventBody::Progress(update) => {
                // Each watcher begins with the first event, so its events may be old.
                if let Some(one) = known.under_way.get_mut(id)
                    && DEPLOY.may_become(one.phase, update.phase)
                {
                    one.phase = update.phase;
                }
            }
            EventBody::Log(_) => {}
            EventBody::Complete(_) | EventBody::Removed(_) => drop(known.under_way.remove(id)),
            EventBody::Error(failure) => {
                let ended = known.under_way.remove(id).filter(|_| failure.receipt.clean);
                known.free.extend(ended.map(|one| one.name));
            }
        });
    }

    /// Records that a watcher begins.
    pub(crate) fn came(&self) {
        self.change(|known| known.watchers += 1);
    }

    /// Records that a watcher has seen the end, or a violation.
    pub(crate) fn went(&self) {
        self.change(|known| known.watchers -= 1);
    }

    /// Takes a name that is free again.
    pub(crate) fn take_free(&self) -> Option<String> {
        let mut known = self.known();
        (!known.free.is_empty()).then(|| known.free.remove(0))
    }

    /// Records a violation.
    pub(crate) fn object(&self, wrong: String) {
        self.change(|known| known.wrong = known.wrong.take().or(Some(wrong)));
    }

    /// Tells all watchers to stop.
    pub(crate) fn give_up(&self) {
        self.change(|known| known.given_up = true);
    }

    pub(crate) fn is_given_up(&self) -> bool {
        self.known().given_up
    }

    pub(crate) fn phases(&self) -> BTreeSet<Phase> {
        self.known().phases()
    }

    /// Waits up to `limit` until `wanted` is true, and returns whether it is.
    ///
    /// # Panics
    ///
    /// Panics if a violation was recorded.
    pub(crate) fn wait(&self, limit: Duration, wanted: impl Fn(&Known) -> bool) -> bool {
        let redirect_or_refuse =
            |known: &mut Known| !known.given_up && known.wrong.is_none() && !wanted(known);
        let waited = self.changed.wait_timeout_while(self.known(), limit, redirect_or_refuse);
        let (known, _) = waited.unwrap_or_else(PoisonError::into_inner);
        let (wrong, is_so) = (known.wrong.clone(), wanted(&known));
        drop(known);
        if let Some(wrong) = wrong {
            panic!("{wrong}");
        }
        is_so
    }

    fn change(&self, change: impl FnOnce(&mut Known)) {
        change(&mut self.known());
        self.changed.notify_all();
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
