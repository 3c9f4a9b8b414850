//! Many deployments at once beside what the platform allows, which deploys one job at a time: their
//! time, and the number of calls for each.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use dokploy_sandbox::Timing;
use futures::future::try_join_all;

use super::Effort;
use super::deployment::{post, until_complete};
use super::fan_out::Crew;
use super::figure::{Figure, Unit};
use super::home::Home;
use super::platform::Platform;
use super::process::missing;
use super::running::Running;
use super::world::client;

/// Limits of callers that this part is not about.
const NO_LIMITS: [(&str, &str); 1] = [("DEPLOY_RATE_LIMIT", "100000")];

/// Deployments that were brought up at once.
struct Run {
    count: u32,
    time: Duration,
    /// How often each call of the platform was made.
    calls: BTreeMap<String, u32>,
}

/// Measures on SQLite: some numbers of deployments at once, and the first of these numbers again
/// with many watchers.
pub(crate) async fn measure(binary: &Path, effort: Effort) -> anyhow::Result<Vec<Figure>> {
    if let Some(reason) = missing(binary) {
        return Ok(vec![Figure::skipped("at once, platform's limit", Unit::Seconds, reason)]);
    }
    let alone = bring_up(binary, 1, 0, effort).await?;
    let mut runs = Vec::new();
    for count in effort.scales {
        runs.push(bring_up(binary, *count, 0, effort).await?);
    }
    let mut figures: Vec<_> = runs.iter().flat_map(|run| beside_limit(run, &alone)).collect();
    let first = runs.first().context("no number of deployments")?;
    let watched = bring_up(binary, first.count, effort.scale_watchers, effort).await?;
    let name = format!("{} at once, {} watchers", first.count, effort.scale_watchers);
    figures.push(
        Figure::new(name, Unit::Seconds, watched.time.as_secs_f64())
            .baseline(first.time.as_secs_f64())
            .at_most(1.2)
            .note("As many watchers of each deployment. Baseline: one watcher of each."),
    );
    Ok(figures)
}

/// Returns the figures of a run beside the platform's limit and beside one deployment `alone`.
fn beside_limit(run: &Run, alone: &Run) -> [Figure; 2] {
    let Timing { job, settle, start, .. } = Timing::default();
    let limit = (job + settle) * run.count + start;
    let each: Vec<_> =
        run.calls.iter().map(|(call, count)| (call, per(*count, run.count))).collect();
    let mut calls =
        Figure::new(format!("calls for each of {}", run.count), Unit::Times, run.each())
            .baseline(alone.each())
            .at_most(1.2)
            .note("Calls of the platform. Baseline: those of one deployment alone.");
    for (call, count) in each {
        let one = alone.calls.get(call).copied().unwrap_or_default();
        calls = calls.note(format!("{count:>6.2} {call}, alone {one}"));
    }
    [
        Figure::new(format!("{} at once", run.count), Unit::Seconds, run.time.as_secs_f64())
            .baseline(limit.as_secs_f64())
            .at_most(1.05)
            .note("From the first POST being sent to the last `complete`, on SQLite, default settings.")
            .note(format!("Baseline: computed, not measured: {job:?} for each job and {settle:?} until it is"))
            .note(format!("settled, one after the other, and {start:?} for the last container.")),
        calls,
    ]
}

/// Brings `count` deployments up at once, with about as many `watchers` of each.
async fn bring_up(
    binary: &Path,
    count: u32,
    watchers: usize,
    effort: Effort,
) -> anyhow::Result<Run> {
    let (platform, home) = (Platform::start(Timing::default()).await?, Home::new(binary, None)?);
    let limits = NO_LIMITS.map(|(name, value)| (name, value.to_owned()));
    let (portal, _) =
        Running::start(home.portal(platform.variables().into_iter().chain(limits))).await?;
    tokio::time::sleep(effort.idle).await;
    let (client, root, crew) = (client()?, portal.root(), Crew::start()?);
    let each = watchers / usize::try_from(count)?;
    let before = platform.sandbox.calls().len();
    let begun = Instant::now();
    let deployments = (0..count).map(async |number| {
        let events = post(&client, &root, &format!("stack-{number}")).await?;
        let path = events.strip_prefix(&root).context("an address of another server")?;
        let watchers = crew.watch(portal.addr(), path, each).await?;
        let end = until_complete(&client, &events).await?;
        ensure!(watchers.arrivals().await?.len() == each, "a watcher is missing");
        anyhow::Ok(end)
    });
    let ends = try_join_all(deployments).await?;
    let time = ends.into_iter().max().unwrap_or(begun) - begun;
    let live = platform.live()?;
    ensure!(live == usize::try_from(count)?, "{live} of {count} stacks are live");
    let mut calls = BTreeMap::new();
    for call in platform.sandbox.calls().split_off(before) {
        *calls.entry(call.call).or_default() += 1;
    }
    portal.kill()?;
    platform.end().await;
    Ok(Run { count, time, calls })
}

impl Run {
    /// Returns the number of calls for each deployment.
    fn each(&self) -> f64 {
        per(self.calls.values().sum(), self.count)
    }
}

fn per(calls: u32, count: u32) -> f64 {
    f64::from(calls) / f64::from(count)
}
