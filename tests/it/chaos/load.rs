//! How much many deployments at once ask of the platform, and what one alone does, in virtual
//! time.

use std::{collections::BTreeMap, time::Duration};

use ai_stack_deployer::server::{
    orchestrator::Worker,
    ports::{clock::Clock, store::State},
};
use jiff::Timestamp;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::{
    portal::{Portal, in_virtual_time},
    simulation::LEASE,
};

/// How many deployments are under way at once.
const MANY: u64 = 256;
/// How many calls the platform gets at most in any second from those who only wait.
const BOUND: usize = 50;
/// The calls by which one waits.
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
    let worker = Worker::new(portal.ports.clone(), String::from("one"), LEASE, most);
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
fn many_that_wait_in_the_platform_s_queue_ask_it_a_few_times_a_second() {
    in_virtual_time(async |clock| {
        // A job takes two minutes: all but one wait in the queue.
        let portal = Portal::new(clock, "sandbox/slow");
        let worker = begin(&portal, MANY).await;
        portal.clock.sleep(Duration::from_secs(30)).await;
        let from = portal.clock.now();
        portal.clock.sleep(Duration::from_secs(60)).await;
        let (most, all) = busiest(&portal, from, portal.clock.now());
        println!("{MANY} in the queue: {all} calls in a minute, {most} in the busiest second");
        assert!(portal.store.records().iter().all(|record| record.state == State::Active));
        assert!(all >= 20, "they do look: {all}");
        assert!(most <= 10, "{most} calls in a second");
        worker.abort();
    });
}

#[test]
fn many_whose_stacks_are_not_well_ask_no_more_than_the_platform_can_answer() {
    in_virtual_time(async |clock| {
        // A job takes half a second, and each stack is given up after a minute.
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
fn one_deployment_alone_asks_as_often_as_it_likes() {
    in_virtual_time(async |clock| {
        let portal = Portal::new(clock, "sandbox/slow");
        let worker = begin(&portal, 1).await;
        let records = portal.ended().await;
        assert_eq!(records[0].state, State::Live);
        let took = records[0].standing.completed.unwrap().duration_since(records[0].deployment.started);
        let count = |call| portal.platform.count(call);
        let counts = [
            count("deployment.queueList"),
            count("deployment.all"),
            count("docker.getServiceContainersByAppName"),
        ];
        println!("one alone: {counts:?} calls, {took:#}");
        worker.abort();
    });
}
