//! Name checks per second, beside a bare route that answers with as many bytes.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::ensure;
use dokploy_sandbox::Timing;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::connection::{Connection, get};
use super::figure::{Figure, Unit};
use super::sample::Sample;
use super::world::World;
use super::{Effort, bare};

/// The number of connections ask at that the same time, each one request after the other.
const CONNECTIONS: usize = 32;
/// The number of names that are asked for in turn; all are free and equally long.
const NAMES: usize = 1_000;

/// Measures both in turns, so that a busy moment of the machine meets both.
pub(crate) async fn measure(effort: Effort) -> anyhow::Result<Figure> {
    let world = World::start(Timing::NONE, Path::new("target/site")).await?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let (portal, other) = (world.portal.addr(), listener.local_addr()?);
    let serving = tokio::spawn(bare::serve_checks(listener, world.platform.sandbox.edge().port()));
    let paths = (0..NAMES).map(|number| get(&format!("/api/check/name-{number:05}")));
    let requests: Arc<[Vec<u8>]> = paths.collect();
    ensure_same_size(portal, other, &requests).await?;
    for addr in [portal, other] {
        load(addr, &requests, effort.round / 2).await?;
    }
    let (mut ours, mut bare) = (Sample::default(), Sample::default());
    for _ in 0..effort.rounds {
        ours.push(load(portal, &requests, effort.round).await?);
        bare.push(load(other, &requests, effort.round).await?);
    }
    serving.abort();
    world.end().await;
    Ok(Figure::median("name checks", Unit::PerSecond, &ours)
        .baseline(bare.median())
        .note(format!(
            "GET /api/check/:name over {CONNECTIONS} connections, {NAMES} free names, an empty \
             SQLite store, the sandbox as platform."
        ))
        .note("Baseline: a bare axum route with the same JSON; client and server share the cores."))
}

/// Fails when the two do not answer with equally long bodies.
async fn ensure_same_size(
    portal: SocketAddr,
    other: SocketAddr,
    requests: &[Vec<u8>],
) -> anyhow::Result<()> {
    let (mut portal, mut other) = (Connection::open(portal).await?, Connection::open(other).await?);
    for request in requests.iter().take(2) {
        let (portal, other) = (portal.ask(request).await?, other.ask(request).await?);
        ensure!(portal == other, "the baseline answers with another body than the portal");
    }
    Ok(())
}

/// Asks for `time` over all connections, and returns how many answers came in a second.
async fn load(addr: SocketAddr, requests: &Arc<[Vec<u8>]>, time: Duration) -> anyhow::Result<f64> {
    let mut connections = Vec::new();
    for _ in 0..CONNECTIONS {
        connections.push(Connection::open(addr).await?);
    }
    let begun = Instant::now();
    let mut asking = JoinSet::new();
    for (number, connection) in connections.into_iter().enumerate() {
        let first = number * NAMES / CONNECTIONS;
        asking.spawn(ask_until(begun + time, connection, Arc::clone(requests), first));
    }
    let mut answers = 0_u32;
    while let Some(count) = asking.join_next().await {
        answers += count??;
    }
    Ok(f64::from(answers) / begun.elapsed().as_secs_f64())
}

/// Asks one request after the other, beginning at the one with the number `first`.
async fn ask_until(
    end: Instant,
    mut connection: Connection,
    requests: Arc<[Vec<u8>]>,
    first: usize,
) -> std::io::Result<u32> {
    let mut answers = 0;
    for request in requests.iter().cycle().skip(first) {
        if Instant::now() >= end {
            break;
        }
        connection.ask(request).await?;
        answers += 1;
    }
    Ok(answers)
}
