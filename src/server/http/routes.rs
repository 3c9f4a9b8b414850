//! The rule of each route. A route without a rule is closed.

use axum::http::Method;

use crate::server::auth::access::Permission;

/// The rule of a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::server::http) enum Rule {
    /// Everyone, known or not.
    Everyone,
    /// Whoever may do this.
    Requires(Permission),
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

use Permission::{Account, Browse, Change, Operate, Start, View};
use Rule::{Everyone, Requires};

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
    ("/api/check/{name}", look(Requires(Browse))),
    ("/api/deploy", change(Requires(Start))),
    ("/api/deployment/{id}", look(Requires(View))),
    ("/api/deployment/{id}/cancel", change(Requires(Change))),
    ("/api/deployment/{id}/retry", change(Requires(Change))),
    ("/api/stacks", look(Requires(View))),
    ("/api/stacks/{name}", Rules { look: Some(Requires(View)), change: Some(Requires(Change)) }),
    ("/api/status/{id}", look(Requires(View))),
    ("/api/fn/check_name", look(Requires(Browse))),
    ("/api/fn/start_deployment", change(Requires(Start))),
    ("/api/fn/cancel_deployment", change(Requires(Change))),
    ("/api/fn/retry_deployment", change(Requires(Change))),
    ("/api/fn/remove_stack", change(Requires(Change))),
    ("/", look(Requires(Browse))),
    ("/deployments/{id}", look(Requires(View))),
    ("/pkg/{*path}", look(Everyone)),
    ("/sign-in", look(Everyone)),
    ("/auth/sign-in", look(Everyone)),
    ("/auth/callback", look(Everyone)),
    ("/auth/sign-out", change(Everyone)),
    ("/account", look(Requires(Account))),
    ("/account/sign-out-everywhere", change(Requires(Account))),
    ("/account/tokens", change(Requires(Account))),
    ("/account/tokens/revoke", change(Requires(Account))),
    ("/admin", look(Requires(Operate))),
    ("/admin/audit", look(Requires(Operate))),
    ("/admin/stuck/retry", change(Requires(Operate))),
    ("/admin/people/sign-out", change(Requires(Operate))),
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
    let needs = |rule: Option<Rule>| matches!(rule, Some(Requires(_)));
    RULES.iter().map(move |(route, rules)| (*route, needs(rules.look) || needs(rules.change)))
}
