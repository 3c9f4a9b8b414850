//! The portal's middleware by which visitors wait: written once, looked at in each round, and never a
//! reason for an operation to fail.

use std::sync::Arc;
use std::time::Duration;

use ai_stack_deployer::server::platform::PlatformError;
use ai_stack_deployer::server::reconciler::report::ReconcileReport;
use ai_stack_deployer::server::store::{State, TaskLease, TaskLeases};
use clock::Clock;
use dokploy_sandbox::EdgeResponse;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::load::compare;
use super::portal::{Portal, in_virtual_time};

const FILE: &str = "/etc/dokploy/traefik/dynamic/test-retry.yml";
const ROUND: Duration = Duration::from_mins(5);
const WRITE: &str = "settings.updateTraefikFile";
const READ: &str = "settings.readTraefikFile";

/// Deploys a stack, whose number names it.
async fn deploy(portal: &Portal, number: u64) {
    portal.reserve(number).await;
    let worker = portal.start("one");
    let records = portal.ended().await;
    assert!(records.iter().all(|record| record.state == State::Live));
    worker.abort();
}

/// Returns the middlewares of each domain.
fn middlewares(portal: &Portal) -> Vec<Value> {
    let inventory = portal.platform.core().inventory(portal.clock.now());
    let domains = inventory["domains"].as_array().unwrap().iter();
    domains.map(|domain| domain["middlewares"].clone()).collect()
}

fn visit(portal: &Portal, host: &str) -> EdgeResponse {
    portal.platform.core().visit(portal.clock.now(), host)
}

fn left(told: &Arc<ReconcileReport>) -> Vec<String> {
    told.get().unwrap().left
}

#[test]
fn it_is_written_once_and_named_by_each_new_domain() {
    in_virtual_time(async |clock| {
        let portal = Portal::new(clock, "sandbox/hello");
        let stop = CancellationToken::new();
        let (told, _also) = (compare(&portal, "a", &stop), compare(&portal, "b", &stop));
        portal.clock.sleep(Duration::from_secs(10)).await;
        assert!(told.has_retry() && left(&told).is_empty(), "{:?}", left(&told));
        assert_eq!(portal.platform.count(WRITE), 1);
        assert_eq!(portal.platform.count(READ), 3, "once by each, and after the write");
        let before = portal.platform.count(READ);
        for number in 0..4 {
            deploy(&portal, number).await;
        }
        assert_eq!(middlewares(&portal), vec![json!(["test-retry@file"]); 4]);
        assert_eq!(portal.platform.count(READ), before, "a deployment asks nothing");
        portal.clock.sleep(ROUND * 3).await;
        assert_eq!(portal.platform.count(WRITE), 1);
        assert!(left(&told).is_empty(), "{:?}", left(&told));
        stop.cancel();
    });
}

#[test]
fn a_file_that_is_removed_or_changed_is_written_again_in_the_next_round_and_reported() {
    in_virtual_time(async |clock| {
        let portal = Portal::new(clock, "sandbox/hello");
        let stop = CancellationToken::new();
        let told = compare(&portal, "a", &stop);
        portal.clock.sleep(Duration::from_secs(10)).await;
        deploy(&portal, 1).await;
        let host = "stack-1.localhost";
        let other = "http: {middlewares: {other: {redirectScheme: {scheme: https}}}}\n";
        for is_removed in [true, false] {
            assert_eq!(visit(&portal, host), EdgeResponse::Healthy);
            if is_removed {
                portal.platform.core().remove_file(FILE);
            } else {
                let body = json!({ "path": FILE, "traefikConfig": other });
                portal.platform.as_another_user(WRITE, &body);
            }
            assert_eq!(visit(&portal, host), EdgeResponse::UnknownHost);
            portal.clock.sleep(ROUND + Duration::from_secs(10)).await;
            assert_eq!(visit(&portal, host), EdgeResponse::Healthy);
            let said = left(&told);
            assert!(said.len() == 1 && said[0].contains("missing or different"), "{said:?}");
            portal.clock.sleep(ROUND + Duration::from_secs(10)).await;
            assert!(left(&told).is_empty(), "{:?}", left(&told));
        }
        stop.cancel();
    });
}

#[test]
fn where_it_is_lost_for_good_the_domains_no_longer_name_it() {
    in_virtual_time(async |clock| {
        let portal = Portal::new(clock, "sandbox/hello");
        let stop = CancellationToken::new();
        let (told, _also) = (compare(&portal, "a", &stop), compare(&portal, "b", &stop));
        portal.clock.sleep(Duration::from_secs(10)).await;
        deploy(&portal, 1).await;
        deploy(&portal, 2).await;
        portal.platform.core().remove_file(FILE);
        portal.platform.core().inject(format!("{WRITE}:ignored:always").parse().unwrap());
        assert_eq!(visit(&portal, "stack-1.localhost"), EdgeResponse::UnknownHost);
        portal.clock.sleep(ROUND + Duration::from_secs(20)).await;
        assert_eq!(middlewares(&portal), vec![json!([]); 2]);
        assert_eq!(visit(&portal, "stack-1.localhost"), EdgeResponse::Healthy);
        let said = left(&told);
        assert!(said.len() == 1 && said[0].ends_with("answered 404: 2"), "{said:?}");
        stop.cancel();
    });
}

#[test]
fn a_look_that_says_nothing_changes_nothing() {
    in_virtual_time(async |clock| {
        let portal = Portal::new(clock, "sandbox/hello");
        let stop = CancellationToken::new();
        let told = compare(&portal, "a", &stop);
        portal.clock.sleep(Duration::from_secs(10)).await;
        let failed = PlatformError::Unavailable { call: READ, status: 500, retry_after: None };
        portal.platform.plan(READ, Some(failed));
        portal.clock.sleep(ROUND + Duration::from_secs(10)).await;
        assert!(told.has_retry() && left(&told).is_empty(), "{:?}", left(&told));
        deploy(&portal, 1).await;
        assert_eq!(middlewares(&portal), [json!(["test-retry@file"])]);
        stop.cancel();
    });
}

#[test]
fn where_it_cannot_be_had_stacks_go_without_and_operators_are_told_why() {
    let refused =
        || PlatformError::Refused { call: WRITE, status: 403, detail: String::from("not allowed") };
    for (fault, why) in [
        ("ignored", "did not write the file"),
        ("refused", "refused settings.updateTraefikFile"),
        ("frozen", "did not take up its file"),
    ] {
        in_virtual_time(async |clock| {
            let portal = Portal::new(clock, "sandbox/hello");
            match fault {
                "ignored" => {
                    let fault = format!("{WRITE}:ignored:always").parse().unwrap();
                    portal.platform.core().inject(fault);
                }
                "refused" => {
                    for _ in 0..9 {
                        portal.platform.plan(WRITE, Some(refused()));
                    }
                }
                _ => {
                    let bad = "/etc/dokploy/traefik/dynamic/theirs.yml";
                    let body = json!({ "path": bad, "traefikConfig": "http: {}\n" });
                    portal.platform.as_another_user(WRITE, &body);
                }
            }
            let stop = CancellationToken::new();
            let told = compare(&portal, "a", &stop);
            portal.clock.sleep(Duration::from_secs(20)).await;
            let said = left(&told);
            assert!(!told.has_retry() && said.len() == 1 && said[0].contains(why), "{said:?}");
            if fault != "frozen" {
                deploy(&portal, 1).await;
                assert_eq!(middlewares(&portal), [json!([])]);
            }
            portal.platform.core().clear_faults();
            portal.platform.forget_plans();
            let mended = "http: {middlewares: {x: {redirectScheme: {scheme: https}}}}\n";
            let theirs = "/etc/dokploy/traefik/dynamic/theirs.yml";
            let body = json!({ "path": theirs, "traefikConfig": mended });
            portal.platform.as_another_user(WRITE, &body);
            portal.clock.sleep(ROUND + Duration::from_secs(10)).await;
            assert!(told.has_retry() && left(&told).is_empty(), "{fault}: {:?}", left(&told));
            stop.cancel();
        });
    }
}

#[test]
fn a_key_that_may_not_touch_traefiks_files_is_told_from_a_refused_key() {
    for fault in [READ, WRITE] {
        in_virtual_time(async |clock| {
            let portal = Portal::new(clock, "sandbox/hello");
            let refused = format!("{fault}:unauthorized:always").parse().unwrap();
            portal.platform.core().inject(refused);
            let stop = CancellationToken::new();
            let told = compare(&portal, "a", &stop);
            portal.clock.sleep(Duration::from_secs(20)).await;
            let said = left(&told);
            assert!(!told.has_retry() && said.len() == 1, "{said:?}");
            let why = "this key may not read and write Traefik's files";
            assert!(said[0].contains(why), "{said:?}");
            deploy(&portal, 1).await;
            assert_eq!(middlewares(&portal), [json!([])]);
            portal.platform.core().clear_faults();
            portal.clock.sleep(ROUND + Duration::from_secs(10)).await;
            assert!(told.has_retry() && left(&told).is_empty(), "{fault}: {:?}", left(&told));
            stop.cancel();
        });
    }
}

#[test]
fn a_portal_that_makes_no_other_call_does_not_say_that_its_key_is_refused() {
    in_virtual_time(async |clock| {
        let portal = Portal::new(clock, "sandbox/hello");
        portal.platform.core().inject(format!("{READ}:unauthorized:always").parse().unwrap());
        let stop = CancellationToken::new();
        let mut rounds = None;
        // Another replica does the rounds.
        for _ in 0..4 {
            let (owner, now) = (String::from("other"), portal.clock.now());
            let theirs = TaskLease { task: "compare", owner, now, ttl: ROUND, report: None };
            portal.store.take_task_lease(&theirs).await.unwrap();
            rounds.get_or_insert_with(|| compare(&portal, "a", &stop));
            portal.clock.sleep(Duration::from_mins(4)).await;
        }
        assert_eq!(portal.platform.count("overview.domains"), 0, "it does no round");
        assert!(portal.platform.count(READ) > 2, "it looks");
        assert_eq!(portal.ports.platform.problem(), None);
        stop.cancel();
    });
}

#[test]
fn what_the_key_may_no_longer_look_after_stays_where_it_is_named_and_is_named_nowhere_else() {
    in_virtual_time(async |clock| {
        let portal = Portal::new(clock, "sandbox/hello");
        let stop = CancellationToken::new();
        let told = compare(&portal, "a", &stop);
        portal.clock.sleep(Duration::from_secs(10)).await;
        deploy(&portal, 1).await;
        portal.platform.core().inject(format!("{READ}:unauthorized:always").parse().unwrap());
        portal.clock.sleep(ROUND + Duration::from_secs(20)).await;
        let said = left(&told);
        assert!(said.len() == 1 && said[0].contains("this key may not"), "{said:?}");
        deploy(&portal, 2).await;
        assert_eq!(middlewares(&portal), [json!(["test-retry@file"]), json!([])]);
        // It is lost meanwhile, which the portal finds out once it may look again.
        portal.platform.core().remove_file(FILE);
        portal.platform.core().clear_faults();
        portal.platform.core().inject(format!("{WRITE}:ignored:always").parse().unwrap());
        portal.clock.sleep(ROUND + Duration::from_secs(20)).await;
        assert_eq!(middlewares(&portal), vec![json!([]); 2]);
        stop.cancel();
    });
}

#[test]
fn a_start_looks_once_and_its_first_round_again_only_if_it_found_nothing() {
    for (fault, looks) in [(None, 2), (Some("error-before"), 3)] {
        in_virtual_time(async |clock| {
            let portal = Portal::new(clock, "sandbox/hello");
            if let Some(fault) = fault {
                portal.platform.core().inject(format!("{READ}:{fault}").parse().unwrap());
            }
            let stop = CancellationToken::new();
            let told = compare(&portal, "a", &stop);
            portal.clock.sleep(Duration::from_secs(20)).await;
            assert!(told.has_retry() && left(&told).is_empty(), "{:?}", left(&told));
            assert_eq!((portal.platform.count(READ), portal.platform.count(WRITE)), (looks, 1));
            // The next round looks again.
            portal.clock.sleep(ROUND).await;
            assert_eq!(portal.platform.count(READ), looks + 1);
            stop.cancel();
        });
    }
}
