//! Late commits: a call whose portal was killed takes effect long after the stack is live without
//! it.

use std::time::Duration;

use ai_stack_deployer::server::notifier::Notification;
use ai_stack_deployer::server::store::{
    Journal, Record, RemovalOutcome, Stacks, State, StepRecord,
};
use clock::Clock;
use domain::stack_name::StackName;

use super::clock::VirtualClock;
use super::portal::{Portal, in_virtual_time};
use crate::support::settings::new_removal;

/// The delay of the call: it takes effect after the end, which takes six seconds.
const LATE: Duration = Duration::from_secs(19);

/// Begins a deployment, kills the portal one second into `call`, and lets another worker finish.
async fn live_after_a_kill(clock: VirtualClock, call: &str) -> Portal {
    let fault = format!("{call}:late={}s:1", LATE.as_secs());
    let (portal, killed) = Portal::begin(clock, &fault, 1).await;
    portal.clock.sleep(Duration::from_secs(1)).await;
    killed.abort();
    portal.store.void_leases();
    portal.start("two");
    let record = until(&portal, 0, |record| record.state != State::Active).await;
    assert_eq!(record.state, State::Live);
    portal
}

/// Waits until `is_so` is true for the record of this operation.
async fn until(portal: &Portal, operation: usize, is_so: impl Fn(&Record) -> bool) -> Record {
    portal.until(operation, Duration::from_millis(100), 600, is_so).await
}

/// Removes the stack.
async fn remove(portal: &Portal) -> Record {
    let new = new_removal(2, portal.clock.now());
    let name = StackName::parse("stack-0").unwrap();
    let begun = portal.store.begin_removal(&name, &new).await.unwrap();
    assert_eq!(begun, RemovalOutcome::Accepted(new.id));
    portal.ports.notifier.notify(&Notification::Work);
    until(portal, 1, |record| record.state != State::Active).await
}

/// Counts the resources of each kind on the platform.
fn count(portal: &Portal) -> [usize; 3] {
    let now = portal.clock.now();
    let mut core = portal.platform.core();
    core.tick(now);
    let inventory = core.inventory(now);
    ["projects", "applications", "domains"].map(|list| inventory[list].as_array().unwrap().len())
}

#[test]
fn a_late_duplicate_of_a_live_stack_is_removed_within_a_minute() {
    let second = [
        ("project.create", [2, 1, 1]),
        ("application.create", [1, 2, 1]),
        ("domain.create", [1, 1, 2]),
    ];
    for (call, twice) in second {
        in_virtual_time(async |clock| {
            let portal = live_after_a_kill(clock, call).await;
            assert_eq!(count(&portal), [1, 1, 1], "{call} came before the end");
            portal.clock.sleep(LATE).await;
            assert_eq!(count(&portal), twice, "{call} never came");
            let record = until(&portal, 0, |record| record.clean_up.due.is_none()).await;
            assert_eq!(count(&portal), [1, 1, 1], "{call}");
            assert_eq!(record.state, State::Live);
            portal.clock.sleep(Duration::from_mins(1)).await;
            let tries = portal.store.records()[0].clean_up.tries;
            assert_eq!(tries, 1, "{call}: once was enough");
        });
    }
}

#[test]
fn a_stack_that_is_removed_at_once_leaves_no_late_resources() {
    in_virtual_time(async |clock| {
        let portal = live_after_a_kill(clock, "project.create").await;
        let removal = remove(&portal).await;
        assert_eq!(removal.state, State::RolledBack);
        portal.clock.sleep(LATE * 3).await;
        assert_eq!(count(&portal), [0, 0, 0]);
    });
}

#[test]
fn a_deployment_that_two_kills_interrupt_and_that_fails_waits_for_the_late_project() {
    in_virtual_time(async |clock| {
        let portal = Portal::new(clock, "sandbox/missing");
        let fault = format!("project.create:late={}s:1", LATE.as_secs());
        portal.platform.core().inject(fault.parse().unwrap());
        portal.reserve(0).await;
        let id = portal.store.records()[0].deployment.id.clone();
        let first = portal.start("one");
        portal.clock.sleep(Duration::from_secs(1)).await;
        first.abort();
        portal.store.void_leases();
        // The second worker creates the project again, and is killed right after that.
        let second = portal.start("two");
        let is_created =
            |record: &_| matches!(record, StepRecord::Succeeded { response_lost: true, .. });
        while !portal.store.journal(&id).await.unwrap().records.values().any(is_created) {
            portal.clock.sleep(Duration::from_millis(1)).await;
        }
        second.abort();
        portal.store.void_leases();
        assert_eq!(count(&portal)[0], 1, "the first call came too early");
        portal.start("three");
        let record = until(&portal, 0, |record| record.state != State::Active).await;
        assert_eq!(record.state, State::RolledBack);
        portal.clock.sleep(LATE * 3).await;
        assert_eq!(count(&portal), [0, 0, 0]);
    });
}

#[test]
fn an_unreachable_platform_only_delays_the_recheck() {
    in_virtual_time(async |clock| {
        let portal = live_after_a_kill(clock, "domain.create").await;
        portal.clock.sleep(LATE).await;
        portal.platform.core().inject("project.all:refused-after:2".parse().unwrap());
        let looked = |record: &Record| record.clean_up.tries > 0;
        let record = until(&portal, 0, looked).await;
        assert_eq!(count(&portal), [1, 1, 2]);
        assert!(record.clean_up.due.is_some(), "it will be looked at again");
        until(&portal, 0, |record| record.clean_up.due.is_none()).await;
        assert_eq!(count(&portal), [1, 1, 1]);
    });
}
