//! The words of a step in the list: its label, state, detail and duration.

use jiff::Timestamp;

use super::time;
use domain::kind::Kind;
use domain::message::MessageCode;
use domain::phase::Phase;
use domain::progress::{Progress, StepState};
use domain::time::elapsed_ms;
use domain::words;

/// The headings of the list after the end.
pub(crate) const ATTEMPTED: &str = "Attempted steps";
pub(crate) const COMPLETED: &str = "Completed steps";

/// Returns the label of the step of `phase`: what is being done, or what has been done.
pub(crate) fn label(kind: &Kind, phase: Phase, state: &StepState) -> &'static str {
    match state {
        StepState::Done(_) => kind.done(phase),
        StepState::Waiting | StepState::Running(_) | StepState::Failed | StepState::Stopped => {
            kind.sentence(phase)
        }
    }
}

/// Returns the label of the rollback.
pub(crate) fn rollback(kind: &Kind) -> &'static str {
    kind.sentence(Phase::ROLLING_BACK)
}

/// Returns the word for a step's state, which screen readers read.
pub(crate) fn state(state: &StepState) -> &'static str {
    // In English, the words are the names.
    state.into()
}

/// Returns the detail of the current step: the deployment's message, if it is more exact than the
/// label.
pub(crate) fn detail(state: &StepState, progress: &Progress) -> Option<String> {
    match &progress.code {
        _ if !matches!(state, StepState::Running(_)) => None,
        None => None,
        Some(MessageCode::JobQueued { before }) => Some(words::message::queued(*before)),
        Some(_) => Some(progress.message.clone()),
    }
}

/// Returns the words for the duration of the step, up to `now` if it runs.
pub(crate) fn time(state: &StepState, now: Timestamp) -> String {
    match state {
        StepState::Waiting | StepState::Failed | StepState::Stopped => String::new(),
        StepState::Running(since) => time::so_far(elapsed_ms(*since, now)),
        StepState::Done(ms) => time::duration(*ms),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::kind::DEPLOY;

    #[test]
    fn a_step_is_told_in_its_own_tense_and_time() {
        let since = Timestamp::from_millisecond(1_795_427_270_000).unwrap();
        let now = Timestamp::from_millisecond(1_795_427_301_400).unwrap();
        let cases = [
            (StepState::Waiting, "Starting the container", ""),
            (StepState::Running(since), "Starting the container", "31 s"),
            (StepState::Done(3_140), "Container started", "3.1 s"),
            (StepState::Failed, "Starting the container", ""),
            (StepState::Stopped, "Starting the container", ""),
        ];
        for (state, words, taken) in cases {
            assert_eq!(label(&DEPLOY, Phase::DEPLOYING, &state), words);
            assert_eq!(time(&state, now), taken);
        }
    }

    #[test]
    fn the_running_steps_line_holds_what_the_message_adds_to_its_words() {
        let running = StepState::Running(Timestamp::UNIX_EPOCH);
        let waiting = "Waiting for the platform to answer again";
        let (queued, paused) =
            (MessageCode::JobQueued { before: 1 }, MessageCode::WaitingForPlatform);
        let cases = [
            (&running, None, None),
            (&running, Some(queued), Some("2nd in the platform's queue")),
            (&running, Some(paused.clone()), Some(waiting)),
            (&StepState::Waiting, Some(paused.clone()), None),
            (&StepState::Done(3_140), Some(paused), None),
        ];
        for (state, code, words) in cases {
            let mut progress = Progress::default();
            waiting.clone_into(&mut progress.message);
            progress.code = code;
            assert_eq!(detail(state, &progress).as_deref(), words, "{state:?} {progress:?}");
        }
    }

    #[test]
    fn every_step_says_something_else_once_it_is_done() {
        for phase in DEPLOY.listed() {
            let waiting = label(&DEPLOY, phase, &StepState::Waiting);
            assert_ne!(waiting, label(&DEPLOY, phase, &StepState::Done(1)), "{phase:?}");
        }
    }
}
