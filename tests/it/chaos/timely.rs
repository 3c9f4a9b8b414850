//! What must happen in time although all slots are taken, in virtual time.

use std::time::Duration;

use ai_stack_deployer::server::notifier::Notification;
use ai_stack_deployer::server::store::{Operations, Record, State};
use clock::Clock;
use domain::deployment::DeploymentId;

use super::portal::{Portal, in_virtual_time};

fn seconds_taken(record: &Record) -> u64 {
    let took = record.metadata.completed.unwrap().duration_since(record.deployment.started);
    took.as_secs().try_into().unwrap()
}

#[test]
fn an_operation_without_a_slot_ends_within_its_deadline_while_the_platform_hangs() {
    in_virtual_time(async |clock| {
        let (portal, _) = Portal::begin(clock, "*:timeout-before:always", 5).await;
        let limits = portal.ports.settings.deadlines;
        // A hang extends the deadline, but at most by its own length.
        let longest = (limits.whole * 2 + limits.drain).as_secs() + 60;
        let records = portal.ended().await;
        assert_eq!(records.len(), 5);
        for record in &records {
            let took = seconds_taken(record);
            assert!(took <= longest, "{} took {took} s", record.deployment.name);
        }
        let is_clean = |record: &Record| record.state == State::RolledBack;
        assert!(records.iter().any(is_clean), "one that never had a slot made nothing");
    });
}

#[test]
fn an_operation_without_a_slot_ends_at_its_deadline() {
    in_virtual_time(async |clock| {
        // Each operation keeps the slot for minutes, the fourth beyond the deadline of all.
        let (portal, _) =
            Portal::begin(clock, "deployment.queueList:timeout-before:always", 5).await;
        let whole = portal.ports.settings.deadlines.whole.as_secs();
        let mut took: Vec<u64> = portal.ended().await.iter().map(seconds_taken).collect();
        took.sort_unstable();
        let [.., waited, held] = took[..] else { panic!("{took:?}") };
        assert!((whole..whole + 5).contains(&waited), "{took:?}");
        assert!(held > whole + 30, "nobody had the slot then: {took:?}");
    });
}

#[test]
fn a_cancellation_ends_a_long_retry_after() {
    in_virtual_time(async |clock| {
        let (portal, _) = Portal::begin(clock, "project.create:throttled=900s", 1).await;
        portal.clock.sleep(Duration::from_secs(5)).await;
        let id = DeploymentId::from_random(0);
        portal.store.cancel(&id, portal.clock.now(), None).await.unwrap();
        portal.ports.notifier.notify(&Notification::CancelRequest(id));
        let records = portal.ended().await;
        assert_eq!(records[0].state, State::RolledBack);
        let took = seconds_taken(&records[0]);
        assert!((5..60).contains(&took), "{took} s, where the step's deadline is 300 s");
    });
}
