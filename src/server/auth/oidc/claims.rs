//! The claims about a person: read, checked, and mapped to our types.

use std::error::Error;

use chrono::DateTime;
use jiff::Timestamp;
use openidconnect::{
    AccessTokenHash, ClaimsVerificationError, Nonce, OAuth2TokenResponse,
    SignatureVerificationError, SubjectIdentifier, TokenResponse, UserInfoClaims,
    core::{CoreGenderClaim, CoreJwsSigningAlgorithm as Algorithm},
};
use serde_json::{Map, Value};

use super::client::{Client, ExtraClaims, Tokens};
use crate::server::{
    auth::{access::Role, accounts::Profile},
    settings::OidcSettings,
};

/// Describes how a token may be signed: by a key that only the provider has. What it says to
/// support changes nothing, so that nobody gets in with `none` or with a secret that others have,
/// too.
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
/// The number of characters of a name that are shown.
const NAME_LENGTH: usize = 80;
/// The number of characters of a failure that are kept.
const REASON_LENGTH: usize = 300;

/// The claims of the identity token, with those of userinfo.
#[derive(Clone, Debug)]
pub(super) struct Claims {
    /// The provider's id of them.
    pub subject: SubjectIdentifier,
    name: Option<String>,
    extra: Map<String, Value>,
}

/// An identity token does not hold.
#[derive(Debug, thiserror::Error)]
pub(super) enum ReadError {
    /// The provider sent none.
    #[error("there is no ID token")]
    Missing,
    /// The keys have to be asked for again.
    #[error("it is signed with an unknown key")]
    UnknownKey,
    /// Its content is not what it has to be.
    #[error("{0}")]
    Invalid(String),
    /// It was made for another access token.
    #[error("the access token does not match the ID token")]
    OtherAccessToken,
}

/// Reads the identity token among `tokens`, as it holds at `now`.
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
    /// Returns whether there is nothing to be gained by asking for more.
    pub(super) fn is_complete(&self, settings: &OidcSettings) -> bool {
        let has_groups = self.extra.contains_key(&settings.groups_claim);
        self.name.is_some() && (has_groups || settings.operator_group.is_none())
    }

    /// Merges the claims of userinfo. The identity token goes first.
    pub(super) fn merge(mut self, more: &UserInfoClaims<ExtraClaims, CoreGenderClaim>) -> Self {
        let name = more.name().and_then(|names| names.get(None)).map(|name| name.as_str());
        let name = name_in([name, more.preferred_username().map(|name| name.as_str())]);
        self.name = self.name.or(name);
        for (claim, value) in &more.additional_claims().all {
            self.extra.entry(claim).or_insert_with(|| value.clone());
        }
        self
    }

    /// Describes the person in our words. Who they are is issuer and subject: a name or an
    /// address of theirs may be somebody else's tomorrow.
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

/// Returns the first name that shows anything.
fn name_in(names: [Option<&str>; 2]) -> Option<String> {
    names.into_iter().flatten().map(shown).find(|name| !name.is_empty())
}

/// Returns a name as it can be shown.
fn shown(name: &str) -> String {
    let plain: String = name.chars().filter(|c| !c.is_control()).take(NAME_LENGTH).collect();
    plain.trim().to_owned()
}

/// Finds out what somebody is by their groups: a list of texts, or one text.
fn role(groups: Option<&Value>, operator_group: Option<&str>) -> Role {
    let Some(wanted) = operator_group else { return Role::Member };
    let is_operator = match groups {
        Some(Value::Array(groups)) => groups.iter().any(|group| group.as_str() == Some(wanted)),
        Some(Value::String(group)) => group == wanted,
        Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_)) | None => false,
    };
    if is_operator { Role::Operator } else { Role::Member }
}

/// Writes out a failure and its causes.
pub(super) fn describe(error: &(dyn Error + 'static)) -> String {
    transport::describe(error).chars().take(REASON_LENGTH).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::server::auth::oidc::claims::*;

    #[test]
    fn who_is_in_the_operators_group_is_an_operator_and_nobody_else() {
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
    fn a_name_is_the_first_that_shows_anything_and_fits_the_page() {
        assert_eq!(name_in([Some("Ann Bell"), Some("ann")]).as_deref(), Some("Ann Bell"));
        assert_eq!(name_in([Some(" \u{7}"), Some("ann")]).as_deref(), Some("ann"));
        assert_eq!(name_in([None, None]), None);
        assert_eq!(shown(&"x".repeat(1_000)).len(), NAME_LENGTH);
    }
}
