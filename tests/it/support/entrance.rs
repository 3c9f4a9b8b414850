//! How people come into the portal in process, as its settings say.

use std::sync::Arc;

use ai_stack_deployer::server::{
    http::Door,
    oidc::Oidc,
    ports::clock::{Clock, SystemClock},
    settings::{AuthSettings, Scheme, Settings},
    sign_in::{Entrance, EntranceParts},
};

use super::{manual_clock::ManualClock, memory_store::MemoryStore};

/// Makes the clock: an identity provider has a time of its own, which is the real one.
pub(crate) fn clock(settings: &Settings) -> ManualClock {
    match settings.auth {
        AuthSettings::Open => ManualClock::new(),
        AuthSettings::Oidc(_) => ManualClock::at(SystemClock.now()),
    }
}

/// Makes the door.
pub(crate) fn door(settings: &Settings, store: &Arc<MemoryStore>) -> Door {
    match &settings.auth {
        AuthSettings::Open => Door::Open {
            is_secure: settings.http.public_url.scheme() == Scheme::Https,
            random: Arc::new(rand::random),
        },
        AuthSettings::Oidc(oidc) => {
            let accounts = Arc::<MemoryStore>::clone(store);
            Door::SignIn { accounts, idle: oidc.session.idle }
        }
    }
}

/// Makes the way in, where people sign in.
pub(crate) fn entrance(
    settings: &Settings,
    store: &Arc<MemoryStore>,
    clock: &Arc<ManualClock>,
) -> Option<Arc<Entrance>> {
    let AuthSettings::Oidc(oidc) = settings.auth.clone() else { return None };
    let clock = Arc::<ManualClock>::clone(clock);
    Some(Arc::new(Entrance::new(EntranceParts {
        accounts: Arc::<MemoryStore>::clone(store),
        audit: Arc::<MemoryStore>::clone(store),
        provider_name: oidc.name.clone(),
        session: oidc.session,
        provider: Arc::new(
            Oidc::new(oidc, &settings.http.public_url, Arc::<ManualClock>::clone(&clock)).unwrap(),
        ),
        clock,
        random: Arc::new(rand::random),
    })))
}
