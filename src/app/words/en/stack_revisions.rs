//! The words of the revisions of a stack.

use crate::server::store::RevisionOutcome;

pub(crate) const HEADING: &str = "Revisions";
pub(crate) const GO_BACK: &str = "Go back to this";
pub(crate) const NEW_ONE: &str =
    "The stack gets a new revision that is equal to that one. Nothing is lost: you can return.";

/// Names a revision.
pub(crate) fn revision(number: u32) -> String {
    format!("Revision {number}")
}

/// Says of which revision a link is, for screen readers.
pub(crate) fn of(number: u32) -> String {
    format!(": revision {number}")
}

/// Returns the heading of the way back.
pub(crate) fn go_back_to(number: u32) -> String {
    format!("Go back to revision {number}")
}

/// Says who asked for a revision.
pub(crate) fn by(name: &str) -> String {
    format!("by {name}")
}

/// Says what became of a revision; `is_present` if the stack has it now.
pub(crate) fn outcome(outcome: Option<RevisionOutcome>, is_present: bool) -> &'static str {
    match (outcome, is_present) {
        (Some(RevisionOutcome::Live) | None, true) => "the stack has it now",
        (Some(RevisionOutcome::Live), false) => "has worked",
        (Some(RevisionOutcome::Reverted), _) => "did not work, and was taken back",
        (Some(RevisionOutcome::NeverLive), _) => "has never worked",
        (Some(RevisionOutcome::Untried), true) => "tried at the next start",
        (Some(RevisionOutcome::Untried), false) => "was never tried",
        (Some(RevisionOutcome::Unknown), _) => "what it is made of is not known",
        (None, false) => "in progress",
    }
}
