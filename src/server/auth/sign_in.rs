//! The use cases of signing in and out, and of people's API tokens.
//!
//! Credentials are created here, handed out once, and stored as a digest. It must not know cookies,
//! nor how the provider is contacted.

mod error;
mod record;
mod return_to;
mod tokens;

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

pub use error::{Callback, SignInError, SignInRejected};
pub use return_to::ReturnTo;
pub use tokens::{Lifetime, MAX_TOKENS, TokenError, TokenName};

use super::access::{Caller, Identity};
use super::accounts::{Accounts, Digest, NewSession, Person, Profile, SignIn};
use super::identity_provider::{
    AuthorizationRequest, AuthorizationResponse, IdentityError, IdentityProvider, Wanted,
};
use super::secret::{self, RandomBits, Secret};
use crate::server::audit::{AuditAction, AuditTrail};
use crate::server::origin::Origin;
use crate::server::settings::SessionSettings;
use crate::server::store_error::Result;
use clock::Clock;
use domain::owner::OwnerId;

/// The time within which a person must return from the provider.
pub const SIGN_IN_LIFETIME: Duration = Duration::from_mins(10);

/// The dependencies of a [`SignInService`].
#[derive(Clone)]
pub struct SignInParts {
    /// The store of people, sessions and tokens.
    pub accounts: Arc<dyn Accounts>,
    /// The audit log.
    pub audit: Arc<AuditTrail>,
    /// The identity provider.
    pub provider: Arc<dyn IdentityProvider>,
    /// The display name of the provider.
    pub provider_name: String,
    /// The lifetimes of sessions.
    pub session: SessionSettings,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Returns random bits that cannot be guessed.
    pub random: Arc<dyn Fn() -> RandomBits + Send + Sync>,
    /// Returns what is kept about people besides their names and roles.
    pub asked: Arc<dyn Fn() -> Asked + Send + Sync>,
}

/// What templates ask of people: nothing else is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// Whether one asks for their e-mail address.
    pub email: bool,
    /// The groups that they name, each without a slash at its beginning.
    pub groups: BTreeSet<String>,
}

/// Signs people in and out.
pub struct SignInService {
    parts: SignInParts,
}

/// A sign-in that has begun.
#[derive(Debug)]
pub struct SignInStarted {
    /// The address to redirect the person to.
    pub address: String,
    /// The state of the sign-in, which the provider sends back.
    pub state: Secret,
    /// The secret for the browser's cookie of this sign-in.
    pub browser: Secret,
}

/// A browser that returns from the provider.
#[derive(Clone, Copy, Debug)]
pub struct Returning<'a> {
    /// The origin at which it returned to the portal.
    pub portal: &'a Origin,
    /// The state of the sign-in that it returns from.
    pub state: &'a Secret,
    /// The secret in its cookie of that sign-in, if it has one.
    pub browser: Option<&'a str>,
    /// The secret of the session that it already has.
    pub previous: Option<&'a str>,
    /// The address of the client.
    pub from: IpAddr,
}

/// A sign-in that is completed.
#[derive(Debug)]
pub struct SignedInSession {
    /// The secret of the new session; `None` if this sign-in was completed before.
    pub session: Option<Secret>,
    /// The page to return to.
    pub return_to: ReturnTo,
}

impl SignInService {
    /// Creates the service from its dependencies.
    pub fn new(parts: SignInParts) -> Self {
        Self { parts }
    }

    /// Returns the display name of the provider.
    pub fn provider_name(&self) -> &str {
        &self.parts.provider_name
    }

    /// Returns the current time.
    pub fn now(&self) -> Timestamp {
        self.parts.clock.now()
    }

    /// Returns the lifetimes of sessions.
    pub fn session(&self) -> SessionSettings {
        self.parts.session
    }

    /// Begins a sign-in of a person who uses the portal at `portal`, after which they return to the
    /// page `return_to`. With `again`, the provider asks them even if they are signed in there.
    ///
    /// # Errors
    ///
    /// Returns a [`SignInError`] if the provider or the store is unavailable.
    pub async fn begin(
        &self,
        return_to: &ReturnTo,
        portal: &Origin,
        again: bool,
    ) -> Result<SignInStarted, SignInError> {
        let [browser, state, nonce, verifier] =
            std::array::from_fn(|_| Secret::from_random((self.parts.random)()));
        let request = AuthorizationRequest {
            portal,
            state: state.expose(),
            nonce: nonce.expose(),
            verifier: verifier.expose(),
            again,
            wants_email: (self.parts.asked)().email,
        };
        let address = self.parts.provider.begin(&request).await?;
        let now = self.parts.clock.now();
        let sign_in = SignIn {
            browser: record::in_progress(browser.expose(), &state),
            state: state.expose().to_owned(),
            nonce: nonce.expose().to_owned(),
            verifier: verifier.expose().to_owned(),
            return_to: return_to.as_str().to_owned(),
            expires: now + SIGN_IN_LIFETIME,
        };
        self.parts.accounts.begin_sign_in(&sign_in, now).await?;
        Ok(SignInStarted { address, state, browser })
    }

    /// Finishes the sign-in that belongs to the browser and to the state. Each sign-in
    /// can be finished once, whatever its outcome; a browser that returns again to one that
    /// succeeded is sent to the same page. After success, it ends the browser's earlier session.
    ///
    /// # Errors
    ///
    /// Returns why the sign-in was rejected, with the page that the person wanted.
    pub async fn finish(
        &self,
        callback: &Callback,
        returning: Returning<'_>,
    ) -> Result<SignedInSession, SignInRejected> {
        let nowhere = |error| SignInRejected { error, return_to: ReturnTo::home() };
        let (state, answer) = (returning.state, callback.code());
        let browser = returning.browser.ok_or(SignInError::Expired).map_err(nowhere)?;
        let now = self.parts.clock.now();
        let record = record::in_progress(browser, state);
        let taken = self.parts.accounts.take_sign_in(&record, now).await;
        let Some(sign_in) = taken.map_err(|error| nowhere(error.into()))? else {
            let finished = self.find_finished(browser, state).await;
            let finished = finished.map_err(|error| nowhere(error.into()))?;
            let return_to = finished.ok_or(SignInError::Expired).map_err(nowhere)?;
            return Ok(SignedInSession { session: None, return_to });
        };
        let return_to = ReturnTo::parse(&sign_in.return_to);
        match self.complete_sign_in(&sign_in, answer, returning).await {
            Ok((person, session)) => {
                tracing::info!(person = %person.owner, "A person signed in");
                self.remember_finished(browser, state, sign_in).await;
                self.end_previous_session(returning.previous).await;
                Ok(SignedInSession { session: Some(session), return_to })
            }
            Err(error) => {
                report(&error);
                let (identity, address) = (Identity::Unauthenticated, returning.from);
                let caller = Caller { identity, address, until: None };
                let act = AuditAction::SignIn;
                self.parts.audit.rejection(&caller, act, None, error.code()).await;
                Err(SignInRejected { error, return_to })
            }
        }
    }

    /// Ends the session whose secret is `session`.
    ///
    /// # Errors
    ///
    /// Returns a `StoreError` if the session could not be ended. It is then still valid.
    pub async fn sign_out(&self, session: &str, who: Option<&OwnerId>, from: IpAddr) -> Result<()> {
        let audit_entry = who
            .map(|who| self.parts.audit.entry_of(who.as_str(), AuditAction::SignOut, None, from));
        self.parts.accounts.end_session(&Digest::of(session), audit_entry.as_ref()).await?;
        Ok(())
    }

    /// Ends all sessions of a person.
    ///
    /// # Errors
    ///
    /// Returns a `StoreError` if the sessions could not be ended. They are then still valid.
    pub async fn sign_out_everywhere(&self, who: &OwnerId, from: IpAddr) -> Result<()> {
        let audit_entry =
            self.parts.audit.entry_of(who.as_str(), AuditAction::SignOut, Some("everywhere"), from);
        let count = self.parts.accounts.end_sessions_of(who, Some(&audit_entry)).await?;
        tracing::info!(person = %who, count, "A person signed out everywhere");
        Ok(())
    }

    /// Returns the URL at which a person who uses the portal at `portal` signs out of the provider,
    /// too, if it has one and answers.
    pub async fn sign_out_address(&self, portal: &Origin) -> Option<String> {
        self.parts.provider.sign_out_address(portal).await
    }

    /// Remembers where a sign-in led, until it would have expired.
    async fn remember_finished(&self, browser: &str, state: &Secret, sign_in: SignIn) {
        let finished = record::finished(browser, state, sign_in);
        let stored = self.parts.accounts.begin_sign_in(&finished, self.parts.clock.now()).await;
        if let Err(error) = stored {
            tracing::warn!(%error, "Could not remember where a sign-in led");
        }
    }

    /// Returns where the sign-in with this `state` led, if this browser has finished it.
    async fn find_finished(&self, browser: &str, state: &Secret) -> Result<Option<ReturnTo>> {
        let (record, now) = (record::of_finished(browser, state), self.parts.clock.now());
        let finished = self.parts.accounts.find_sign_in(&record, now).await?;
        Ok(finished.map(|finished| ReturnTo::parse(&finished.return_to)))
    }

    /// Completes a sign-in and begins a new session, even if the browser already has one: a session
    /// id from before the sign-in may be known to somebody else (session fixation).
    async fn complete_sign_in(
        &self,
        sign_in: &SignIn,
        answer: Result<&str, SignInError>,
        returning: Returning<'_>,
    ) -> Result<(Person, Secret), SignInError> {
        let code = answer?;
        let SignIn { nonce, verifier, .. } = sign_in;
        let asked = (self.parts.asked)();
        let wanted = Wanted { email: asked.email, groups: !asked.groups.is_empty() };
        let portal = returning.portal;
        let response = AuthorizationResponse { portal, code, nonce, verifier, wanted };
        let profile = self.parts.provider.finish(&response).await?;
        let profile = Profile {
            email: profile.email.filter(|_| asked.email),
            groups: profile.groups.intersection(&asked.groups).cloned().collect(),
            ..profile
        };
        self.begin_session(&profile, returning.from).await
    }

    /// Ends the session that the browser has just replaced with a new one.
    async fn end_previous_session(&self, previous: Option<&str>) {
        let Some(previous) = previous else { return };
        if let Err(error) = self.parts.accounts.end_session(&Digest::of(previous), None).await {
            tracing::warn!(%error, "Could not end the replaced session: it stays valid until it expires");
        }
    }

    async fn begin_session(
        &self,
        profile: &Profile,
        from: IpAddr,
    ) -> Result<(Person, Secret), SignInError> {
        let SessionSettings { idle, lifetime } = self.parts.session;
        let secret = Secret::from_random((self.parts.random)());
        let begun = self.parts.clock.now();
        let session = NewSession {
            person: OwnerId::person(&secret::id((self.parts.random)())),
            secret: secret.digest(),
            begun,
            idle_until: begun + idle.min(lifetime),
            ends: begun + lifetime,
            audit_entry: Some(self.parts.audit.entry_of("", AuditAction::SignIn, None, from)),
        };
        let person = self.parts.accounts.sign_in(profile, &session).await?;
        Ok((person, secret))
    }
}

/// Logs why a sign-in failed, at the level of the action that it needs. What a caller can cause with
/// a code or an error of their own is neither a warning nor an error.
fn report(error: &SignInError) {
    let code = error.code().as_str();
    match error {
        SignInError::Denied
        | SignInError::Expired
        | SignInError::Busy
        | SignInError::Provider(IdentityError::Refused(_) | IdentityError::Status(_)) => {
            tracing::info!(%error, code, "A sign-in was not completed");
        }
        SignInError::Provider(
            IdentityError::Unavailable(_)
            | IdentityError::Unreadable(_)
            | IdentityError::Untrusted(_),
        )
        | SignInError::Store(_) => tracing::warn!(%error, code, "A sign-in failed"),
        SignInError::Provider(IdentityError::ClientRefused(_)) => {
            tracing::error!(%error, code, "Nobody can sign in: check the portal's client registration at the identity \
                 provider");
        }
    }
}
