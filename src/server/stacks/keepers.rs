//! Who has kept data. The home page asks for everybody, so it is read for all at once, now and then.

use std::sync::Arc;
use std::time::Duration;

use super::Service;
use crate::server::auth::access::Caller;
use crate::server::store::KeptFilter;

/// The age up to which it is used again.
pub(super) const LIFETIME: Duration = Duration::from_secs(10);
/// The time limit for reading it.
const TIMEOUT: Duration = Duration::from_secs(2);

impl Service {
    /// Returns whether data of the caller's removed stacks is kept, as it was up to ten seconds ago.
    /// It costs no query for each caller.
    pub(crate) async fn has_kept_data(&self, caller: &Caller) -> bool {
        let Some(owner) = caller.identity.owner() else { return false };
        let (store, clock) = (&self.parts.store, &*self.parts.clock);
        let read = async {
            let kept = tokio::select! {
                kept = store.kept_data(&KeptFilter::All) => kept.ok(),
                () = clock.sleep(TIMEOUT) => None,
            };
            let last = || self.keepers.last().unwrap_or_default();
            let owners = |kept: Vec<_>| {
                Arc::new(kept.into_iter().filter_map(super::operations::keeper).collect())
            };
            kept.map_or_else(last, owners)
        };
        self.keepers.get(clock, read).await.contains(owner)
    }
}
