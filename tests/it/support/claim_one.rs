//! Claims single operations, for tests that drive one after the other.

use std::time::Duration;

use ai_stack_deployer::server::store::{Lane, Lease, Result, Store};
use domain::kind::KindName;
use jiff::Timestamp;

/// The clean-up lane, without overdue operations.
pub(crate) const CLEAN_UP: Lane = Lane::CleanUp { overdue: Timestamp::MIN };

/// The kinds that a portal under test knows.
pub(crate) const KINDS: [KindName; 7] = [
    KindName::DEPLOY,
    KindName::REMOVE,
    KindName::STOP,
    KindName::START,
    KindName::RESTART,
    KindName::CHANGE,
    KindName::DELETE_DATA,
];

/// A store that grants one lease at a time.
pub(crate) trait ClaimOne: Store {
    /// Grants `owner` the lease of the oldest operation in `lane` that no worker holds at `now`.
    async fn claim_one(
        &self,
        lane: Lane,
        owner: &str,
        now: Timestamp,
        ttl: Duration,
    ) -> Result<Option<Lease>> {
        let mut leases = self.claim(lane, &KINDS, 1, owner, now, ttl).await?;
        assert!(leases.len() <= 1, "more than asked for: {leases:?}");
        Ok(leases.pop())
    }
}

impl<S: Store + ?Sized> ClaimOne for S {}
