//! The claims about a person: reads and verifies them, and converts them to our types.

use std::error::Error;

use chrono::DateTime;
use jiff::Timestamp;
use openidconnect::core::{CoreGenderClaim, CoreJwsSigningAlgorithm as Algorithm};
use openidconnect::{
    AccessTokenHash, ClaimsVerificationError, Nonce, OAuth2TokenResponse,
    SignatureVerificationError, SubjectIdentifier, TokenResponse, UserInfoClaims,
};
use serde_json::{Map, Value};

use super::client::{Client, ExtraClaims, Tokens};
use crate::server::auth::access::Role;
use crate::server::auth::accounts::Profile;
use crate::server::settings::OidcSettings;

/// The accepted signature algorithms of an ID token: those with a private key, which only the
/// provider has. The algorithms in the provider's metadata do not matter, so `none` and shared
/// secrets are never accepted.
const ALGORITHMS: [Algorithm; 9] = [
    Algorithm::RsaSsaPkcs1V15Sha256,
    Algorithm::RsaSsaPkcs1V15Sha384,
    Algorithm::RsaSsaPkcs1V15Sha512,
    Algorithm::RsaSsaPssSha256,
    Algorithm::RsaSsaPssSha384,
    Algorithm::RsaSsaPssSha512,
    Algorithm::EcdsaP256Sha256,
    Algorithm::EcdsaP384Sha384,
    Algorithm::EdDsa,
];
/// The maximum number of characters of a display name.
const NAME_LENGTH: usize = 80;
/// The maximum number of characters of an error description.
const REASON_LENGTH: usize = 300;

/// The claims of the identity token, with those of userinfo.
#[derive(Clone, Debug)]
pub(super) struct Claims {
    /// The provider's id of the person.
    pub subject: SubjectIdentifier,
    name: Option<String>,
    extra: Map<String, Value>,
}

/// An ID token is invalid.
#[derive(Debug, thiserror::Error)]
pub(super) enum ReadError {
    /// The provider sent none.
    #[error("there is no ID token")]
    Missing,
    /// It is signed with a key that is not known yet: fetch the keys again.
    #[error("it is signed with an unknown key")]
    UnknownKey,
    /// Its signature or a claim is invalid.
    #[error("{0}")]
    Invalid(String),
    /// It was issued for another access token.
    #[error("the access token does not match the ID token")]
    OtherAccessToken,
}

/// Verifies the ID token among `tokens` at `now`, and returns its claims.
pub(super) fn read(
    client: &Client,
    tokens: &Tokens,
    nonce: &Nonce,
    now: Timestamp,
) -> Result<Claims, ReadError> {
    let token = tokens.id_token().ok_or(ReadError::Missing)?;
    let time = DateTime::from_timestamp(now.as_second(), 0).unwrap_or_default();
    let verifier =
        client.id_token_verifier().set_allowed_algs(ALGORITHMS).set_time_fn(move || time);
    let claims = token.claims(&verifier, nonce).map_err(unreadable)?;
    if let Some(named) = claims.access_token_hash() {
        let (algorithm, key) = (token.signing_alg(), token.signing_key(&verifier));
        let hash = algorithm.ok().zip(key.ok()).and_then(|(algorithm, key)| {
            AccessTokenHash::from_token(tokens.access_token(), algorithm, key).ok()
        });
        if hash.as_ref() != Some(named) {
            return Err(ReadError::OtherAccessToken);
        }
    }
    let name = claims.name().and_then(|names| names.get(None)).map(|name| name.as_str());
    Ok(Claims {
        subject: claims.subject().clone(),
        name: name_in([name, claims.preferred_username().map(|name| name.as_str())]),
        extra: claims.additional_claims().all.clone(),
    })
}

fn unreadable(error: ClaimsVerificationError) -> ReadError {
    match error {
        ClaimsVerificationError::SignatureVerification(
            SignatureVerificationError::NoMatchingKey,
        ) => ReadError::UnknownKey,
        error => ReadError::Invalid(describe(&error)),
    }
}

impl Claims {
    /// Returns whether userinfo could add nothing that is needed.
    pub(super) fn is_complete(&self, settings: &OidcSettings) -> bool {
        let has_groups = self.extra.contains_key(&settings.groups_claim);
        self.name.is_some() && (has_groups || settings.operator_group.is_none())
    }

    /// Merges the claims of userinfo. Those of the ID token have priority.
    pub(super) fn merge(mut self, more: &UserInfoClaims<ExtraClaims, CoreGenderClaim>) -> Self {
        let name = more.name().and_then(|names| names.get(None)).map(|name| name.as_str());
        let name = name_in([name, more.preferred_username().map(|name| name.as_str())]);
        self.name = self.name.or(name);
        for (claim, value) in &more.additional_claims().all {
            self.extra.entry(claim).or_insert_with(|| value.clone());
        }
        self
    }

    /// Converts the claims to a profile. Only issuer and subject identify the person: a name or an
    /// email address may later belong to somebody else.
    pub(super) fn into_profile(self, settings: &OidcSettings) -> Profile {
        let groups = self.extra.get(&settings.groups_claim);
        Profile {
            issuer: settings.issuer.clone(),
            role: role(groups, settings.operator_group.as_deref()),
            name: self.name.unwrap_or_else(|| shown(&self.subject)),
            subject: self.subject.to_string(),
        }
    }
}

/// Returns the first name that has visible characters.
fn name_in(names: [Option<&str>; 2]) -> Option<String> {
    names.into_iter().flatten().map(shown).find(|name| !name.is_empty())
}

/// Returns a name without control characters and surrounding spaces, shortened for display.
fn shown(name: &str) -> String {
    let plain: String = name.chars().filter(|c| !c.is_control()).take(NAME_LENGTH).collect();
    plain.trim().to_owned()
}

/// Returns the role of a person with these groups: a JSON list of strings, or one string.
fn role(groups: Option<&Value>, operator_group: Option<&str>) -> Role {
    let Some(wanted) = operator_group else { return Role::Member };
    let is_operator = match groups {
        Some(Value::Array(groups)) => groups.iter().any(|group| group.as_str() == Some(wanted)),
        Some(Value::String(group)) => group == wanted,
        Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_)) | None => false,
    };
    if is_operator { Role::Operator } else { Role::Member }
}

/// Describes an error with its causes.
pub(super) fn describe(error: &(dyn Error + 'static)) -> String {
    transport::describe(error).chars().take(REASON_LENGTH).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::server::auth::oidc::claims::*;

    #[test]
    fn only_members_of_the_operators_group_are_operators() {
        let cases = [
            (json!(["staff", "operators"]), Role::Operator),
            (json!("operators"), Role::Operator),
            (json!(["operators2", "Operators"]), Role::Member),
            (json!("staff operators"), Role::Member),
            (json!([["operators"]]), Role::Member),
            (json!({"operators": true}), Role::Member),
            (json!(null), Role::Member),
            (json!([]), Role::Member),
        ];
        for (groups, expected) in cases {
            assert_eq!(role(Some(&groups), Some("operators")), expected, "{groups}");
            assert_eq!(role(Some(&groups), None), Role::Member, "{groups}");
        }
        assert_eq!(role(None, Some("operators")), Role::Member);
    }

    #[test]
    fn a_display_name_is_the_first_visible_one_and_is_shortened() {
        assert_eq!(name_in([Some("Ann Bell"), Some("ann")]).as_deref(), Some("Ann Bell"));
        assert_eq!(name_in([Some(" \u{7}"), Some("ann")]).as_deref(), Some("ann"));
        assert_eq!(name_in([None, None]), None);
        assert_eq!(shown(&"x".repeat(1_000)).len(), NAME_LENGTH);
    }
}
