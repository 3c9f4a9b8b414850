//! A store around another that can crash at any write, and lets a person cancel there.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use ai_stack_deployer::server::{
    audit::AuditEntry,
    auth::access::OwnerId,
    platform::AppName,
    store::{
        CancelOutcome, CancelRequest, CleanupRecord, Fact, IdempotencyKey, Lane, Lease,
        NewDeployment, NewRemoval, OperationFilter, Record, Recorded, RemovalOutcome, SealedSpec,
        Stack, StepId, Steps, Store, StoreError, StoredEvent, StoredResponse, Turn, TurnHolder,
        Usage,
    },
};
use async_trait::async_trait;
use clock::Clock;
use domain::{deployment::DeploymentId, event::Seq, stack_name::StackName};
use jiff::Timestamp;

/// A store whose writes can be struck.
pub(crate) struct FaultyStore {
    inner: Arc<dyn Store>,
    plan: Mutex<Plan>,
    /// The time that a write takes, half of it before the store has it.
    pace: Option<Arc<dyn Clock>>,
    is_down: AtomicBool,
    is_full: AtomicBool,
}

#[derive(Default)]
struct Plan {
    /// The number of facts that have been recorded.
    writes: u32,
    /// At which writes a crash strikes.
    crashes: Vec<(u32, Crash)>,
    /// Whatever is recorded of this step panics.
    panics_at: Option<StepId>,
    /// Before or after which write somebody asks to cancel.
    cancel: Option<(u32, Crash)>,
}

/// When a crash strikes at a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Crash {
    /// The write is lost.
    Before,
    /// The write is kept, and nobody hears of it.
    After,
}

impl FaultyStore {
    /// Wraps a store.
    pub(crate) fn new(inner: Arc<dyn Store>) -> Self {
        Self {
            inner,
            plan: Mutex::default(),
            pace: None,
            is_down: AtomicBool::default(),
            is_full: AtomicBool::default(),
        }
    }

    /// Wraps a store whose writes take time on `clock`, so that a crash can strike in between.
    pub(crate) fn slow(inner: Arc<dyn Store>, clock: Arc<dyn Clock>) -> Self {
        Self { pace: Some(clock), ..Self::new(inner) }
    }

    /// Takes the store out of the reach of those who come this way, or brings it back.
    pub(crate) fn set_down(&self, is_down: bool) {
        self.is_down.store(is_down, Ordering::SeqCst);
    }

    /// Fills the disk of the store: it is read, and whatever changes something fails. Or gives the
    /// space back.
    pub(crate) fn set_full(&self, is_full: bool) {
        self.is_full.store(is_full, Ordering::SeqCst);
    }

    /// Returns the store, if it can be written to.
    fn writable(&self) -> Result<&dyn Store, StoreError> {
        if self.is_full.load(Ordering::SeqCst) {
            return Err(StoreError::Unavailable("database or disk is full".into()));
        }
        self.up()
    }

    /// Returns the store, if it is in reach.
    fn up(&self) -> Result<&dyn Store, StoreError> {
        if self.is_down.load(Ordering::SeqCst) {
            return Err(StoreError::Unavailable("cut off".into()));
        }
        Ok(&*self.inner)
    }

    async fn pace(&self) {
        if let Some(clock) = &self.pace {
            clock.sleep(Duration::from_millis(1)).await;
        }
    }

    /// Crashes at the `write`-th fact from the beginning, once. Several crashes add up.
    pub(crate) fn crash_at(&self, write: u32, crash: Crash) {
        self.plan().crashes.push((write, crash));
    }

    /// Lets somebody cancel just before or after the `write`-th fact from the beginning.
    pub(crate) fn cancel_at(&self, write: u32, when: Crash) {
        self.plan().cancel = Some((write, when));
    }

    /// Lets whatever is recorded of `step` panic from now on.
    pub(crate) fn panic_at(&self, step: StepId) {
        self.plan().panics_at = Some(step);
    }

    /// Returns how many of the planned crashes have struck.
    pub(crate) fn crashes(&self) -> usize {
        let plan = self.plan();
        plan.crashes.iter().filter(|(at, _)| *at <= plan.writes).count()
    }

    /// Returns how many facts have been recorded.
    pub(crate) fn writes(&self) -> u32 {
        self.plan().writes
    }

    fn plan(&self) -> MutexGuard<'_, Plan> {
        self.plan.lock().unwrap()
    }

    /// Makes one write, with what is planned for it.
    async fn write<T>(
        &self,
        id: &DeploymentId,
        write: impl Future<Output = Result<T, StoreError>> + Send,
    ) -> Result<T, StoreError> {
        let (strike, cancel) = {
            let mut plan = self.plan();
            plan.writes += 1;
            let now = plan.writes;
            let strike = plan.crashes.iter().find(|(at, _)| *at == now).map(|(_, crash)| *crash);
            (strike, plan.cancel.filter(|(at, _)| *at == now).map(|(_, when)| when))
        };
        if cancel == Some(Crash::Before) {
            self.inner.cancel(id, Timestamp::UNIX_EPOCH, None).await?;
        }
        if strike == Some(Crash::Before) {
            return Err(crashed());
        }
        self.pace().await;
        self.writable()?;
        let result = write.await;
        self.pace().await;
        if cancel == Some(Crash::After) {
            self.inner.cancel(id, Timestamp::UNIX_EPOCH, None).await?;
        }
        if strike == Some(Crash::After) { Err(crashed()) } else { result }
    }
}

fn crashed() -> StoreError {
    StoreError::Unavailable("crashed".into())
}

#[async_trait]
impl Store for FaultyStore {
    fn kind(&self) -> &'static str {
        self.inner.kind()
    }

    async fn check(&self) -> Result<(), StoreError> {
        self.up()?.check().await
    }

    async fn begin(
        &self,
        new: &NewDeployment,
        response: Option<&StoredResponse>,
    ) -> Result<(), StoreError> {
        self.up()?.begin(new, response).await
    }

    async fn begin_removal(
        &self,
        name: &StackName,
        new: &NewRemoval,
    ) -> Result<RemovalOutcome, StoreError> {
        self.up()?.begin_removal(name, new).await
    }

    async fn store_response(&self, response: &StoredResponse) -> Result<(), StoreError> {
        self.up()?.store_response(response).await
    }

    async fn stored_response(
        &self,
        key: &IdempotencyKey,
        now: Timestamp,
    ) -> Result<Option<StoredResponse>, StoreError> {
        self.up()?.stored_response(key, now).await
    }

    async fn find(&self, id: &DeploymentId) -> Result<Option<Record>, StoreError> {
        self.up()?.find(id).await
    }

    async fn events(
        &self,
        id: &DeploymentId,
        after: Seq,
        limit: u32,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        self.up()?.events(id, after, limit).await
    }

    async fn last_events(
        &self,
        ids: &[&DeploymentId],
    ) -> Result<Vec<(DeploymentId, StoredEvent)>, StoreError> {
        self.up()?.last_events(ids).await
    }

    async fn usages(
        &self,
        counted_as: &[&str],
        hour_ago: Timestamp,
    ) -> Result<Vec<Usage>, StoreError> {
        self.up()?.usages(counted_as, hour_ago).await
    }

    async fn usage(&self, counted_as: &str, hour_ago: Timestamp) -> Result<Usage, StoreError> {
        self.up()?.usage(counted_as, hour_ago).await
    }

    async fn freed(
        &self,
        name: &StackName,
        since: Timestamp,
    ) -> Result<Option<(Option<OwnerId>, Timestamp)>, StoreError> {
        self.up()?.freed(name, since).await
    }

    async fn operations(&self, filter: &OperationFilter) -> Result<Vec<Record>, StoreError> {
        self.up()?.operations(filter).await
    }

    async fn reserved(&self, names: &[StackName]) -> Result<Vec<StackName>, StoreError> {
        self.up()?.reserved(names).await
    }

    async fn stacks(&self, name: Option<&StackName>) -> Result<Vec<Stack>, StoreError> {
        self.up()?.stacks(name).await
    }

    async fn durations(&self, limit: u32) -> Result<Vec<Duration>, StoreError> {
        self.up()?.durations(limit).await
    }

    async fn stuck_count(&self) -> Result<u64, StoreError> {
        self.up()?.stuck_count().await
    }

    async fn stuck(&self) -> Result<Vec<Record>, StoreError> {
        self.up()?.stuck().await
    }

    async fn services(&self) -> Result<Vec<(AppName, DeploymentId)>, StoreError> {
        self.up()?.services().await
    }

    async fn cancel(
        &self,
        id: &DeploymentId,
        now: Timestamp,
        audit_entry: Option<&AuditEntry>,
    ) -> Result<CancelOutcome, StoreError> {
        self.up()?.cancel(id, now, audit_entry).await
    }

    async fn make_due_now(
        &self,
        id: &DeploymentId,
        audit_entry: Option<&AuditEntry>,
    ) -> Result<bool, StoreError> {
        self.up()?.make_due_now(id, audit_entry).await
    }

    async fn purge(&self, before: Timestamp) -> Result<u64, StoreError> {
        self.up()?.purge(before).await
    }

    async fn claim(
        &self,
        lane: Lane,
        max: usize,
        owner: &str,
        now: Timestamp,
        ttl: Duration,
    ) -> Result<Vec<Lease>, StoreError> {
        let claimed = self.up()?.claim(lane, max, owner, now, ttl).await?;
        // A statement that changes no row succeeds on a full disk.
        if let (false, Err(full)) = (claimed.is_empty(), self.writable()) {
            for lease in &claimed {
                self.inner.release(lease).await?;
            }
            return Err(full);
        }
        Ok(claimed)
    }

    async fn claim_ended(
        &self,
        id: &DeploymentId,
        owner: &str,
        now: Timestamp,
        ttl: Duration,
    ) -> Result<Option<Lease>, StoreError> {
        self.up()?.claim_ended(id, owner, now, ttl).await
    }

    async fn renew(&self, lease: &Lease, until: Timestamp) -> Result<CancelRequest, StoreError> {
        self.writable()?.renew(lease, until).await
    }

    async fn renew_all(
        &self,
        leases: &[Lease],
        until: Timestamp,
    ) -> Result<Vec<(DeploymentId, CancelRequest)>, StoreError> {
        self.writable()?.renew_all(leases, until).await
    }

    async fn release(&self, lease: &Lease) -> Result<(), StoreError> {
        self.writable()?.release(lease).await
    }

    async fn suspend(&self, lease: &Lease, until: Timestamp) -> Result<(), StoreError> {
        self.writable()?.suspend(lease, until).await
    }

    async fn take_turn(&self, turn: &Turn) -> Result<TurnHolder, StoreError> {
        self.writable()?.take_turn(turn).await
    }

    async fn spec(&self, id: &DeploymentId) -> Result<Option<SealedSpec>, StoreError> {
        self.up()?.spec(id).await
    }

    async fn store_spec(&self, lease: &Lease, spec: &SealedSpec) -> Result<(), StoreError> {
        self.write(&lease.id, self.inner.store_spec(lease, spec)).await
    }

    async fn journal(&self, id: &DeploymentId) -> Result<Steps, StoreError> {
        self.up()?.journal(id).await
    }

    async fn platform_logs(
        &self,
        ids: &[DeploymentId],
    ) -> Result<HashMap<DeploymentId, String>, StoreError> {
        self.up()?.platform_logs(ids).await
    }

    async fn record(&self, lease: &Lease, fact: &Fact) -> Result<Recorded, StoreError> {
        let panics_at = self.plan().panics_at;
        let is_told = panics_at.is_some() && fact.step.as_ref().map(|(id, _)| *id) == panics_at;
        assert!(!is_told, "{panics_at:?} panics, as told");
        self.write(&lease.id, self.inner.record(lease, fact)).await
    }

    async fn record_cleanup(
        &self,
        lease: &Lease,
        cleanup: &CleanupRecord,
    ) -> Result<(), StoreError> {
        self.write(&lease.id, self.inner.record_cleanup(lease, cleanup)).await
    }

    async fn rechecked(&self, lease: &Lease, again: Option<Timestamp>) -> Result<(), StoreError> {
        self.write(&lease.id, self.inner.rechecked(lease, again)).await
    }

    async fn close(&self) {
        self.inner.close().await;
    }
}
