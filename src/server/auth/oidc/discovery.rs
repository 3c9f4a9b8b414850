//! The provider's metadata (discovery), cached for a while.
//!
//! A provider that does not answer is asked again after a pause: the portal goes on without it,
//! and so do those who are signed in.

use std::{sync::Arc, time::Duration};

use openidconnect::{DiscoveryError, IssuerUrl, JsonWebKeySet};
use tokio::sync::Mutex;

use super::{
    claims::describe,
    client::ProviderMetadata,
    exchange::{Exchange, ExchangeError},
};
use crate::server::auth::identity_provider::IdentityError;
use clock::Clock;

/// The time for which an answer is taken for true.
const CACHE_LIFETIME: Duration = Duration::from_hours(1);
/// The time after which a provider that does not answer is asked again.
const PAUSE: Duration = Duration::from_secs(5);

/// Finds out about the provider.
pub(super) struct Discovery {
    issuer: IssuerUrl,
    clock: Arc<dyn Clock>,
    state: Mutex<DiscoveryState>,
}

/// The state so far.
struct DiscoveryState {
    provider: Result<Arc<ProviderMetadata>, IdentityError>,
    /// The time from which it is asked again, by the monotonic clock.
    retry_at: Duration,
}

impl Discovery {
    pub(super) fn new(issuer: IssuerUrl, clock: Arc<dyn Clock>) -> Self {
        let nothing =
            Err(IdentityError::Unavailable(String::from("it has not been contacted yet")));
        let state = Mutex::new(DiscoveryState { provider: nothing, retry_at: Duration::ZERO });
        Self { issuer, clock, state }
    }

    /// Returns what the provider says of itself. Whoever comes while it is being asked waits for
    /// that answer.
    pub(super) async fn provider(
        &self,
        exchange: &Exchange,
    ) -> Result<Arc<ProviderMetadata>, IdentityError> {
        let mut state = self.state.lock().await;
        if self.clock.monotonic() < state.retry_at {
            return state.provider.clone();
        }
        let asked = self.fetch(exchange).await;
        let ttl = if asked.is_ok() { CACHE_LIFETIME } else { PAUSE };
        state.retry_at = self.clock.monotonic() + ttl;
        // What it said before is better than nothing.
        if asked.is_ok() || state.provider.is_err() {
            state.provider = asked;
        }
        state.provider.clone()
    }

    /// Asks for the keys once more, unless somebody else has done so since `provider` was read.
    pub(super) async fn renew_keys(
        &self,
        provider: &Arc<ProviderMetadata>,
        exchange: &Exchange,
    ) -> Result<Arc<ProviderMetadata>, IdentityError> {
        let mut state = self.state.lock().await;
        if let Ok(newer) = &state.provider
            && !Arc::ptr_eq(newer, provider)
        {
            return Ok(Arc::clone(newer));
        }
        let keys =
            JsonWebKeySet::fetch_async(provider.jwks_uri(), exchange).await.map_err(unavailable)?;
        let renewed = Arc::new(ProviderMetadata::clone(provider).set_jwks(keys));
        state.provider = Ok(Arc::clone(&renewed));
        Ok(renewed)
    }

    async fn fetch(&self, exchange: &Exchange) -> Result<Arc<ProviderMetadata>, IdentityError> {
        let asked = ProviderMetadata::discover_async(self.issuer.clone(), exchange)
            .await
            .map_err(unavailable);
        match &asked {
            Ok(_) => tracing::info!(issuer = %*self.issuer, "The identity provider answers"),
            Err(error) => {
                tracing::warn!(issuer = %*self.issuer, %error, "Could not reach the identity provider");
            }
        }
        asked.map(Arc::new)
    }
}

fn unavailable(error: DiscoveryError<ExchangeError>) -> IdentityError {
    IdentityError::Unavailable(describe(&error))
}
