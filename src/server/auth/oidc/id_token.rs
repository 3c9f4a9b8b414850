//! Validates an ID token (OpenID Connect Core, section 3.1.3.7).

use std::time::Duration;

use jiff::Timestamp;
use openidconnect::core::CoreJsonWebKey;
use openidconnect::{AccessToken, AccessTokenHash};

use super::form::{self, Object, WrongForm};
use super::signed::{Signed, SignedError, Verified};
use crate::server::auth::accounts::Digest;
use crate::server::settings::OidcSettings;

/// How far the provider's clock and ours may be apart.
const LEEWAY: Duration = Duration::from_mins(1);

/// What a token must say.
#[derive(Clone, Copy)]
pub(super) struct Expected<'a> {
    /// The provider, and the portal's names there.
    pub(super) settings: &'a OidcSettings,
    /// The nonce of the authorization request.
    pub(super) nonce: &'a str,
    /// The access token that was issued with it.
    pub(super) access_token: &'a AccessToken,
    /// The current time.
    pub(super) now: Timestamp,
}

/// An ID token is not valid.
#[derive(Debug, thiserror::Error)]
pub(super) enum IdTokenError {
    /// The provider sent none.
    #[error("there is no ID token")]
    Missing,
    /// Its signature is not valid, or it cannot be read.
    #[error(transparent)]
    Signed(#[from] SignedError),
    /// A claim that the portal needs has an unexpected form.
    #[error("the claim {0}")]
    Form(#[from] WrongForm),
    /// A claim has a wrong value.
    #[error("{0}")]
    Invalid(String),
}

impl IdTokenError {
    fn invalid(reason: impl Into<String>) -> Self {
        Self::Invalid(reason.into())
    }
}

/// Verifies the signature of `token` with `keys` and that it says what is expected, and returns its
/// claims.
pub(super) fn read(
    token: Option<&str>,
    keys: &[CoreJsonWebKey],
    expected: Expected<'_>,
) -> Result<Object, IdTokenError> {
    let token = token.ok_or(IdTokenError::Missing)?;
    let verified = Signed::parse(token)?.verify(keys)?;
    let claims = &verified.claims;
    let issuer = form::text(claims, "iss")?;
    if issuer != expected.settings.issuer {
        return Err(IdTokenError::Invalid(format!("its issuer is {issuer:?}")));
    }
    check_audience(claims, expected.settings)?;
    check_times(claims, expected.now)?;
    let nonce = form::optional_text(claims, "nonce")?;
    let nonce = nonce.ok_or_else(|| IdTokenError::invalid("it has no nonce"))?;
    // Comparing digests reveals nothing about the nonce through the time that it takes.
    if Digest::of(nonce) != Digest::of(expected.nonce) {
        return Err(IdTokenError::invalid("its nonce is that of another sign-in"));
    }
    check_access_token(&verified, expected.access_token)?;
    if form::text(claims, "sub")?.is_empty() {
        return Err(IdTokenError::invalid("its subject is empty"));
    }
    Ok(verified.claims)
}

/// Checks that the token is for the portal. Another audience must be trusted, and the token must
/// then have been issued to the portal (`azp`): otherwise another audience could pass on a token of
/// its own. If the portal is the only audience, an `azp` that names nobody does not matter.
fn check_audience(claims: &Object, settings: &OidcSettings) -> Result<(), IdTokenError> {
    let ours = settings.client_id.as_str();
    let audiences = form::texts(claims, "aud")?;
    if !audiences.contains(&ours) {
        return Err(IdTokenError::Invalid(format!("its audience is {audiences:?}, not {ours:?}")));
    }
    let mut others = audiences.iter().filter(|audience| **audience != ours).peekable();
    let has_others = others.peek().is_some();
    let is_trusted = |audience: &str| settings.trusted_audiences.iter().any(|own| own == audience);
    if let Some(other) = others.find(|audience| !is_trusted(audience)) {
        return Err(IdTokenError::Invalid(format!(
            "its audience is also {other:?}: if the provider adds it to every token of the portal, \
             name it in OIDC_TRUSTED_AUDIENCES"
        )));
    }
    let party = match form::optional_text(claims, "azp") {
        Ok(party) => party.filter(|party| !party.is_empty()),
        Err(error) if has_others => return Err(error.into()),
        Err(_) => None,
    };
    match party {
        Some(party) if party != ours => Err(IdTokenError::Invalid(format!(
            "it was issued to {party:?} (azp), and its audience is also the portal"
        ))),
        None if has_others => {
            let reason =
                "it has more than one audience, and does not say to whom it was issued (azp)";
            Err(IdTokenError::invalid(reason))
        }
        Some(_) | None => Ok(()),
    }
}

#[expect(clippy::cast_precision_loss, reason = "seconds are far below 2^53")]
fn check_times(claims: &Object, now: Timestamp) -> Result<(), IdTokenError> {
    let (now, leeway) = (now.as_second() as f64, LEEWAY.as_secs_f64());
    let ends = form::optional_time(claims, "exp")?;
    let ends = ends.ok_or_else(|| WrongForm::of(claims, "exp", "a number"))?;
    if ends + leeway <= now {
        let late = now - ends;
        return Err(IdTokenError::Invalid(format!("it expired {late} seconds ago")));
    }
    // The specification does not name `nbf`, so one that is no number does not matter.
    match form::optional_time(claims, "nbf").ok().flatten() {
        Some(begins) if begins > now + leeway => {
            let early = begins - now;
            Err(IdTokenError::Invalid(format!("it is valid only in {early} seconds")))
        }
        Some(_) | None => Ok(()),
    }
}

/// Checks that the access token is the one that the ID token names, if it names one.
fn check_access_token(verified: &Verified<'_>, token: &AccessToken) -> Result<(), IdTokenError> {
    let Some(named) = form::optional_text(&verified.claims, "at_hash")? else { return Ok(()) };
    let hash = AccessTokenHash::from_token(token, &verified.algorithm, verified.key).ok();
    if hash.is_some_and(|hash| hash.as_str() == named) {
        Ok(())
    } else {
        Err(IdTokenError::invalid("the access token does not match the ID token"))
    }
}
