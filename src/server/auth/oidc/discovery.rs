//! The provider's metadata (OpenID Connect Discovery), cached for [`CACHE_LIFETIME`].
//!
//! A provider that does not answer is contacted again after [`PAUSE`]. Meanwhile the portal works,
//! and people stay signed in.

use std::sync::Arc;
use std::time::Duration;

use openidconnect::{DiscoveryError, IssuerUrl, JsonWebKeySet};
use tokio::sync::Mutex;

use super::claims::describe;
use super::client::ProviderMetadata;
use super::exchange::{Exchange, ExchangeError};
use crate::server::auth::identity_provider::IdentityError;
use clock::Clock;

/// The time for which metadata is used without another request.
const CACHE_LIFETIME: Duration = Duration::from_hours(1);
/// The time after which a provider that did not answer is contacted again.
const PAUSE: Duration = Duration::from_secs(5);

/// Fetches and caches the provider's metadata.
pub(super) struct Discovery {
    issuer: IssuerUrl,
    clock: Arc<dyn Clock>,
    state: Mutex<DiscoveryState>,
}

/// The result of the last request.
struct DiscoveryState {
    provider: Result<Arc<ProviderMetadata>, IdentityError>,
    /// The time of the next request, on the monotonic clock.
    retry_at: Duration,
}

impl Discovery {
    pub(super) fn new(issuer: IssuerUrl, clock: Arc<dyn Clock>) -> Self {
        let nothing =
            Err(IdentityError::Unavailable(String::from("it has not been contacted yet")));
        let state = Mutex::new(DiscoveryState { provider: nothing, retry_at: Duration::ZERO });
        Self { issuer, clock, state }
    }

    /// Returns the provider's metadata. Concurrent callers share one request.
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
        // Older metadata is still better than none.
        if asked.is_ok() || state.provider.is_err() {
            state.provider = asked;
        }
        state.provider.clone()
    }

    /// Fetches the keys again, unless another caller has done so since `provider` was returned.
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
