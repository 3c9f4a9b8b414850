//! Many deployments at once: how long until all are live, and what memory that takes.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::ensure;
use dokploy_sandbox::{CallTime, Timing};
use futures::future::try_join_all;

use super::Effort;
use super::calls::straight;
use super::deployment::{post, until_complete};
use super::figure::{Figure, Unit};
use super::home::Home;
use super::platform::Platform;
use super::process::{megabytes, missing};
use super::running::Running;
use super::sample::Sample;
use super::support::postgres::Cluster;
use super::world::client;

/// The time and the memory on each store.
const NAMES: [[&str; 2]; 2] = [
    ["all at once, SQLite", "peak memory, SQLite"],
    ["all at once, PostgreSQL", "peak memory, PostgreSQL"],
];
/// What is called once for each stack, whatever happens meanwhile.
const ONCE: [&str; 5] = [
    "project.create", "application.create", "application.update", "domain.create",
    "application.deploy",
];

/// What was measured in one way.
#[derive(Default)]
struct Measured {
    seconds: Sample,
    idle: Sample,
    peak: Sample,
    /// The number of calls that the platform got, the last time.
    calls: usize,
}

/// Measures with a bare client and with portals on SQLite and on PostgreSQL, in turns.
pub(crate) async fn measure(
    binary: &Path,
    effort: Effort,
    cluster: &Result<Cluster, String>,
) -> anyhow::Result<Vec<Figure>> {
    if let Some(reason) = missing(binary) {
        return Ok(NAMES.iter().flat_map(|names| skipped(names, &reason)).collect());
    }
    let mut bare = Measured::default();
    let [mut sqlite, mut postgres] = [Measured::default(), Measured::default()];
    for _ in 0..effort.crowds {
        without_portal(effort, &mut bare).await?;
        with_portal(&Home::new(binary, None)?, effort, &mut sqlite).await?;
        if let Ok(cluster) = cluster {
            with_portal(&Home::new(binary, Some(cluster))?, effort, &mut postgres).await?;
        }
    }
    let [on_sqlite, on_postgres] = &NAMES;
    let mut figures = Vec::from(figures(on_sqlite, &sqlite, &bare, effort));
    match cluster {
        Ok(_) => figures.extend(self::figures(on_postgres, &postgres, &bare, effort)),
        Err(reason) => figures.extend(skipped(on_postgres, reason)),
    }
    Ok(figures)
}

fn skipped([time, memory]: &[&'static str; 2], reason: &str) -> [Figure; 2] {
    [
        Figure::skipped(*time, Unit::Seconds, reason.to_owned()),
        Figure::skipped(*memory, Unit::Megabytes, reason.to_owned()),
    ]
}

fn figures(
    [time, memory]: &[&'static str; 2],
    ours: &Measured,
    bare: &Measured,
    effort: Effort,
) -> [Figure; 2] {
    let Effort { crowd, idle, .. } = effort;
    let Timing { job, settle, start, .. } = Timing::default();
    let queue = (job + settle).mul_f64(f64::from(crowd));
    let (our_calls, bare_calls) = (ours.calls, bare.calls);
    [
        Figure::median(*time, Unit::Seconds, &ours.seconds)
            .baseline(bare.seconds.median())
            .note(format!(
                "{crowd} deployments at once, from the first POST being sent to the last `complete`;"
            ))
            .note("the portal is a process of its own with default settings, and all are live then.")
            .note("The platform bounds it: it deploys one job at a time, as Dokploy does. Its queue alone")
            .note(format!("takes {queue:.1?} ({job:?} for each job and {settle:?} until that is settled),"))
            .note(format!("and the last container {start:?} to start."))
            .note("Baseline: a bare client that brings as many up at once by the same calls in the same")
            .note("rhythm, without portal, journal, store or events.")
            .note(format!("The platform got {our_calls} calls of the portal, {bare_calls} of the bare client.")),
        Figure::median(*memory, Unit::Megabytes, &ours.peak)
            .baseline(ours.idle.median())
            .note("VmHWM of the portal's process after that, each deployment watched by one stream.")
            .note(format!("Baseline: its VmRSS before, after {idle:?} of nothing.")),
    ]
}

/// All at once by a bare client.
async fn without_portal(effort: Effort, measured: &mut Measured) -> anyhow::Result<()> {
    let platform = Platform::start(Timing::default()).await?;
    let client = client()?;
    let begun = Instant::now();
    let names: Vec<_> = names(effort).collect();
    try_join_all(names.iter().map(|name| straight(&client, &platform, name))).await?;
    measured.take(begun.elapsed(), &platform, effort, 0)?;
    platform.end().await;
    Ok(())
}

/// All at once by a portal.
async fn with_portal(home: &Home, effort: Effort, measured: &mut Measured) -> anyhow::Result<()> {
    let platform = Platform::start(Timing::default()).await?;
    let (portal, _) = Running::start(home.portal(platform.variables())).await?;
    tokio::time::sleep(effort.idle).await;
    measured.idle.push(megabytes(portal.memory()?));
    let (client, root) = (client()?, portal.root());
    let before = platform.sandbox.calls().len();
    let begun = Instant::now();
    let deployments = names(effort).map(async |name| {
        let events = post(&client, &root, &name).await?;
        until_complete(&client, &events).await
    });
    let ends = try_join_all(deployments).await?;
    let last = ends.into_iter().max().unwrap_or(begun);
    measured.take(last - begun, &platform, effort, before)?;
    measured.peak.push(megabytes(portal.peak_memory()?));
    portal.kill()?;
    platform.end().await;
    Ok(())
}

pub(crate) fn names(effort: Effort) -> impl Iterator<Item = String> {
    (0..effort.crowd).map(|number| format!("stack-{number}"))
}

impl Measured {
    /// Takes a time in, once it is sure that all stacks are live and each was made once.
    fn take(
        &mut self,
        time: Duration,
        platform: &Platform,
        effort: Effort,
        calls_before: usize,
    ) -> anyhow::Result<()> {
        let (live, all) = (platform.live()?, usize::try_from(effort.crowd)?);
        ensure!(live == all, "{live} of {all} stacks are live");
        let calls = platform.sandbox.calls().split_off(calls_before);
        let counts = counts(&calls);
        for call in ONCE {
            ensure!(counts.get(call) == Some(&all), "{call} not once for each: {counts:?}");
        }
        self.calls = calls.len();
        self.seconds.push(time.as_secs_f64());
        Ok(())
    }
}

fn counts(calls: &[CallTime]) -> BTreeMap<&str, usize> {
    let mut counts = BTreeMap::new();
    for CallTime { call, .. } in calls {
        *counts.entry(call.as_str()).or_default() += 1;
    }
    counts
}
