//! The adapter of the identity provider port for OpenID Connect: the authorization code flow with
//! PKCE.
//!
//! It must not know sessions or cookies, and stores nothing about a person. Claims are accepted
//! only after the ID token's signature, issuer, audience, nonce and times are verified.

mod claims;
mod client;
mod discovery;
mod exchange;

use std::sync::Arc;

use async_trait::async_trait;
use openidconnect::core::CoreResponseType;
use openidconnect::url::ParseError;
use openidconnect::{
    AuthenticationFlow, AuthorizationCode, CsrfToken, IssuerUrl, LogoutRequest, Nonce,
    OAuth2TokenResponse, PkceCodeChallenge, PkceCodeVerifier, PostLogoutRedirectUrl, RedirectUrl,
    Scope,
};
use secrecy::ExposeSecret;

use self::claims::Claims;
use self::client::{Client, ProviderMetadata, Tokens, client, refused};
use self::discovery::Discovery;
use self::exchange::Exchange;
use super::accounts::Profile;
use super::identity_provider::{
    AuthorizationRequest, CALLBACK, IdentityError, IdentityProvider, SIGNED_OUT,
};
use crate::server::origin::Origin;
use crate::server::settings::OidcSettings;
use clock::Clock;

/// The client cannot be created.
#[derive(Debug, thiserror::Error)]
pub enum BuildOidcError {
    /// An address is not a valid URL.
    #[error("the provider's address cannot be read")]
    Address(#[from] ParseError),
    /// The TLS set-up failed, usually because the system has no certificate authorities.
    #[error("the HTTP client for the provider cannot be made")]
    Http(#[source] reqwest::Error),
}

/// The client of an OpenID Connect provider. It first contacts the provider when somebody signs in.
pub struct Oidc {
    settings: OidcSettings,
    callback: RedirectUrl,
    signed_out: PostLogoutRedirectUrl,
    exchange: Exchange,
    discovery: Discovery,
    clock: Arc<dyn Clock>,
}

impl Oidc {
    /// Creates the client of a portal that is reached at `public_url`. It does not contact the
    /// provider.
    ///
    /// # Errors
    ///
    /// Returns a [`BuildOidcError`] if an address is invalid or TLS cannot be set up.
    pub fn new(
        settings: OidcSettings,
        public_url: &Origin,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, BuildOidcError> {
        let issuer = IssuerUrl::new(settings.issuer.clone())?;
        Ok(Self {
            callback: RedirectUrl::new(format!("{public_url}{CALLBACK}"))?,
            signed_out: PostLogoutRedirectUrl::new(format!("{public_url}{SIGNED_OUT}"))?,
            exchange: Exchange::new(&issuer).map_err(BuildOidcError::Http)?,
            discovery: Discovery::new(issuer, Arc::clone(&clock)),
            settings,
            clock,
        })
    }

    /// Checks that the provider answers with valid metadata.
    ///
    /// # Errors
    ///
    /// Returns an [`IdentityError`] if the provider cannot be used.
    pub async fn check(&self) -> Result<(), IdentityError> {
        self.provider().await.map(drop)
    }

    async fn provider(&self) -> Result<Arc<ProviderMetadata>, IdentityError> {
        self.discovery.provider(&self.exchange).await
    }

    fn client(&self, provider: &ProviderMetadata) -> Client {
        client(provider, &self.settings, self.callback.clone())
    }

    async fn redeem(
        &self,
        client: &Client,
        code: &str,
        verifier: &str,
    ) -> Result<Tokens, IdentityError> {
        let request = client
            .exchange_code(AuthorizationCode::new(code.to_owned()))
            .map_err(|error| IdentityError::Unavailable(error.to_string()))?
            .set_pkce_verifier(PkceCodeVerifier::new(verifier.to_owned()));
        let secret = self.settings.client_secret.as_ref().map_or("", ExposeSecret::expose_secret);
        let secrets = [code, verifier, secret].map(str::trim);
        let secrets: Vec<_> = secrets.into_iter().filter(|secret| !secret.is_empty()).collect();
        let sent = request.request_async(&self.exchange).await;
        sent.map_err(|error| refused(error, &secrets))
    }

    /// Verifies and reads the ID token. If it is signed with an unknown key, the keys are fetched
    /// once more: providers rotate them.
    async fn read(
        &self,
        (provider, client): (&Arc<ProviderMetadata>, &Client),
        tokens: &Tokens,
        nonce: &Nonce,
    ) -> Result<Claims, IdentityError> {
        let now = self.clock.now();
        match claims::read(client, tokens, nonce, now) {
            Err(claims::ReadError::UnknownKey) => {
                let provider = self.discovery.renew_keys(provider, &self.exchange).await?;
                claims::read(&self.client(&provider), tokens, nonce, now)
            }
            read => read,
        }
        .map_err(|error| IdentityError::Untrusted(error.to_string()))
    }

    /// Fetches userinfo for the claims that the ID token lacks: some providers return names only
    /// there. Without an answer the person still signs in, but may lack a group and so the operator
    /// role.
    async fn fetch_userinfo(&self, client: &Client, tokens: &Tokens, claims: Claims) -> Claims {
        if claims.is_complete(&self.settings) {
            return claims;
        }
        let subject = Some(claims.subject.clone());
        let Ok(request) = client.user_info(tokens.access_token().clone(), subject) else {
            return claims;
        };
        match request.request_async(&self.exchange).await {
            Ok(more) => claims.merge(&more),
            Err(error) => {
                let error = claims::describe(&error);
                tracing::warn!(error, "Could not fetch user info from the identity provider");
                claims
            }
        }
    }
}

#[async_trait]
impl IdentityProvider for Oidc {
    async fn begin(&self, request: &AuthorizationRequest<'_>) -> Result<String, IdentityError> {
        let client = self.client(&*self.provider().await?);
        let verifier = PkceCodeVerifier::new(request.verifier.to_owned());
        let (state, nonce) = (request.state.to_owned(), request.nonce.to_owned());
        let flow = AuthenticationFlow::<CoreResponseType>::AuthorizationCode;
        // The library adds `openid` itself.
        let scopes = self.settings.scopes.iter().filter(|scope| *scope != "openid");
        let (address, _, _) = client
            .authorize_url(flow, || CsrfToken::new(state), || Nonce::new(nonce))
            .add_scopes(scopes.map(|scope| Scope::new(scope.clone())))
            .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier))
            .url();
        Ok(address.into())
    }

    async fn finish(
        &self,
        code: &str,
        request: &AuthorizationRequest<'_>,
    ) -> Result<Profile, IdentityError> {
        let provider = self.provider().await?;
        let client = self.client(&provider);
        let tokens = self.redeem(&client, code, request.verifier).await?;
        let nonce = Nonce::new(request.nonce.to_owned());
        let claims = self.read((&provider, &client), &tokens, &nonce).await?;
        let claims = self.fetch_userinfo(&client, &tokens, claims).await;
        Ok(claims.into_profile(&self.settings))
    }

    async fn sign_out_address(&self) -> Option<String> {
        let provider = self.provider().await.ok()?;
        let endpoint = provider.additional_metadata().end_session_endpoint.clone()?;
        let request = LogoutRequest::from(endpoint)
            .set_client_id(client::id(&self.settings))
            .set_post_logout_redirect_uri(self.signed_out.clone());
        Some(request.http_get_url().into())
    }
}
