//! The words of the operators' pages.

use std::time::Duration;

use jiff::Timestamp;

use crate::server::audit::AuditAction;
use crate::server::platform::{Breaker, BreakerState};
use crate::server::reconciler::report::ReconcileRound;
use crate::server::settings::Quotas;
use crate::server::stacks::Health;
use crate::server::stacks::admin::{StuckLine, VersionOffer};
use crate::server::store::{KeptState, State};
use domain::event::FailureCode;
use domain::kind::{Direction, Kind, StackState};
use domain::platform_problem::PlatformProblem;
use domain::progress::End;
use domain::remedy::Remedy;
use domain::stack_name::StackName;
use domain::words;

pub(crate) use super::account::{SIGN_OUT, SIGN_OUT_EVERYWHERE, minute};
pub(crate) use super::frame::ADMIN;

pub(crate) const UNAVAILABLE: &str = "Not available";
pub(crate) const UNAVAILABLE_HEADING: &str = "We cannot show this page now";
/// The results of forms on the operators' page, by the query parameter of their redirect.
pub(crate) const DONE: [(&str, &str); 2] = [
    ("retried", "The clean-up starts now. Reload this page in a moment to see the result."),
    (
        "signed_out",
        "All sessions of this person are ended, and their API tokens are revoked. To keep them \
         out, block them at the identity provider as well.",
    ),
];

pub(crate) const HEALTH: &str = "Health";
/// The labels of the facts about the health.
pub(crate) const FACTS: [&str; 6] =
    ["Platform", "Problem", "Circuit breaker", "Database", "Stuck", "Panics"];

pub(crate) const STUCK: &str = "Stuck";
pub(crate) const NOTHING_STUCK: &str = "Nothing is stuck.";
pub(crate) const LEFT_UNKNOWN: &str = "It is not known what is left. Search the log.";
/// What stands between a stack and its owner.
pub(crate) const OF: &str = " of ";
pub(crate) const RETRY: &str = "Try again now";
pub(crate) const DIFFERENCES: &str = "Database and platform";

pub(crate) const STACKS: &str = "Stacks";
pub(crate) const VERSION_COLUMNS: [&str; 4] = ["Template", "Version", "Stacks", "Offered now"];
pub(crate) const VERSION_UNKNOWN: &str = "not known";

pub(crate) const KEPT: &str = "Kept data";
pub(crate) const KEPT_COLUMNS: [&str; 6] =
    ["Stack", "Template", "Owner", "State", "Until", "Volumes"];
/// What stands before the link to the stack that has the data.
pub(crate) const USED_BY: &str = "used by ";

pub(crate) const OPERATIONS: &str = "Operations";
pub(crate) const OPERATION_COLUMNS: [&str; 6] =
    ["Stack", "State", "Owner", "Started", "Ended", "Reference"];
pub(crate) const NO_OPERATIONS: &str = "No matching operations.";
pub(crate) const NOT_RUNNING: &str = ", not running";
pub(crate) const PLATFORM_LOG: &str = "Platform log";
pub(crate) const NO_OWNER: &str = "no owner";

/// The labels of the filters.
pub(crate) const OPERATION_FILTER: [&str; 3] = ["Person", "State", "Name or id"];
pub(crate) const AUDIT_FILTER: [&str; 4] = ["Actor", "Action", "Target", "Since"];
/// The examples in the fields about the actor, the target and the time.
pub(crate) const AUDIT_EXAMPLES: [&str; 3] =
    ["a name, person:id or guest", "a name, an id or a path", "2026-11-23"];
pub(crate) const ANY: &str = "any";
pub(crate) const SHOW: &str = "Show";
pub(crate) const OLDER: &str = "Older";

pub(crate) const PEOPLE: &str = "People";
pub(crate) const PERSON_COLUMNS: [&str; 6] =
    ["Name", "Stacks", "In progress", "Last hour", "Last sign-in", "Access"];
pub(crate) const NO_PEOPLE: &str = "Nobody has signed in yet.";
pub(crate) const MORE_PEOPLE: &str = "Only the most recent sign-ins are shown.";
pub(crate) const IS_OPERATOR: &str = " (operator)";
pub(crate) const SIGN_OUT_LEAD: &str =
    "Ends their sessions in all browsers, and revokes their API tokens.";
pub(crate) const LIMITS: &str = "Limits";
pub(crate) const IN_PROGRESS: &str = "Deployments in progress in total";

pub(crate) const AUDIT_LOG: &str = "Audit log";
pub(crate) const AUDIT_COLUMNS: [&str; 6] =
    ["Time", "Actor", "Action", "Target", "Outcome", "Address"];
pub(crate) const NO_ENTRIES: &str = "No matching entries.";

/// Returns the words for the platform.
pub(crate) fn platform(health: &Health) -> String {
    let platform = if health.sandbox { "the sandbox" } else { "Dokploy" };
    let state = if health.platform_reachable { "answers" } else { "does not answer" };
    format!("{platform} {state}")
}

/// Returns the words for a problem of the platform.
pub(crate) fn problem(problem: PlatformProblem) -> String {
    format!("{}: {}.", problem.code(), words::fault::advice(problem))
}

/// Returns the words for the database.
pub(crate) fn database(health: &Health) -> String {
    let state = if health.store_ok { "answers" } else { "does not accept writes" };
    format!("{} {state}", health.store_kind)
}

/// Says of how many removed stacks there is data, of which `shown` are in the table.
pub(crate) fn kept(in_all: usize, shown: usize) -> String {
    let first =
        if shown < in_all { format!(" Only the first {shown} are shown.") } else { String::new() };
    match in_all {
        0 => String::from("No data of removed stacks is kept."),
        1 => String::from("The data of 1 removed stack is kept."),
        _ => format!("The data of {in_all} removed stacks is kept.{first}"),
    }
}

/// Says how many stacks there are.
pub(crate) fn stacks(in_all: usize) -> String {
    match in_all {
        0 => String::from("There are no stacks."),
        1 => String::from("There is 1 stack."),
        _ => format!("There are {in_all} stacks."),
    }
}

/// Says what is offered of the template of a stack.
pub(crate) fn version_offer(offer: &VersionOffer) -> String {
    match offer {
        VersionOffer::This => String::from("this version"),
        VersionOffer::Other(version) => format!("version {version}"),
        VersionOffer::Nothing => String::from("no longer offered"),
    }
}

/// Returns the words for the state of kept data.
pub(crate) fn kept_state(state: &KeptState) -> String {
    match state {
        KeptState::Removing => String::from("its stack is being removed"),
        KeptState::Kept => String::from("kept"),
        KeptState::Lost(since) => {
            format!(
                "its volumes are gone from the platform, since {} at the latest",
                second(*since)
            )
        }
        KeptState::InUse(_) => USED_BY.trim_end().to_owned(),
        KeptState::Deleting => String::from("is being deleted"),
    }
}

/// Returns the words for the kind of an operation, unless it makes a stack, as most do.
pub(crate) fn kind(kind: &Kind) -> Option<String> {
    (!kind.starts_from.contains(&StackState::Gone)).then(|| format!(" ({})", kind.noun))
}

/// Returns the words for a stuck operation: since when, how often clean-up was retried, and when
/// it is next.
pub(crate) fn stuck(line: &StuckLine, now: Timestamp) -> String {
    let since =
        line.since.map_or(String::from("start unknown"), |at| format!("since {}", second(at)));
    let (tries, next) = (tries(line.tries), next_try(line.next_try, now));
    format!("{} · {since} · {tries} · {next}", line.deployment.id.reference())
}

/// Returns the words that say to screen readers what a clean-up would do.
pub(crate) fn retry_of(kind: &Kind, name: &StackName) -> String {
    let does = if kind.keeps_stack() { "bring back" } else { "remove" };
    format!(" to {does} {name}")
}

/// Returns the words of a remedy, if one is known.
pub(crate) fn remedy(remedy: Option<&Remedy>) -> String {
    remedy.map_or(String::from("no remedy is known"), words::remedy::sentence)
}

/// Returns the words for the last comparison of database and platform, if there was one.
pub(crate) fn compared(round: Option<&ReconcileRound>) -> String {
    match round {
        None => String::from("Not compared yet."),
        Some(round) if round.left.is_empty() => {
            format!("No differences found at {}.", second(round.at))
        }
        Some(round) => format!("Differences found at {}:", second(round.at)),
    }
}

/// Returns the words for the state of an operation, of which `end` is how it ended.
pub(crate) fn state(kind: &Kind, state: State, end: Option<&End>) -> &'static str {
    match (kind.direction, state) {
        (Direction::Forward, State::Active) => "In progress",
        (Direction::Back, State::Active) => "Being removed",
        (_, State::Stuck) => "Stuck",
        // Nothing is left of an operation on a stack that stays, however it ended.
        (Direction::Forward, State::Live | State::RolledBack) if kind.keeps_stack() => match end {
            Some(End::Failed(failure)) if failure.code == FailureCode::Cancelled => "Cancelled",
            Some(End::Failed(_)) => "Failed",
            Some(End::Live(_) | End::Removed(_)) | None => "Done",
        },
        (_, State::Live) => "Live",
        (Direction::Forward, State::RolledBack) => "Rolled back",
        (Direction::Back, State::RolledBack) => "Removed",
    }
}

/// Returns the words for a state in the filter, where they stand for every kind.
pub(crate) fn any_kind(of: State) -> &'static str {
    match of {
        State::Active => "in progress",
        State::Live => "live",
        State::RolledBack => "rolled back or done",
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
        AuditAction::StopStack => "Stopped a stack",
        AuditAction::StartStack => "Started a stack again",
        AuditAction::RestartStack => "Restarted a stack",
        AuditAction::ChangeStack => "Changed a stack",
        AuditAction::DeleteData => "Deleted kept data",
        AuditAction::MakeToken => "Created a token",
        AuditAction::RevokeToken => "Revoked a token",
        AuditAction::ReachLimit => "Reached a limit",
        AuditAction::Enter => "Was rejected",
        AuditAction::RetryCleanUp => "Retried a clean-up",
        AuditAction::Inspect => "Viewed another owner's operation",
        AuditAction::Purge => "Deleted older entries",
        AuditAction::Reveal => "Had secrets shown",
        AuditAction::RevokeAccess => "Signed a person out",
    }
}

/// Returns the words for a number of panics.
pub(crate) fn panics(count: u64) -> String {
    match count {
        0 => String::from("none since the portal started"),
        _ => format!("{count} since the portal started, see its log"),
    }
}

/// Returns the words for the state of the circuit breaker.
pub(crate) fn breaker(breaker: &Breaker) -> String {
    let state = match breaker.state {
        BreakerState::Closed => String::from("closed: calls are allowed"),
        BreakerState::Open => {
            format!("open: calls are blocked after {} failures", breaker.consecutive_failures)
        }
        BreakerState::HalfOpen => String::from("half-open: testing with one call"),
    };
    let wait = breaker.retry_after.map(|wait| format!(", for {} s", wait.as_secs() + 1));
    state + &wait.unwrap_or_default()
}

/// Returns the words for the time of the next clean-up.
fn next_try(at: Option<Timestamp>, now: Timestamp) -> String {
    match at {
        Some(at) if at > now => format!("next attempt at {}", second(at)),
        Some(_) | None => String::from("next attempt now"),
    }
}

/// Returns the words for the number of retries.
fn tries(count: u32) -> String {
    match count {
        0 => String::from("not retried yet"),
        1 => String::from("retried once"),
        _ => format!("retried {count} times"),
    }
}

/// Returns the limits per person, with their labels.
pub(crate) fn limits(quotas: &Quotas) -> [(&'static str, String); 5] {
    let most = |bound: Option<u32>| bound.map_or(no_bound(), |most| most.to_string());
    [
        ("Stacks per person", most(quotas.stacks)),
        ("Deployments in progress per person", most(quotas.under_way)),
        ("Deployments per person within an hour", most(quotas.per_hour)),
        ("Operations per person within an hour", most(quotas.operations_per_hour)),
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
        assert_eq!(told, ["5", "no limit", "no limit", "no limit", "24 h"]);
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
