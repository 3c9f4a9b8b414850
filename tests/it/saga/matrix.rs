//! The matrix: every step × every fault × a crash at every write and a wish to cancel at every
//! write and every call, exhaustively. What two of those do together is sampled in `pairs`.

use ai_stack_deployer::{domain::event::FailureCode, server::ports::store::State};

use super::story::{Story, Tally, Twist};

/// The calls that change something on the way forward.
const FORWARD: [&str; 5] = [
    "project.create",
    "application.create",
    "application.update",
    "domain.create",
    "application.deploy",
];

/// The calls that only look on the way forward.
const LOOKS: [&str; 2] = ["deployment.all", "docker.getServiceContainersByAppName"];

/// The calls of the undo.
const BACKWARD: [&str; 4] =
    ["application.cleanQueues", "domain.delete", "application.delete", "project.remove"];

/// What goes wrong once: before the effect, after it, or somewhere in between.
const FAULTS: [&str; 12] = [
    "error-before",
    "error-after",
    "refused-after",
    "timeout-before",
    "timeout",
    "late=19s",
    "reset-before",
    "reset",
    "unauthorized",
    "unauthorized-within",
    "throttled=3s",
    "docker-down=5s",
];

/// Every story of a fault on the way forward that the saga gets over.
pub(super) fn forward() -> Vec<Story> {
    let mut stories = Vec::new();
    for call in FORWARD.into_iter().chain(LOOKS) {
        for fault in FAULTS {
            // With Docker down, a deploy job that begins meanwhile fails, and rightly so.
            let expected: &[State] = if fault.starts_with("docker-down") {
                &[State::Live, State::RolledBack]
            } else {
                &[State::Live]
            };
            stories.push(Story::new("sandbox/hello", &[&format!("{call}:{fault}")], expected));
        }
    }
    stories
}

/// Every story of a fault in the undo.
pub(super) fn backward() -> Vec<Story> {
    let mut stories = Vec::new();
    for call in BACKWARD {
        for fault in FAULTS {
            // Docker stopping in the very moment of the removal orphans the service for
            // ever: see `stories::a_service_that_nobody_can_see_is_left_and_not_called_gone`.
            if call == "application.delete" && fault.starts_with("docker-down") {
                continue;
            }
            let fault = format!("{call}:{fault}");
            stories.push(Story::new("sandbox/crashloop", &[&fault], &[State::RolledBack]));
        }
    }
    stories
}

/// Each step fails for good, once with its effect leaked and once without: its last call
/// fails, and so does every look for what the call left, until the step gives up.
pub(super) fn hopeless() -> Vec<Story> {
    let looks = ["project.all:error-before:6", "project.one:error-before:6"];
    let mut stories = Vec::new();
    for (call, look) in [
        ("project.create", looks[0]),
        ("application.create", looks[1]),
        ("domain.create", "domain.byApplicationId:error-before:6"),
        ("application.deploy", "deployment.all:error-before:6"),
    ] {
        let leaked = [&format!("{call}:error-after:1"), look];
        stories.push(Story::new("sandbox/hello", &leaked, &[State::RolledBack]));
        let plain = [&*format!("{call}:error-before:6")];
        stories.push(Story::new("sandbox/hello", &plain, &[State::RolledBack]));
    }
    let update = ["application.update:error-before:6"];
    stories.push(Story::new("sandbox/hello", &update, &[State::RolledBack]));
    stories
}

/// Every story of a fault while a live stack is removed.
pub(super) fn removals() -> Vec<Story> {
    let mut stories = backward();
    for story in &mut stories {
        story.image = "sandbox/hello";
        story.is_removed = true;
    }
    stories
}

/// Runs every story without a twist, and with each twist that its calm run has room for.
async fn run(stories: Vec<Story>, twists: fn(&Story, &Calm) -> Vec<Twist>) -> Tally {
    let mut tally = Tally::default();
    for story in stories {
        let calm = story.run(&[]).await;
        calm.assert_struck(&story);
        assert!(story.expected.contains(&calm.state), "{story:?} ended {:?}", calm.state);
        tally.count(&[]);
        for twist in twists(&story, &calm) {
            let ended = story.run(&[twist]).await;
            ended.assert_twisted(&story, &[twist]);
            tally.count(&[twist]);
        }
    }
    println!("{tally}");
    tally
}

use super::story::Ended as Calm;

fn crashes(_: &Story, calm: &Calm) -> Vec<Twist> {
    calm.crashes()
}

fn cancellations(_: &Story, calm: &Calm) -> Vec<Twist> {
    calm.cancellations()
}

#[tokio::test]
async fn a_fault_on_the_way_forward_and_a_crash_anywhere_end_in_all() {
    assert!(run(forward(), crashes).await.total() > 2_000);
}

#[tokio::test]
async fn a_fault_in_the_undo_and_a_crash_anywhere_end_in_nothing() {
    assert!(run(backward(), crashes).await.total() > 1_500);
}

#[tokio::test]
async fn a_step_that_fails_for_good_is_undone_whether_or_not_its_effect_leaked() {
    assert!(run(hopeless(), crashes).await.total() > 200);
}

#[tokio::test]
async fn a_fault_in_a_removal_and_a_crash_anywhere_end_in_nothing() {
    assert!(run(removals(), crashes).await.total() > 500);
}

#[tokio::test]
async fn a_fault_on_the_way_forward_and_a_wish_to_cancel_anywhere_end_in_nothing() {
    assert!(run(forward(), cancellations).await.total() > 5_000);
}

#[tokio::test]
async fn a_fault_in_the_undo_and_a_wish_to_cancel_anywhere_end_cancelled() {
    assert!(run(backward(), cancellations).await.total() > 4_000);
}

#[tokio::test]
async fn a_step_that_fails_for_good_can_still_be_cancelled() {
    assert!(run(hopeless(), cancellations).await.total() > 500);
}

#[tokio::test]
async fn a_wish_that_comes_after_the_end_changes_nothing() {
    let story = Story::new("sandbox/hello", &[], &[State::Live]);
    let calm = story.run(&[]).await;
    let late = story.run(&[Twist::CancelAtWrite(calm.writes, super::story::AFTER)]).await;
    assert_eq!((late.state, late.code), (State::Live, None));
    let racing = story.run(&[Twist::CancelAtWrite(calm.writes, super::story::BEFORE)]).await;
    assert_eq!((racing.state, racing.code), (State::RolledBack, Some(FailureCode::Cancelled)));
}
