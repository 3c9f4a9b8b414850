//! Fetches the provider's metadata and its keys. Only what the portal uses is read: providers send
//! empty addresses and names of their own in the rest.

use openidconnect::core::{CoreClientAuthMethod, CoreJsonWebKey};
use openidconnect::url::ParseError;
use openidconnect::{
    AuthUrl, EmptyAdditionalProviderMetadata, EndSessionUrl, IssuerUrl, JsonWebKeySet,
    JsonWebKeySetUrl, LogoutProviderMetadata, TokenUrl, UserInfoUrl,
};
use serde_json::Value;

use super::client::ProviderMetadata;
use super::exchange::{Exchange, unavailable};
use super::form::{self, Object, WrongForm};
use crate::server::auth::identity_provider::IdentityError;

/// Where a provider's metadata is, after its issuer.
const PATH: &str = "/.well-known/openid-configuration";

/// Fetches the metadata of the provider `issuer` with its keys.
pub(super) async fn fetch(
    exchange: &Exchange,
    issuer: &IssuerUrl,
) -> Result<ProviderMetadata, IdentityError> {
    let address = format!("{}{PATH}", issuer.strip_suffix('/').unwrap_or(issuer));
    let answer = exchange.get(&address, None).await.map_err(|error| unavailable(&error))?;
    let document = form::object("the metadata", answer.body()).map_err(|error| odd(&error))?;
    let found = form::text(&document, "issuer").map_err(|error| odd(&error))?;
    if found != issuer.as_str() {
        let reason = format!("the metadata is that of the issuer {found:?}, not {:?}", **issuer);
        return Err(IdentityError::Untrusted(reason));
    }
    let metadata = parse(&document, issuer.clone()).map_err(|error| odd(&error))?;
    let keys = keys(exchange, metadata.jwks_uri()).await?;
    Ok(metadata.set_jwks(keys))
}

/// Fetches the provider's keys. Those that the portal cannot read are left out.
pub(super) async fn keys(
    exchange: &Exchange,
    address: &JsonWebKeySetUrl,
) -> Result<JsonWebKeySet<CoreJsonWebKey>, IdentityError> {
    let answer = exchange.get(address.as_str(), None).await.map_err(|error| unavailable(&error))?;
    let document = form::object("the key set", answer.body()).map_err(|error| odd(&error))?;
    match document.get("keys") {
        Some(Value::Array(keys)) => {
            let keys = keys.iter().filter_map(|key| serde_json::from_value(key.clone()).ok());
            Ok(JsonWebKeySet::new(keys.collect()))
        }
        _ => Err(odd(&WrongForm::of(&document, "keys", "a list"))),
    }
}

fn odd(error: &WrongForm) -> IdentityError {
    IdentityError::Unreadable(error.to_string())
}

fn parse(document: &Object, issuer: IssuerUrl) -> Result<ProviderMetadata, WrongForm> {
    let logout = LogoutProviderMetadata {
        end_session_endpoint: optional(document, "end_session_endpoint", EndSessionUrl::new),
        additional_metadata: EmptyAdditionalProviderMetadata {},
    };
    let (authorize, jwks) = ("authorization_endpoint", "jwks_uri");
    // The library wants the lists, but the portal does not use them.
    let metadata = ProviderMetadata::new(
        issuer,
        address(document, authorize, AuthUrl::new)?,
        address(document, jwks, JsonWebKeySetUrl::new)?,
        Vec::new(),
        Vec::new(),
        Vec::new(),
        logout,
    );
    let methods = match document.get("token_endpoint_auth_methods_supported") {
        Some(Value::Array(methods)) => {
            let texts = methods.iter().filter(|method| method.is_string()).cloned();
            let methods = texts.filter_map(|text| serde_json::from_value(text).ok());
            Some(methods.collect::<Vec<CoreClientAuthMethod>>())
        }
        _ => None,
    };
    Ok(metadata
        .set_token_endpoint(Some(address(document, "token_endpoint", TokenUrl::new)?))
        .set_userinfo_endpoint(optional(document, "userinfo_endpoint", UserInfoUrl::new))
        .set_token_endpoint_auth_methods_supported(methods))
}

fn address<T>(
    document: &Object,
    name: &str,
    parse: impl Fn(String) -> Result<T, ParseError>,
) -> Result<T, WrongForm> {
    let text = form::text(document, name)?;
    // Without TLS, anybody on the way could read codes and tokens.
    if issuer_is_secure(document) && !text.starts_with("https://") {
        return Err(WrongForm::of(document, name, "an address with https, like the issuer"));
    }
    parse(text.to_owned()).map_err(|_| WrongForm::of(document, name, "an address"))
}

fn issuer_is_secure(document: &Object) -> bool {
    form::text(document, "issuer").is_ok_and(|issuer| issuer.starts_with("https://"))
}

/// Returns the address `name`; `None` if it is none, since the portal works without it.
fn optional<T>(
    document: &Object,
    name: &str,
    parse: impl Fn(String) -> Result<T, ParseError>,
) -> Option<T> {
    address(document, name, parse).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn behind_an_issuer_with_https_no_address_is_without() {
        let metadata = |issuer: &str, token: &str, keys: &str| {
            let document = json!({
                "issuer": issuer,
                "authorization_endpoint": "https://login.example.com/authorize",
                "token_endpoint": token,
                "jwks_uri": keys,
                "userinfo_endpoint": "http://login.example.com/me",
            });
            let issuer = IssuerUrl::new(issuer.to_owned()).unwrap();
            parse(document.as_object().unwrap(), issuer).map_err(|error| error.to_string())
        };
        let (https, http) = ("https://login.example.com/x", "http://login.example.com/x");
        let read = metadata("https://login.example.com", https, https).unwrap();
        assert_eq!(read.userinfo_endpoint(), None);
        for (token, keys, name) in [(http, https, "token_endpoint"), (https, http, "jwks_uri")] {
            let refused = metadata("https://login.example.com", token, keys).unwrap_err();
            let expected =
                format!("{name} is a text, but must be an address with https, like the issuer");
            assert_eq!(refused, expected);
        }
        assert!(metadata("http://127.0.0.1:8080", http, http).is_ok());
    }
}
