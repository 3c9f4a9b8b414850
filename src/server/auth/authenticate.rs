//! Authenticates a caller by session, API token or cookie.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue, header};
use jiff::Timestamp;

use super::access::{Caller, Identity};
use super::accounts::{Accounts, Digest, Person, Session};
use super::cookies;
use super::secret::{self, RandomBits, Secret, TOKEN_PREFIX};
use crate::server::store_error::StoreError;
use domain::owner::OwnerId;
use domain::time::later;

/// The lifetime of the cookie that identifies a browser.
const COOKIE_LIFETIME: Duration = Duration::from_hours(365 * 24);
/// The way in which callers are authenticated.
#[derive(Clone)]
pub enum Authenticator {
    /// The portal is open to all. A browser is identified by its cookie.
    Open {
        /// True if the portal is reached over HTTPS.
        is_secure: bool,
        /// Returns the bits of a new secret.
        random: Arc<dyn Fn() -> RandomBits + Send + Sync>,
    },
    /// People sign in, and programs send an API token.
    SignIn {
        /// The store of sessions and tokens.
        accounts: Arc<dyn Accounts>,
        /// The time after which an unused session expires.
        idle: Duration,
    },
}

/// How old the knowledge about a credential may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Freshness {
    /// It is read now.
    Present,
    /// It may be up to five seconds old.
    Recent,
}

/// The caller could not be authenticated.
#[derive(Debug)]
pub(crate) enum AuthenticationError {
    /// The token is invalid, expired or revoked.
    Token,
    /// The store could not be read.
    Store(StoreError),
}

/// An authenticated caller.
#[derive(Debug)]
pub(crate) struct Authenticated {
    /// The identity.
    pub(crate) identity: Identity,
    /// The time at which the authentication expires.
    pub(crate) until: Option<Timestamp>,
    /// The person, if one has signed in.
    pub(crate) person: Option<Person>,
}

/// Authenticates the caller of a request at `now`, by what is known with this `freshness`. A request
/// without credentials of ours has an anonymous identity: those for a proxy in front of the portal
/// are none.
///
/// # Errors
///
/// Returns an [`AuthenticationError`] if a token is sent that is invalid, or the store cannot be
/// read.
pub(crate) async fn authenticate(
    authenticator: &Authenticator,
    headers: &HeaderMap,
    now: Timestamp,
    freshness: Freshness,
) -> Result<Authenticated, AuthenticationError> {
    match authenticator {
        Authenticator::Open { is_secure, .. } => {
            Ok(Authenticated::from_identity(browser(headers, *is_secure)))
        }
        Authenticator::SignIn { accounts, idle } => {
            let mut values = headers.get_all(header::AUTHORIZATION).iter();
            match values.find_map(|value| token(value.as_bytes())) {
                Some(token) => program(&**accounts, token?, now, freshness).await,
                None => person(&**accounts, *idle, headers, now, freshness).await,
            }
        }
    }
}

/// Returns the token in an `Authorization` header (RFC 6750, section 2.1); `None` if it has none of
/// ours, and an error if it has one that cannot be read.
fn token(value: &[u8]) -> Option<Result<&str, AuthenticationError>> {
    let (scheme, token) = value.split_at_checked(value.iter().position(|byte| *byte == b' ')?)?;
    let token = token.trim_ascii();
    let is_ours = scheme.eq_ignore_ascii_case(b"bearer")
        && token.get(..TOKEN_PREFIX.len()) == Some(TOKEN_PREFIX.as_bytes());
    is_ours.then(|| str::from_utf8(token).map_err(|_| AuthenticationError::Token))
}

async fn program(
    accounts: &dyn Accounts,
    token: &str,
    now: Timestamp,
    freshness: Freshness,
) -> Result<Authenticated, AuthenticationError> {
    let digest = Digest::of(token);
    let found = match freshness {
        Freshness::Present => accounts.token(&digest, now).await,
        Freshness::Recent => accounts.recent_token(&digest, now).await,
    };
    let token = found.map_err(AuthenticationError::Store)?.ok_or(AuthenticationError::Token)?;
    let identity = Identity::Program { owner: token.person, scope: token.scope };
    Ok(Authenticated { until: Some(token.expires), ..Authenticated::from_identity(identity) })
}

async fn person(
    accounts: &dyn Accounts,
    idle: Duration,
    headers: &HeaderMap,
    now: Timestamp,
    freshness: Freshness,
) -> Result<Authenticated, AuthenticationError> {
    let Some(secret) = cookies::read(headers, cookies::SESSION) else {
        return Ok(Authenticated::from_identity(Identity::Unauthenticated));
    };
    let idle_until = later(now, idle);
    let digest = Digest::of(secret);
    let found = match freshness {
        Freshness::Present => accounts.session(&digest, now, idle_until).await,
        Freshness::Recent => accounts.recent_session(&digest, now, idle_until).await,
    };
    Ok(match found.map_err(AuthenticationError::Store)? {
        None => Authenticated::from_identity(Identity::Unauthenticated),
        Some(Session { person, ends, .. }) => {
            let identity = Identity::Person { owner: person.owner.clone(), role: person.role };
            Authenticated { identity, until: Some(ends), person: Some(person) }
        }
    })
}

fn browser(headers: &HeaderMap, is_secure: bool) -> Identity {
    match cookies::read(headers, cookies::browser(is_secure)) {
        Some(secret) if secret.len() == secret::LENGTH => {
            Identity::Browser(OwnerId::browser(&Digest::of(secret).0))
        }
        Some(_) | None => Identity::Anonymous,
    }
}

impl Authenticated {
    /// Creates one that has only an identity and does not expire.
    pub(crate) fn from_identity(identity: Identity) -> Self {
        Self { identity, until: None, person: None }
    }
}

impl Authenticator {
    /// Returns the identity of a caller without credentials.
    pub(crate) fn anonymous_identity(&self) -> Identity {
        match self {
            Self::Open { .. } => Identity::Anonymous,
            Self::SignIn { .. } => Identity::Unauthenticated,
        }
    }

    /// Returns a caller at `address` without credentials.
    pub(crate) fn anonymous_caller(&self, address: IpAddr) -> Caller {
        Caller { identity: self.anonymous_identity(), address, until: None }
    }

    /// Returns whether cookies are for HTTPS only.
    pub(crate) fn is_secure(&self) -> bool {
        match self {
            Self::Open { is_secure, .. } => *is_secure,
            Self::SignIn { .. } => true,
        }
    }

    /// Returns when the person of a session signed in; `None` if there is no session, or that was not
    /// stored.
    pub(crate) async fn signed_in(
        &self,
        headers: &HeaderMap,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, StoreError> {
        let (accounts, idle) = match self {
            Self::Open { .. } => return Ok(None),
            Self::SignIn { accounts, idle } => (accounts, idle),
        };
        let Some(secret) = cookies::read(headers, cookies::SESSION) else { return Ok(None) };
        let found = accounts.session(&Digest::of(secret), now, later(now, *idle)).await?;
        Ok(found.and_then(|session| session.begun))
    }

    /// Creates a cookie that identifies a browser from now on; `None` if people sign in.
    pub(crate) fn new_cookie(&self) -> Option<HeaderValue> {
        match self {
            Self::Open { is_secure, random } => {
                let secret = Secret::from_random(random());
                Some(cookies::write_browser(*is_secure, secret.expose(), COOKIE_LIFETIME))
            }
            Self::SignIn { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Returns the token in a header; `None` if there is none of ours.
    fn token_in(value: &[u8]) -> Option<&str> {
        token(value).and_then(Result::ok)
    }

    #[test]
    fn a_token_of_ours_follows_the_word_bearer() {
        for (value, expected) in [
            ("Bearer asd_1", Some("asd_1")),
            ("bearer  asd_1 ", Some("asd_1")),
            ("Basic YTpi", None),
            ("Basic asd_1", None),
            ("Bearer eyJhbGciOiJub25lIn0.e30.", None),
            ("Bearer", None),
            ("asd_1", None),
            ("", None),
        ] {
            assert_eq!(token_in(value.as_bytes()), expected, "{value:?}");
        }
        assert!(token(b"\xff asd_1").is_none() && token(b"Bearer \xff").is_none());
        assert!(token(b"Bearer asd_\xff").is_some_and(|token| token.is_err()));
    }

    proptest! {
        #![proptest_config(test_support::properties())]

        #[test]
        fn whatever_is_sent_only_what_follows_bearer_is_a_token(value in "\\PC{0,40}|[Bb][Ee]arer? {0,2}(asd_)?\\PC{0,20}") {
            let rest = value.get(..7).filter(|head| head.eq_ignore_ascii_case("bearer "));
            let expected = rest.and_then(|head| value.strip_prefix(head));
            let expected = expected.map(|token| token.trim_matches(|c: char| c.is_ascii_whitespace()));
            let expected = expected.filter(|token| token.starts_with(TOKEN_PREFIX));
            prop_assert_eq!(token_in(value.as_bytes()), expected);
        }

        #[test]
        fn a_token_is_read_as_it_was_made(bits: RandomBits, scheme in "[Bb][Ee][Aa][Rr][Ee][Rr]") {
            let token = Secret::token(bits);
            let sent = format!("{scheme} {}", token.expose());
            prop_assert_eq!(token_in(sent.as_bytes()), Some(token.expose()));
        }
    }
}
