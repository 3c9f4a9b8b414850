//! Changes: each ends with the new revision verified, or with the former one verified again, or
//! says that it is stuck (promise P19).

mod attached;
mod matrix;

use std::time::Duration;

use ai_stack_deployer::server::store::{
    Desired, NewOperation, NewRevision, OperationOutcome, RevisionOutcome, Specs as _, Stacks as _,
    State,
};
use clock::Clock;
use dokploy_sandbox::Visit;
use domain::event::{EventBody, FailureCode, ProgressUpdate};
use domain::kind::{CHANGE, RESTART, START, STOP};
use domain::progress::End;
use domain::receipt::{Outcome, ResourceKind};
use domain::stack_id::StackId;
use domain::stack_name::StackName;
use domain::stack_spec::StackSpec;
use serde_json::json;

use super::world::World;
use crate::support::core_platform::Moment;
use crate::support::faulty_store::Crash;

fn alice() -> StackName {
    StackName::parse("alice").unwrap()
}

/// The stack, whose deployment has the number 42 in each of these worlds.
fn stack() -> StackId {
    StackId::of(&domain::deployment::DeploymentId::from_random(42))
}

impl World {
    /// Begins a change to what `change` makes of the present revision.
    pub(super) async fn ask_to_change(
        &mut self,
        number: u128,
        change: impl FnOnce(&mut StackSpec),
    ) {
        let newest = self.store.revisions(stack()).await.unwrap()[0].number;
        let present = self.store.stacks(Some(&alice())).await.unwrap()[0].revision;
        let mut spec = self.store.spec(present).await.unwrap().unwrap();
        change(&mut spec.spec);
        let from = present.number;
        let revision = NewRevision {
            from,
            number: newest + 1,
            spec,
            by: None,
            template: None,
            response: None,
        };
        let started = self.clock.now();
        let new = NewOperation {
            id: CHANGE.operation_id(number),
            kind: &CHANGE,
            started,
            first: EventBody::Progress(ProgressUpdate::first(&CHANGE, started)),
            of: None,
            expired: None,
            limit: None,
            revision: Some(revision),
            audit_entry: None,
            claim: None,
        };
        let begun = self.store.begin_operation(&alice(), &new).await.unwrap();
        assert_eq!(begun, OperationOutcome::Accepted(new.id.clone()));
        self.id = new.id;
    }

    /// Changes the image of the stack, and drives that to its end.
    async fn change_image(&mut self, number: u128, image: &str) {
        self.ask_to_change(number, |spec| image.clone_into(&mut spec.image)).await;
        self.drive().await;
    }

    /// Returns the status and the revision that answer at the address of the stack.
    fn answering_revision(&self) -> (u16, Option<String>) {
        let (now, visit) = (self.clock.now(), Visit::get("alice.localhost", "/"));
        let answer = self.platform.core().answer_visit(now, &visit);
        let found = answer.headers.iter().find(|(name, _)| *name == "x-sandbox-revision");
        (answer.status, found.map(|(_, revision)| revision.clone()))
    }

    async fn present(&self) -> u32 {
        self.store.stacks(Some(&alice())).await.unwrap()[0].revision.number
    }

    async fn outcome(&self, number: u32) -> Option<RevisionOutcome> {
        let revisions = self.store.revisions(stack()).await.unwrap();
        revisions.iter().find(|one| one.number == number).unwrap().outcome
    }

    /// Checks that the stack is what the change promises: either revision, verified, and no other.
    async fn holds(&self, what: &str) {
        assert_ne!(self.record().await.state, State::Active, "{what}");
        let (status, answers) = self.answering_revision();
        assert_eq!((status, answers), (200, Some(self.present().await.to_string())), "{what}");
        let reached = self.outcome(2).await;
        let expected = if self.present().await == 2 {
            Some(RevisionOutcome::Live)
        } else {
            Some(RevisionOutcome::Reverted)
        };
        assert_eq!(reached, expected, "{what}");
    }
}

async fn live() -> World {
    World::driven("sandbox/revisions:1", &[]).await
}

#[tokio::test]
async fn a_change_of_the_image_ends_with_the_new_revision_verified() {
    let mut world = live().await;
    world.change_image(50, "sandbox/revisions:2").await;
    assert!(matches!(world.end().await, End::Live(_)), "{:?}", world.end().await);
    world.holds("changed").await;
    assert_eq!(world.present().await, 2);
    assert_eq!(world.outcome(1).await, Some(RevisionOutcome::Live));
    assert!(world.took().await.as_secs() >= 30, "it is watched");

    // What comes after it knows the container of the new revision.
    for (kind, number) in [(&RESTART, 51), (&STOP, 52), (&START, 53)] {
        world.run_on_stack(kind, number).await;
        assert!(matches!(world.end().await, End::Live(_)), "{}", kind.noun);
    }
    assert_eq!(world.answering_revision(), (200, Some(String::from("2"))));
    world.run_removal().await;
    assert_eq!(world.count().await, (0, 0, 0, 0));
}

#[tokio::test]
async fn a_change_of_a_setting_pulls_nothing_and_ends_with_the_new_revision() {
    let mut world = live().await;
    world.ask_to_change(50, |spec| spec.size.memory_bytes = Some(64 << 20)).await;
    world.drive().await;
    world.holds("changed").await;
    assert_eq!(world.present().await, 2);
    let queued = world.log().await.into_iter().any(|line| line.contains("application.deploy"));
    assert!(!queued, "nothing is pulled");
}

#[tokio::test]
async fn a_revision_that_does_not_run_is_taken_back_and_the_receipt_says_so() {
    for (image, code) in [
        ("sandbox/revisions:crashloop", FailureCode::CrashLoop),
        ("sandbox/revisions:dying", FailureCode::CrashLoop),
        ("sandbox/revisions:silent", FailureCode::HealthTimeout),
        ("sandbox/revisions:out-of-memory", FailureCode::CrashLoop),
        ("sandbox/missing", FailureCode::ImageNotFound),
    ] {
        let mut world = live().await;
        world.change_image(50, image).await;
        let failure = world.failure().await;
        assert_eq!(failure.code, code, "{image}: {failure:?}");
        let lines = failure.receipt.lines.iter().map(|line| (line.resource, line.outcome));
        let expected = [
            (ResourceKind::Service, Outcome::Restored),
            (ResourceKind::Application, Outcome::Restored),
        ];
        assert_eq!(lines.collect::<Vec<_>>(), expected, "{image}");
        world.holds(image).await;
        assert_eq!(world.present().await, 1, "{image}");
        // The next reload does not bring back what failed.
        world.run_on_stack(&RESTART, 51).await;
        assert!(matches!(world.end().await, End::Live(_)), "{image}");
        assert_eq!(world.answering_revision(), (200, Some(String::from("1"))), "{image}");
    }
}

#[tokio::test]
async fn a_slow_revision_lives() {
    let mut world = live().await;
    world.change_image(50, "sandbox/revisions:sluggish").await;
    assert!(matches!(world.end().await, End::Live(_)), "{:?}", world.end().await);
    assert_eq!((world.present().await, world.outcome(2).await), (2, Some(RevisionOutcome::Live)));
}

#[tokio::test]
async fn a_change_that_is_killed_anywhere_ends_as_it_promises() {
    for image in ["sandbox/revisions:2", "sandbox/revisions:crashloop"] {
        for write in 1.. {
            let mut crashed = 0;
            for crash in [Crash::Before, Crash::After] {
                let mut world = live().await;
                world.ask_to_change(50, |spec| image.clone_into(&mut spec.image)).await;
                world.store.crash_at(world.store.writes() + write, crash);
                crashed += world.drive().await;
                let what = format!("{image} {write} {crash:?}");
                world.holds(&what).await;
                let expected = if image.ends_with('2') { 2 } else { 1 };
                assert_eq!(world.present().await, expected, "{what}");
            }
            if crashed == 0 {
                assert!(write > 8, "it writes more than that");
                break;
            }
        }
    }
}

#[tokio::test]
async fn a_change_whose_answers_are_lost_ends_as_it_promises() {
    for fault in [
        "application.update:timeout",
        "application.reload:timeout",
        "application.deploy:timeout",
        "application.reload:reset",
        "application.update:reset-before",
        "docker.getConfig:error-before",
    ] {
        for image in ["sandbox/revisions:2", "sandbox/revisions:1", "sandbox/revisions:dying"] {
            let mut world = live().await;
            world.ask_to_change(50, |spec| image.clone_into(&mut spec.image)).await;
            world.inject(fault);
            world.drive().await;
            world.holds(&format!("{fault} {image}")).await;
        }
    }
}

#[tokio::test]
async fn a_change_that_is_cancelled_anywhere_ends_with_one_of_the_two() {
    let mut call = 1;
    loop {
        let mut world = live().await;
        world.ask_to_change(50, |spec| "sandbox/revisions:2".clone_into(&mut spec.image)).await;
        let before = world.platform.calls();
        world.cancel_at_call(before + call, Moment::After);
        world.drive().await;
        let what = format!("call {call}");
        world.holds(&what).await;
        if world.present().await == 2 {
            break;
        }
        assert!(world.failure().await.was_requested(), "{what}");
        call += if call < 20 { 1 } else { 17 };
    }
    assert!(call > 20, "it was cancelled while it was watched");
}

#[tokio::test]
async fn a_stopped_stack_is_changed_without_being_tried_and_proved_at_its_start() {
    let mut world = live().await;
    world.run_on_stack(&STOP, 50).await;
    world.change_image(51, "sandbox/revisions:2").await;
    assert!(matches!(world.end().await, End::Live(_)), "{:?}", world.end().await);
    let stacks = world.store.stacks(Some(&alice())).await.unwrap();
    assert_eq!(stacks[0].desired, Desired::Stopped);
    assert_eq!(world.answering_revision().0, 502);
    assert_eq!(
        (world.present().await, world.outcome(2).await),
        (2, Some(RevisionOutcome::Untried))
    );

    world.run_on_stack(&START, 52).await;
    assert!(matches!(world.end().await, End::Live(_)), "{:?}", world.end().await);
    world.holds("started").await;
    assert_eq!(world.outcome(2).await, Some(RevisionOutcome::Live));
}

#[tokio::test]
async fn a_stopped_stack_whose_untried_revision_does_not_run_is_stopped_again() {
    let mut world = live().await;
    world.run_on_stack(&STOP, 50).await;
    world.change_image(51, "sandbox/revisions:crashloop").await;
    world.run_on_stack(&START, 52).await;
    assert!(world.failure().await.receipt.clean);
    assert_eq!(world.outcome(2).await, Some(RevisionOutcome::Untried));
    // It can be changed again.
    world.change_image(53, "sandbox/revisions:3").await;
    world.run_on_stack(&START, 54).await;
    assert_eq!(world.answering_revision(), (200, Some(String::from("3"))));
    assert_eq!(world.outcome(3).await, Some(RevisionOutcome::Live));
}

#[tokio::test]
async fn a_domain_without_the_middleware_gets_it_beside_its_own_before_the_switch() {
    let mut world = live().await;
    let domain = world.first("domains", "domainId").await;
    let own = json!({
        "domainId": domain, "host": "alice.localhost", "middlewares": ["redirect-to-https@file"],
    });
    world.platform.as_another_user("domain.update", &own);
    world.change_image(50, "sandbox/revisions:2").await;
    world.holds("changed").await;
    let named = &world.platform.inventory().await["domains"][0]["middlewares"];
    assert_eq!(*named, json!(["redirect-to-https@file", "test-retry@file"]));
    let (updated, switched) =
        (world.platform.times_of("domain.update"), world.platform.times_of("application.deploy"));
    assert!(updated[0] < switched[1], "{updated:?} {switched:?}");

    // The next change finds it there.
    world.change_image(51, "sandbox/revisions:3").await;
    assert_eq!(world.platform.count("domain.update"), 1);
    assert_eq!(world.platform.count("settings.updateTraefikFile"), 1);
}

#[tokio::test]
async fn a_change_goes_on_where_visitors_cannot_be_kept_waiting() {
    for fault in [
        "settings.updateTraefikFile:ignored:always",
        "settings.readTraefikFile:error-before:always",
        "domain.update:refused-after",
        "domain.update:timeout",
    ] {
        let mut world = live().await;
        world.ask_to_change(50, |spec| "sandbox/revisions:2".clone_into(&mut spec.image)).await;
        world.inject(fault);
        world.drive().await;
        world.holds(fault).await;
        assert_eq!(world.present().await, 2, "{fault}");
    }
}

#[tokio::test]
async fn a_platform_that_never_attaches_what_lets_visitors_wait_costs_a_change_little_time() {
    for fault in ["error-before", "unauthorized", "timeout-before", "reset"] {
        let mut world = live().await;
        world.ask_to_change(50, |spec| "sandbox/revisions:2".clone_into(&mut spec.image)).await;
        world.inject(&format!("domain.update:{fault}:always"));
        let began = world.clock.now();
        world.drive().await;
        world.holds(fault).await;
        assert_eq!(world.present().await, 2, "{fault}");
        assert_eq!(world.platform.count("domain.update"), 3, "{fault}");
        let took = world.clock.now().duration_since(began).unsigned_abs();
        assert!(took < Duration::from_mins(4), "{fault}: {took:?}");
    }
}

#[tokio::test]
async fn what_was_attached_by_a_call_that_seemed_to_fail_is_taken_back_if_the_route_is_lost() {
    let mut usual = live().await;
    usual.change_image(50, "sandbox/revisions:2").await;
    let calls = usual.platform.all_calls();
    let call = calls.iter().position(|(call, _)| *call == "domain.update").unwrap() + 1;

    let mut world = live().await;
    world.ask_to_change(50, |spec| "sandbox/revisions:2".clone_into(&mut spec.image)).await;
    world.inject("domain.update:reset:3");
    let lost = world.platform.clone();
    world.platform.at_call(call, Moment::Before, async move {
        lost.core().remove_file("/etc/dokploy/traefik/dynamic/test-retry.yml");
    });
    world.drive().await;
    world.holds("taken back").await;
    assert_eq!(world.present().await, 2);
    assert_eq!(world.platform.count("domain.update"), 4);
    assert_eq!(world.platform.inventory().await["domains"][0]["middlewares"], json!([]));
}
