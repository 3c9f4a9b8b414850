//! The board: where the deployments are, as their watchers tell it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use domain::{event::EventBody, kind::DEPLOY, phase::Phase};

/// What the watchers, the one who starts deployments and the one who kills share.
#[derive(Debug, Default)]
pub(crate) struct Board {
    known: Mutex<Known>,
    changed: Condvar,
}

#[derive(Debug, Default)]
pub(crate) struct Known {
    /// The deployments that have not ended, and where they are.
    under_way: BTreeMap<String, UnderWay>,
    /// The number of watchers that have not seen an end.
    watchers: usize,
    /// Names that were rolled back, and are nobody's now.
    free: Vec<String>,
    /// What must never be, and was seen all the same.
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

    /// Returns whether every deployment has ended, and every watcher knows.
    pub(crate) fn is_over(&self) -> bool {
        self.under_way.is_empty() && self.watchers == 0
    }

    pub(crate) fn phases(&self) -> BTreeSet<Phase> {
        self.under_way.values().map(|one| one.phase).collect()
    }
}

impl Board {
    /// Notes that a deployment was accepted.
    pub(crate) fn started(&self, id: &str, name: &str) {
        let one = UnderWay { name: name.to_owned(), phase: Phase::INITIALIZING };
        self.change(|known| drop(known.under_way.insert(id.to_owned(), one)));
    }

    /// Notes what a watcher of `id` has just seen for the first time.
    pub(crate) fn saw(&self, id: &str, body: &EventBody) {
        self.change(|known| match body {
            EventBody::Progress(update) => {
                // Each watcher begins with the first event: what it sees may be long past.
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

    /// Notes that a watcher begins.
    pub(crate) fn came(&self) {
        self.change(|known| known.watchers += 1);
    }

    /// Notes that a watcher has seen the end, or what must never be.
    pub(crate) fn went(&self) {
        self.change(|known| known.watchers -= 1);
    }

    /// Hands out a name that is free again.
    pub(crate) fn take_free(&self) -> Option<String> {
        let mut known = self.known();
        (!known.free.is_empty()).then(|| known.free.remove(0))
    }

    /// Notes what must never be.
    pub(crate) fn object(&self, wrong: String) {
        self.change(|known| known.wrong = known.wrong.take().or(Some(wrong)));
    }

    /// Tells everybody to stop.
    pub(crate) fn give_up(&self) {
        self.change(|known| known.given_up = true);
    }

    pub(crate) fn is_given_up(&self) -> bool {
        self.known().given_up
    }

    pub(crate) fn phases(&self) -> BTreeSet<Phase> {
        self.known().phases()
    }

    /// Waits, but not longer than `limit`, until `wanted` is so, and tells whether it is.
    ///
    /// # Panics
    ///
    /// When something was seen that must never be.
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
