//! The claims about a person, and what the portal reads of them.

use std::collections::BTreeMap;

use serde_json::Value;

use super::form::{Object, form};
use super::groups::Groups;
use crate::server::auth::accounts::Profile;
use crate::server::settings::OidcSettings;
use crate::server::visible;

/// The maximum number of characters of a display name.
const NAME_LENGTH: usize = 80;

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
    pub(super) fn is_complete(&self, settings: &OidcSettings) -> bool {
        let has_groups = || matches!(self.groups(settings), Groups::Named(_));
        self.name().is_some() && (settings.operator_group.is_none() || has_groups())
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
        }
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
