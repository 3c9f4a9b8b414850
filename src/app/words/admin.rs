//! The words of the operators' pages.

use std::time::Duration;

use jiff::Timestamp;

use crate::server::{audit::AuditAction, platform::BreakerState, settings::Quotas, store::State};
use domain::kind::{Direction, Kind};

/// Returns the words for the state of an operation.
pub(crate) fn state(kind: &Kind, state: State) -> &'static str {
    match (kind.direction, state) {
        (Direction::Forward, State::Active) => "In progress",
        (Direction::Back, State::Active) => "Being removed",
        (_, State::Live) => "Live",
        (Direction::Forward, State::RolledBack) => "Rolled back",
        (Direction::Back, State::RolledBack) => "Removed",
        (_, State::Stuck) => "Stuck",
    }
}

/// Returns the words for a state in the filter.
pub(crate) fn states(state: State) -> &'static str {
    match state {
        State::Active => "in progress",
        State::Live => "live",
        State::RolledBack => "rolled back",
        State::Stuck => "stuck",
    }
}

/// Returns the words for an action in the audit log.
pub(crate) fn act(act: AuditAction) -> &'static str {
    match act {
        AuditAction::SignIn => "Signed in",
        AuditAction::SignOut => "Signed out",
        AuditAction::Start => "Started",
        AuditAction::Cancel => "Cancelled",
        AuditAction::Retry => "Retried",
        AuditAction::Remove => "Removed",
        AuditAction::MakeToken => "Created a token",
        AuditAction::RevokeToken => "Revoked a token",
        AuditAction::ReachLimit => "Reached a limit",
        AuditAction::Enter => "Was rejected",
        AuditAction::RetryCleanUp => "Retried a clean-up",
        AuditAction::Inspect => "Viewed another owner's operation",
        AuditAction::RevokeAccess => "Signed a person out",
    }
}

/// Returns the words for a number of panics.
pub(crate) fn panics(count: u64) -> String {
    match count {
        0 => String::from("none since the portal started"),
        1 => String::from("1 since the portal started, see its log"),
        _ => format!("{count} since the portal started, see its log"),
    }
}

/// Returns the words for the state of the circuit breaker.
pub(crate) fn breaker(state: BreakerState, failures: u32) -> String {
    match state {
        BreakerState::Closed => String::from("closed: calls are allowed"),
        BreakerState::Open => format!("open: calls are blocked after {failures} failures"),
        BreakerState::HalfOpen => String::from("half-open: testing with one call"),
    }
}

/// Returns the words for the time of the next clean-up.
pub(crate) fn next_try(at: Option<Timestamp>, now: Timestamp) -> String {
    match at {
        Some(at) if at > now => format!("next attempt at {}", second(at)),
        Some(_) | None => String::from("next attempt now"),
    }
}

/// Returns the words for the number of retries.
pub(crate) fn tries(count: u32) -> String {
    match count {
        0 => String::from("not retried yet"),
        1 => String::from("retried once"),
        _ => format!("retried {count} times"),
    }
}

/// The results of forms on the operators' page, by the query parameter of their redirect.
pub(crate) const DONE: [(&str, &str); 2] = [
    ("retried", "The clean-up starts now. Reload this page in a moment to see the result."),
    (
        "signed_out",
        "All sessions of this person are ended, and their API tokens are revoked. To keep them \
         out, block them at the identity provider as well.",
    ),
];

/// Returns the limits per person, with their labels.
pub(crate) fn limits(quotas: &Quotas) -> [(&'static str, String); 4] {
    let most = |bound: Option<u32>| bound.map_or(no_bound(), |most| most.to_string());
    [
        ("Stacks per person", most(quotas.stacks)),
        ("Deployments in progress per person", most(quotas.under_way)),
        ("Deployments per person within an hour", most(quotas.per_hour)),
        ("Names of removed stacks are reserved for", quotas.hold_down.map_or(no_bound(), span)),
    ]
}

/// Returns the words for the usage of a limit.
pub(crate) fn of_all(used: usize, most: Option<u32>) -> String {
    most.map_or_else(|| format!("{used}, no limit"), |most| format!("{used} of {most}"))
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

/// Formats a time to the second, as in `2026-11-25 23:10:05 UTC`.
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
        assert_eq!(of_all(3, None), "3, no limit");
        assert_eq!(span(Duration::from_secs(90)), "90 s");
        assert_eq!(span(Duration::from_mins(90)), "90 min");
    }

    #[test]
    fn a_clean_up_that_is_due_is_told_as_such() {
        let now = Timestamp::from_second(1_795_427_270).unwrap();
        assert_eq!(next_try(Some(Timestamp::UNIX_EPOCH), now), "next attempt now");
        let later = now + Duration::from_secs(30);
        assert_eq!(next_try(Some(later), now), "next attempt at 2026-11-23 09:48:20 UTC");
    }
}
