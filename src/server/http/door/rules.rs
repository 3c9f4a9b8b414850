//! What each route needs. A route that does not stand here is closed.

use axum::http::Method;

use crate::server::access::Need;

/// Who may use a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::server::http) enum Rule {
    /// Everyone, known or not.
    Everyone,
    /// Whoever may do this.
    Needs(Need),
}

/// The rules of a path: one for looking and one for changing. A method for which there is none
/// is not there, which the router says itself.
#[derive(Clone, Copy, Debug)]
pub(in crate::server::http) struct Rules {
    /// For GET and HEAD.
    pub(in crate::server::http) look: Option<Rule>,
    /// For every other method.
    pub(in crate::server::http) change: Option<Rule>,
}

use Need::{Account, Browse, Change, Operate, See, Start};
use Rule::{Everyone, Needs};

const fn look(rule: Rule) -> Rules {
    Rules { look: Some(rule), change: None }
}

const fn change(rule: Rule) -> Rules {
    Rules { look: None, change: Some(rule) }
}

/// Every route of the portal, pages, files and server functions included.
pub(in crate::server::http) const RULES: &[(&str, Rules)] = &[
    ("/livez", look(Everyone)),
    ("/readyz", look(Everyone)),
    ("/health", look(Everyone)),
    // What is not there says so to everyone.
    ("/health/", Rules { look: Some(Everyone), change: Some(Everyone) }),
    ("/health/{*rest}", Rules { look: Some(Everyone), change: Some(Everyone) }),
    ("/api", Rules { look: Some(Everyone), change: Some(Everyone) }),
    ("/api/", Rules { look: Some(Everyone), change: Some(Everyone) }),
    ("/api/{*rest}", Rules { look: Some(Everyone), change: Some(Everyone) }),
    ("/api/check/{name}", look(Needs(Browse))),
    ("/api/deploy", change(Needs(Start))),
    ("/api/deployment/{id}", look(Needs(See))),
    ("/api/deployment/{id}/cancel", change(Needs(Change))),
    ("/api/deployment/{id}/retry", change(Needs(Change))),
    ("/api/stacks", look(Needs(See))),
    ("/api/stacks/{name}", Rules { look: Some(Needs(See)), change: Some(Needs(Change)) }),
    ("/api/status/{id}", look(Needs(See))),
    ("/api/fn/check_name", look(Needs(Browse))),
    ("/api/fn/start_deployment", change(Needs(Start))),
    ("/api/fn/cancel_deployment", change(Needs(Change))),
    ("/api/fn/retry_deployment", change(Needs(Change))),
    ("/api/fn/remove_stack", change(Needs(Change))),
    ("/", look(Needs(Browse))),
    ("/deployments/{id}", look(Needs(See))),
    ("/pkg/{*path}", look(Everyone)),
    ("/sign-in", look(Everyone)),
    ("/auth/sign-in", look(Everyone)),
    ("/auth/callback", look(Everyone)),
    ("/auth/sign-out", change(Everyone)),
    ("/account", look(Needs(Account))),
    ("/account/sign-out-everywhere", change(Needs(Account))),
    ("/account/tokens", change(Needs(Account))),
    ("/account/tokens/revoke", change(Needs(Account))),
    ("/admin", look(Needs(Operate))),
    ("/admin/audit", look(Needs(Operate))),
    ("/admin/stuck/retry", change(Needs(Operate))),
    ("/admin/people/sign-out", change(Needs(Operate))),
];

/// The pages that others than operators are told not to be there.
pub(in crate::server::http) const OPERATOR_PAGES: [&str; 2] = ["/admin", "/admin/audit"];

/// Returns the rules of a route, by its path in the router.
pub(in crate::server::http) fn rules(path: &str) -> Option<&'static Rules> {
    RULES.iter().find(|(route, _)| *route == path).map(|(_, rules)| rules)
}

impl Rules {
    /// Returns the rule for a method.
    pub(in crate::server::http) fn of(self, method: &Method) -> Rule {
        let looks = matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS);
        let rule = if looks { self.look } else { self.change };
        rule.unwrap_or(Everyone)
    }
}

/// Lists every route, and tells whether it needs something of whoever comes.
pub fn ruled_routes() -> impl Iterator<Item = (&'static str, bool)> {
    let needs = |rule: Option<Rule>| matches!(rule, Some(Needs(_)));
    RULES.iter().map(move |(route, rules)| (*route, needs(rules.look) || needs(rules.change)))
}
