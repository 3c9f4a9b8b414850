//! Finds a person's groups among the claims, and decides whether they are an operator.

use std::collections::BTreeSet;

use serde_json::Value;

use super::form::{Object, form};
use crate::server::auth::access::Role;
use crate::server::auth::accounts::group_name;

/// The claim that says that groups are left out of a token because they are too many (Microsoft
/// Entra), and the one that says so of the claim `groups` where the first is left out, too.
const CLAIM_NAMES: &str = "_claim_names";
const HAS_GROUPS: &str = "hasgroups";
const GROUPS: &str = "groups";

/// The groups of a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Groups {
    /// Their names.
    Named(Vec<String>),
    /// The claim has a form in which groups cannot be.
    OtherForm(&'static str),
    /// The provider left them out, because they are too many.
    Overage,
    /// There is no such claim.
    Absent,
}

impl Groups {
    /// Finds the groups at `path` in the first of `claims` that has them in a form that can be read.
    pub(super) fn find<'a>(
        mut claims: impl Iterator<Item = &'a Object> + Clone,
        path: &str,
    ) -> Self {
        let values = claims.clone().filter_map(|claims| at(claims, path));
        let mut read = values.filter(|value| !value.is_null()).map(Self::read);
        let first = read.next();
        let named = first.iter().cloned().chain(read).find(|read| matches!(read, Self::Named(_)));
        if let Some(found) = named.or(first) {
            return found;
        }
        if claims.any(|claims| is_overage(claims, path)) { Self::Overage } else { Self::Absent }
    }

    fn read(value: &Value) -> Self {
        match value {
            Value::String(group) => Self::Named(vec![group.clone()]),
            Value::Array(groups) => {
                let names: Vec<_> = groups.iter().filter_map(Value::as_str).collect();
                if names.is_empty() && !groups.is_empty() {
                    return Self::OtherForm("a list without texts");
                }
                Self::Named(names.into_iter().map(ToOwned::to_owned).collect())
            }
            // ZITADEL: each role is the name of an object, which has its organisations.
            Value::Object(roles) if roles.values().all(Value::is_object) => {
                Self::Named(roles.keys().cloned().collect())
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => {
                Self::OtherForm(form(Some(value)))
            }
        }
    }

    /// Returns their names, each without a slash at its beginning: see [`Self::role`].
    pub(super) fn names(&self) -> BTreeSet<String> {
        match self {
            Self::Named(groups) => {
                groups.iter().map(|group| group_name(group).to_owned()).collect()
            }
            Self::OtherForm(_) | Self::Overage | Self::Absent => BTreeSet::new(),
        }
    }

    /// Returns the text that has the group `wanted` as one of several parts, as in
    /// `"staff operators"`. It is not believed: a name may have spaces itself.
    pub(super) fn joined(&self, wanted: &str) -> Option<&str> {
        let separators = [' ', ',', ';', '[', ']', '"'];
        let has_part = |text: &&String| {
            let mut parts = text.split(separators).map(group_name);
            text.contains(separators) && parts.any(|part| part == group_name(wanted))
        };
        match self {
            Self::Named(groups) if self.role(Some(wanted)) == Role::Member => {
                groups.iter().find(has_part).map(String::as_str)
            }
            Self::Named(_) | Self::OtherForm(_) | Self::Overage | Self::Absent => None,
        }
    }

    /// Returns the role of a person with these groups. A slash at the beginning of a name, which
    /// Keycloak sends for the full path of a group, makes no difference.
    pub(super) fn role(&self, operator_group: Option<&str>) -> Role {
        match (self, operator_group) {
            (Self::Named(groups), Some(wanted))
                if groups.iter().any(|group| group_name(group) == group_name(wanted)) =>
            {
                Role::Operator
            }
            _ => Role::Member,
        }
    }
}

/// Returns the value at `path`: the claim of this name, or the member of an object that a claim
/// holds, as in `realm_access.roles`. Names may have dots themselves, so each is a possible end.
fn at<'a>(object: &'a Object, path: &str) -> Option<&'a Value> {
    if let Some(value) = object.get(path) {
        return Some(value);
    }
    path.match_indices('.').find_map(|(dot, _)| {
        let (name, rest) = path.split_at_checked(dot)?;
        at(object.get(name)?.as_object()?, rest.strip_prefix('.')?)
    })
}

fn is_overage(claims: &Object, path: &str) -> bool {
    let left_out = claims.get(CLAIM_NAMES).and_then(Value::as_object);
    left_out.is_some_and(|names| at(names, path).is_some())
        || path == GROUPS
            && claims.get(HAS_GROUPS).is_some_and(|has| *has == true || *has == "true")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn find(claims: &Value, path: &str) -> Groups {
        Groups::find([claims.as_object().unwrap()].into_iter(), path)
    }

    #[test]
    fn only_members_of_the_operators_group_are_operators() {
        let cases = [
            (json!(["staff", "operators"]), Role::Operator),
            (json!("operators"), Role::Operator),
            (json!(["/operators"]), Role::Operator),
            (json!({"operators": {"1": "example.com"}}), Role::Operator),
            (json!(["operators2", "Operators", "//operators", "/staff/operators"]), Role::Member),
            (json!("staff operators"), Role::Member),
            (json!([["operators"]]), Role::Member),
            (json!({"operators": true}), Role::Member),
            (json!(null), Role::Member),
            (json!([]), Role::Member),
            (json!(7), Role::Member),
        ];
        for (groups, expected) in cases {
            let found = find(&json!({ "groups": groups }), "groups");
            assert_eq!(found.role(Some("operators")), expected, "{groups}");
            assert_eq!(found.role(Some("/operators")), expected, "{groups}");
            assert_eq!(found.role(None), Role::Member, "{groups}");
        }
        assert_eq!(find(&json!({}), "groups").role(Some("operators")), Role::Member);
    }

    #[test]
    fn a_claim_may_be_a_path_and_its_names_may_have_dots() {
        let claims = json!({
            "realm_access": { "roles": ["a"] },
            "resource_access": { "portal.example.com": { "roles": ["b"] } },
            "https://example.com/roles": ["c"],
            "x.y": ["d"],
            "x": { "y": ["e"] },
            "text": "f",
        });
        for (path, expected) in [
            ("realm_access.roles", "a"),
            ("resource_access.portal.example.com.roles", "b"),
            ("https://example.com/roles", "c"),
            ("x.y", "d"),
            ("text", "f"),
        ] {
            assert_eq!(find(&claims, path), Groups::Named(vec![expected.to_owned()]), "{path}");
        }
        for path in ["", ".", "realm_access.", ".roles", "realm_access.roles.a", "text.length"] {
            assert_eq!(find(&claims, path), Groups::Absent, "{path}");
        }
        assert_eq!(find(&claims, "realm_access"), Groups::OtherForm("an object"));
    }

    #[test]
    fn a_list_of_something_else_is_no_list_of_groups_and_a_readable_one_goes_before_it() {
        for other in [json!([{ "name": "ops" }]), json!([7]), json!([null])] {
            let found = find(&json!({ "groups": other }), "groups");
            assert_eq!(found, Groups::OtherForm("a list without texts"), "{other}");
            let both = [json!({ "groups": other }), json!({ "groups": ["ops"] })];
            let both = both.iter().map(|claims| claims.as_object().unwrap());
            assert_eq!(Groups::find(both, "groups"), Groups::Named(vec![String::from("ops")]));
        }
    }

    #[test]
    fn a_text_of_several_groups_is_recognised_but_not_believed() {
        for text in ["staff ops", "a,ops", "[\"ops\"]", "x;/ops"] {
            let found = find(&json!({ "groups": text }), "groups");
            assert_eq!(found.joined("ops"), Some(text));
            assert_eq!(found.joined("/ops"), Some(text));
            assert_eq!(found.role(Some("ops")), Role::Member);
        }
        for groups in [json!("ops"), json!(["dev ops team", "ops"]), json!("developers")] {
            assert_eq!(find(&json!({ "groups": groups }), "groups").joined("ops"), None);
        }
    }

    #[test]
    fn groups_that_are_left_out_are_told_from_groups_that_are_missing() {
        let overage = json!({ "_claim_names": { "groups": "src1" }, "_claim_sources": {} });
        assert_eq!(find(&overage, "groups"), Groups::Overage);
        assert_eq!(find(&overage, "roles"), Groups::Absent);
        assert_eq!(find(&json!({ "hasgroups": true }), "groups"), Groups::Overage);
        assert_eq!(find(&json!({ "hasgroups": true }), "roles"), Groups::Absent);
        assert_eq!(find(&json!({ "_claim_names": "groups" }), "groups"), Groups::Absent);
    }
}
