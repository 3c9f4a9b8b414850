//! The matrix: every step × every fault × a crash at every write and a request to cancel at every
//! write and every call, exhaustively. Combinations of two are left to the random schedules of
//! `chaos`.

use ai_stack_deployer::server::store::{Disposal, State};
use domain::event::FailureCode;

use super::scenario::{Data, Perturbation, Scenario, Tally};
use super::world::CHANGING;
use crate::support::fake_platform::TRANSIENT;

/// The reading calls of a deployment.
const LOOKS: [&str; 2] = ["deployment.all", "docker.getServiceContainersByAppName"];

/// The calls of the undo.
const BACKWARD: [&str; 4] =
    ["application.cleanQueues", "domain.delete", "application.delete", "project.remove"];

/// Gives some of the stacks data: each fourth has a volume, which a removal deletes or keeps, and each
/// sixteenth brings one back.
fn with_data(mut scenarios: Vec<Scenario>) -> Vec<Scenario> {
    for (index, scenario) in scenarios.iter_mut().enumerate() {
        scenario.data = match index % 16 {
            1 | 9 => Data::Own(Disposal::Delete),
            5 => Data::Own(Disposal::Keep),
            13 => Data::BroughtBack,
            _ => Data::None,
        };
    }
    scenarios
}

/// Returns every scenario of a fault during the steps that the saga recovers from.
pub(super) fn forward() -> Vec<Scenario> {
    let mut scenarios = Vec::new();
    for call in CHANGING.into_iter().chain(LOOKS) {
        for fault in TRANSIENT.into_iter().chain(["docker-down=5s"]) {
            // With Docker down, a deploy job that begins meanwhile fails, as it should.
            let expected: &[State] = if fault.starts_with("docker-down") {
                &[State::Live, State::RolledBack]
            } else {
                &[State::Live]
            };
            scenarios.push(Scenario::new("sandbox/hello", &[&format!("{call}:{fault}")], expected));
        }
    }
    with_data(scenarios)
}

/// Returns every scenario of a fault during the undo.
pub(super) fn backward() -> Vec<Scenario> {
    let mut scenarios = Vec::new();
    for call in BACKWARD {
        for fault in TRANSIENT.into_iter().chain(["docker-down=5s"]) {
            // If Docker stops during the removal, the service is orphaned for ever: see
            // `scenarios::a_service_that_the_platform_cannot_show_is_left_and_not_reported_as_gone`.
            if call == "application.delete" && fault.starts_with("docker-down") {
                continue;
            }
            let fault = format!("{call}:{fault}");
            scenarios.push(Scenario::new("sandbox/crashloop", &[&fault], &[State::RolledBack]));
        }
    }
    with_data(scenarios)
}

/// Returns scenarios in which each step fails permanently, once with an effect and once without:
/// its last call fails, and so does every search for the effect, until the step fails.
pub(super) fn hopeless() -> Vec<Scenario> {
    let looks = ["project.all:error-before:6", "project.one:error-before:6"];
    let mut scenarios = Vec::new();
    for (call, look) in [
        ("project.create", looks[0]),
        ("application.create", looks[1]),
        ("domain.create", "domain.byApplicationId:error-before:6"),
        ("application.deploy", "deployment.all:error-before:6"),
    ] {
        let leaked = [&format!("{call}:error-after:1"), look];
        scenarios.push(Scenario::new("sandbox/hello", &leaked, &[State::RolledBack]));
        let plain = [&*format!("{call}:error-before:6")];
        scenarios.push(Scenario::new("sandbox/hello", &plain, &[State::RolledBack]));
    }
    let update = ["application.update:error-before:6"];
    scenarios.push(Scenario::new("sandbox/hello", &update, &[State::RolledBack]));
    with_data(scenarios)
}

/// Returns every scenario of a fault during the removal of a live stack.
pub(super) fn removals() -> Vec<Scenario> {
    let mut scenarios = backward();
    for scenario in &mut scenarios {
        scenario.image = "sandbox/hello";
        scenario.is_removed = true;
    }
    scenarios
}

/// Runs every scenario without a perturbation, and with each perturbation that is possible in it.
pub(super) async fn run(
    scenarios: Vec<Scenario>,
    perturbations: fn(&Scenario, &Calm) -> Vec<Perturbation>,
) -> Tally {
    let mut tally = Tally::default();
    for scenario in scenarios {
        let calm = scenario.run(&[]).await;
        calm.assert_struck(&scenario);
        assert!(scenario.expected.contains(&calm.state), "{scenario:?} ended {:?}", calm.state);
        tally.count(&[]);
        for perturbation in perturbations(&scenario, &calm) {
            let ended = scenario.run(&[perturbation]).await;
            ended.assert_perturbed(&scenario, &[perturbation]);
            tally.count(&[perturbation]);
        }
    }
    println!("{tally}");
    tally
}

use super::scenario::Ended as Calm;

fn crashes(_: &Scenario, calm: &Calm) -> Vec<Perturbation> {
    calm.crashes()
}

fn cancellations(_: &Scenario, calm: &Calm) -> Vec<Perturbation> {
    calm.cancellations()
}

#[tokio::test]
async fn a_fault_during_the_steps_and_a_crash_anywhere_end_in_all() {
    assert!(run(forward(), crashes).await.total() > 2_000);
}

#[tokio::test]
async fn a_fault_in_the_undo_and_a_crash_anywhere_end_in_nothing() {
    assert!(run(backward(), crashes).await.total() > 1_500);
}

#[tokio::test]
async fn a_step_that_fails_permanently_is_undone_with_or_without_an_effect() {
    assert!(run(hopeless(), crashes).await.total() > 200);
}

#[tokio::test]
async fn a_fault_in_a_removal_and_a_crash_anywhere_end_in_nothing() {
    assert!(run(removals(), crashes).await.total() > 500);
}

#[tokio::test]
async fn a_fault_during_the_steps_and_a_cancel_request_anywhere_end_in_nothing() {
    assert!(run(forward(), cancellations).await.total() > 5_000);
}

#[tokio::test]
async fn a_fault_in_the_undo_and_a_cancel_request_anywhere_end_cancelled() {
    assert!(run(backward(), cancellations).await.total() > 4_000);
}

#[tokio::test]
async fn a_step_that_fails_permanently_can_still_be_cancelled() {
    assert!(run(hopeless(), cancellations).await.total() > 500);
}

#[tokio::test]
async fn a_cancel_request_after_the_end_changes_nothing() {
    let scenario = Scenario::new("sandbox/hello", &[], &[State::Live]);
    let calm = scenario.run(&[]).await;
    let late =
        scenario.run(&[Perturbation::CancelAtWrite(calm.writes, super::scenario::AFTER)]).await;
    assert_eq!((late.state, late.code), (State::Live, None));
    let racing =
        scenario.run(&[Perturbation::CancelAtWrite(calm.writes, super::scenario::BEFORE)]).await;
    assert_eq!((racing.state, racing.code), (State::RolledBack, Some(FailureCode::Cancelled)));
}
