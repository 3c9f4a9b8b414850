//! Describes how soon unfinished deployments are driven on when the portal that drove them is
//! killed.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::ensure;
use dokploy_sandbox::Timing;
use futures::future::try_join_all;
use jiff::Timestamp;

use super::Effort;
use super::crowd::names;
use super::database::Holder;
use super::deployment::post;
use super::figure::{Figure, Unit};
use super::home::Home;
use super::platform::Platform;
use super::process::missing;
use super::running::Running;
use super::sample::Sample;
use super::support::postgres::Cluster;
use super::world::client;

const RESTART: &str = "restart to all claimed";
const TAKEOVER: &str = "lease's end to all claimed";
/// What both should stay under, in milliseconds.
const AIM: f64 = 2_000.0;
/// A platform whose first job takes longer than a measurement: nothing is finished meanwhile.
const ENDLESS: Duration = Duration::from_hours(1);
/// The time for which leases last where one replica waits for the end of the other's.
const LEASE: Duration = Duration::from_secs(6);
/// The interval at which a portal looks for work that nobody has told it of.
const TICK: Duration = Duration::from_secs(1);

/// Measures a restart on SQLite and a takeover on PostgreSQL.
pub(crate) async fn measure(
    binary: &Path,
    effort: Effort,
    cluster: &Result<Cluster, String>,
) -> anyhow::Result<Vec<Figure>> {
    if let Some(reason) = missing(binary) {
        return Ok(vec![skipped(RESTART, &reason), skipped(TAKEOVER, &reason)]);
    }
    let restarts = restarts(binary, effort).await?;
    let takeovers = match cluster {
        Ok(cluster) => takeovers(binary, effort, cluster).await?,
        Err(reason) => skipped(TAKEOVER, reason),
    };
    Ok(vec![restarts, takeovers])
}

fn skipped(name: &'static str, reason: &str) -> Figure {
    Figure::skipped(name, Unit::Milliseconds, reason.to_owned())
}

/// Kills the one portal on a SQLite file and starts it again, several times.
async fn restarts(binary: &Path, effort: Effort) -> anyhow::Result<Figure> {
    let (mut took, mut starts, mut bare) =
        (Sample::default(), Sample::default(), Sample::default());
    for _ in 0..effort.recoveries {
        let home = Home::new(binary, None)?;
        let platform = endless().await?;
        let (first, _) = Running::start(home.portal(platform.variables())).await?;
        let holder = deploy(&first, &home, effort).await?;
        first.kill()?;
        let begun = Instant::now();
        let (second, start) = Running::start(home.portal(platform.variables())).await?;
        let mut view = home.database.view().await?;
        view.until_held(effort.crowd as usize, Some(&holder)).await?;
        took.push_ms(begun.elapsed(), Duration::ZERO);
        starts.push_ms(start, Duration::ZERO);
        view.close().await?;
        second.kill()?;
        bare.push_ms(home.database.bare_claims(effort.crowd as usize).await?, Duration::ZERO);
        platform.end().await;
    }
    let (crowd, start, longest) = (effort.crowd, starts.median(), took.largest());
    Ok(Figure::median(RESTART, Unit::Milliseconds, &took)
        .baseline(bare.median())
        .aim(AIM)
        .note(format!(
            "{crowd} deployments under way on SQLite, all claimed and none finished, when the portal"
        ))
        .note("is killed by SIGKILL: from spawning its next process until that has claimed all, as")
        .note(format!("read in the database. {start:.1} ms of it are the start, to the first 200 on"))
        .note(format!("/readyz. The longest was {longest:.1} ms."))
        .note("Baseline: the store alone claims as many."))
}

/// Kills one of two portals on a PostgreSQL database, several times.
async fn takeovers(binary: &Path, effort: Effort, cluster: &Cluster) -> anyhow::Result<Figure> {
    let (mut took, mut bare) = (Sample::default(), Sample::default());
    for number in 0..effort.recoveries {
        let home = Home::new(binary, Some(cluster))?;
        let platform = endless().await?;
        let lease = [("LEASE_DURATION", format!("{}s", LEASE.as_secs()))];
        let variables = || platform.variables().into_iter().chain(lease.clone());
        let (first, _) = Running::start(home.portal(variables())).await?;
        deploy(&first, &home, effort).await?;
        // So that leases end evenly spread over the pause between two looks of the other portal.
        tokio::time::sleep(TICK * number / effort.recoveries).await;
        let (second, _) = Running::start(home.portal(variables())).await?;
        let mut view = home.database.view().await?;
        first.kill()?;
        let killed = view.until_held(effort.crowd as usize, None).await?;
        ensure!(killed.until > Timestamp::now(), "the leases ended before the portal was killed");
        view.until_held(effort.crowd as usize, Some(&killed)).await?;
        took.push(Timestamp::now().duration_since(killed.until).as_secs_f64() * 1_000.0);
        view.close().await?;
        second.kill()?;
        bare.push_ms(home.database.bare_claims(effort.crowd as usize).await?, Duration::ZERO);
        platform.end().await;
    }
    let (crowd, longest) = (effort.crowd, took.largest());
    Ok(Figure::median(TAKEOVER, Unit::Milliseconds, &took)
        .baseline(bare.median())
        .aim(AIM)
        .note(format!(
            "Two portals on PostgreSQL; the one that holds all {crowd} deployments, none finished, is"
        ))
        .note("killed by SIGKILL: from the end of the last of its leases until the other one has")
        .note(format!("claimed all, as read in the database. Leases last {LEASE:?} and end evenly spread over"))
        .note(format!("the {TICK:?} between two looks of the other. The longest was {longest:.1} ms."))
        .note("Baseline: the store alone claims as many. The server does not wait for its disk (fsync=off)."))
}

async fn endless() -> anyhow::Result<Platform> {
    Platform::start(Timing { job: ENDLESS, ..Timing::default() }).await
}

/// Starts all deployments on `portal`, and returns what it holds as soon as it holds all.
async fn deploy(portal: &Running, home: &Home, effort: Effort) -> anyhow::Result<Holder> {
    let (client, root) = (client()?, portal.root());
    try_join_all(names(effort).map(async |name| post(&client, &root, &name).await)).await?;
    let mut view = home.database.view().await?;
    let holder = view.until_held(effort.crowd as usize, None).await?;
    view.close().await?;
    Ok(holder)
}
