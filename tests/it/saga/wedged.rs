//! Call slots, and a platform that hangs: waiting operations can be cancelled, their deadlines are
//! extended, and nothing is undone.

use std::sync::Arc;
use std::time::Duration;

use ai_stack_deployer::server::platform::call_slots::{
    CallBounds, CallKind, CallSlots, SlotAnswer, SlotId, SlotRequest,
};
use ai_stack_deployer::server::platform::local_slots::LocalCallSlots;
use ai_stack_deployer::server::saga::CallGate;
use ai_stack_deployer::server::store::State;
use clock::Clock;
use domain::event::FailureCode;
use domain::phase::Phase;
use domain::progress::End;
use domain::receipt::Outcome;

use super::world::World;
use crate::support::core_platform::Moment;

const QUEUED: &str = "Waiting for its turn: the platform is busy with other stacks";
const WEDGED: &str = "The platform hangs. We wait until it answers again";

/// Occupies every slot for calls of `kind` for an hour.
fn occupy(world: &mut World, kind: CallKind) {
    let until = world.clock.now() + Duration::from_hours(1);
    let slots = Arc::new(LocalCallSlots::after(&[kind; 8], until));
    let call_gate = CallGate::new(slots, CallBounds::default(), String::from("portal"));
    world.ports.call_gate = Arc::new(call_gate);
}

/// Lets the platform hang from its `from`-th call on, and for `calls` calls, or for ever.
pub(super) fn hang(world: &World, from: usize, calls: Option<usize>) {
    let platform = world.platform.clone();
    world.platform.at_call(from, Moment::Before, async move {
        platform.core().inject("*:timeout-before:always".parse().unwrap());
        let Some(calls) = calls else { return };
        let healed = platform.clone();
        platform.at_call(from + calls, Moment::Before, async move {
            healed.core().clear_faults();
        });
    });
}

#[tokio::test]
async fn an_operation_that_waits_for_a_call_slot_can_be_cancelled() {
    let mut world = World::begin("sandbox/hello", &[]).await;
    occupy(&mut world, CallKind::Domain);
    let cancel = async {
        while !world.has_said(QUEUED).await {
            tokio::task::yield_now().await;
        }
        world.cancel_now().await;
    };
    tokio::join!(world.drive(), cancel);
    assert!(
        matches!(world.end().await, End::Failed(failure) if failure.code == FailureCode::Cancelled)
    );
    assert_eq!(world.platform.count("domain.create"), 0);
    world.assert_all_or_nothing("cancelled while it waited").await;
    let took = world.took().await;
    assert!(took < Duration::from_mins(2), "{took:?}");
}

#[tokio::test]
async fn an_operation_that_waits_for_a_call_slot_ends_at_its_deadline_without_an_attempt() {
    let mut world = World::begin("sandbox/hello", &[]).await;
    occupy(&mut world, CallKind::Domain);
    world.drive().await;
    assert_eq!(world.failure().await.code, FailureCode::Deadline);
    assert_eq!(world.platform.count("domain.create"), 0);
    world.assert_all_or_nothing("no turn in time").await;
}

#[tokio::test]
async fn a_call_slot_is_released_by_the_response_or_long_after_a_lost_one() {
    let world = World::begin("sandbox/hello", &["application.update:timeout-before"]).await;
    let slots = Arc::new(LocalCallSlots::default());
    let mut world = world;
    let bounds = CallBounds { others: 1, ..CallBounds::default() };
    let call_gate = CallGate::new(Arc::clone(&slots) as _, bounds, String::from("portal"));
    world.ports.call_gate = Arc::new(call_gate);
    world.drive().await;
    assert_eq!(world.record().await.state, State::Live);
    // There is only one slot, so the second attempt waited until the first could no longer take
    // effect.
    let times = world.platform.times_of("application.update");
    let gap = times[1].duration_since(times[0]).unsigned_abs();
    assert!(gap >= Duration::from_secs(45), "15 s for the answer and 30 s of lateness: {gap:?}");
    let now = world.clock.now();
    let request = SlotRequest {
        id: SlotId(String::from("free")),
        kind: CallKind::Other,
        portal: String::from("other"),
        age: now,
        now,
        until: now,
        bounds,
        is_healthy: None,
    };
    assert_eq!(slots.take(&request).await.unwrap(), SlotAnswer::Taken, "all are given back");
}

#[tokio::test]
async fn while_the_platform_hangs_deadlines_are_extended_and_nothing_is_undone() {
    // The hang begins at each mutating call of a deployment.
    for from in [1, 2, 3, 4, 5] {
        let mut world = World::begin("sandbox/hello", &[]).await;
        let whole = Duration::from_mins(5);
        world.configure(|settings| settings.deadlines.whole = whole);
        hang(&world, from, Some(20));
        world.drive().await;
        let what = format!("from call {from}");
        assert_eq!(world.record().await.state, State::Live, "{what}");
        let took = world.took().await;
        assert!(took > whole, "{what}: {took:?}");
        let sentences = world.sentences().await;
        assert!(sentences.iter().any(|(_, sentence)| sentence == WEDGED), "{what}: {sentences:?}");
        let undone = sentences.iter().any(|(phase, _)| *phase == Phase::ROLLING_BACK);
        assert!(!undone, "{what}: {sentences:?}");
        world.assert_all_or_nothing(&what).await;
    }
}

#[tokio::test]
async fn a_hang_that_does_not_end_ends_with_everything_left_and_is_cleaned_up_later() {
    let world = World::begin("sandbox/hello", &[]).await;
    hang(&world, 4, None);
    world.drive().await;
    let failure = world.failure().await;
    assert_eq!(failure.code, FailureCode::PlatformWedged, "{failure:?}");
    assert_eq!(world.record().await.state, State::Stuck);
    assert!(failure.receipt.lines.iter().all(|line| line.outcome == Outcome::Left), "{failure:?}");
    for call in ["domain.delete", "application.delete", "project.remove", "application.cleanQueues"]
    {
        assert_eq!(world.platform.count(call), 0, "{call}");
    }
    let limits = world.ports.settings.deadlines;
    let longest = limits.whole * 2 + limits.drain + Duration::from_mins(1);
    let took = world.took().await;
    assert!((limits.whole * 2..=longest).contains(&took), "{took:?}");
    world.platform.core().clear_faults();
    world.clean_up(1).await;
    world.assert_all_or_nothing("once it is well again").await;
}
