//! The number of calls that many concurrent deployments make to the platform, and that of a single
//! one, in virtual time.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use ai_stack_deployer::server::operations;
use ai_stack_deployer::server::reconciler::Reconciler;
use ai_stack_deployer::server::reconciler::report::ReconcileReport;
use ai_stack_deployer::server::saga::Worker;
use ai_stack_deployer::server::store::State;
use clock::Clock;
use jiff::Timestamp;
use serde_json::json;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::portal::{Portal, in_virtual_time};
use super::simulation::LEASE;

/// The number of concurrent deployments.
const MANY: u64 = 256;
/// The maximum number of calls per second from operations that only wait: the paced ones, those
/// that an idle second before allows, and those that serve all.
const BOUND: usize = 100;
/// The calls that operations repeat while they wait.
const POLLS: [&str; 7] = [
    "deployment.queueList",
    "deployment.all",
    "docker.getServiceContainersByAppName",
    "docker.getContainersByAppLabel",
    "docker.getContainersByAppNameMatch",
    "swarm.getNodeApps",
    "swarm.getNodes",
];

async fn begin(portal: &Portal, count: u64) -> JoinHandle<()> {
    for number in 0..count {
        portal.reserve(number).await;
    }
    let most = usize::try_from(count).unwrap();
    let worker =
        Worker::new(portal.ports.clone(), operations::all(), String::from("one"), LEASE, most);
    tokio::spawn(worker.run(CancellationToken::new()))
}

/// Counts the polls of the busiest second between `from` and `until`, and of all of them.
fn busiest(portal: &Portal, from: Timestamp, until: Timestamp) -> (usize, usize) {
    let mut seconds: BTreeMap<i64, Vec<&str>> = BTreeMap::new();
    for (call, at) in portal.platform.all_calls() {
        if POLLS.contains(&call) && (from..until).contains(&at) {
            seconds.entry(at.as_second()).or_default().push(call);
        }
    }
    let all = seconds.values().map(Vec::len).sum();
    let most = seconds.into_values().max_by_key(Vec::len).unwrap_or_default();
    for poll in POLLS {
        println!("{poll}: {}", most.iter().filter(|call| **call == poll).count());
    }
    (most.len(), all)
}

#[test]
fn many_deployments_in_the_queue_share_a_few_calls_a_second() {
    in_virtual_time(async |clock| {
        // A job takes two minutes, so all but one wait in the queue.
        let portal = Portal::new(clock, "sandbox/slow");
        let worker = begin(&portal, MANY).await;
        portal.clock.sleep(Duration::from_secs(30)).await;
        let from = portal.clock.now();
        portal.clock.sleep(Duration::from_mins(1)).await;
        let (most, all) = busiest(&portal, from, portal.clock.now());
        println!("{MANY} in the queue: {all} calls in a minute, {most} in the busiest second");
        assert!(portal.store.records().iter().all(|record| record.state == State::Active));
        assert!(all >= 20, "they do look: {all}");
        assert!(most <= 10, "{most} calls in a second");
        worker.abort();
    });
}

#[test]
fn many_unhealthy_stacks_cause_no_more_calls_than_the_platform_can_answer() {
    in_virtual_time(async |clock| {
        // A job takes half a second, and each health check fails after a minute.
        let portal = Portal::new(clock, "sandbox/unhealthy");
        let worker = begin(&portal, MANY / 2).await;
        portal.clock.sleep(Duration::from_secs(20)).await;
        let from = portal.clock.now();
        let records = portal.ended().await;
        let (most, all) = busiest(&portal, from, portal.clock.now());
        println!("{} not well: {all} calls in all, {most} in the busiest second", records.len());
        assert!(records.iter().all(|record| record.state == State::RolledBack), "{records:?}");
        assert!(most <= BOUND, "{most} calls in a second");
        worker.abort();
    });
}

#[test]
fn a_single_deployment_polls_without_a_delay() {
    in_virtual_time(async |clock| {
        let portal = Portal::new(clock, "sandbox/slow");
        let worker = begin(&portal, 1).await;
        let records = portal.ended().await;
        assert_eq!(records[0].state, State::Live);
        let took =
            records[0].metadata.completed.unwrap().duration_since(records[0].deployment.started);
        let count = |call| portal.platform.count(call);
        let counts = [count("deployment.queueList"), count("deployment.all")];
        println!("one alone: {counts:?} calls, {took:#}");
        // A check reads the list and the queue, and the last one only the list.
        assert_eq!(counts, [67, 68], "{took:#}");
        worker.abort();
    });
}

/// Starts a reconciler called `owner`, which runs every five minutes.
pub(super) fn compare(
    portal: &Portal,
    owner: &str,
    stop: &CancellationToken,
) -> Arc<ReconcileReport> {
    let told = Arc::new(ReconcileReport::default());
    let reconciler = Reconciler::new(portal.ports.clone(), owner.to_owned(), LEASE);
    let reconciler = reconciler.with_report(Arc::clone(&told));
    tokio::spawn(reconciler.run(Duration::from_mins(5), stop.clone()));
    told
}

#[test]
fn of_several_replicas_one_compares_and_another_takes_over() {
    in_virtual_time(async |clock| {
        let portal = Portal::new(clock, "sandbox/hello");
        let marker = "ai-stack-deployer/test/dep_00000000000000000000000000000007";
        for number in 0..8 {
            let body = json!({ "name": format!("p{number}"), "description": marker, "env": "" });
            portal.platform.as_another_user("project.create", &body);
        }
        let rounds = || portal.platform.count("overview.domains");
        let (first, second) = (CancellationToken::new(), CancellationToken::new());
        let (told, also) = (compare(&portal, "a", &first), compare(&portal, "b", &second));
        portal.clock.sleep(Duration::from_mins(31)).await;
        // A round that finds something checks twice.
        assert_eq!(rounds(), 2 * 7, "one round every five minutes, after the first");
        let left = |round: &ReconcileReport| round.get().unwrap().left;
        assert_eq!(left(&told).len(), 8, "{:?}", left(&told));
        assert_eq!(left(&told), left(&also), "each shows what the one has found");

        let asked = portal.platform.times_of("project.one");
        let at_once = asked.iter().map(|at| asked.iter().filter(|one| *one == at).count()).max();
        assert_eq!(at_once, Some(4), "a few projects at once");

        let before = also.get().unwrap().at;
        first.cancel();
        portal.clock.sleep(Duration::from_mins(6)).await;
        assert!(also.get().unwrap().at > before, "another takes over at its next round");
        second.cancel();
    });
}

#[test]
fn another_replica_compares_once_the_task_lease_of_a_killed_one_has_expired() {
    in_virtual_time(async |clock| {
        let portal = Portal::new(clock, "sandbox/hello");
        let reconciler = Reconciler::new(portal.ports.clone(), String::from("a"), LEASE);
        let killed = tokio::spawn(reconciler.run(Duration::from_mins(5), CancellationToken::new()));
        portal.clock.sleep(Duration::from_secs(10)).await;
        assert_eq!(portal.platform.count("project.all"), 1);
        killed.abort();
        let stop = CancellationToken::new();
        let told = compare(&portal, "b", &stop);
        portal.clock.sleep(Duration::from_mins(5)).await;
        assert_eq!(portal.platform.count("project.all"), 1, "it may only be slow");
        portal.clock.sleep(Duration::from_mins(6)).await;
        assert!(portal.platform.count("project.all") > 1 && told.get().is_some());
        stop.cancel();
    });
}
