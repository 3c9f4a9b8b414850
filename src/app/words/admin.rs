//! The words of the operators' pages.

use std::time::Duration;

use jiff::Timestamp;

use crate::{
    domain::deployment::Kind,
    server::{
        service::admin::{AuditAction, BreakerState, State},
        settings::Quotas,
    },
};

/// Says where an operation is.
pub(crate) fn state(kind: Kind, state: State) -> &'static str {
    match (kind, state) {
        (Kind::Deployment, State::Active) => "Under way",
        (Kind::Removal, State::Active) => "Being removed",
        (_, State::Live) => "Live",
        (Kind::Deployment, State::RolledBack) => "Ended, nothing left",
        (Kind::Removal, State::RolledBack) => "Removed",
        (_, State::Stuck) => "Stuck",
    }
}

/// Says what a filter for a state lets pass.
pub(crate) fn states(state: State) -> &'static str {
    match state {
        State::Active => "under way",
        State::Live => "live",
        State::RolledBack => "ended, nothing left",
        State::Stuck => "stuck",
    }
}

/// Says what somebody did.
pub(crate) fn act(act: AuditAction) -> &'static str {
    match act {
        AuditAction::SignIn => "Signed in",
        AuditAction::SignOut => "Signed out",
        AuditAction::Start => "Started",
        AuditAction::Cancel => "Cancelled",
        AuditAction::Retry => "Tried again",
        AuditAction::Remove => "Removed",
        AuditAction::MakeToken => "Made a token",
        AuditAction::RevokeToken => "Revoked a token",
        AuditAction::ReachLimit => "Reached a limit",
        AuditAction::Enter => "Was turned away",
        AuditAction::RetryCleanUp => "Had a clean-up tried again",
        AuditAction::Inspect => "Looked at somebody else's",
        AuditAction::RevokeAccess => "Signed somebody out",
    }
}

/// Says how many panics there were.
pub(crate) fn panics(count: u64) -> String {
    match count {
        0 => String::from("none since the portal started"),
        1 => String::from("1 since the portal started, see its log"),
        _ => format!("{count} since the portal started, see its log"),
    }
}

/// Returns whether calls to the platform go through.
pub(crate) fn breaker(state: BreakerState, failures: u32) -> String {
    match state {
        BreakerState::Closed => String::from("calls go through"),
        BreakerState::Open => format!("calls are held back after {failures} that failed"),
        BreakerState::HalfOpen => String::from("one call goes through, to see"),
    }
}

/// Says when a clean-up is tried next.
pub(crate) fn next_try(at: Option<Timestamp>, now: Timestamp) -> String {
    match at {
        Some(at) if at > now => format!("next try at {}", second(at)),
        Some(_) | None => String::from("next try at once"),
    }
}

/// Says how often something was tried.
pub(crate) fn tries(count: u32) -> String {
    match count {
        0 => String::from("not tried since"),
        1 => String::from("tried once since"),
        _ => format!("tried {count} times since"),
    }
}

/// Says what a form on the operators' page has done, by the parameter that it comes back with.
pub(crate) const DONE: [(&str, &str); 2] = [
    ("retried", "It is tried again now. Reload the page in a moment to see how that went."),
    (
        "signed_out",
        "They are signed out everywhere, and their API tokens are revoked. Who may not come back \
         has to be shut out where people sign in, too.",
    ),
];

/// Says what the refusal's `code` means on the operators' page.
pub(crate) fn refusal(code: &str) -> &'static str {
    match code {
        "NOT_STUCK" => "Nothing of that is left any more: there is nothing to try again.",
        "NO_SUCH_PERSON" => "There is no such person. Nobody was signed out.",
        "NOT_SIGNED_IN" => "They are signed in nowhere, and no API token of theirs is good.",
        "NOT_FOUND" => "There is no such operation. Nothing was changed.",
        "STORE_UNAVAILABLE" => {
            "The portal cannot read or write its records right now. Nothing was changed: try \
             again in a moment."
        }
        _ => "The portal could not do it. Nothing was changed: try again in a moment.",
    }
}

/// Lists how much one person may have and start, each with what is bounded.
pub(crate) fn limits(quotas: &Quotas) -> [(&'static str, String); 4] {
    let most = |bound: Option<u32>| bound.map_or(no_bound(), |most| most.to_string());
    [
        ("Stacks of one person", most(quotas.stacks)),
        ("Deployments of one person at once", most(quotas.under_way)),
        ("Deployments of one person within an hour", most(quotas.per_hour)),
        ("Names of removed stacks are kept for", quotas.hold_down.map_or(no_bound(), span)),
    ]
}

/// Says how much of what there is in all is used.
pub(crate) fn of_all(used: usize, most: Option<u32>) -> String {
    most.map_or_else(|| format!("{used}, without a limit"), |most| format!("{used} of {most}"))
}

fn no_bound() -> String {
    String::from("no limit")
}

fn span(span: Duration) -> String {
    match span.as_secs() {
        seconds if seconds % 3600 == 0 => format!("{} h", seconds / 3600),
        seconds if seconds % 60 == 0 => format!("{} min", seconds / 60),
        seconds => format!("{seconds} s"),
    }
}

/// Writes a time to the second, as `2026-11-25 23:10:05 UTC`.
pub(crate) fn second(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_told_with_their_numbers_or_that_there_are_none() {
        let hold_down = Some(Duration::from_hours(24));
        let quotas = Quotas { stacks: Some(5), hold_down, ..Quotas::default() };
        let told = limits(&quotas).map(|(_, words)| words);
        assert_eq!(told, ["5", "no limit", "no limit", "24 h"]);
        assert_eq!(of_all(3, Some(200)), "3 of 200");
        assert_eq!(of_all(3, None), "3, without a limit");
        assert_eq!(span(Duration::from_secs(90)), "90 s");
        assert_eq!(span(Duration::from_mins(90)), "90 min");
    }

    #[test]
    fn a_clean_up_that_is_due_is_told_as_such() {
        let now = Timestamp::from_second(1_795_427_270).unwrap();
        assert_eq!(next_try(Some(Timestamp::UNIX_EPOCH), now), "next try at once");
        let later = now + Duration::from_secs(30);
        assert_eq!(next_try(Some(later), now), "next try at 2026-11-23 09:48:20 UTC");
    }
}
