//! The sentences of the kinds of operations, of their steps and of the phases of all kinds.

use crate::phase::Phase;
use crate::stack_state::StackStatus;

/// The sentences of a step.
#[derive(Clone, Copy, Debug)]
pub struct StepWords {
    /// What a person reads while it lasts.
    pub doing: &'static str,
    /// What a person reads once it is done.
    pub done: &'static str,
}

pub(crate) const ADDRESS: StepWords = step("Getting ready", "Ready");
pub(crate) const PROJECT: StepWords = step("Creating the project", "Project created");
pub(crate) const ENVIRONMENT: StepWords = step("Finding its environment", "Environment found");
pub(crate) const APPLICATION: StepWords = step("Creating the application", "Application created");
pub(crate) const CONFIGURATION: StepWords = step("Configuring it", "Configured");
pub(crate) const DOMAIN: StepWords = step("Attaching the address", "Address attached");
pub(crate) const DEPLOY: StepWords = step("Starting the container", "Container started");
pub(crate) const HEALTH: StepWords = step("Checking that it answers", "Health check passed");

pub(crate) const STOP: StepWords = step("Stopping the container", "Container stopped");
pub(crate) const START: StepWords = step("Starting the container", "Container started");
pub(crate) const RESTART: StepWords = step("Replacing the container", "Container replaced");

pub(crate) const PREPARE: StepWords = step("Looking at what runs now", "Ready to change");
pub(crate) const SWITCH: StepWords = step("Switching to the new revision", "Switched");
pub(crate) const WATCH: StepWords =
    step("It answers: watching that it keeps running", "It kept running");
pub(crate) const RELEASE: StepWords =
    step("Releasing what is no longer used", "Nothing of the former revision is left");

/// While what a deployment made is removed.
pub(crate) const UNDOING: &str = "Removing what was made";
pub(crate) const STOPPED: &str = "The stack is stopped";
pub(crate) const RUNS: &str = "The stack runs again";
pub(crate) const RESTARTED: &str = "The stack is restarted";
pub(crate) const CHANGED: &str = "The stack is changed";
/// While a stack that could not be changed is led back.
pub(crate) const GOING_BACK: &str = "Going back to the former revision";
/// While a stack that could not be stopped is started again.
pub(crate) const STARTING_AGAIN: &str = "Starting it again";
/// While a stack that could not be started is stopped again.
pub(crate) const STOPPING_AGAIN: &str = "Stopping it again";
/// While a restart ends that failed: the stack stays as it is.
pub(crate) const LEAVING: &str = "Leaving the stack as it is";
pub(crate) const LIVE: &str = "Your stack is live";
pub(crate) const DATA: StepWords = step("Deleting the data", "Data deleted");

pub(crate) const DATA_DELETED: &str = "The data is deleted";
pub(crate) const REMOVED: &str = "The stack is removed";
/// The end of an operation whose kind only another version knows.
pub(crate) const ENDED: &str = "Done";
/// A phase that only another version knows.
pub(crate) const UNKNOWN: StepWords = step("In progress", "Done");

/// Returns the sentence of a phase that every kind has; `status` is what the stack is during an
/// operation of the kind.
pub(crate) fn of_phase(phase: Phase, status: StackStatus) -> Option<&'static str> {
    match phase {
        Phase::INITIALIZING => Some(ADDRESS.doing),
        Phase::FAILED => Some(ended(status).0),
        Phase::CANCELLED => Some(ended(status).1),
        Phase::REMOVING => Some("Removing the stack"),
        _ => None,
    }
}

/// Returns the sentences of the kind that it failed, and that it was cancelled.
const fn ended(status: StackStatus) -> (&'static str, &'static str) {
    match status {
        StackStatus::Deploying => ("The deployment failed", "The deployment was cancelled"),
        StackStatus::Stopping => ("The stop failed", "The stop was cancelled"),
        StackStatus::Starting => ("The start failed", "The start was cancelled"),
        StackStatus::Restarting => ("The restart failed", "The restart was cancelled"),
        StackStatus::Changing => ("The change failed", "The change was cancelled"),
        StackStatus::Removing => ("The removal failed", "The removal was cancelled"),
        // Of the kinds, only the one that deletes data.
        StackStatus::Gone
        | StackStatus::Running
        | StackStatus::Stopped
        | StackStatus::Unhealthy
        | StackStatus::Stuck => ("The deletion failed", "The deletion was cancelled"),
    }
}

const fn step(doing: &'static str, done: &'static str) -> StepWords {
    StepWords { doing, done }
}
