//! The receipt of a failure: what was undone, what is left, and what follows from it.

use crate::domain::{
    deployment::Deployment,
    event::Failure,
    receipt::{Line, Outcome, Receipt},
    stack_name::StackName,
};

/// Returns the heading over the lines. It claims only what the receipt has evidence for.
pub(crate) fn heading(receipt: &Receipt) -> &'static str {
    if receipt.clean {
        "Nothing was left behind"
    } else if receipt.left().next().is_some() {
        "Something is left"
    } else {
        "We could not check that nothing is left"
    }
}

/// Says what became of one resource.
pub(crate) fn line(line: &Line) -> String {
    let noun = line.resource.noun();
    match line.outcome {
        Outcome::Made => format!("{noun} still there"),
        Outcome::Removed => format!("{noun} removed"),
        Outcome::VerifiedGone => format!("{noun} gone, and checked"),
        Outcome::Left => format!("{noun} could not be removed"),
    }
}

/// Tells whether the line is good news.
pub(crate) fn is_gone(line: &Line) -> bool {
    match line.outcome {
        Outcome::Removed | Outcome::VerifiedGone => true,
        Outcome::Made | Outcome::Left => false,
    }
}

/// Says what the failure means for the name.
pub(crate) fn name_afterwards(name: &StackName, receipt: &Receipt) -> String {
    if receipt.clean {
        format!("The name {name} is free again.")
    } else {
        format!(
            "The name {name} stays reserved until nothing is left. \
             An operator can help: give them the reference."
        )
    }
}

/// Writes down everything that support will ask for, one thing on a line.
pub(crate) fn support_text(deployment: &Deployment, failure: &Failure) -> String {
    let mut text = format!(
        "Stack: {} ({})\nDeployment: {}\nReference: {}\nStarted: {}\nFailed at: {}\n{}\n",
        deployment.name,
        deployment.url,
        deployment.id,
        failure.reference,
        deployment.started,
        failure.phase.sentence(),
        failure.message,
    );
    for entry in &failure.receipt.lines {
        text.push_str("- ");
        text.push_str(&line(entry));
        text.push_str(": ");
        text.push_str(&entry.name);
        text.push('\n');
        if let Some(remedy) = &entry.remedy {
            text.push_str("  ");
            text.push_str(remedy);
            text.push('\n');
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        deployment::DeploymentId, event::FailureCode, phase::Phase, receipt::ResourceKind,
    };

    fn entry(resource: ResourceKind, outcome: Outcome) -> Line {
        Line {
            resource,
            id: None,
            name: String::from("stack-alice-x1y2z3"),
            outcome,
            at: "2026-11-23T09:55:24.515Z".parse().unwrap(),
            remedy: (outcome == Outcome::Left)
                .then(|| String::from("docker service rm stack-alice-x1y2z3")),
        }
    }

    #[test]
    fn a_line_says_what_became_of_the_resource() {
        let cases = [
            (Outcome::Made, "container still there", false),
            (Outcome::Removed, "container removed", true),
            (Outcome::VerifiedGone, "container gone, and checked", true),
            (Outcome::Left, "container could not be removed", false),
        ];
        for (outcome, words, gone) in cases {
            let entry = entry(ResourceKind::Service, outcome);
            assert_eq!((line(&entry).as_str(), is_gone(&entry)), (words, gone));
        }
    }

    /// P8: never reported as cleaned without evidence, and the name only free with it.
    #[test]
    fn nothing_left_and_a_free_name_are_claimed_only_for_a_clean_receipt() {
        let name = StackName::parse("alice").unwrap();
        let gone = || entry(ResourceKind::Domain, Outcome::Removed);
        let cases = [
            (Receipt::of(vec![gone()]), "Nothing was left behind", true),
            (Receipt::of(vec![]), "Nothing was left behind", true),
            (
                Receipt::of(vec![gone(), entry(ResourceKind::Service, Outcome::Left)]),
                "Something is left",
                false,
            ),
            (Receipt::default(), "We could not check that nothing is left", false),
        ];
        for (receipt, words, free) in cases {
            assert_eq!(heading(&receipt), words);
            assert_eq!(name_afterwards(&name, &receipt).contains("free again"), free);
        }
    }

    #[test]
    fn the_details_for_support_hold_reference_cause_and_remedy() {
        let deployment = Deployment {
            id: DeploymentId::from_random(0x7f3a_22c1 << 96),
            name: StackName::parse("alice").unwrap(),
            url: String::from("https://alice.example.com"),
            started: "2026-11-23T09:55:24.515Z".parse().unwrap(),
        };
        let failure = Failure {
            phase: Phase::Deploying,
            message: String::from("The container stopped right after starting."),
            code: FailureCode::CrashLoop,
            receipt: Receipt::of(vec![entry(ResourceKind::Service, Outcome::Left)]),
            reference: deployment.id.reference(),
        };
        assert_eq!(
            support_text(&deployment, &failure),
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
