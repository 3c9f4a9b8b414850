//! The use cases on the ports of a test.

use std::sync::Arc;

use ai_stack_deployer::server::audit::AuditTrail;
use ai_stack_deployer::server::catalogue::Offers;
use ai_stack_deployer::server::platform::Platform;
use ai_stack_deployer::server::saga::Ports;
use ai_stack_deployer::server::settings::{CatalogueSource, Quotas};
use ai_stack_deployer::server::stacks::{Service, ServiceParts};
use domain::kind::Kinds;

use super::memory_store::MemoryStore;

/// Makes the use cases of a portal. `accounts` has the people and what is written of them, and `random`
/// makes the numbers of operations.
pub(crate) fn service(
    ports: &Ports,
    accounts: &Arc<MemoryStore>,
    quotas: Quotas,
    random: impl Fn() -> u128 + Send + Sync + 'static,
) -> Service {
    let audit = AuditTrail::new(Arc::<MemoryStore>::clone(accounts), Arc::clone(&ports.clock));
    Service::new(ServiceParts {
        store: Arc::clone(&ports.store),
        platform: Arc::<dyn Platform>::clone(&ports.platform),
        logs: Arc::<dyn Platform>::clone(&ports.platform),
        clock: Arc::clone(&ports.clock),
        notifier: Arc::clone(&ports.notifier),
        offers: Arc::new(Offers::read(CatalogueSource::Settings, &ports.settings, Vec::new()).0),
        stack: Arc::clone(&ports.settings),
        keyring: ports.keyring.clone(),
        kinds: Kinds::default(),
        reserved_names: Vec::new(),
        accounts: Arc::<MemoryStore>::clone(accounts),
        audit: Arc::new(audit),
        reconcile_report: Arc::default(),
        quotas,
        sandbox: true,
        metrics: Arc::default(),
        random: Arc::new(random),
    })
}
