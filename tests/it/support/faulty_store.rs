//! A store that wraps another one, and can crash or cancel at any write.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use ai_stack_deployer::server::audit::AuditEntry;
use ai_stack_deployer::server::metrics::OperationCounts;
use ai_stack_deployer::server::name_index::NameState;
use ai_stack_deployer::server::platform::AppName;
use ai_stack_deployer::server::store::{
    CancelOutcome, CancelRequest, CleanupRecord, DataDeletion, DayLooks, ExpiredStack, Fact,
    Idempotency, IdempotencyKey, Journal, Kept, KeptData, KeptFilter, Lane, LearnedSpec, Lease,
    Leases, LookCounts, Measured, Measurements, NewDeployment, NewOperation, NewRemoval,
    OperationFilter, OperationOutcome, Operations, PresentStack, Record, Recorded, RemovalOutcome,
    Result, Revision, Sample, SealedSpec, SeriesStep, Specs, Stack, StackEvents, StackTurn,
    StackVolumes, Stacks, StepId, Steps, Store, StoreError, StoredEvent, StoredResponse,
    TaskHolder, TaskLease, TaskLeases, Templates, TimeToLive, Usage,
};
use async_trait::async_trait;
use clock::Clock;
use domain::deployment::DeploymentId;
use domain::event::Seq;
use domain::kind::KindName;
use domain::owner::OwnerId;
use domain::stack_event::StackEvent;
use domain::stack_id::{RevisionId, StackId};
use domain::stack_name::StackName;
use domain::stack_spec::{StackSpec, TemplateRef};
use jiff::Timestamp;

/// A store with injected faults.
pub(crate) struct FaultyStore {
    inner: Arc<dyn Store>,
    plan: Mutex<Plan>,
    /// The duration of a write, half of it before the inner store gets it.
    pace: Option<Arc<dyn Clock>>,
    is_down: AtomicBool,
    is_full: AtomicBool,
}

#[derive(Default)]
struct Plan {
    /// The number of facts recorded so far.
    writes: u32,
    /// The writes at which a crash happens.
    crashes: Vec<(u32, Crash)>,
    /// The step whose records panic.
    panics_at: Option<StepId>,
    /// The write before or after which somebody asks to cancel.
    cancel: Option<(u32, Crash)>,
}

/// The moment of a crash at a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Crash {
    /// The write is lost.
    Before,
    /// The write is committed, but its caller does not learn of it.
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

    /// Wraps a store whose writes take time on `clock`, so that a crash can happen during them.
    pub(crate) fn slow(inner: Arc<dyn Store>, clock: Arc<dyn Clock>) -> Self {
        Self { pace: Some(clock), ..Self::new(inner) }
    }

    /// Makes the store unreachable through this wrapper, or reachable again.
    pub(crate) fn set_down(&self, is_down: bool) {
        self.is_down.store(is_down, Ordering::SeqCst);
    }

    /// Fills the disk of the store, so that reads work and changes fail, or frees it again.
    pub(crate) fn set_full(&self, is_full: bool) {
        self.is_full.store(is_full, Ordering::SeqCst);
    }

    /// Returns the store, if it can be written to.
    fn writable(&self) -> Result<&dyn Store> {
        if self.is_full.load(Ordering::SeqCst) {
            return Err(StoreError::Unavailable("database or disk is full".into()));
        }
        self.up()
    }

    /// Returns the store, if it can be reached.
    fn up(&self) -> Result<&dyn Store> {
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

    /// Lets every record of `step` panic from now on.
    pub(crate) fn panic_at(&self, step: StepId) {
        self.plan().panics_at = Some(step);
    }

    /// Returns how many of the planned crashes have happened.
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

    /// Makes one write, with the faults that are planned for it.
    async fn write<T>(
        &self,
        id: &DeploymentId,
        write: impl Future<Output = Result<T>> + Send,
    ) -> Result<T> {
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

    async fn record(&self, lease: &Lease, fact: &Fact) -> Result<Recorded> {
        let panics_at = self.plan().panics_at;
        let is_told = panics_at.is_some() && fact.step.as_ref().map(|(id, _)| *id) == panics_at;
        assert!(!is_told, "{panics_at:?} panics, as told");
        self.write(&lease.id, self.inner.record(lease, fact)).await
    }

    async fn claim(
        &self,
        lane: Lane,
        kinds: &[KindName],
        max: usize,
        owner: &str,
        now: Timestamp,
        ttl: Duration,
    ) -> Result<Vec<Lease>> {
        let claimed = self.up()?.claim(lane, kinds, max, owner, now, ttl).await?;
        // A statement that changes no row succeeds on a full disk.
        if let (false, Err(full)) = (claimed.is_empty(), self.writable()) {
            for lease in &claimed {
                self.inner.release(lease).await?;
            }
            return Err(full);
        }
        Ok(claimed)
    }
}

fn crashed() -> StoreError {
    StoreError::Unavailable("crashed".into())
}

/// Forwards a call: to the inner store if it can be read (`up`) or written (`writable`), as a
/// `write` with the planned fault, or to one of `FaultyStore`'s `own` methods.
macro_rules! carry_on {
    (write $store:ident $method:ident($lease:ident $(, $more:ident)*)) => {
        $store.write(&$lease.id, $store.inner.$method($lease $(, $more)*)).await
    };
    (own $store:ident $method:ident($($name:ident),*)) => {
        FaultyStore::$method($store, $($name),*).await
    };
    ($via:ident $store:ident $method:ident($($name:ident),*)) => {
        $store.$via()?.$method($($name),*).await
    };
}

/// Implements a port by forwarding its methods.
macro_rules! delegate {
    ($($port:ident {
        $($via:ident $method:ident($($name:ident: $of:ty),* $(,)?) -> $answer:ty;)+
    })+) => {$(
        #[async_trait]
        impl $port for FaultyStore {
            $(async fn $method(&self, $($name: $of),*) -> Result<$answer> {
                let store = self;
                carry_on!($via store $method($($name),*))
            })+
        }
    )+};
}

delegate! {
    Stacks {
        up begin(new: &NewDeployment, response: Option<&StoredResponse>) -> ();
        up begin_removal(name: &StackName, new: &NewRemoval) -> RemovalOutcome;
        up begin_operation(name: &StackName, new: &NewOperation) -> OperationOutcome;
        up set_label(stack: StackId, label: Option<&str>, entry: Option<&AuditEntry>) -> ();
        up stacks(name: Option<&StackName>) -> Vec<Stack>;
        up expired_stacks(now: Timestamp) -> Vec<ExpiredStack>;
        up present_stacks(owner: Option<&OwnerId>) -> Vec<PresentStack>;
        up reserved(names: &[StackName]) -> Vec<StackName>;
        up names(freed_since: Option<Timestamp>) -> HashMap<StackName, NameState>;
        up usages(counted_as: &[&str], hour_ago: Timestamp) -> Vec<Usage>;
        up freed(name: &StackName, since: Timestamp) -> Option<(Option<OwnerId>, Timestamp)>;
        up durations(limit: u32) -> Vec<TimeToLive>;
    }
    Operations {
        up find(id: &DeploymentId) -> Option<Record>;
        up operations(filter: &OperationFilter) -> Vec<Record>;
        up stuck() -> Vec<Record>;
        up counts(now: Timestamp) -> OperationCounts;
        up cancel(id: &DeploymentId, now: Timestamp, entry: Option<&AuditEntry>) -> CancelOutcome;
        up make_due_now(id: &DeploymentId, entry: Option<&AuditEntry>) -> bool;
        up purge(before: Timestamp) -> u64;
        up forget_secrets(gone_before: Timestamp) -> u64;
    }
    Journal {
        up events(id: &DeploymentId, after: Seq, limit: u32) -> Vec<StoredEvent>;
        up last_told(ids: &[&DeploymentId]) -> Vec<(DeploymentId, StoredEvent)>;
        up last_events(ids: &[&DeploymentId]) -> Vec<(DeploymentId, StoredEvent)>;
        up journal(id: &DeploymentId) -> Steps;
        up platform_logs(ids: &[DeploymentId]) -> HashMap<DeploymentId, String>;
        up stack_volumes(stack: StackId) -> StackVolumes;
        up services() -> Vec<(AppName, DeploymentId)>;
        own record(lease: &Lease, fact: &Fact) -> Recorded;
        write record_cleanup(lease: &Lease, cleanup: &CleanupRecord) -> ();
        write rechecked(lease: &Lease, again: Option<Timestamp>) -> ();
    }
    StackEvents {
        up stack_events(stack: StackId, after: Seq, limit: u32) -> Vec<StackEvent>;
        up record_turn(turn: &StackTurn) -> bool;
        up count_looks(at: Timestamp, looks: &[(StackId, LookCounts)]) -> ();
        up looks(stack: StackId, day: i64) -> Vec<DayLooks>;
    }
    Measurements {
        up record_measured(at: Timestamp, samples: &[(StackId, Sample)]) -> ();
        up measured(stack: StackId, step: SeriesStep, since: Timestamp) -> Vec<Measured>;
    }
    Specs {
        up spec(revision: RevisionId) -> Option<SealedSpec>;
        up present_specs(stacks: &[StackId]) -> Vec<(RevisionId, StackSpec)>;
        up revisions(stack: StackId) -> Vec<Revision>;
        write store_spec(lease: &Lease, spec: &SealedSpec) -> ();
        up learn_spec(learned: &LearnedSpec) -> ();
    }
    Kept {
        up kept_data(filter: &KeptFilter) -> Vec<KeptData>;
        up mark_lost(stack: StackId, lost: Option<Timestamp>) -> ();
        up begin_deletion(stack: StackId, new: &NewRemoval) -> DataDeletion;
    }
    Templates {
        up used_templates() -> Vec<TemplateRef>;
        up template(digest: &str) -> Option<String>;
    }
    Leases {
        own claim(
            lane: Lane, kinds: &[KindName], max: usize, owner: &str, now: Timestamp, ttl: Duration,
        ) -> Vec<Lease>;
        up claim_ended(id: &DeploymentId, owner: &str, now: Timestamp, ttl: Duration)
            -> Option<Lease>;
        writable renew(lease: &Lease, until: Timestamp) -> CancelRequest;
        writable renew_all(leases: &[Lease], until: Timestamp)
            -> Vec<(DeploymentId, CancelRequest)>;
        writable release(lease: &Lease) -> ();
        writable suspend(lease: &Lease, until: Timestamp) -> ();
    }
    Idempotency {
        up store_response(response: &StoredResponse) -> ();
        up stored_response(key: &IdempotencyKey, now: Timestamp) -> Option<StoredResponse>;
    }
    TaskLeases {
        writable take_task_lease(lease: &TaskLease) -> TaskHolder;
    }
}

#[async_trait]
impl Store for FaultyStore {
    fn kind(&self) -> &'static str {
        self.inner.kind()
    }

    async fn check(&self) -> Result<()> {
        self.up()?.check().await
    }

    async fn close(&self) {
        self.inner.close().await;
    }
}
