//! The words of the home page.

use crate::wire::{Allowance, Usual};

/// The first half of the heading.
pub(crate) const HEADING: &str = "Your own AI stack, ";
/// The second half of the heading, if the usual time to a live stack was not measured.
pub(crate) const WITH_ADDRESS: &str = "with its own address";
pub(crate) const LEAD: &str =
    "Pick a name. We start your stack, and remove it again if a step fails.";
pub(crate) const LEAD_TEMPLATES: &str =
    "Choose a template. We start your stack, and remove it again if a step fails.";

pub(crate) const PLAN_HEADING: &str = "What will be created";
/// The resources in the order of their creation, each with its purpose.
pub(crate) const PLAN: [(&str, &str); 4] = [
    ("A project", "on the platform, for this stack only"),
    ("An application", "in the project: your stack in a container, with its settings"),
    ("An address", "for the stack"),
    ("A health check", "the stack is live when it answers at its address"),
];
pub(crate) const PLAN_PROMISE: &str =
    "If a step fails, we remove everything that was created, and show you a receipt.";

/// Returns the words for the usual time to a live stack: the second half of the heading.
pub(crate) fn pace(usual: Usual) -> String {
    match usual.median_s {
        0..8 => String::from("in a few seconds"),
        seconds @ 8..53 => format!("in about {} seconds", (seconds + 2) / 5 * 5),
        53..90 => String::from("in about a minute"),
        seconds => format!("in about {} minutes", (seconds + 30) / 60),
    }
}

/// Returns the sentence about the stacks that a person has and may have.
pub(crate) fn allowance(allowance: Allowance) -> String {
    let Allowance { stacks, most } = allowance;
    let noun = if most == 1 { "stack" } else { "stacks" };
    if stacks >= most {
        return format!("You have {stacks} of {most} {noun}: remove one before you start another.");
    }
    format!("You have {stacks} of {most} {noun}.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pages_promise_is_rounded_as_a_person_would() {
        let cases = [
            (0, "in a few seconds"),
            (7, "in a few seconds"),
            (8, "in about 10 seconds"),
            (41, "in about 40 seconds"),
            (52, "in about 50 seconds"),
            (53, "in about a minute"),
            (89, "in about a minute"),
            (90, "in about 2 minutes"),
            (149, "in about 2 minutes"),
            (400, "in about 7 minutes"),
        ];
        for (median_s, words) in cases {
            assert_eq!(pace(Usual { low_s: 0, median_s, high_s: 900 }), words, "{median_s} s");
        }
    }

    #[test]
    fn what_is_left_is_said_before_the_button_is_pressed() {
        let cases = [
            ((0, 1), "You have 0 of 1 stack."),
            ((2, 5), "You have 2 of 5 stacks."),
            ((5, 5), "You have 5 of 5 stacks: remove one before you start another."),
        ];
        for ((stacks, most), expected) in cases {
            assert_eq!(allowance(Allowance { stacks, most }), expected);
        }
    }
}
