//! Authentication of the portal in process, according to its settings.

use std::sync::Arc;

use ai_stack_deployer::server::audit::AuditTrail;
use ai_stack_deployer::server::auth::authenticate::Authenticator;
use ai_stack_deployer::server::auth::oidc::Oidc;
use ai_stack_deployer::server::auth::recent_accounts::RecentAccounts;
use ai_stack_deployer::server::auth::sign_in::{Asked, SignInParts, SignInService};
use ai_stack_deployer::server::notifier::Notifier;
use ai_stack_deployer::server::settings::{AuthSettings, OidcSettings, Settings};
use clock::{Clock, SystemClock};
use transport::Outbound;

use super::manual_clock::ManualClock;
use super::memory_store::MemoryStore;

/// Creates the clock. With a real identity provider it has the real time, which the provider uses.
pub(crate) fn clock(settings: &Settings) -> ManualClock {
    match settings.auth {
        AuthSettings::Open => ManualClock::new(),
        AuthSettings::Oidc(_) => ManualClock::at(SystemClock.now()),
    }
}

/// Returns the accounts in `store` as a portal has them.
pub(crate) fn accounts(
    store: &Arc<MemoryStore>,
    clock: &Arc<ManualClock>,
    notifier: &Arc<Notifier>,
) -> Arc<RecentAccounts> {
    let listening = Arc::clone(notifier.listening());
    Arc::new(RecentAccounts::new(
        Arc::<MemoryStore>::clone(store),
        Arc::<ManualClock>::clone(clock),
        move || listening.is_on(),
    ))
}

/// Creates the authenticator.
pub(crate) fn authenticator(settings: &Settings, accounts: &Arc<RecentAccounts>) -> Authenticator {
    match &settings.auth {
        AuthSettings::Open => Authenticator::Open {
            is_secure: settings.http.is_secure(),
            random: Arc::new(rand::random),
        },
        AuthSettings::Oidc(oidc) => {
            let accounts = Arc::<RecentAccounts>::clone(accounts);
            Authenticator::SignIn { accounts, idle: oidc.session.idle }
        }
    }
}

/// Creates the sign-in service; `None` if the portal is open to all.
pub(crate) fn sign_in_service(
    settings: &Settings,
    accounts: &Arc<RecentAccounts>,
    audit: &Arc<AuditTrail>,
    clock: &Arc<ManualClock>,
) -> Option<Arc<SignInService>> {
    let oidc = match &settings.auth {
        AuthSettings::Oidc(oidc) => OidcSettings::clone(oidc),
        AuthSettings::Open => return None,
    };
    let clock = Arc::<ManualClock>::clone(clock);
    Some(Arc::new(SignInService::new(SignInParts {
        accounts: Arc::<RecentAccounts>::clone(accounts),
        audit: Arc::clone(audit),
        provider_name: oidc.name.clone(),
        session: oidc.session,
        provider: Arc::new(
            Oidc::new(oidc, &Outbound::default(), Arc::<ManualClock>::clone(&clock)).unwrap(),
        ),
        clock,
        random: Arc::new(rand::random),
        asked: Arc::new(Asked::default),
    })))
}
