//! The provider's metadata (OpenID Connect Discovery), cached for [`CACHE_LIFETIME`].
//!
//! A provider that does not answer is contacted again after [`PAUSE`]. Meanwhile the portal works,
//! and people stay signed in.

use std::sync::Arc;
use std::time::Duration;

use openidconnect::IssuerUrl;
use tokio::sync::Mutex;

use super::client::ProviderMetadata;
use super::exchange::Exchange;
use super::metadata;
use crate::server::auth::identity_provider::IdentityError;
use clock::Clock;

/// The time for which metadata is used without another request.
const CACHE_LIFETIME: Duration = Duration::from_hours(1);
/// The time after which a provider that did not answer is contacted again.
const PAUSE: Duration = Duration::from_secs(5);
/// The time between two requests for the keys because of signatures that known keys do not verify.
const KEYS_PAUSE: Duration = Duration::from_mins(1);

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
    /// The time from which an invalid signature is a reason to fetch the keys again.
    keys_at: Duration,
}

/// The reason why the keys are fetched again: providers rotate them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Renewal {
    /// A token names a key that is not known.
    UnknownKey,
    /// A known key does not verify a token: without an id, another key looks the same.
    Signature,
}

impl Discovery {
    pub(super) fn new(issuer: IssuerUrl, clock: Arc<dyn Clock>) -> Self {
        let nothing =
            Err(IdentityError::Unavailable(String::from("it has not been contacted yet")));
        let state = Mutex::new(DiscoveryState {
            provider: nothing,
            retry_at: Duration::ZERO,
            keys_at: Duration::ZERO,
        });
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
    /// Returns `None` if it is too soon.
    pub(super) async fn renew_keys(
        &self,
        provider: &Arc<ProviderMetadata>,
        exchange: &Exchange,
        why: Renewal,
    ) -> Result<Option<Arc<ProviderMetadata>>, IdentityError> {
        let mut state = self.state.lock().await;
        if let Ok(newer) = &state.provider
            && !Arc::ptr_eq(newer, provider)
        {
            return Ok(Some(Arc::clone(newer)));
        }
        let now = self.clock.monotonic();
        if why == Renewal::Signature && now < state.keys_at {
            return Ok(None);
        }
        state.keys_at = now + KEYS_PAUSE;
        let keys = metadata::keys(exchange, provider.jwks_uri()).await?;
        let renewed = Arc::new(ProviderMetadata::clone(provider).set_jwks(keys));
        state.provider = Ok(Arc::clone(&renewed));
        Ok(Some(renewed))
    }

    async fn fetch(&self, exchange: &Exchange) -> Result<Arc<ProviderMetadata>, IdentityError> {
        let asked = metadata::fetch(exchange, &self.issuer).await;
        match &asked {
            Ok(_) => tracing::info!(issuer = %*self.issuer, "The identity provider answers"),
            Err(error) => {
                tracing::warn!(issuer = %*self.issuer, %error, "Could not use the identity provider");
            }
        }
        asked.map(Arc::new)
    }
}
