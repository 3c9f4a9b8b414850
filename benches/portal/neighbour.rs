//! What somebody's deployment takes while another address looks at names as fast as it can.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use dokploy_sandbox::Timing;
use reqwest::Client;
use tokio::task::JoinSet;

use super::Effort;
use super::connection::{Connection, get_with};
use super::deployment::{post, until_complete};
use super::figure::{Figure, Unit};
use super::sample::Sample;
use super::world::{World, client};

/// The number of connections that the neighbour has, each asking one request after the other.
const CONNECTIONS: usize = 32;
/// What an address may look at within a second where a portal is reached from elsewhere.
const CHECKS_PER_SECOND: &str = "20";
/// Where the neighbour is, as the proxy says that it seems to be.
const NEIGHBOUR: &str = "X-Forwarded-For: 203.0.113.66\r\n";

/// Describes how the neighbour was answered so far.
#[derive(Default)]
struct Answers {
    looked: AtomicU32,
    refused: AtomicU32,
}

/// Measures deployments alone and beside the neighbour in turns, so that a busy moment of the
/// machine meets both.
pub(crate) async fn measure(effort: Effort) -> anyhow::Result<Figure> {
    let settings = [("CHECK_RATE_LIMIT", CHECKS_PER_SECOND), ("TRUSTED_PROXIES", "127.0.0.1")];
    let site = Path::new("target/site");
    let world = World::start_with(Timing::NONE, site, &settings).await?;
    let (client, answers) = (client()?, Arc::new(Answers::default()));
    let (mut alone, mut beside) = (Sample::default(), Sample::default());
    let mut busy = Duration::ZERO;
    deploy(&client, &world, "warm-up").await?;
    let mut numbers = 0_u32..;
    while busy < effort.neighbour
        && let Some(number) = numbers.next()
    {
        alone.push_ms(deploy(&client, &world, &format!("alone-{number}")).await?, Duration::ZERO);
        let begun = Instant::now();
        // Ends with this value.
        let mut neighbour = ask_on(world.portal.addr(), &answers).await?;
        let took = deploy(&client, &world, &format!("beside-{number}")).await?;
        busy += begun.elapsed();
        if let Some(ended) = neighbour.try_join_next() {
            ended?.context("the neighbour gave up")?;
        }
        beside.push_ms(took, Duration::ZERO);
    }
    world.end().await;
    let [looked, refused] = [&answers.looked, &answers.refused].map(|n| n.load(Ordering::Relaxed));
    ensure!(looked > 0 && refused > 0, "the limit was not met: {looked} looked, {refused} refused");
    let per_second = f64::from(looked + refused) / busy.as_secs_f64();
    Ok(Figure::median("deployment, busy neighbour", Unit::Milliseconds, &beside)
        .baseline(alone.median())
        .note(format!(
            "From the POST to `complete`, while another address asks GET /api/check/:name over \
             {CONNECTIONS} connections,"
        ))
        .note(format!(
            "one after the other: {per_second:.0} requests a second for {busy:.0?}, of which {CHECKS_PER_SECOND} \
             are let through; {refused} were refused."
        ))
        .note(
            "Baseline: the same alone, in turns; jobs and containers take no time. The neighbour's",
        )
        .note("requests are made in this very process, so what making them costs is in it, too."))
}

async fn deploy(client: &Client, world: &World, name: &str) -> anyhow::Result<Duration> {
    let begun = Instant::now();
    let events = post(client, &world.root(), name).await?;
    Ok(until_complete(client, &events).await?.saturating_duration_since(begun))
}

/// Asks over all connections for as long as the returned set is kept.
async fn ask_on(
    addr: SocketAddr,
    answers: &Arc<Answers>,
) -> anyhow::Result<JoinSet<anyhow::Result<()>>> {
    let request: Arc<[u8]> = get_with("/api/check/some-name", NEIGHBOUR).into();
    let mut asking = JoinSet::new();
    for _ in 0..CONNECTIONS {
        let connection = Connection::open(addr).await?;
        asking.spawn(ask_for_ever(connection, Arc::clone(&request), Arc::clone(answers)));
    }
    Ok(asking)
}

async fn ask_for_ever(
    mut connection: Connection,
    request: Arc<[u8]>,
    answers: Arc<Answers>,
) -> anyhow::Result<()> {
    loop {
        let (status, _) = connection.exchange(&request).await?;
        let count = match status {
            200 => &answers.looked,
            429 => &answers.refused,
            status => anyhow::bail!("unexpected answer: {status}"),
        };
        count.fetch_add(1, Ordering::Relaxed);
    }
}
