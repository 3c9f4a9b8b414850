//! The home page of somebody with many stacks, beside that of somebody with none.

use std::path::Path;
use std::time::Duration;

use ai_stack_deployer::server::auth::secret;
use anyhow::{bail, ensure};
use dokploy_sandbox::Timing;
use futures::future::try_join_all;
use reqwest::header::{COOKIE, HeaderMap, HeaderValue};

use super::Effort;
use super::connection::{Connection, get_with};
use super::deployment::{post, until_complete};
use super::figure::{Figure, Unit};
use super::home::Home;
use super::load::{CONNECTIONS, Side, in_turns};
use super::platform::Platform;
use super::process::missing;
use super::running::Running;
use super::sample::Sample;
use super::world::client_with;

/// A limit of callers that this part is not about, and a watch that looks rarely.
const VARIABLES: [(&str, &str); 2] =
    [("DEPLOY_RATE_LIMIT", "100000"), ("STACK_WATCH_INTERVAL", "1d")];
/// What the portal may compute for one page, in milliseconds.
const MOST_MS: f64 = 2.0;

/// A page, and what asking for it was measured to cost.
struct Page {
    request: Vec<u8>,
    cpu: Sample,
}

/// Measures both pages in turns.
pub(crate) async fn measure(binary: &Path, effort: Effort) -> anyhow::Result<Vec<Figure>> {
    let name = format!("My stacks, {} stacks", effort.stacks);
    if let Some(reason) = missing(binary) {
        return Ok(vec![Figure::skipped(name, Unit::Milliseconds, reason)]);
    }
    let (platform, home) = (Platform::start(Timing::NONE).await?, Home::new(binary, None)?);
    let more = VARIABLES.map(|(name, value)| (name, value.to_owned()));
    let (portal, _) =
        Running::start(home.portal(platform.variables().into_iter().chain(more))).await?;
    let cookie = browser("a");
    deploy(&portal, &cookie, effort.stacks).await?;
    // A query, so that it is rendered as often: without one, a page that shows the same is kept.
    let other = get_with("/?again=1", &format!("Cookie: {}\r\n", browser("b")));
    let own = get_with("/", &format!("Cookie: {cookie}\r\n"));
    let mut pages = [own, other].map(|request| Page { request, cpu: Sample::default() });
    let mut lengths = Vec::new();
    for page in &pages {
        lengths.push(Connection::open(portal.addr()).await?.ask(&page.request).await?.len());
    }
    let [length, other_length] = lengths[..] else { bail!("a page is missing") };
    ensure!(length > other_length, "the page shows no stacks");
    for _ in 0..effort.rounds {
        for page in &mut pages {
            let cpu = cpu_of_one(&portal, &page.request, effort.renders).await?;
            page.cpu.push_ms(cpu, Duration::ZERO);
        }
    }
    let sides = pages.each_ref().map(|page| Side::of_one(portal.addr(), page.request.clone()));
    let rates = in_turns(&sides, effort).await?;
    portal.kill()?;
    platform.end().await;
    let [own, other] = pages.map(|page| page.cpu);
    let [rate, other_rate] = rates.as_slice() else { bail!("a side is missing") };
    Ok(vec![
        Figure::median(format!("{name}: CPU"), Unit::Milliseconds, &own)
            .baseline(other.median())
            .aim(MOST_MS)
            .note(format!(
                "What the process computes for one, of {} one after the other; {length} bytes.",
                effort.renders
            ))
            .note(format!(
                "Baseline: the home page of somebody without stacks: {other_length} bytes."
            )),
        Figure::median(name, Unit::PerSecond, rate)
            .baseline(other_rate.median())
            .note(format!("GET / over {CONNECTIONS} connections, rendered each time."))
            .note(
                "Baseline: the home page of somebody without stacks, rendered each time as well.",
            ),
    ])
}

/// Returns the cookie of a browser.
fn browser(letter: &str) -> String {
    format!("browser={}", letter.repeat(secret::LENGTH))
}

/// Brings up stacks of one browser.
async fn deploy(portal: &Running, cookie: &str, count: u32) -> anyhow::Result<()> {
    let headers = HeaderMap::from_iter([(COOKIE, HeaderValue::from_str(cookie)?)]);
    let (client, root) = (client_with(headers)?, portal.root());
    let deployments = (0..count).map(async |number| {
        let events = post(&client, &root, &format!("stack-{number}")).await?;
        until_complete(&client, &events).await
    });
    try_join_all(deployments).await?;
    Ok(())
}

/// Returns the CPU time that one answer costs, of so many one after the other.
async fn cpu_of_one(portal: &Running, request: &[u8], renders: u32) -> anyhow::Result<Duration> {
    let mut connection = Connection::open(portal.addr()).await?;
    let before = portal.cpu()?;
    for _ in 0..renders {
        connection.ask(request).await?;
    }
    Ok(portal.cpu()?.saturating_sub(before) / renders)
}
