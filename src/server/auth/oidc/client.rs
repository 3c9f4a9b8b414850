//! The types of the OpenID Connect library as we use them, and its client, made from the provider's
//! metadata.

use openidconnect::core::{
    CoreAuthDisplay, CoreAuthPrompt, CoreClientAuthMethod, CoreErrorResponseType, CoreGenderClaim,
    CoreJsonWebKey, CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm, CoreRevocableToken,
    CoreRevocationErrorResponse, CoreTokenIntrospectionResponse, CoreTokenType,
};
use openidconnect::{
    AdditionalClaims, AuthType, ClientId, ClientSecret, EmptyExtraTokenFields, EndpointMaybeSet,
    EndpointNotSet, EndpointSet, IdTokenFields, ProviderMetadataWithLogout, RedirectUrl,
    RequestTokenError, StandardErrorResponse, StandardTokenResponse,
};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::exchange::ExchangeError;
use crate::server::auth::identity_provider::IdentityError;
use crate::server::settings::OidcSettings;

/// The maximum number of characters of a provider's error that are kept.
const REASON_LENGTH: usize = 300;
/// The text that replaces a provider's error that contains a secret.
const REDACTED: &str = "it repeats a secret, which is left out here";

/// The provider's metadata.
pub(super) type ProviderMetadata = ProviderMetadataWithLogout;
/// The token response.
pub(super) type Tokens = StandardTokenResponse<
    IdTokenFields<
        ExtraClaims,
        EmptyExtraTokenFields,
        CoreGenderClaim,
        CoreJweContentEncryptionAlgorithm,
        CoreJwsSigningAlgorithm,
    >,
    CoreTokenType,
>;
/// The library's client.
pub(super) type Client = openidconnect::Client<
    ExtraClaims,
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

/// The claims that the standard does not define, such as groups.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct ExtraClaims {
    /// The values, by the name of the claim.
    #[serde(flatten)]
    pub all: Map<String, Value>,
}

impl AdditionalClaims for ExtraClaims {}

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
            IdentityError::Refused(if is_discreet { message } else { REDACTED.to_owned() })
        }
        RequestTokenError::Request(error) => IdentityError::Unavailable(error.to_string()),
        RequestTokenError::Parse(error, _) => {
            IdentityError::Unavailable(format!("its tokens cannot be read at {}", error.path()))
        }
        RequestTokenError::Other(reason) => IdentityError::Unavailable(reason),
    }
}
