//! The other versions of their templates that stacks could have.

use std::collections::HashMap;

use hashlink::LruCache;
use parking_lot::Mutex;

use super::Service;
use crate::server::auth::access::Caller;
use crate::wire::{ApiError, StackView};
use domain::stack_id::RevisionId;

/// The number of revisions whose versions are remembered.
const REMEMBERED: usize = 4_096;

/// The versions of the templates of revisions. A revision never changes, so each is read once.
pub(super) struct Versions(Mutex<LruCache<RevisionId, Option<String>>>);

impl Default for Versions {
    fn default() -> Self {
        Self(Mutex::new(LruCache::new(REMEMBERED)))
    }
}

impl Service {
    /// Says of the live stacks that a caller may view, each with its revision, which other version of
    /// its template they are offered.
    pub(super) async fn with_updates(
        &self,
        caller: &Caller,
        shown: Vec<(RevisionId, StackView)>,
    ) -> Result<Vec<StackView>, ApiError> {
        let audience = self.audience(caller).await?;
        let is_wanted = |view: &StackView| view.id.is_some() && view.state.is_some();
        let wanted = shown.iter().filter(|(_, view)| is_wanted(view));
        let versions = self.versions_of(wanted.map(|(revision, _)| *revision).collect()).await;
        let with_update = |(revision, mut view): (RevisionId, StackView)| {
            let offered = || {
                let entry = self.parts.offers.find(&audience, &view.template)?;
                Some(entry.template.version.clone())
            };
            let own = versions.get(&revision);
            view.update_available = own.and_then(|own| offered().filter(|offered| offered != own));
            view
        };
        Ok(shown.into_iter().map(with_update).collect())
    }

    /// Returns the versions of the templates of these revisions, as far as they are known. Lists of
    /// stacks are shown without them if the store fails.
    pub(super) async fn versions_of(
        &self,
        revisions: Vec<RevisionId>,
    ) -> HashMap<RevisionId, String> {
        let mut found = HashMap::new();
        let mut missing = Vec::new();
        {
            let mut remembered = self.versions.0.lock();
            for revision in revisions {
                match remembered.get(&revision) {
                    Some(version) => found.extend(version.clone().map(|it| (revision, it))),
                    None => missing.push(revision.stack),
                }
            }
        }
        if missing.is_empty() {
            return found;
        }
        // All at once: a page takes as many statements for many stacks as for one.
        let specs = self.parts.store.present_specs(&missing).await.unwrap_or_default();
        let mut remembered = self.versions.0.lock();
        for (revision, spec) in specs {
            let version = spec.template.map(|template| template.version);
            remembered.insert(revision, version.clone());
            found.extend(version.map(|it| (revision, it)));
        }
        found
    }
}
