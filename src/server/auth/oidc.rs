//! The adapter of the identity provider port for OpenID Connect: the authorization code flow with
//! PKCE.
//!
//! It must not know sessions or cookies, and stores nothing about a person. Claims are accepted
//! only after the ID token's signature, issuer, audience, nonce and times are verified.

mod claims;
mod client;
mod discovery;
mod exchange;
mod form;
mod groups;
mod id_token;
mod metadata;
mod report;
mod signed;

use std::sync::Arc;

use async_trait::async_trait;
use openidconnect::core::{CoreAuthPrompt, CoreResponseType};
use openidconnect::http::header;
use openidconnect::url::ParseError;
use openidconnect::{
    AuthenticationFlow, AuthorizationCode, CsrfToken, IssuerUrl, LogoutRequest, Nonce,
    OAuth2TokenResponse, PkceCodeChallenge, PkceCodeVerifier, PostLogoutRedirectUrl, RedirectUrl,
    Scope,
};
use secrecy::ExposeSecret;
use transport::Outbound;

use self::claims::Claims;
use self::client::{Client, ProviderMetadata, Tokens, client, refused};
use self::discovery::{Discovery, Renewal};
use self::exchange::{Exchange, unavailable};
use self::form::Object;
use self::id_token::{Expected, IdTokenError};
use self::report::LostGroups;
pub use self::report::SignInReport;
use self::signed::{Signed, SignedError};
use super::accounts::Profile;
use super::identity_provider::{
    AuthorizationRequest, AuthorizationResponse, CALLBACK, IdentityError, IdentityProvider,
    SIGNED_OUT,
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
    exchange: Exchange,
    discovery: Discovery,
    lost_groups: LostGroups,
    clock: Arc<dyn Clock>,
}

impl Oidc {
    /// Creates the client. It does not contact the provider.
    ///
    /// # Errors
    ///
    /// Returns a [`BuildOidcError`] if an address is invalid or TLS cannot be set up.
    pub fn new(
        settings: OidcSettings,
        outbound: &Outbound,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, BuildOidcError> {
        let issuer = IssuerUrl::new(settings.issuer.clone())?;
        Ok(Self {
            exchange: Exchange::new(&issuer, outbound).map_err(BuildOidcError::Http)?,
            discovery: Discovery::new(issuer, Arc::clone(&clock)),
            settings,
            lost_groups: LostGroups::default(),
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

    /// Exchanges the code for all that the provider says about the person, for operators.
    ///
    /// # Errors
    ///
    /// Returns an [`IdentityError`] if nobody could sign in with this response.
    pub async fn explain(
        &self,
        response: &AuthorizationResponse<'_>,
    ) -> Result<SignInReport, IdentityError> {
        let (claims, userinfo) = self.claims(response, |_| true).await?;
        Ok(SignInReport::of(&claims, userinfo.err(), &self.settings))
    }

    async fn provider(&self) -> Result<Arc<ProviderMetadata>, IdentityError> {
        self.discovery.provider(&self.exchange).await
    }

    fn client(
        &self,
        provider: &ProviderMetadata,
        portal: &Origin,
    ) -> Result<Client, IdentityError> {
        let callback = RedirectUrl::new(format!("{portal}{CALLBACK}"));
        let callback = callback.map_err(|error| IdentityError::Refused(error.to_string()))?;
        Ok(client(provider, &self.settings, callback))
    }

    async fn redeem(
        &self,
        client: &Client,
        response: &AuthorizationResponse<'_>,
    ) -> Result<Tokens, IdentityError> {
        let request = client
            .exchange_code(AuthorizationCode::new(response.code.to_owned()))
            .map_err(|error| IdentityError::Unreadable(error.to_string()))?
            .set_pkce_verifier(PkceCodeVerifier::new(response.verifier.to_owned()));
        let secret = self.settings.client_secret.as_ref().map_or("", ExposeSecret::expose_secret);
        let secrets = [response.code, response.verifier, secret].map(str::trim);
        let secrets: Vec<_> = secrets.into_iter().filter(|secret| !secret.is_empty()).collect();
        let sent = request.request_async(&self.exchange).await;
        sent.map_err(|error| refused(error, &secrets))
    }

    /// Redeems the code and returns the verified claims, and whether userinfo could be read if
    /// it `is_wanted` in addition to the claims of the ID token.
    async fn claims(
        &self,
        response: &AuthorizationResponse<'_>,
        is_wanted: impl Fn(&Claims) -> bool + Send,
    ) -> Result<(Claims, Result<(), IdentityError>), IdentityError> {
        let provider = self.provider().await?;
        let tokens = self.redeem(&self.client(&provider, response.portal)?, response).await?;
        let token = self.read(&provider, &tokens, response.nonce).await?;
        let mut claims = Claims { token, userinfo: None };
        let mut asked = Ok(());
        if is_wanted(&claims) {
            match self.userinfo(&provider, &tokens, claims.subject()).await {
                Ok(userinfo) => claims.userinfo = userinfo,
                Err(error) => asked = Err(error),
            }
        }
        Ok((claims, asked))
    }

    /// Verifies and reads the ID token. If the known keys do not verify it, the keys are fetched
    /// once more: providers rotate them.
    async fn read(
        &self,
        provider: &Arc<ProviderMetadata>,
        tokens: &Tokens,
        nonce: &str,
    ) -> Result<Object, IdentityError> {
        let (settings, access_token) = (&self.settings, tokens.access_token());
        let expected = Expected { settings, nonce, access_token, now: self.clock.now() };
        let read = |provider: &ProviderMetadata| {
            id_token::read(tokens.id_token.as_deref(), provider.jwks().keys(), expected)
        };
        let first = read(provider);
        let why = match &first {
            Err(IdTokenError::Signed(SignedError::UnknownKey)) => Some(Renewal::UnknownKey),
            Err(IdTokenError::Signed(SignedError::Signature)) => Some(Renewal::Signature),
            Ok(_) | Err(_) => None,
        };
        let renewed = match why {
            Some(why) => self.discovery.renew_keys(provider, &self.exchange, why).await?,
            None => None,
        };
        renewed.map_or(first, |provider| read(&provider)).map_err(untrusted)
    }

    /// Fetches userinfo: some providers return names and groups only there. `None` if the provider
    /// has none.
    async fn userinfo(
        &self,
        provider: &ProviderMetadata,
        tokens: &Tokens,
        subject: &str,
    ) -> Result<Option<Object>, IdentityError> {
        let Some(endpoint) = provider.userinfo_endpoint() else { return Ok(None) };
        let answer = self.exchange.get(endpoint.as_str(), Some(tokens.access_token())).await;
        let answer = answer.map_err(|error| unavailable(&error))?;
        let kind = answer.headers().get(header::CONTENT_TYPE);
        let is_signed = kind.is_some_and(|kind| {
            let kind = kind.as_bytes().to_ascii_lowercase();
            kind.starts_with(b"application/jwt")
        });
        let userinfo = if is_signed {
            let token = String::from_utf8_lossy(answer.body());
            let verified = Signed::parse(token.trim())
                .and_then(|signed| signed.verify(provider.jwks().keys()));
            verified.map_err(|error| untrusted(error.into()))?.claims
        } else {
            form::object("user info", answer.body())
                .map_err(|error| IdentityError::Unreadable(error.to_string()))?
        };
        match form::text(&userinfo, "sub") {
            Ok(sub) if sub == subject => Ok(Some(userinfo)),
            Ok(_) => {
                Err(IdentityError::Untrusted(String::from("user info is about another person")))
            }
            Err(error) => Err(IdentityError::Unreadable(format!("in user info, {error}"))),
        }
    }
}

#[async_trait]
impl IdentityProvider for Oidc {
    async fn begin(&self, request: &AuthorizationRequest<'_>) -> Result<String, IdentityError> {
        let client = self.client(&*self.provider().await?, request.portal)?;
        let verifier = PkceCodeVerifier::new(request.verifier.to_owned());
        let (state, nonce) = (request.state.to_owned(), request.nonce.to_owned());
        let flow = AuthenticationFlow::<CoreResponseType>::AuthorizationCode;
        // The library adds `openid` itself.
        let scopes = self.settings.scopes.iter().map(String::as_str);
        let mut scopes: Vec<_> = scopes.filter(|scope| *scope != "openid").collect();
        if request.wants_email && !scopes.contains(&"email") {
            scopes.push("email");
        }
        let mut address =
            client.authorize_url(flow, || CsrfToken::new(state), || Nonce::new(nonce));
        if request.again {
            address = address.add_prompt(CoreAuthPrompt::Login);
        }
        let (address, _, _) = address
            .add_scopes(scopes.into_iter().map(|scope| Scope::new(scope.to_owned())))
            .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier))
            .url();
        Ok(address.into())
    }

    async fn finish(&self, response: &AuthorizationResponse<'_>) -> Result<Profile, IdentityError> {
        let is_incomplete = |claims: &Claims| !claims.is_complete(&self.settings, response.wanted);
        let (claims, userinfo) = self.claims(response, is_incomplete).await?;
        match userinfo {
            Ok(()) => self.lost_groups.report(&claims, &self.settings),
            // The person still signs in, but may lack a name, or a group and so the operator role.
            Err(error) => {
                tracing::warn!(%error, "Could not use user info from the identity provider");
            }
        }
        Ok(claims.profile(&self.settings))
    }

    async fn sign_out_address(&self, portal: &Origin) -> Option<String> {
        let provider = self.provider().await.ok()?;
        let endpoint = provider.additional_metadata().end_session_endpoint.clone()?;
        let signed_out = PostLogoutRedirectUrl::new(format!("{portal}{SIGNED_OUT}")).ok()?;
        let request = LogoutRequest::from(endpoint)
            .set_client_id(client::id(&self.settings))
            .set_post_logout_redirect_uri(signed_out);
        Some(request.http_get_url().into())
    }
}

/// Converts the error of a token: what cannot be read is told from what must not be believed.
fn untrusted(error: IdTokenError) -> IdentityError {
    let reason = error.to_string();
    match error {
        IdTokenError::Form(_)
        | IdTokenError::Signed(SignedError::Form(_) | SignedError::Unreadable(_)) => {
            IdentityError::Unreadable(format!("in the ID token, {reason}"))
        }
        IdTokenError::Missing
        | IdTokenError::Invalid(_)
        | IdTokenError::Signed(
            SignedError::UnknownKey | SignedError::Signature | SignedError::Unsupported(_),
        ) => IdentityError::Untrusted(reason),
    }
}
