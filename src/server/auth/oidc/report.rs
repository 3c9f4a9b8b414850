//! Says what the provider told about a person: to the log if an operator's rights may have got
//! lost, and to an operator who asks. Names and forms of claims only: values are about a person.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};

use super::claims::Claims;
use super::groups::Groups;
use crate::server::auth::access::Role;
use crate::server::auth::identity_provider::IdentityError;
use crate::server::settings::OidcSettings;

/// Logs once for each reason that people's groups could not be read. Otherwise every sign-in would
/// log it.
#[derive(Default)]
pub(super) struct LostGroups {
    overage: AtomicBool,
    absence: AtomicBool,
    form: AtomicBool,
    joined: AtomicBool,
}

impl LostGroups {
    /// Logs what was looked for and what was there, unless the groups were found or nobody is an
    /// operator.
    pub(super) fn report(&self, claims: &Claims, settings: &OidcSettings) {
        let Some(wanted) = &settings.operator_group else { return };
        let groups = claims.groups(settings);
        let logged = match groups {
            Groups::Named(_) if groups.joined(wanted).is_some() => &self.joined,
            Groups::Named(_) => return,
            Groups::Overage => &self.overage,
            Groups::Absent => &self.absence,
            Groups::OtherForm(_) => &self.form,
        };
        if logged.swap(true, Ordering::Relaxed) {
            return;
        }
        let why = why(&groups, settings);
        let found = listed(claims);
        tracing::warn!(
            found,
            "A person's groups are not known, so nobody like them is an operator: {why}"
        );
    }
}

/// What came back from a sign-in, in sentences.
#[derive(Clone, Debug)]
pub struct SignInReport {
    lines: Vec<String>,
}

impl SignInReport {
    pub(super) fn of(
        claims: &Claims,
        userinfo: Option<IdentityError>,
        settings: &OidcSettings,
    ) -> Self {
        let profile = claims.profile(settings);
        let groups = claims.groups(settings);
        let mut lines = vec![
            format!(
                "The sign-in works: the person is {:?}, {:?} there.",
                profile.name, profile.subject
            ),
            format!("Claims: {}.", listed(claims)),
        ];
        lines.push(match (userinfo, &claims.userinfo) {
            (Some(error), _) => format!("User info could not be used: {error}."),
            (None, Some(_)) => String::from("Some of them are from user info."),
            (None, None) => String::from("The provider has no user info."),
        });
        if let Groups::Named(names) = &groups {
            lines.push(format!("Groups at {}: {names:?}.", settings.groups_claim));
        }
        lines.push(match profile.role {
            Role::Operator => format!("They are an operator: {}.", why(&groups, settings)),
            Role::Member => format!("They are not an operator: {}.", why(&groups, settings)),
        });
        Self { lines }
    }
}

impl fmt::Display for SignInReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.lines.join("\n"))
    }
}

/// Says why a person with these groups is an operator or not.
fn why(groups: &Groups, settings: &OidcSettings) -> String {
    let claim = &settings.groups_claim;
    let Some(wanted) = &settings.operator_group else {
        return String::from("OIDC_OPERATOR_GROUP is not set");
    };
    match groups {
        Groups::Named(_) if groups.role(Some(wanted)) == Role::Operator => {
            format!("the claim {claim} has the group {wanted:?}")
        }
        Groups::Named(_) => match groups.joined(wanted) {
            Some(text) => format!(
                "the claim {claim} has the text {text:?}, which may be several names, but each \
                 group must be a text of its own in a list"
            ),
            None => format!("the claim {claim} does not have the group {wanted:?}"),
        },
        Groups::Overage => format!(
            "the provider left out the claim {claim}, since the person is in too many groups. Let \
             it send only groups that are assigned to the portal, or use a role instead of a group \
             (OIDC_GROUPS_CLAIM=roles)"
        ),
        Groups::Absent => format!(
            "there is no claim {claim}. Check OIDC_GROUPS_CLAIM and OIDC_SCOPES, and that the \
             provider adds the groups to the ID token or to user info"
        ),
        Groups::OtherForm(form) => format!(
            "the claim {claim} is {form}, but must be a list of names. It may be a path, like \
             realm_access.roles"
        ),
    }
}

/// Lists the claims with their forms.
fn listed(claims: &Claims) -> String {
    let forms = claims.forms();
    let forms: Vec<_> = forms.iter().map(|(name, form)| format!("{name:?} is {form}")).collect();
    forms.join(", ")
}
