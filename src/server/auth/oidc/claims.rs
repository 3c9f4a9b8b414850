//! The claims about a person, and what the portal reads of them.

use std::collections::BTreeMap;

use serde_json::Value;

use super::form::{Object, form};
use super::groups::Groups;
use crate::server::auth::accounts::Profile;
use crate::server::auth::identity_provider::Wanted;
use crate::server::settings::OidcSettings;
use crate::server::visible;

/// The maximum number of characters of a display name.
const NAME_LENGTH: usize = 80;
/// The length in bytes of the longest e-mail address (RFC 5321, section 4.5.3.1.3, without the angle
/// brackets).
const EMAIL_LENGTH: usize = 254;

/// The claims of the ID token, and those of userinfo, which the ID token's go before.
#[derive(Clone, Debug)]
pub(super) struct Claims {
    pub(super) token: Object,
    pub(super) userinfo: Option<Object>,
}

impl Claims {
    /// Returns the provider's id of the person.
    pub(super) fn subject(&self) -> &str {
        self.token.get("sub").and_then(Value::as_str).unwrap_or_default()
    }

    /// Returns whether userinfo could add nothing that is needed.
    pub(super) fn is_complete(&self, settings: &OidcSettings, wanted: Wanted) -> bool {
        let has_groups = || matches!(self.groups(settings), Groups::Named(_));
        let needs_groups = settings.operator_group.is_some() || wanted.groups;
        self.name().is_some()
            && (!needs_groups || has_groups())
            && (!wanted.email || self.email().is_some())
    }

    /// Returns the person's groups.
    pub(super) fn groups(&self, settings: &OidcSettings) -> Groups {
        Groups::find(self.all(), &settings.groups_claim)
    }

    /// Returns the names of all claims with their forms, in order.
    pub(super) fn forms(&self) -> BTreeMap<&str, &'static str> {
        let claims = self.all().flatten();
        claims.map(|(name, value)| (name.as_str(), form(Some(value)))).collect()
    }

    /// Converts the claims to a profile. Only issuer and subject identify the person: a name or an
    /// email address may later belong to somebody else.
    pub(super) fn profile(&self, settings: &OidcSettings) -> Profile {
        Profile {
            issuer: settings.issuer.clone(),
            role: self.groups(settings).role(settings.operator_group.as_deref()),
            name: self.name().unwrap_or_else(|| visible::name(&shown(self.subject()))),
            subject: self.subject().to_owned(),
            email: self.email(),
            groups: self.groups(settings).names(),
        }
    }

    /// Returns the e-mail address, if the same claims say that it is verified.
    fn email(&self) -> Option<String> {
        let email = |claims: &Object| {
            let is_verified = match claims.get("email_verified")? {
                Value::Bool(is_verified) => *is_verified,
                // Some providers send a text (AWS Cognito).
                Value::String(text) => text == "true",
                Value::Null | Value::Number(_) | Value::Array(_) | Value::Object(_) => false,
            };
            let email = claims.get("email")?.as_str()?.trim();
            let is_plain = (3..=EMAIL_LENGTH).contains(&email.len())
                && email.contains('@')
                && !email.chars().any(|c| c.is_control() || c.is_whitespace());
            (is_verified && is_plain).then(|| email.to_owned())
        };
        self.all().find_map(email)
    }

    /// Returns the display name: the first claim that has visible characters.
    fn name(&self) -> Option<String> {
        let names = ["name", "preferred_username"];
        let texts = self.all().flat_map(|claims| names.map(|name| claims.get(name)));
        let mut names = texts.filter_map(|text| Some(shown(text?.as_str()?)));
        names.find(|name| !name.is_empty())
    }

    fn all(&self) -> impl Iterator<Item = &Object> + Clone {
        [Some(&self.token), self.userinfo.as_ref()].into_iter().flatten()
    }
}

/// Returns what shows of a name, shortened.
fn shown(name: &str) -> String {
    let start: String = visible::line(name).chars().take(NAME_LENGTH).collect();
    start.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn name(token: &Value) -> Option<String> {
        Claims { token: token.as_object().unwrap().clone(), userinfo: None }.name()
    }

    #[test]
    fn only_a_verified_email_address_counts() {
        let email = |token: Value, userinfo: Option<Value>| {
            let object = |value: &Value| value.as_object().unwrap().clone();
            let userinfo = userinfo.as_ref().map(object);
            Claims { token: object(&token), userinfo }.email()
        };
        let verified = json!({ "email": "ann@example.org", "email_verified": true });
        assert_eq!(email(verified.clone(), None).as_deref(), Some("ann@example.org"));
        assert_eq!(email(json!({}), Some(verified.clone())).as_deref(), Some("ann@example.org"));
        for claims in [
            json!({ "email": "ann@example.org" }),
            json!({ "email": "ann@example.org", "email_verified": false }),
            json!({ "email": "ann@example.org", "email_verified": 1 }),
            json!({ "email": "ann", "email_verified": true }),
            json!({ "email": "ann @example.org", "email_verified": true }),
            json!({ "email": ["ann@example.org"], "email_verified": true }),
            json!({ "email_verified": true }),
        ] {
            assert_eq!(email(claims.clone(), None), None, "{claims}");
            // What one source says is verified says nothing about the other.
            let mixed = json!({ "email_verified": true });
            assert_eq!(email(claims, Some(mixed)), None);
        }
    }

    #[test]
    fn a_display_name_is_the_first_visible_one_and_is_shortened() {
        let cases = [
            (json!({ "name": "Ann Bell", "preferred_username": "ann" }), Some("Ann Bell")),
            (json!({ "name": " \u{7}", "preferred_username": "ann" }), Some("ann")),
            (json!({ "name": "\u{3164}\u{200b}", "preferred_username": "ann" }), Some("ann")),
            (json!({ "name": "Ann\u{202e} Bell\u{200b}" }), Some("Ann Bell")),
            (json!({ "name": ["Ann"], "preferred_username": "ann" }), Some("ann")),
            (json!({ "name": 7, "preferred_username": null }), None),
            (json!({}), None),
        ];
        for (token, expected) in cases {
            assert_eq!(name(&token).as_deref(), expected, "{token}");
        }
        assert_eq!(shown(&"x".repeat(1_000)).len(), NAME_LENGTH);
    }
}
