//! The health watch of many stacks: what it asks of the platform and computes, in each round.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::ensure;
use dokploy_sandbox::Timing;
use futures::future::try_join_all;

use super::Effort;
use super::deployment::{post, until_complete};
use super::figure::{Figure, Unit};
use super::home::Home;
use super::platform::Platform;
use super::process::missing;
use super::running::Running;
use super::world::client;

/// The call that each round makes once, and nothing else.
const ROUND: &str = "docker.getContainers";
/// The call that the comparison of store and platform makes for each stack, once after a start.
const SURVEY: &str = "docker.getConfig";
/// The rounds in the time that is measured, about.
const ROUNDS: u32 = 6;

/// What a portal did in a time without requests.
struct Passed {
    cpu: Duration,
    calls: BTreeMap<String, u32>,
}

/// Measures a portal with many stacks that watches them, beside the same one that does not.
pub(crate) async fn measure(binary: &Path, effort: Effort) -> anyhow::Result<Vec<Figure>> {
    let name = format!("watch of {} stacks", effort.watched_stacks);
    if let Some(reason) = missing(binary) {
        return Ok(vec![Figure::skipped(name, Unit::Milliseconds, reason)]);
    }
    let (platform, home) = (Platform::start(Timing::NONE).await?, Home::new(binary, None)?);
    let rarely = portal(&home, &platform, "1d").await?;
    let begun = Instant::now();
    deploy(&rarely, effort.watched_stacks).await?;
    let deployed = begun.elapsed();
    let without = passed(&rarely, &platform, effort).await?;
    rarely.kill()?;
    let interval = effort.watch / ROUNDS;
    let often = portal(&home, &platform, &format!("{}ms", interval.as_millis())).await?;
    let with = passed(&often, &platform, effort).await?;
    often.kill()?;
    platform.end().await;
    let rounds = with.calls.get(ROUND).copied().unwrap_or_default();
    ensure!(rounds > 0, "nothing was looked at: {:?}", with.calls);
    let of_round = |calls: &BTreeMap<String, u32>| per(calls.values().sum(), rounds);
    let mut calls = Figure::new(format!("{name}: calls"), Unit::Times, of_round(&with.calls))
        .baseline(of_round(&without.calls))
        .note("Calls of the platform in each round, which is every minute by default.")
        .note("Baseline: those in the same time by the same portal, which looks once a day.");
    for (call, count) in &with.calls {
        let other = without.calls.get(call).copied().unwrap_or_default();
        calls = calls.note(format!(
            "{:>6.2} {call}, without {:.2}",
            per(*count, rounds),
            per(other, rounds)
        ));
    }
    let cpu = |passed: &Passed| passed.cpu.as_secs_f64() * 1_000.0 / f64::from(rounds);
    Ok(vec![
        Figure::new(format!("{name}: CPU"), Unit::Milliseconds, cpu(&with))
            .baseline(cpu(&without))
            .note(format!(
                "What the portal computes for each round and what else comes up, in {rounds} rounds within {:.0?}.",
                effort.watch
            ))
            .note("Baseline: the same portal in the same time, which looks once a day.")
            .note(format!("The stacks were brought up within {deployed:.0?}, and all answer.")),
        calls,
    ])
}

/// Starts a portal that looks at its stacks at this interval, and waits until it does so regularly.
async fn portal(home: &Home, platform: &Platform, interval: &str) -> anyhow::Result<Running> {
    let more = [
        ("DEPLOY_RATE_LIMIT", "100000"),
        ("DEPLOYMENTS_IN_ALL", "none"),
        ("RECONCILE_INTERVAL", "1d"),
        ("STACK_WATCH_INTERVAL", interval),
    ];
    let more = more.map(|(name, value)| (name, value.to_owned()));
    let variables = platform.variables().into_iter().chain(more);
    Ok(Running::start(home.portal(variables)).await?.0)
}

async fn deploy(portal: &Running, count: u32) -> anyhow::Result<()> {
    let (client, root) = (client()?, portal.root());
    let deployments = (0..count).map(async |number| {
        let events = post(&client, &root, &format!("stack-{number}")).await?;
        until_complete(&client, &events).await
    });
    try_join_all(deployments).await?;
    Ok(())
}

/// Waits until what a start brings with it is over, and then measures.
async fn passed(portal: &Running, platform: &Platform, effort: Effort) -> anyhow::Result<Passed> {
    let surveyed = || {
        let calls = platform.sandbox.calls();
        calls.iter().filter(|call| call.call == SURVEY).count()
    };
    tokio::time::sleep(effort.settling).await;
    let mut before = surveyed();
    loop {
        tokio::time::sleep(effort.settling / 3).await;
        let now = surveyed();
        if now == before {
            break;
        }
        before = now;
    }
    let (before, cpu) = (platform.sandbox.calls().len(), portal.cpu()?);
    tokio::time::sleep(effort.watch).await;
    let cpu = portal.cpu()?.saturating_sub(cpu);
    let mut calls = BTreeMap::new();
    for call in platform.sandbox.calls().split_off(before) {
        *calls.entry(call.call).or_default() += 1;
    }
    Ok(Passed { cpu, calls })
}

fn per(count: u32, rounds: u32) -> f64 {
    f64::from(count) / f64::from(rounds)
}
