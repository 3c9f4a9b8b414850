//! What the provider says of itself, kept for a while.
//!
//! A provider that does not answer is asked again after a pause: the portal goes on without it,
//! and so do those who are signed in.

use std::{sync::Arc, time::Duration};

use openidconnect::{DiscoveryError, IssuerUrl, JsonWebKeySet};
use tokio::sync::Mutex;

use super::{
    claims::describe,
    client::Provider,
    exchange::{Exchange, ExchangeError},
};
use crate::server::ports::{clock::Clock, identity_provider::IdentityError};

/// How long an answer is taken for true.
const KEPT: Duration = Duration::from_hours(1);
/// After how long a provider that does not answer is asked again.
const PAUSE: Duration = Duration::from_secs(5);

/// Finds out about the provider.
pub(super) struct Discovery {
    issuer: IssuerUrl,
    clock: Arc<dyn Clock>,
    known: Mutex<Known>,
}

/// What is known so far.
struct Known {
    provider: Result<Arc<Provider>, IdentityError>,
    /// From when on it is asked again, by the time that only goes forward.
    ask_again: Duration,
}

impl Discovery {
    pub(super) fn new(issuer: IssuerUrl, clock: Arc<dyn Clock>) -> Self {
        let nothing = Err(IdentityError::Away(String::from("it was not asked yet")));
        let known = Mutex::new(Known { provider: nothing, ask_again: Duration::ZERO });
        Self { issuer, clock, known }
    }

    /// Returns what the provider says of itself. Whoever comes while it is being asked waits for
    /// that answer.
    pub(super) async fn provider(
        &self,
        exchange: &Exchange,
    ) -> Result<Arc<Provider>, IdentityError> {
        let mut known = self.known.lock().await;
        if self.clock.monotonic() < known.ask_again {
            return known.provider.clone();
        }
        let asked = self.ask(exchange).await;
        let lasting = if asked.is_ok() { KEPT } else { PAUSE };
        known.ask_again = self.clock.monotonic() + lasting;
        // What it said before is better than nothing.
        if asked.is_ok() || known.provider.is_err() {
            known.provider = asked;
        }
        known.provider.clone()
    }

    /// Asks for the keys once more, unless somebody else has done so since `provider` was read.
    pub(super) async fn renew_keys(
        &self,
        provider: &Arc<Provider>,
        exchange: &Exchange,
    ) -> Result<Arc<Provider>, IdentityError> {
        let mut known = self.known.lock().await;
        if let Ok(newer) = &known.provider
            && !Arc::ptr_eq(newer, provider)
        {
            return Ok(Arc::clone(newer));
        }
        let keys = JsonWebKeySet::fetch_async(provider.jwks_uri(), exchange).await.map_err(away)?;
        let renewed = Arc::new(Provider::clone(provider).set_jwks(keys));
        known.provider = Ok(Arc::clone(&renewed));
        Ok(renewed)
    }

    async fn ask(&self, exchange: &Exchange) -> Result<Arc<Provider>, IdentityError> {
        let asked = Provider::discover_async(self.issuer.clone(), exchange).await.map_err(away);
        match &asked {
            Ok(_) => tracing::info!(issuer = %*self.issuer, "The identity provider answers"),
            Err(error) => {
                tracing::warn!(issuer = %*self.issuer, %error, "Nobody can sign in now");
            }
        }
        asked.map(Arc::new)
    }
}

fn away(error: DiscoveryError<ExchangeError>) -> IdentityError {
    IdentityError::Away(describe(&error))
}
