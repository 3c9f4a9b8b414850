//! The types of the OpenID Connect library as we use them, and its client, made from the provider's
//! metadata.

use std::fmt;
use std::time::Duration;

use openidconnect::core::{
    CoreAuthDisplay, CoreAuthPrompt, CoreClientAuthMethod, CoreErrorResponseType, CoreGenderClaim,
    CoreJsonWebKey, CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm, CoreRevocableToken,
    CoreRevocationErrorResponse, CoreTokenIntrospectionResponse, CoreTokenType,
};
use openidconnect::{
    AccessToken, AuthType, ClientId, ClientSecret, EmptyAdditionalClaims, EndpointMaybeSet,
    EndpointNotSet, EndpointSet, IdToken, OAuth2TokenResponse, ProviderMetadataWithLogout,
    RedirectUrl, RefreshToken, RequestTokenError, Scope, StandardErrorResponse, TokenResponse,
};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};

use super::exchange::{ExchangeError, unavailable};
use crate::server::auth::identity_provider::IdentityError;
use crate::server::settings::OidcSettings;

/// The maximum number of characters of a provider's error that are kept.
const REASON_LENGTH: usize = 300;
/// The text that replaces a provider's error that contains a secret.
const REDACTED: &str = "it repeats a secret, which is left out here";

/// The provider's metadata.
pub(super) type ProviderMetadata = ProviderMetadataWithLogout;
/// The library's client.
pub(super) type Client = openidconnect::Client<
    EmptyAdditionalClaims,
    CoreAuthDisplay,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJsonWebKey,
    CoreAuthPrompt,
    StandardErrorResponse<CoreErrorResponseType>,
    Tokens,
    CoreTokenIntrospectionResponse,
    CoreRevocableToken,
    CoreRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

/// The token response (RFC 6749, section 5.1): only what the portal reads, so that the rest may have
/// any form. The ID token is a text, since the library would read all of its claims.
#[derive(Serialize, Deserialize)]
pub(super) struct Tokens {
    access_token: AccessToken,
    #[serde(default)]
    pub(super) id_token: Option<String>,
    #[serde(skip, default = "bearer")]
    token_type: CoreTokenType,
}

fn bearer() -> CoreTokenType {
    CoreTokenType::Bearer
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tokens")
    }
}

impl OAuth2TokenResponse for Tokens {
    type TokenType = CoreTokenType;

    fn access_token(&self) -> &AccessToken {
        &self.access_token
    }

    fn token_type(&self) -> &CoreTokenType {
        &self.token_type
    }

    fn expires_in(&self) -> Option<Duration> {
        None
    }

    fn refresh_token(&self) -> Option<&RefreshToken> {
        None
    }

    fn scopes(&self) -> Option<&Vec<Scope>> {
        None
    }
}

/// The library requires this; `id_token.rs` reads the ID token instead.
impl
    TokenResponse<
        EmptyAdditionalClaims,
        CoreGenderClaim,
        CoreJweContentEncryptionAlgorithm,
        CoreJwsSigningAlgorithm,
    > for Tokens
{
    fn id_token(
        &self,
    ) -> Option<
        &IdToken<
            EmptyAdditionalClaims,
            CoreGenderClaim,
            CoreJweContentEncryptionAlgorithm,
            CoreJwsSigningAlgorithm,
        >,
    > {
        None
    }
}

/// Creates the client, with `callback` as its redirect URI.
pub(super) fn client(
    provider: &ProviderMetadata,
    settings: &OidcSettings,
    callback: RedirectUrl,
) -> Client {
    let secret = settings.client_secret.as_ref();
    let secret = secret.map(|secret| ClientSecret::new(secret.expose_secret().to_owned()));
    Client::from_provider_metadata(provider.clone(), id(settings), secret)
        .set_redirect_uri(callback)
        .set_auth_type(client_auth(provider))
}

/// Returns the portal's client id at the provider.
pub(super) fn id(settings: &OidcSettings) -> ClientId {
    ClientId::new(settings.client_id.clone())
}

/// Chooses how the client secret is sent: with basic authentication, which every provider must
/// support, unless the metadata lists only the request body.
fn client_auth(provider: &ProviderMetadata) -> AuthType {
    let Some(methods) = provider.token_endpoint_auth_methods_supported() else {
        return AuthType::BasicAuth;
    };
    let has = |method| methods.contains(&method);
    let only_in_body = has(CoreClientAuthMethod::ClientSecretPost)
        && !has(CoreClientAuthMethod::ClientSecretBasic);
    if only_in_body { AuthType::RequestBody } else { AuthType::BasicAuth }
}

/// Converts the error of a token request. An unreadable answer is not repeated, since it may
/// contain tokens, and neither is the provider's error if it contains one of `secrets`.
pub(super) fn refused(
    error: RequestTokenError<ExchangeError, StandardErrorResponse<CoreErrorResponseType>>,
    secrets: &[&str],
) -> IdentityError {
    match error {
        RequestTokenError::ServerResponse(answer) => {
            let message: String = answer.to_string().chars().take(REASON_LENGTH).collect();
            let is_discreet = !secrets.iter().any(|secret| message.contains(secret));
            let message = if is_discreet { message } else { REDACTED.to_owned() };
            match answer.error() {
                CoreErrorResponseType::InvalidClient
                | CoreErrorResponseType::UnauthorizedClient => {
                    IdentityError::ClientRefused(message)
                }
                _ => IdentityError::Refused(message),
            }
        }
        RequestTokenError::Request(
            ExchangeError::Failed(status) | ExchangeError::Status(status),
        ) => IdentityError::Status(status.as_u16()),
        RequestTokenError::Request(error) => unavailable(&error),
        RequestTokenError::Parse(error, _) => IdentityError::Unreadable(format!(
            "its token response has another form than expected at {}",
            error.path()
        )),
        RequestTokenError::Other(reason) => IdentityError::Unreadable(reason),
    }
}
