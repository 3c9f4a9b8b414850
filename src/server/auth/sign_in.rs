//! The use cases of signing in and out, and of the API tokens of those who have.
//!
//! Credentials are made here, handed out once and kept as a digest. It knows the ports; it must not
//! know cookies, nor how the provider is asked.

mod error;
mod return_to;
mod tokens;

use std::{net::IpAddr, sync::Arc, time::Duration};

use jiff::Timestamp;

pub use error::{Callback, SignInError, SignInRejected};
pub use return_to::ReturnTo;
pub use tokens::{Lifetime, MAX_TOKENS, TokenError, TokenName};

use super::{
    access::OwnerId,
    accounts::{Accounts, Digest, NewSession, Person, Profile, SignIn},
    identity_provider::{AuthorizationRequest, AuthorizationResponse, IdentityProvider},
    secret::{self, RandomBits, Secret},
};
use crate::server::{
    audit::{AuditAction, AuditTrail},
    settings::SessionSettings,
    store::StoreError,
};
use clock::Clock;

/// The time for which a person may be away at the provider.
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
    /// The time for which people stay signed in.
    pub session: SessionSettings,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Random bits, which nobody can guess.
    pub random: Arc<dyn Fn() -> RandomBits + Send + Sync>,
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
    /// The secret that their browser keeps meanwhile.
    pub browser: Secret,
}

/// A person who has signed in.
#[derive(Debug)]
pub struct SignedInSession {
    /// The session's secret.
    pub session: Secret,
    /// The page to return to.
    pub return_to: ReturnTo,
}

impl SignInService {
    /// Makes the service of its parts.
    pub fn new(parts: SignInParts) -> Self {
        Self { parts }
    }

    /// Returns what people call the provider.
    pub fn provider_name(&self) -> &str {
        &self.parts.provider_name
    }

    /// Returns the time.
    pub fn now(&self) -> Timestamp {
        self.parts.clock.now()
    }

    /// Returns how long people stay signed in.
    pub fn session(&self) -> SessionSettings {
        self.parts.session
    }

    /// Begins the sign-in of somebody who wants to go to `return_to`.
    ///
    /// # Errors
    ///
    /// Returns why nobody can sign in now.
    pub async fn begin(&self, return_to: &ReturnTo) -> Result<SignInStarted, SignInError> {
        let [browser, state, nonce, verifier] =
            std::array::from_fn(|_| Secret::from_random((self.parts.random)()));
        let request = AuthorizationRequest {
            state: state.expose(),
            nonce: nonce.expose(),
            verifier: verifier.expose(),
        };
        let address = self.parts.provider.begin(&request).await?;
        let now = self.parts.clock.now();
        let sign_in = SignIn {
            browser: browser.digest(),
            state: state.expose().to_owned(),
            nonce: nonce.expose().to_owned(),
            verifier: verifier.expose().to_owned(),
            return_to: return_to.as_str().to_owned(),
            expires: now + SIGN_IN_LIFETIME,
        };
        self.parts.accounts.begin_sign_in(&sign_in, now).await?;
        Ok(SignInStarted { address, browser })
    }

    /// Finishes the sign-in that the browser began which shows `browser`: once, whatever comes
    /// of it. Whoever comes in leaves the session of `previous`, which that browser has shown.
    ///
    /// # Errors
    ///
    /// Returns why the person is not let in, and where they wanted to go.
    pub async fn finish(
        &self,
        browser: Option<&str>,
        callback: &Callback,
        previous: Option<&str>,
        from: IpAddr,
    ) -> Result<SignedInSession, SignInRejected> {
        let sign_in = match self.take(browser).await {
            Ok(sign_in) => sign_in,
            Err(error) => return Err(SignInRejected { error, return_to: ReturnTo::home() }),
        };
        let return_to = ReturnTo::parse(&sign_in.return_to);
        match self.complete_sign_in(&sign_in, callback, from).await {
            Ok((person, session)) => {
                tracing::info!(person = %person.owner, "A person signed in");
                self.end_previous_session(previous).await;
                Ok(SignedInSession { session, return_to })
            }
            Err(error) => {
                report(&error);
                let entry = self.parts.audit.entry_of("stranger", AuditAction::SignIn, None, from);
                self.parts.audit.record(entry, error.code().as_str()).await;
                Err(SignInRejected { error, return_to })
            }
        }
    }

    /// Signs somebody out of the browser that shows `session`.
    ///
    /// # Errors
    ///
    /// Returns an error when the session could not be ended: it goes on.
    pub async fn sign_out(
        &self,
        session: &str,
        who: Option<&OwnerId>,
        from: IpAddr,
    ) -> Result<(), StoreError> {
        let audit_entry = who
            .map(|who| self.parts.audit.entry_of(who.as_str(), AuditAction::SignOut, None, from));
        self.parts.accounts.end_session(&Digest::of(session), audit_entry.as_ref()).await?;
        Ok(())
    }

    /// Signs somebody out of every browser.
    ///
    /// # Errors
    ///
    /// Returns an error when their sessions could not be ended: they go on.
    pub async fn sign_out_everywhere(&self, who: &OwnerId, from: IpAddr) -> Result<(), StoreError> {
        let audit_entry =
            self.parts.audit.entry_of(who.as_str(), AuditAction::SignOut, Some("everywhere"), from);
        let count = self.parts.accounts.end_sessions_of(who, Some(&audit_entry)).await?;
        tracing::info!(person = %who, count, "A person signed out everywhere");
        Ok(())
    }

    /// Returns the address at which somebody signs out of the provider, too, if it has one.
    pub async fn sign_out_address(&self) -> Option<String> {
        self.parts.provider.sign_out_address().await
    }

    /// Takes out what was kept for the browser that shows `browser`.
    async fn take(&self, browser: Option<&str>) -> Result<SignIn, SignInError> {
        let browser = browser.ok_or(SignInError::Expired)?;
        let now = self.parts.clock.now();
        let taken = self.parts.accounts.take_sign_in(&Digest::of(browser), now).await?;
        taken.ok_or(SignInError::Expired)
    }

    /// Completes a sign-in, and begins a session: a new one, whatever session the browser has had.
    async fn complete_sign_in(
        &self,
        sign_in: &SignIn,
        callback: &Callback,
        from: IpAddr,
    ) -> Result<(Person, Secret), SignInError> {
        let (state, answer) = callback.parts();
        // As digests, so that the time it takes tells nothing.
        if Digest::of(state) != Digest::of(&sign_in.state) {
            return Err(SignInError::Expired);
        }
        let code = answer?;
        let SignIn { nonce, verifier, .. } = sign_in;
        let profile =
            self.parts.provider.finish(&AuthorizationResponse { code, nonce, verifier }).await?;
        self.begin_session(&profile, from).await
    }

    /// Ends the session that nobody will show any more, since the browser has a new one.
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

/// Logs why somebody could not sign in, as loud as somebody should look.
fn report(error: &SignInError) {
    let code = error.code().as_str();
    match error {
        SignInError::Denied | SignInError::Expired => {
            tracing::info!(%error, code, "A sign-in was not completed");
        }
        SignInError::Unavailable(_) | SignInError::Untrusted(_) | SignInError::Store(_) => {
            tracing::warn!(%error, code, "A sign-in failed");
        }
        SignInError::Refused(_) => {
            tracing::error!(%error, code, "Nobody can sign in: check the portal's client registration at the identity \
                 provider");
        }
    }
}
