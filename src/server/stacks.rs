//! The use cases: what the portal does for the people and programs that call it.
//!
//! HTTP handlers and server functions call it. It uses the ports and must not know an adapter. It
//! reserves names, records requests and reads; the saga executes deployments.

pub mod admin;
mod authorization;
mod choosing;
mod details;
pub mod form;
mod health;
mod history;
mod idempotency;
mod keepers;
mod kept_secrets;
mod listing;
mod logs;
mod looks;
mod names;
mod new_stack;
mod operations;
mod own_operations;
mod own_stack;
mod platform_cache;
mod question_words;
mod request;
mod reveal;
mod shown_once;
mod starting;
mod store_probe;
mod templates;
mod updates;
mod usage;
mod usual;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

pub(crate) use self::form::VERSION;
pub(crate) use super::logs::Item as LogItem;
pub use authorization::{deployment_id, no_deployment, refused};
pub use health::Health;
pub use idempotency::{IdempotentRequest, Response};
pub(crate) use kept_secrets::{KEPT_FOR as SECRETS_KEPT_FOR, TakenBack};
pub use listing::Listed;
pub(crate) use logs::{LogFilter, MOST_LINES, PAGE_LINES};
pub use looks::{DayView, StackLooks};
pub(crate) use operations::Ending;
pub use operations::NewExpiry;
use operations::next_try;
pub use operations::on_stack::{Asked, StackAction};
pub use operations::{ChangeRequest, Wanted};
pub use operations::{KeptBeside, KeptUntil, Removing};
pub(crate) use operations::{
    LABEL_MAX, REVISION, SentSettings, SettingsForm, ShownRevision, Update,
};
pub use own_operations::OwnOperations;
pub use own_stack::{OwnStack, StackOverview};
use platform_cache::PlatformCache;
pub use question_words::QuestionWords;
use request::New;
pub use request::{SentAnswers, StartRequest, Started};
pub(crate) use shown_once::{SHOWN_WITHIN, StartedForPage};
use store_probe::StoreProbe;
use updates::Versions;
pub use usage::UsageRange;
use usual::Usuals;

use super::audit::AuditTrail;
use super::auth::access::{Caller, IdentifiedBy, Permission, Target};
use super::auth::accounts::Accounts;
use super::catalogue::Offers;
use super::logs::{LogHub, LogParts};
use super::notifier::Notifier;
use super::page::settings_again;
use super::recent::Recent;
use super::reconciler::report::ReconcileReport;
use super::secrets::Keyring;
use super::settings::{Quotas, StackSettings};
use super::store::{self, CancelRequest, PAGE, Record, Result, Store, StoreError, StoredEvent};
use super::vitals::Vitals;
use crate::server::metrics::{Metrics, Present};
use crate::server::platform::{PlatformLogs, PlatformOverview};
use crate::wire::{AddressPattern, ApiError, DeploymentView, PlatformStatus};
use clock::Clock;
use domain::deployment::{DeploymentId, Snapshot};
use domain::event::Seq;
use domain::kind::Kinds;
use domain::last_log::LastLog;
use domain::owner::OwnerId;
use domain::progress::Progress;
use domain::refusal::Refusal;

/// The age up to which the counts of the operations are used again.
const PRESENT_LIFETIME: Duration = Duration::from_secs(2);

/// The dependencies of a [`Service`].
#[derive(Clone)]
pub struct ServiceParts {
    /// The store of deployments.
    pub store: Arc<dyn Store>,
    /// The accounts of people.
    pub accounts: Arc<dyn Accounts>,
    /// The audit log.
    pub audit: Arc<AuditTrail>,
    /// The report of the last reconcile round.
    pub reconcile_report: Arc<ReconcileReport>,
    /// The platform.
    pub platform: Arc<dyn PlatformOverview>,
    /// The logs of the platform's containers.
    pub logs: Arc<dyn PlatformLogs>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Wakes the worker and watchers.
    pub notifier: Arc<Notifier>,
    /// The templates that there are.
    pub offers: Arc<Offers>,
    /// The settings of a stack.
    pub stack: Arc<StackSettings>,
    /// The keys that encrypt stored secrets.
    pub keyring: Option<Keyring>,
    /// The kinds of operations.
    pub kinds: Kinds,
    /// Reserved names, in addition to the built-in ones.
    pub reserved_names: Vec<String>,
    /// The quotas of one owner.
    pub quotas: Quotas,
    /// True if the platform is the embedded sandbox.
    pub sandbox: bool,
    /// Counts what happens.
    pub metrics: Arc<Metrics>,
    /// The source of random bits for ids. It must be unpredictable: in an open portal, the id is
    /// sufficient for access.
    pub random: Arc<dyn Fn() -> u128 + Send + Sync>,
}

/// The use cases.
pub struct Service {
    parts: ServiceParts,
    platform_cache: Arc<PlatformCache>,
    /// The parts of the portal that ended unexpectedly.
    vitals: Arc<Vitals>,
    store_probe: Arc<StoreProbe>,
    /// What the metrics do not count, as it was up to two seconds ago.
    present: Recent<Present>,
    /// How long deployments usually take, as it was up to ten seconds ago.
    usual: Recent<Arc<Usuals>>,
    /// Who has kept data, as it was up to ten seconds ago.
    keepers: Recent<Arc<BTreeSet<OwnerId>>>,
    /// The logs that are watched.
    logs: Arc<LogHub>,
    /// The versions of the templates of revisions.
    versions: Versions,
}

impl Service {
    /// Creates the service.
    pub fn new(parts: ServiceParts) -> Self {
        let platform_cache =
            PlatformCache::new(Arc::clone(&parts.platform), Arc::clone(&parts.clock));
        let platform_cache = Arc::new(platform_cache);
        let logs = LogHub::new(LogParts {
            platform: Arc::clone(&parts.logs),
            store: Arc::clone(&parts.store),
            keyring: parts.keyring.clone(),
            settings: Arc::clone(&parts.stack),
            clock: Arc::clone(&parts.clock),
        });
        let store_probe = StoreProbe::new(Arc::clone(&parts.store), Arc::clone(&parts.clock));
        Self {
            parts,
            platform_cache,
            vitals: Arc::default(),
            store_probe: Arc::new(store_probe),
            present: Recent::new(PRESENT_LIFETIME),
            usual: Recent::new(usual::LIFETIME),
            keepers: Recent::new(keepers::LIFETIME),
            logs: Arc::new(logs),
            versions: Versions::default(),
        }
    }

    /// Returns what writes the audit log.
    pub(crate) fn audit_trail(&self) -> Arc<AuditTrail> {
        Arc::clone(&self.parts.audit)
    }

    /// Returns what counts the things that happen.
    pub(crate) fn metrics(&self) -> Arc<Metrics> {
        Arc::clone(&self.parts.metrics)
    }

    /// Returns the kinds of operations.
    pub fn kinds(&self) -> Kinds {
        self.parts.kinds
    }

    /// Returns the record of the portal's parts that ended unexpectedly.
    pub fn vitals(&self) -> Arc<Vitals> {
        Arc::clone(&self.vitals)
    }

    /// Reads the platform once, so that the first answers do not have to guess its state.
    pub async fn probe_platform(&self) -> PlatformStatus {
        self.platform_cache.refresh().await;
        self.platform_status().await
    }

    /// Describes a deployment for its page.
    pub(crate) async fn deployment(
        &self,
        caller: &Caller,
        id: &DeploymentId,
    ) -> Result<DeploymentView, ApiError> {
        let (record, progress) = self.read_current(caller, id).await?;
        let makes_revision = self.kind(&record).makes_revision();
        let target = Target::Operation { owner: record.owner.as_ref(), by: IdentifiedBy::Id };
        let may_change = caller.may(Permission::Change, target).is_ok();
        let by_now = self.stack_by_now(&record, &progress, may_change).await?;
        // How long operations on a stack take, nobody has measured.
        let is_measured = !progress.is_finished() && !self.kind(&record).keeps_stack();
        let usual = if is_measured { self.usual_duration().await } else { None };
        let of_spec = self.of_spec(caller, &record).await?;
        let failed =
            by_now.page.as_deref().filter(|_| makes_revision && progress.failure().is_some());
        let again = failed.map(|page| settings_again(page, id));
        let form = if makes_revision { again } else { of_spec.form };
        let last_log = self.last_log(caller, &record).await?.map(Box::new);
        let receipt = progress.receipt_by_now(record.metadata.receipt.as_ref());
        let leads_to_data = self.leads_to_data(caller, &record, receipt).await?;
        Ok(DeploymentView {
            not_running: self.downtime(&record),
            kept_hours: self.kept_hours(&record),
            may_change,
            last_log,
            is_stopped: by_now.is_stopped,
            stack_page: by_now.page,
            revision: makes_revision.then_some(record.revision.number),
            secrets: of_spec.secrets,
            form,
            data_days: of_spec.data_days,
            leads_to_data,
            is_cancelling: record.cancel_request == CancelRequest::Requested,
            next_try: next_try(&record),
            deployment: record.deployment,
            progress,
            metadata: record.metadata,
            stack_removal: by_now.removal,
            usual,
            now: self.parts.clock.now(),
        })
    }

    /// Returns the current state of a deployment, and what its container wrote last, for a caller who
    /// may change the stack.
    ///
    /// # Errors
    ///
    /// Returns an error when there is none under `id` for this caller, or the store is unavailable.
    pub async fn snapshot(
        &self,
        caller: &Caller,
        id: &DeploymentId,
    ) -> Result<(Snapshot, Option<LastLog>), ApiError> {
        let (record, progress) = self.read_current(caller, id).await?;
        let last_log = self.last_log(caller, &record).await?;
        let snapshot = Snapshot {
            cancelling: record.cancel_request == CancelRequest::Requested
                && !progress.is_finished(),
            next_try: next_try(&record),
            ..record.deployment.snapshot(self.kind(&record), &progress, record.metadata)
        };
        Ok((snapshot, last_log))
    }

    /// Reads the current state of a deployment for a caller who may see it, without related
    /// operations.
    async fn read_current(
        &self,
        caller: &Caller,
        id: &DeploymentId,
    ) -> Result<(Record, Progress), ApiError> {
        let mut record = self.authorize(caller, Permission::View, id).await?;
        let progress = store::progress(&*self.parts.store, id).await?;
        // The deployment may have ended between the two readings.
        if progress.is_finished() && record.metadata.completed.is_none() {
            record = self.record(id).await?.unwrap_or(record);
        }
        Ok((record, progress))
    }

    /// Finds the record of a deployment.
    ///
    /// # Errors
    ///
    /// Returns an error when the store is unavailable.
    pub async fn record(&self, id: &DeploymentId) -> Result<Option<Record>, ApiError> {
        Ok(self.parts.store.find(id).await?)
    }

    /// Lists a deployment's events after `after`, in order, at most one page.
    ///
    /// # Errors
    ///
    /// Returns an error when the store is unavailable.
    pub async fn events(&self, id: &DeploymentId, after: Seq) -> Result<Vec<StoredEvent>> {
        self.parts.store.events(id, after, PAGE).await
    }

    /// Returns the state of the platform for the home page.
    pub(crate) async fn platform_status(&self) -> PlatformStatus {
        let snapshot = self.platform_cache.current().await;
        PlatformStatus {
            reachable: snapshot.reachable,
            too_old: snapshot.is_too_old(),
            problem: self.parts.platform.problem(),
            sandbox: self.parts.sandbox,
        }
    }

    /// Returns the pattern that makes a stack's address from its name.
    pub(crate) fn address_pattern(&self) -> AddressPattern {
        self.parts.stack.address_pattern()
    }

    /// Returns the notifier, for watchers.
    pub fn notifier(&self) -> &Notifier {
        &self.parts.notifier
    }

    /// Returns the clock.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.parts.clock
    }
}

/// Logs the failure: a caller only gets to know that there was one.
impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        let source = std::error::Error::source(&error).map(ToString::to_string);
        tracing::error!(error = %error, source, "The database failed");
        Refusal::StoreUnavailable.into()
    }
}
