//! Sagas that panic, with a worker in virtual time: a panic affects only its own operation.

use std::sync::Arc;
use std::time::Duration;

use ai_stack_deployer::server::operations::{OrphanRemover, RemoveOrphansError};
use ai_stack_deployer::server::store::{
    Journal, Operations, Record, RemovalOutcome, Stacks, State, StepId,
};
use clock::Clock;
use domain::event::{Failure, FailureCode};
use domain::phase::Phase;
use domain::progress::{End, Progress};
use domain::remedy::Remedy;
use domain::stack_name::StackName;
use tokio_util::sync::CancellationToken;

use super::portal::{Portal, in_virtual_time};
use super::simulation::LEASE;
use crate::support::core_platform::{Moment, PROBE};
use crate::support::faulty_store::FaultyStore;
use crate::support::settings::new_removal;

/// The number of panics after which an operation ends.
const LIMIT: usize = 5;

/// Waits up to a day until `is_so` is true for the record of this operation.
async fn until(portal: &Portal, operation: usize, is_so: impl Fn(&Record) -> bool) -> Record {
    portal.until(operation, Duration::from_secs(1), 24 * 3600, is_so).await
}

async fn failure(portal: &Portal, record: &Record) -> Failure {
    let events = portal.store.events(&record.deployment.id, 0, u32::MAX).await.unwrap();
    match Progress::of(events.iter().map(|event| event.decode().unwrap())).end {
        Some(End::Failed(failure)) => failure,
        other => panic!("it did not fail: {other:?}"),
    }
}

/// Returns the seconds between one `call` and the next.
fn pauses(portal: &Portal, call: &str) -> Vec<i64> {
    let times = portal.platform.times_of(call);
    times.windows(2).map(|two| two[1].duration_since(two[0]).as_secs()).collect()
}

async fn is_empty(portal: &Portal) -> bool {
    let inventory = portal.platform.inventory().await;
    let none = |kind: &str| inventory[kind].as_array().unwrap().is_empty();
    ["projects", "applications", "domains", "services"].into_iter().all(none)
}

#[test]
fn a_step_that_panics_is_retried_after_growing_pauses_and_then_stuck_with_everything_left() {
    in_virtual_time(async |clock| {
        let portal = Portal::new(clock, "sandbox/hello");
        portal.platform.panic_at(Some("application.create"));
        portal.reserve(0).await;
        portal.start("one");
        portal.start("two");
        let record = until(&portal, 0, |record| record.state != State::Active).await;
        assert_eq!((record.state, record.panics), (State::Stuck, 5));
        let failure = failure(&portal, &record).await;
        assert_eq!(
            (failure.code, failure.phase),
            (FailureCode::Internal, Phase::CREATING_APPLICATION)
        );
        assert!(failure.message.contains("an internal error"), "{}", failure.message);
        let left: Vec<_> = failure.receipt.leftovers().map(|line| line.resource.noun()).collect();
        assert_eq!(left, ["application", "project"]);
        assert!(failure.receipt.leftovers().all(|line| line.remedy.is_some()));
        // Neither portal retries sooner.
        assert_eq!(portal.platform.count("application.create"), LIMIT);
        let pauses = pauses(&portal, "application.create");
        for (pause, least) in pauses.iter().zip([2, 4, 8, 16]) {
            assert!((least..least + 3).contains(pause), "{pauses:?}");
        }
        until(&portal, 0, |record| record.state == State::RolledBack).await;
        assert!(is_empty(&portal).await, "clean-up removed what was left");
    });
}

#[test]
fn an_undo_and_a_clean_up_that_panic_are_retried_with_growing_pauses() {
    in_virtual_time(async |clock| {
        let portal = Portal::new(clock, "sandbox/crashloop");
        portal.platform.panic_at(Some("application.delete"));
        portal.reserve(0).await;
        portal.start("one");
        portal.start("two");
        let record = until(&portal, 0, |record| record.state != State::Active).await;
        assert_eq!(record.state, State::Stuck);
        let failure = failure(&portal, &record).await;
        assert_eq!(failure.code, FailureCode::CrashLoop, "why it failed is not lost");
        assert!(!failure.receipt.clean);
        assert_eq!(portal.platform.count("application.delete"), LIMIT);

        portal.clock.sleep(Duration::from_hours(4)).await;
        let tries = portal.platform.count("application.delete") - LIMIT;
        assert!((8..=16).contains(&tries), "{tries} tries within four hours");
        let record = portal.store.records().swap_remove(0);
        assert_eq!(record.clean_up.tries as usize, tries);
        assert!(record.clean_up.due.unwrap() > portal.clock.now());

        // A request of an operator allows new attempts at once.
        portal.platform.panic_at(None);
        assert!(portal.store.make_due_now(&record.deployment.id, None).await.unwrap());
        portal.clock.sleep(Duration::from_mins(1)).await;
        assert_eq!(portal.store.records()[0].state, State::RolledBack);
        assert!(is_empty(&portal).await);
    });
}

#[test]
fn a_probe_that_panics_fails_only_its_own_deployment() {
    in_virtual_time(async |clock| {
        let portal = Portal::new(clock, "sandbox/hello");
        // Only after the address is attached: before that, the probe checks whether it is free.
        let platform = portal.platform.clone();
        portal.platform.at_call(4, Moment::After, async move { platform.panic_at(Some(PROBE)) });
        portal.reserve(0).await;
        portal.start("one");
        let record = until(&portal, 0, |record| record.state != State::Active).await;
        let failure = failure(&portal, &record).await;
        let end = (record.state, failure.code, failure.phase);
        assert_eq!(end, (State::Stuck, FailureCode::Internal, Phase::VERIFYING_HEALTH));
        until(&portal, 0, |record| record.state == State::RolledBack).await;
        assert!(is_empty(&portal).await);
    });
}

#[test]
fn an_operation_that_panics_even_without_steps_ends_stuck() {
    in_virtual_time(async |clock| {
        let mut portal = Portal::new(clock, "sandbox/hello");
        let line = Arc::new(FaultyStore::new(Arc::clone(&portal.store) as _));
        line.panic_at(StepId::ENVIRONMENT);
        portal.ports.store = line;
        portal.reserve(0).await;
        portal.start("one");
        let record = until(&portal, 0, |record| record.state != State::Active).await;
        assert_eq!(record.state, State::Stuck);
        let failure = failure(&portal, &record).await;
        assert_eq!(failure.code, FailureCode::Internal);
        let remedy = &failure.receipt.leftovers().next().unwrap().remedy;
        let Some(Remedy::AwaitCleanUp { marker: Some(marker) }) = remedy else {
            panic!("{remedy:?}")
        };
        assert!(marker.ends_with(record.deployment.id.as_str()), "{marker}");
        until(&portal, 0, |record| record.state == State::RolledBack).await;
        assert!(is_empty(&portal).await);
    });
}

#[test]
fn a_single_panic_delays_its_operation_by_seconds_and_no_other() {
    in_virtual_time(async |clock| {
        let portal = Portal::new(clock, "sandbox/hello");
        portal.reserve(0).await;
        portal.reserve(1).await;
        portal.platform.at_call(4, Moment::After, async { panic!("as told") });
        portal.start("one");
        let one = until(&portal, 0, |record| record.state == State::Live).await;
        let other = until(&portal, 1, |record| record.state == State::Live).await;
        assert_eq!((one.panics, other.panics), (1, 0));
        let took = one.metadata.completed.unwrap().duration_since(one.deployment.started);
        assert!(took.as_secs() < i64::try_from(LEASE.as_secs()).unwrap(), "no lease had to lapse");
    });
}

#[test]
fn a_removal_that_panics_ends_stuck_and_continues_later() {
    in_virtual_time(async |clock| {
        let portal = Portal::new(clock, "sandbox/hello");
        portal.reserve(0).await;
        portal.start("one");
        until(&portal, 0, |record| record.state == State::Live).await;
        portal.platform.panic_at(Some("domain.delete"));
        let new = new_removal(9, portal.clock.now());
        let name = StackName::parse("stack-0").unwrap();
        let begun = portal.store.begin_removal(&name, &new).await.unwrap();
        assert_eq!(begun, RemovalOutcome::Accepted(new.id.clone()));
        let record = until(&portal, 1, |record| record.state != State::Active).await;
        assert_eq!(record.state, State::Stuck);
        let failure = failure(&portal, &record).await;
        assert_eq!(failure.code, FailureCode::Internal);
        assert!(failure.receipt.leftovers().count() >= 3, "{:?}", failure.receipt);
        assert_eq!(portal.store.records()[0].state, State::Live);

        portal.platform.panic_at(None);
        until(&portal, 1, |record| record.state == State::RolledBack).await;
        assert!(is_empty(&portal).await);
    });
}

#[test]
fn an_orphan_removal_that_panics_ends_neither_the_reconciler_nor_the_lease() {
    in_virtual_time(async |clock| {
        let portal = Portal::new(clock, "sandbox/missing");
        portal.reserve(0).await;
        portal.start("one");
        let record = until(&portal, 0, |record| record.state == State::RolledBack).await;
        let orphan_remover =
            OrphanRemover::new(portal.ports.clone(), String::from("reconciler"), LEASE);
        let sweep = async || {
            orphan_remover.remove_orphans(&record.deployment.id, &CancellationToken::new()).await
        };
        portal.platform.panic_at(Some("project.all"));
        assert!(matches!(sweep().await, Err(RemoveOrphansError::Panicked)));
        portal.platform.panic_at(None);
        sweep().await.unwrap();
    });
}

#[test]
fn a_duplicate_check_that_panics_leaves_the_stack_live_and_stops_after_some_tries() {
    in_virtual_time(async |clock| {
        let portal = Portal::new(clock, "sandbox/hello");
        portal.platform.core().inject("project.create:error-after".parse().unwrap());
        portal.reserve(0).await;
        portal.start("one");
        until(&portal, 0, |record| record.state == State::Live).await;
        portal.platform.panic_at(Some("project.all"));
        until(&portal, 0, |record| record.clean_up.due.is_none()).await;
        let record = portal.store.records().swap_remove(0);
        assert_eq!((record.state, record.clean_up.tries), (State::Live, 11));
    });
}
