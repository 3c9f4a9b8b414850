//! The words of a receipt: what was undone, what is left, and the consequences.

use jiff::Timestamp;

use super::time;
use domain::deployment::{Deployment, DeploymentId};
use domain::event::Failure;
use domain::kind::Kind;
use domain::receipt::{Line, Outcome, Receipt, ResourceKind};
use domain::remedy::{Remedy, RemedyKind};
use domain::stack_id::StackId;
use domain::stack_name::StackName;
use domain::time::{elapsed_ms, written};

/// The heading of a receipt that was not clean when the deployment ended.
const REMOVED_SINCE: &str = "Everything has been removed by now";
/// What replaces the sentence about the name after a retry.
pub(crate) const RETRIED: &str = "It has been retried since.";
/// The same for an operation on a stack that stays.
const STACK_STAYS: &str = "The stack, its name and its data are still there.";
const ASK_FOR_STACK: &str = "An operator can help: give them the reference.";
/// What precedes a command that removes what is left.
pub(crate) const OPERATOR_CAN_RUN: &str = "An operator can run: ";

/// Returns the heading of the receipt. It claims only what the receipt proves. `at_end` is the
/// receipt at the end of the operation: if that was not clean, clean-up has removed the rest since.
pub(crate) fn heading(kind: &Kind, receipt: &Receipt, at_end: &Receipt) -> &'static str {
    let is_kept = receipt.lines.iter().any(|line| line.outcome == Outcome::Kept);
    if kind.keeps_stack() {
        return match (receipt.clean, receipt.lines.is_empty()) {
            (true, true) => "Nothing else was changed",
            (true, false) if is_kept => {
                "The change was taken back. The volume that it added stays until the stack is removed"
            }
            (true, false) if kind.makes_revision() => {
                "The change was taken back: the stack is as it was before"
            }
            (true, false) => "The stack is as it was before",
            (false, _) => "We could not verify that the stack is as it was before",
        };
    }
    if receipt.clean && is_kept {
        "Nothing was left behind but the data"
    } else if receipt.clean && !at_end.clean {
        REMOVED_SINCE
    } else if receipt.clean {
        "Nothing was left behind"
    } else if receipt.leftovers().next().is_some() {
        "Some resources are left"
    } else {
        "We could not verify that nothing is left"
    }
}

/// Returns the words for the outcome of one resource.
pub(crate) fn line(line: &Line) -> String {
    let noun = line.resource.noun();
    match line.outcome {
        Outcome::Made => format!("{noun} still exists"),
        Outcome::Removed => format!("{noun} removed"),
        Outcome::VerifiedGone => format!("{noun} removed (verified)"),
        Outcome::Left => format!("{noun} could not be removed"),
        Outcome::Kept => format!("{noun} kept"),
        Outcome::Restored => format!("{noun} is as before (verified)"),
    }
}

/// Returns the name of one resource: of a volume the plain one, unless an operator needs the whole.
pub(crate) fn name(line: &Line) -> &str {
    let is_plain = line.resource == ResourceKind::Volume && line.is_settled();
    is_plain.then(|| plain_volume(&line.name)).flatten().unwrap_or(&line.name)
}

/// Returns what a template calls a volume: what is behind the id of the stack, `stk_` and 32 digits.
fn plain_volume(name: &str) -> Option<&str> {
    let (_, of_stack) = name.split_once(StackId::PREFIX)?;
    let (_, key) = of_stack.split_once('-')?;
    (!key.is_empty()).then_some(key)
}

/// Returns the words of a remedy, addressed to an operator unless it is a command or says to wait.
pub(crate) fn advice(remedy: &Remedy) -> String {
    let sentence = sentence(remedy);
    match remedy.kind() {
        RemedyKind::Command => sentence,
        RemedyKind::Instruction => format!("For an operator: {sentence}"),
        RemedyKind::Wait => format!("{sentence}."),
    }
}

/// Returns the sentence of a remedy.
#[cfg(feature = "ssr")]
fn sentence(remedy: &Remedy) -> String {
    domain::words::remedy::sentence(remedy)
}

/// Returns the sentence of a remedy. The browser has read it as its sentence: see `domain::read`.
#[cfg(not(feature = "ssr"))]
fn sentence(remedy: &Remedy) -> String {
    match remedy {
        Remedy::Sentence(sentence) => sentence.clone(),
        _ => String::new(),
    }
}

/// Returns the sentence about the name after the end. It is in the past tense: somebody may have
/// taken the name since.
pub(crate) fn name_afterwards(
    name: &StackName,
    receipt: &Receipt,
    kept_hours: Option<u64>,
) -> String {
    if receipt.clean {
        match kept_hours {
            None => format!("The name {name} was freed."),
            Some(1) => format!("The name {name} was reserved for its owner for an hour."),
            Some(hours) => format!("The name {name} was reserved for its owner for {hours} hours."),
        }
    } else {
        format!(
            "The name {name} stays reserved until then. An operator can help: give them the \
             reference."
        )
    }
}

/// Returns the sentence about a stack that stays, after an operation that did not do what was asked.
pub(crate) fn stack_afterwards(receipt: &Receipt) -> &'static str {
    if receipt.clean { STACK_STAYS } else { ASK_FOR_STACK }
}

/// Returns the announcement for screen readers that clean-up has removed everything, and that
/// `name` was freed unless the deployment was retried since.
pub(crate) fn removed_since(
    kind: &Kind,
    name: &StackName,
    retried_by: Option<&DeploymentId>,
) -> String {
    match retried_by {
        _ if kind.keeps_stack() => STACK_STAYS.to_owned(),
        None => format!("{REMOVED_SINCE}. The name {name} was freed."),
        Some(_) => format!("{REMOVED_SINCE}."),
    }
}

/// Returns the sentence about continuing clean-up and its next attempt.
pub(crate) fn clean_up(kind: &Kind, next_try: Option<Timestamp>, now: Timestamp) -> String {
    let work = if kind.keeps_stack() {
        "We keep trying to bring it back"
    } else {
        "We keep trying to remove the rest"
    };
    let Some(next_try) = next_try else { return format!("{work}.") };
    match elapsed_ms(now, next_try).div_ceil(1000) {
        0 => format!("{work}; the next attempt starts now."),
        ahead => format!("{work}; the next attempt is in {}.", time::about(ahead)),
    }
}

/// Returns the text with the details for support, one fact per line. `receipt` is the newest
/// receipt.
pub(crate) fn support_text(
    kind: &Kind,
    deployment: &Deployment,
    failure: &Failure,
    receipt: &Receipt,
) -> String {
    let mut text = format!(
        "Stack: {} ({})\nDeployment: {}\nReference: {}\nStarted: {}\nFailed at: {}\n{}\n",
        deployment.name,
        deployment.url,
        deployment.id,
        failure.reference,
        written(deployment.started),
        kind.sentence(failure.phase),
        failure.message,
    );
    text.extend(receipt.lines.iter().map(|entry| {
        let remedy = entry.remedy.as_ref().map(sentence);
        let remedy = remedy.map(|remedy| format!("  {remedy}\n")).unwrap_or_default();
        format!("- {}: {}\n{remedy}", line(entry), entry.name)
    }));
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{event::FailureCode, kind::DEPLOY, phase::Phase};

    fn entry(resource: ResourceKind, outcome: Outcome) -> Line {
        Line {
            resource,
            id: None,
            name: String::from("stack-alice-x1y2z3"),
            outcome,
            at: "2026-11-23T09:55:24.515Z".parse().unwrap(),
            remedy: (outcome == Outcome::Left)
                .then(|| Remedy::RemoveService { service: String::from("stack-alice-x1y2z3") }),
        }
    }

    #[test]
    fn a_line_says_what_became_of_the_resource() {
        let cases = [
            (Outcome::Made, "container still exists", false),
            (Outcome::Removed, "container removed", true),
            (Outcome::VerifiedGone, "container removed (verified)", true),
            (Outcome::Left, "container could not be removed", false),
        ];
        for (outcome, words, gone) in cases {
            let entry = entry(ResourceKind::Service, outcome);
            assert_eq!((line(&entry).as_str(), entry.is_settled()), (words, gone));
        }
    }

    /// Promise P8: resources are never reported as removed without evidence, and only then is the
    /// name free.
    #[test]
    fn nothing_left_and_a_free_name_are_claimed_only_for_a_clean_receipt() {
        let name = StackName::parse("alice").unwrap();
        let gone = || entry(ResourceKind::Domain, Outcome::Removed);
        let cases = [
            (Receipt::of(vec![gone()]), "Nothing was left behind", true),
            (Receipt::of(vec![]), "Nothing was left behind", true),
            (
                Receipt::of(vec![gone(), entry(ResourceKind::Volume, Outcome::Kept)]),
                "Nothing was left behind but the data",
                true,
            ),
            (
                Receipt::of(vec![gone(), entry(ResourceKind::Service, Outcome::Left)]),
                "Some resources are left",
                false,
            ),
            (Receipt::default(), "We could not verify that nothing is left", false),
        ];
        for (receipt, words, free) in cases {
            assert_eq!(heading(&DEPLOY, &receipt, &receipt), words);
            assert_eq!(name_afterwards(&name, &receipt, None).contains("was freed"), free);
        }
    }

    #[test]
    fn what_clean_up_removed_after_the_end_is_news() {
        let left = Receipt::of(vec![entry(ResourceKind::Service, Outcome::Left)]);
        let clean = Receipt::of(vec![entry(ResourceKind::Service, Outcome::VerifiedGone)]);
        assert_eq!(heading(&DEPLOY, &clean, &left), "Everything has been removed by now");
        assert_eq!(heading(&DEPLOY, &left, &left), "Some resources are left");
        let (name, newer) = (StackName::parse("alice").unwrap(), DeploymentId::from_random(2));
        let freed = "Everything has been removed by now. The name alice was freed.";
        assert_eq!(removed_since(&DEPLOY, &name, None), freed);
        assert_eq!(
            removed_since(&DEPLOY, &name, Some(&newer)),
            "Everything has been removed by now."
        );
    }

    #[test]
    fn who_works_on_the_rest_is_told_with_the_next_try() {
        let now = Timestamp::from_second(1_795_427_270).unwrap();
        let at = |seconds: i64| Some(Timestamp::from_second(1_795_427_270 + seconds).unwrap());
        let work = "We keep trying to remove the rest";
        let cases = [
            (None, "."),
            (at(-5), "; the next attempt starts now."),
            (at(0), "; the next attempt starts now."),
            (at(3), "; the next attempt is in about 5 s."),
            (at(28), "; the next attempt is in about 30 s."),
            (at(480), "; the next attempt is in about 8 min."),
        ];
        for (next_try, words) in cases {
            assert_eq!(clean_up(&DEPLOY, next_try, now), format!("{work}{words}"));
        }
    }

    #[test]
    fn the_details_for_support_hold_reference_cause_and_remedy() {
        let deployment = Deployment {
            kind: DEPLOY.name,
            id: DeploymentId::from_random(0x7f3a_22c1 << 96),
            name: StackName::parse("alice").unwrap(),
            url: String::from("https://alice.example.com"),
            started: "2026-11-23T09:55:24.515Z".parse().unwrap(),
        };
        let failure = Failure {
            phase: Phase::DEPLOYING,
            message: String::from("The container stopped right after starting."),
            code: FailureCode::CrashLoop,
            reason: None,
            receipt: Receipt::of(vec![entry(ResourceKind::Service, Outcome::Left)]),
            reference: deployment.id.reference(),
        };
        assert_eq!(
            support_text(&DEPLOY, &deployment, &failure, &failure.receipt),
            "Stack: alice (https://alice.example.com)\n\
             Deployment: dep_7f3a22c1000000000000000000000000\n\
             Reference: 7F3A-22C1\n\
             Started: 2026-11-23T09:55:24.515Z\n\
             Failed at: Starting the container\n\
             The container stopped right after starting.\n\
             - container could not be removed: stack-alice-x1y2z3\n  \
             docker service rm stack-alice-x1y2z3\n"
        );
    }
}
