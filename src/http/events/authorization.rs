//! The authorization under which a stream stays open.

use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use jiff::Timestamp;

use crate::server::auth::access::{Caller, Identity};
use crate::server::auth::authenticate::{
    AuthenticationError, Authenticator, Freshness, authenticate,
};

/// The interval at which a stream sends a comment, and the store is read again.
pub(super) const KEEPALIVE: Duration = Duration::from_secs(15);
/// The time until the next check, if the last one was due and could not be decided.
const AGAIN: Duration = Duration::from_secs(1);

/// The authorization under which a stream stays open.
pub(in crate::http) struct StreamAuthorization {
    /// The headers with the caller's credentials.
    headers: HeaderMap,
    identity: Identity,
    until: Option<Timestamp>,
}

/// What the store says about credentials.
pub(in crate::http) enum Known {
    /// They identify this caller.
    As(Identity),
    /// They are no longer valid.
    Invalid,
    /// It could not be read.
    Unavailable,
}

impl StreamAuthorization {
    /// Returns the authorization of a caller; `None` if there is nothing to check later, because
    /// the portal is open to all.
    pub(in crate::http) fn of(
        authenticator: &Authenticator,
        headers: &HeaderMap,
        caller: Caller,
    ) -> Option<Arc<Self>> {
        match authenticator {
            Authenticator::Open { .. } => None,
            Authenticator::SignIn { .. } => {
                let Caller { identity, until, .. } = caller;
                Some(Arc::new(Self { headers: credentials(headers), identity, until }))
            }
        }
    }

    /// Returns a key that is the same for the same credentials.
    pub(super) fn key(&self) -> Vec<u8> {
        let mut key = Vec::new();
        for (name, value) in &self.headers {
            for part in [name.as_str().as_bytes(), b"\0", value.as_bytes(), b"\0"] {
                key.extend_from_slice(part);
            }
        }
        key
    }

    /// Reads whom the credentials identify now. They may have signed out meanwhile, or their token
    /// may be revoked.
    pub(in crate::http) async fn known(
        &self,
        authenticator: &Authenticator,
        now: Timestamp,
    ) -> Known {
        match authenticate(authenticator, &self.headers, now, Freshness::Present).await {
            Ok(known) => Known::As(known.identity),
            Err(AuthenticationError::Token) => Known::Invalid,
            Err(AuthenticationError::Store(_)) => Known::Unavailable,
        }
    }

    /// Returns whether the stream may go on at `now`. If the store could not be read, it may until
    /// the authorization expires.
    pub(in crate::http) fn allows(&self, known: &Known, now: Timestamp) -> bool {
        match known {
            Known::As(identity) => *identity == self.identity,
            Known::Invalid => false,
            Known::Unavailable => self.until.is_none_or(|until| now < until),
        }
    }

    /// Returns the time until the next check: the next keepalive, or the time at which the
    /// caller's authorization expires if that is earlier.
    pub(in crate::http) fn next_check_in(&self, now: Timestamp) -> Duration {
        let left = self.until.map(|until| Duration::try_from(until.duration_since(now)));
        match left {
            None => KEEPALIVE,
            Some(left) => left.ok().filter(|left| !left.is_zero()).unwrap_or(AGAIN).min(KEEPALIVE),
        }
    }
}

/// Returns the headers that authenticate the caller.
fn credentials(headers: &HeaderMap) -> HeaderMap {
    let is_credential =
        |name: &HeaderName| *name == header::COOKIE || *name == header::AUTHORIZATION;
    let pairs = headers.iter().filter(|(name, _)| is_credential(name));
    // Copied: hyper's values are parts of the whole head, which would be kept as long.
    let copy = |value: &HeaderValue| HeaderValue::from_bytes(value.as_bytes()).ok();
    pairs.filter_map(|(name, value)| Some((name.clone(), copy(value)?))).collect()
}
