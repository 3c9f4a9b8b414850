//! The words of the history of a stack, and of why it does not work.

use super::account::minute;
use domain::kind::StackState;
use domain::stack_event::{Exit, Outcome, Problem, Reason, StackEventBody, Why};
use domain::words::exit;

/// The label of the tab.
pub(crate) const HISTORY: &str = "History";
pub(crate) const HEADING: &str = "What became of this stack";
/// The link to what was before.
pub(crate) const OLDER: &str = "Older events";
/// The heading of what is known about a stack that does not work.
pub(crate) const WHY: &str = "Why it does not work";
/// The heading of the strip of days.
pub(crate) const DAYS: &str = "The last 90 days";
/// The summary of the table behind the strip.
pub(crate) const TABLE: &str = "Show as a table";
pub(crate) const DAY: &str = "Day (UTC)";
pub(crate) const WORKED: &str = "Worked";
pub(crate) const LOOKS: &str = "Looks";

/// Says what happened.
pub(crate) fn sentence(body: &StackEventBody) -> String {
    match body {
        StackEventBody::OperationBegun { kind, reason: None, .. } => {
            format!("Began: {}", kind.as_str())
        }
        StackEventBody::OperationBegun { kind, reason: Some(_), .. } => {
            format!("Begun by the portal: {}", kind.as_str())
        }
        StackEventBody::OperationEnded { kind, outcome, leaves, .. } => {
            let end = match (outcome, leaves) {
                (_, None) => "not finished",
                (Outcome::Done, Some(_)) => "done",
                (Outcome::Failed, Some(_)) => "failed",
                (Outcome::Cancelled, Some(_)) => "cancelled",
            };
            format!("Ended: {}, {end}", kind.as_str())
        }
        StackEventBody::CleanedUp { kind, leaves, .. } => {
            format!("Cleaned up after: {}. {}", kind.as_str(), state(*leaves))
        }
        StackEventBody::RevisionLive { revision } => format!("Revision {revision} is live"),
        StackEventBody::Unhealthy { .. } => String::from("Does not work any more"),
        StackEventBody::Recovered => String::from("Works again"),
        StackEventBody::StoppedByItself { .. } => String::from("Stopped by itself"),
        StackEventBody::ExpiryChanged { expires_at: Some(at) } => {
            format!("Expires on {}", minute(*at))
        }
        StackEventBody::ExpiryChanged { expires_at: None } => String::from("Does not expire"),
        StackEventBody::Unknown => {
            String::from("Something that only a newer version of this portal can tell")
        }
    }
}

/// Returns what else is known of an event, a sentence each.
pub(crate) fn details(body: &StackEventBody) -> Vec<String> {
    match body {
        StackEventBody::Unhealthy { why } => reasons(why),
        StackEventBody::StoppedByItself { exit: Some(exit) } => vec![end(exit)],
        StackEventBody::OperationBegun { reason: Some(Reason::Expired), .. } => {
            vec![String::from("The time of the stack was over.")]
        }
        StackEventBody::StoppedByItself { exit: None }
        | StackEventBody::OperationBegun { .. }
        | StackEventBody::OperationEnded { .. }
        | StackEventBody::CleanedUp { .. }
        | StackEventBody::RevisionLive { .. }
        | StackEventBody::Recovered
        | StackEventBody::ExpiryChanged { .. }
        | StackEventBody::Unknown => Vec::new(),
    }
}

fn state(state: StackState) -> &'static str {
    match state {
        StackState::Gone => "Nothing of the stack is left",
        StackState::Live => "The stack runs",
        StackState::Stopped => "The stack is stopped",
    }
}

/// Says why a stack does not work: the problem, how its containers ended, and what changed before.
pub(crate) fn reasons(why: &Why) -> Vec<String> {
    let problem = match (why.problem, why.status) {
        (Problem::NotRunning, _) => String::from("No container of it runs."),
        (Problem::Restarting, _) => String::from("Its container ends again and again."),
        (Problem::BadAnswer, Some(status)) => {
            format!("Its address answers with the error {status}.")
        }
        (Problem::BadAnswer, None) => String::from("Its address answers with an error."),
        (Problem::BadCertificate, _) => {
            String::from("The certificate of its address is not trusted.")
        }
        (Problem::NoAnswer, _) => String::from("Nothing answers at its address."),
        (Problem::Unknown, _) => String::from("The portal could not find out why."),
    };
    let after = why
        .after
        .as_ref()
        .map(|change| format!("The last operation before that ended on {}.", minute(change.at)));
    [problem].into_iter().chain(why.exits.iter().map(end)).chain(after).collect()
}

/// Says how a container ended.
fn end(exit: &Exit) -> String {
    let Exit { state, error, code, out_of_memory } = exit;
    if *out_of_memory {
        return String::from("A container was ended because it used up its memory.");
    }
    match (code, error) {
        (Some(code), _) => format!("A container ended {}.", exit::with_code(code)),
        (None, Some(error)) => format!("A container could not run: {error}"),
        (None, None) => format!("A container ended: {state}."),
    }
}

/// Says of a day how often the stack worked, as in `99.9 %`.
pub(crate) fn share(good: u32, bad: u32) -> String {
    let known = u64::from(good) + u64::from(bad);
    if known == 0 {
        return String::from("unknown");
    }
    let tenths = u64::from(good) * 1_000 / known;
    format!("{}.{} %", tenths / 10, tenths % 10)
}

/// Describes the strip for whoever does not see it.
pub(crate) fn strip(good: u32, bad: u32) -> String {
    format!("It worked at {} of the looks in the last 90 days", share(good, bad))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_tells_what_is_known_and_nothing_else() {
        let exit = Exit {
            state: String::from("failed"),
            error: None,
            code: Some(3),
            out_of_memory: false,
        };
        let out = Exit { out_of_memory: true, ..exit.clone() };
        let why = Why {
            problem: Problem::BadAnswer,
            status: Some(502),
            exits: vec![exit, out],
            after: None,
        };
        let expected = [
            "Its address answers with the error 502.",
            "A container ended with an error (exit code 3).",
            "A container was ended because it used up its memory.",
        ];
        assert_eq!(reasons(&why), expected);
    }

    #[test]
    fn a_share_is_never_rounded_up_to_all() {
        let cases = [(0, 0, "unknown"), (1, 0, "100.0 %"), (9_999, 1, "99.9 %"), (0, 2, "0.0 %")];
        for (good, bad, expected) in cases {
            assert_eq!(share(good, bad), expected, "{good} {bad}");
        }
    }
}
