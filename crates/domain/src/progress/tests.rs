//! Tests of [`Progress`], which folds the events of a deployment into its state.

use proptest::prelude::*;

use super::*;
use crate::event::{FailureCode, Level};
use crate::words;

fn at(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(1_795_427_270_000 + ms).unwrap()
}

fn progress(phase: Phase, percent: u8, ms: i64) -> EventBody {
    EventBody::Progress(ProgressUpdate::new(&DEPLOY, phase, percent, Resources::default(), at(ms)))
}

fn log(ms: i64) -> EventBody {
    EventBody::Log(LogEntry {
        timestamp: at(ms),
        level: Level::Info,
        phase: Phase::DEPLOYING,
        action: String::from("test.log"),
        message: format!("at {ms}"),
        duration_ms: 0,
        attempt: None,
    })
}

/// Returns all events of a deployment that fails in the health check, or comes up.
fn story(fails: bool, logs: usize) -> Vec<Event> {
    let mut bodies = vec![progress(Phase::INITIALIZING, 0, 0)];
    for (index, phase) in (1..).zip(DEPLOY.listed()) {
        bodies.push(progress(phase, 0, index * 100));
    }
    bodies.extend((0..logs).map(|_| log(750)));
    if fails {
        bodies.push(progress(Phase::ROLLING_BACK, 85, 800));
        bodies.push(EventBody::Error(Failure {
            phase: Phase::VERIFYING_HEALTH,
            message: String::from("It did not answer"),
            code: FailureCode::HealthTimeout,
            reason: Some(MessageCode::StackSilent { seconds: 60 }),
            receipt: Receipt::default(),
            reference: String::from("7F3A-22C1"),
        }));
    } else {
        bodies.push(EventBody::Complete(Completion {
            url: String::from("https://alice.example.com"),
            status: Ready::Ready,
            resources: Resources::default(),
            duration: 0.9,
        }));
    }
    (1..).zip(bodies).map(|(seq, body)| Event { seq, body }).collect()
}

#[test]
fn a_live_stack_has_seven_done_steps() {
    let progress = Progress::of(story(false, 0));
    assert_eq!((progress.phase, progress.percent), (Phase::COMPLETED, 100));
    assert!(progress.steps.iter().all(|step| matches!(step.state, StepState::Done(_))));
}

#[test]
fn a_failure_keeps_the_percentage_and_marks_the_step_that_ran() {
    let progress = Progress::of(story(true, 0));
    assert_eq!((progress.phase, progress.percent), (Phase::FAILED, 85));
    assert_eq!(progress.steps.last().unwrap().state, StepState::Failed);
    assert_eq!(progress.failure().unwrap().code, FailureCode::HealthTimeout);
}

/// Returns the states of the fifth step from the roll-back to the end, for a deployment that rolls
/// back in that step. `entry` is the action of the log entry before the roll-back, if there is one.
fn turned(entry: Option<&str>, code: FailureCode, reason: MessageCode) -> Vec<StepState> {
    let mut events: Vec<_> = story(true, 0).into_iter().take(6).map(|event| event.body).collect();
    let entry = entry.map(|action| {
        let EventBody::Log(entry) = log(690) else { unreachable!("a log entry") };
        EventBody::Log(LogEntry { action: action.to_owned(), ..entry })
    });
    events.extend(entry);
    events.push(progress(Phase::ROLLING_BACK, 50, 700));
    events.push(EventBody::Error(Failure {
        phase: Phase::CREATING_DOMAIN,
        message: words::message::sentence(&reason),
        code,
        reason: Some(reason),
        receipt: Receipt::default(),
        reference: String::from("7F3A-22C1"),
    }));
    let mut fold = Progress::default();
    let states = (1..).zip(events).map(|(seq, body)| {
        fold.apply(Event { seq, body });
        fold.steps.get(4).map_or(StepState::Waiting, |step| step.state.clone())
    });
    states.skip(6).filter(|state| !matches!(state, StepState::Running(_))).collect()
}

#[test]
fn a_step_has_failed_or_was_stopped_by_a_cancel_and_the_log_tells_before_the_end() {
    let (failed, stopped) = (StepState::Failed, StepState::Stopped);
    let refused = MessageCode::CallRefused { phase: Phase::CREATING_DOMAIN };
    let late = MessageCode::CancelledAfter {
        message: String::from("The platform refused a request."),
        reason: Some(Box::new(refused.clone())),
    };
    let (fail, cancel) = (Some(LogEntry::FAILURE), Some("deployment.cancel"));
    let cases = [
        (fail, FailureCode::PlatformRefused, refused.clone(), [&failed, &failed]),
        (fail, FailureCode::Cancelled, late, [&failed, &failed]),
        (cancel, FailureCode::Cancelled, MessageCode::Cancelled, [&stopped, &stopped]),
        (None, FailureCode::Cancelled, MessageCode::Cancelled, [&stopped, &stopped]),
        (None, FailureCode::PlatformRefused, refused.clone(), [&stopped, &failed]),
    ];
    for (entry, code, reason, expected) in cases {
        let states = turned(entry, code, reason.clone());
        assert_eq!(states.iter().collect::<Vec<_>>(), expected, "{entry:?} {reason:?}");
    }
}

#[test]
fn only_the_last_log_entries_are_kept() {
    let progress = Progress::of(story(false, LOG_LIMIT + 7));
    assert_eq!(progress.logs.len(), LOG_LIMIT);
}

#[test]
fn a_terminal_event_before_its_turn_does_not_finish() {
    let mut events = story(false, 0);
    let last = events.pop().unwrap();
    let mut progress = Progress::default();
    progress.apply(last);
    assert!(!progress.is_finished());
    for event in events {
        progress.apply(event);
    }
    assert!(progress.is_finished());
}

proptest! {
    #![proptest_config(test_support::properties())]

    /// Promise P14: the fold of a prefix of the shuffled events, then of all of them, equals the
    /// fold of all events in order. The same holds if the state is serialized after the prefix.
    #[test]
    fn any_order_with_repeats_adds_up_to_the_same(
        fails: bool,
        logs in 0usize..4,
        (order, cut) in (Just((0usize..14).collect::<Vec<_>>()).prop_shuffle(), 0usize..14),
    ) {
        let events = story(fails, logs);
        let whole = Progress::of(events.clone());
        let pick = |index: &usize| events.get(*index).cloned();
        let mut progress = Progress::of(order.iter().take(cut).filter_map(pick));
        let snapshot = serde_json::to_string(&progress).unwrap();
        let mut resumed: Progress = serde_json::from_str(&snapshot).unwrap();
        for event in order.iter().filter_map(pick) {
            progress.apply(event.clone());
            resumed.apply(event);
        }
        prop_assert_eq!(&progress, &whole);
        prop_assert_eq!(resumed, whole);
    }
}
