//! The contract of call slots, in the process and in PostgreSQL.

use std::sync::Arc;

use ai_stack_deployer::server::platform::call_slots::{
    CallBounds, CallKind, CallSlots, SlotAnswer, SlotId, SlotRequest,
};
use ai_stack_deployer::server::platform::local_slots::LocalCallSlots;

use super::contract::at;
use super::in_postgres;
use crate::support::postgres::Cluster;

const BOUNDS: CallBounds = CallBounds { domains_each: 2, domains: 3, others: 2 };

fn request(id: &str, kind: CallKind, portal: &str, second: i64) -> SlotRequest {
    SlotRequest {
        id: SlotId(id.to_owned()),
        kind,
        portal: portal.to_owned(),
        age: at(0),
        now: at(second),
        until: at(second + 90),
        bounds: BOUNDS,
        is_healthy: None,
    }
}

async fn ask(
    slots: &dyn CallSlots,
    id: &str,
    kind: CallKind,
    portal: &str,
    second: i64,
) -> SlotAnswer {
    slots.take(&request(id, kind, portal, second)).await.unwrap()
}

async fn ask_knowing(slots: &dyn CallSlots, id: &str, second: i64, is_healthy: bool) -> SlotAnswer {
    let request = request(id, CallKind::Other, "one", second);
    slots.take(&SlotRequest { is_healthy: Some(is_healthy), ..request }).await.unwrap()
}

/// Checks the contract on empty slots.
async fn hold(slots: &dyn CallSlots) {
    use CallKind::{Domain, Other};
    use SlotAnswer::{CheckHealth, Taken, Wait};
    // Each kind has a limit for each portal, and one for all.
    assert_eq!(ask(slots, "a", Domain, "one", 0).await, Taken);
    assert_eq!(ask(slots, "b", Domain, "one", 0).await, Taken);
    assert_eq!(ask(slots, "c", Domain, "one", 0).await, Wait, "two for a portal");
    assert_eq!(ask(slots, "d", Domain, "two", 0).await, Taken);
    assert_eq!(ask(slots, "e", Domain, "two", 0).await, Wait, "three in all");
    assert_eq!(ask(slots, "f", Other, "one", 0).await, Taken);
    assert_eq!(ask(slots, "g", Other, "one", 0).await, Taken, "the bound is for all");
    assert_eq!(ask(slots, "h", Other, "two", 0).await, Wait);
    // An answer releases the slot, and releasing it again does nothing.
    for _ in 0..2 {
        slots.give_back(&SlotId("f".to_owned())).await.unwrap();
    }
    assert_eq!(ask(slots, "i", Other, "two", 10).await, Taken);
    // A lost call keeps its slot until its time is over and the platform is healthy.
    slots.keep(&SlotId("g".to_owned()), at(40)).await.unwrap();
    assert_eq!(ask(slots, "j", Other, "one", 11).await, CheckHealth);
    assert_eq!(ask_knowing(slots, "j", 11, true).await, Wait, "it may still come");
    assert_eq!(ask_knowing(slots, "j", 41, false).await, Wait, "nobody knows yet");
    assert_eq!(ask_knowing(slots, "j", 41, true).await, Taken);
    // So does a call of a killed portal, which reports nothing.
    assert_eq!(ask(slots, "k", Other, "two", 99).await, CheckHealth);
    assert_eq!(ask_knowing(slots, "k", 99, true).await, Wait);
    assert_eq!(ask_knowing(slots, "k", 100, true).await, Taken, "the one of the tenth second");
}

#[tokio::test]
async fn slots_in_the_process_fulfil_the_contract() {
    let slots = LocalCallSlots::default();
    hold(&slots).await;
    slots.abandon(&SlotId("k".to_owned()), at(150));
    assert_eq!(ask(&slots, "l", CallKind::Other, "one", 101).await, SlotAnswer::CheckHealth);
}

#[tokio::test]
async fn slots_in_postgres_fulfil_the_contract_over_two_replicas() {
    let url = Cluster::shared().database();
    hold(&*in_postgres(&url).await).await;
}

#[tokio::test]
async fn of_two_portals_the_one_with_the_older_operation_comes_first() {
    let url = Cluster::shared().database();
    let (one, two) = (in_postgres(&url).await, in_postgres(&url).await);
    let of = |id: &str, portal: &str, age, second| SlotRequest {
        age: at(age),
        ..request(id, CallKind::Other, portal, second)
    };
    for id in ["a", "b"] {
        assert_eq!(one.take(&of(id, "one", 5, 10)).await.unwrap(), SlotAnswer::Taken);
    }
    assert_eq!(two.take(&of("old", "two", 1, 10)).await.unwrap(), SlotAnswer::Wait);
    one.give_back(&SlotId("a".to_owned())).await.unwrap();
    assert_eq!(one.take(&of("young", "one", 5, 11)).await.unwrap(), SlotAnswer::Wait);
    assert_eq!(two.take(&of("old", "two", 1, 11)).await.unwrap(), SlotAnswer::Taken);
    // A portal that no longer requests a slot is not waited for.
    assert_eq!(two.take(&of("older", "two", 2, 12)).await.unwrap(), SlotAnswer::Wait);
    one.give_back(&SlotId("b".to_owned())).await.unwrap();
    assert_eq!(one.take(&of("young", "one", 5, 12)).await.unwrap(), SlotAnswer::Wait);
    assert_eq!(one.take(&of("young", "one", 5, 15)).await.unwrap(), SlotAnswer::Taken);
}

#[tokio::test]
async fn concurrent_requests_get_no_more_slots_than_there_are() {
    let url = Cluster::shared().database();
    let portals = [in_postgres(&url).await, in_postgres(&url).await];
    let asked = (0..40).map(|number: usize| {
        let portal = Arc::clone(&portals[number % 2]);
        async move {
            let id = format!("slot-{number}");
            portal
                .take(&request(&id, CallKind::Domain, &format!("{}", number % 2), 0))
                .await
                .unwrap()
        }
    });
    let answers = futures::future::join_all(asked).await;
    let taken = answers.iter().filter(|answer| **answer == SlotAnswer::Taken).count();
    assert_eq!(taken, 3, "{answers:?}");
}
