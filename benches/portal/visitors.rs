//! What visitors of a stack get while its container is replaced: how many get an error, and how long
//! they wait.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, ensure};
use dokploy_sandbox::{Fault, FaultKind, Often, Timing};
use reqwest::header::{CONNECTION, HOST, HeaderMap, HeaderValue};
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::Effort;
use super::day_two::{begin, id_of};
use super::deployment::{post, until, until_complete};
use super::figure::{Figure, Unit};
use super::sample::Sample;
use super::support::revisions::{offer, offer_with_check};
use super::world::{World, client, client_with};

/// The pause between the beginnings of two requests.
const PAUSE: Duration = Duration::from_millis(8);
/// The time within which a template is read again.
const REREAD: Duration = Duration::from_secs(20);

/// A change that visitors see.
#[derive(Clone, Copy)]
struct Case {
    /// The tag of the new version's image.
    tag: &'static str,
    /// Whether the template has a health check of Docker's own.
    has_check: bool,
    /// Whether the reverse proxy lets visitors wait.
    waits: bool,
}

/// What the visitors got.
struct Seen {
    errors: u32,
    waits: Sample,
}

/// Measures changes that succeed and such that are taken back, each way in which a container is
/// replaced.
pub(crate) async fn measure(effort: Effort) -> anyhow::Result<Vec<Figure>> {
    let mut figures = Vec::new();
    let ends = [("change", "2"), ("change taken back", "crashloop")];
    // Each takes as long however few the requests are: a quick run has only the first.
    let ends = ends.into_iter().zip(0..effort.changes);
    for ((end, tag), _) in ends {
        let former = Case { tag, has_check: false, waits: false };
        let without = seen(former, effort).await?;
        let waiting = seen(Case { waits: true, ..former }, effort).await?;
        // Without the middleware, whose repeated requests would hide an error.
        let start_first = seen(Case { has_check: true, ..former }, effort).await?;
        for (way, seen) in [("visitors wait", waiting), ("start first", start_first)] {
            figures.push(
                figure(format!("visitors, {end}, {way}"), &seen)
                    .baseline(f64::from(without.errors))
                    .note("Baseline: the container stops first, and the reverse proxy lets nobody wait."),
            );
        }
    }
    Ok(figures)
}

fn figure(name: String, seen: &Seen) -> Figure {
    Figure::new(name, Unit::Count, f64::from(seen.errors))
        .aim(1.0)
        .note(format!(
            "Requests that got an error, of {}, one every {PAUSE:?}, each over a connection of its own.",
            seen.waits.len()
        ))
        .note(format!(
            "Median of the answers' times {:.1} ms, 99th percentile {:.0} ms, longest {:.0} ms.",
            seen.waits.median(),
            seen.waits.percentile(99),
            seen.waits.largest()
        ))
}

/// Changes a stack while it is visited.
async fn seen(case: Case, effort: Effort) -> anyhow::Result<Seen> {
    let folder = tempfile::tempdir()?;
    let offer = if case.has_check { offer_with_check } else { offer };
    offer(folder.path(), "1.0.0", "1")?;
    let catalogue = folder.path().to_str().context("the folder is not UTF-8")?;
    let more = [("CATALOGUE", catalogue), ("STACK_CHANGE_WATCH", "1s")];
    let world = World::prepared(Timing::default(), Path::new("target/site"), &more, |platform| {
        if case.waits {
            return Ok(());
        }
        let call = String::from("settings.updateTraefikFile");
        let ignored = Fault { call, kind: FaultKind::Ignored, often: Often::Always };
        let core = platform.sandbox.core();
        core.lock().map_err(|_| anyhow!("the sandbox panicked"))?.inject(ignored);
        Ok(())
    });
    let world = world.await?;
    let client = client()?;
    let events = post(&client, &world.root(), "alice").await?;
    until_complete(&client, &events).await?;
    offer(folder.path(), "1.1.0", case.tag)?;
    let stack = format!("{}/api/stacks/alice?id={}", world.root(), id_of(&events)?);
    until_offered(&client, &stack).await?;

    let is_over = CancellationToken::new();
    let visitors =
        tokio::spawn(visit(world.platform.host("alice"), effort.visits, is_over.clone()));
    let change = client.patch(&stack).json(&json!({ "version": "1.1.0" }));
    let own = begin(&world, change).await?;
    let end = if case.tag == "crashloop" { "event: error\n" } else { "event: complete\n" };
    until(&client, &own, end).await?;
    is_over.cancel();
    let seen = visitors.await??;
    world.end().await;
    Ok(seen)
}

/// Lets the portal in this process read its templates again, and waits until it offers the new
/// version.
async fn until_offered(client: &Client, stack: &str) -> anyhow::Result<()> {
    let begun = Instant::now();
    let process = std::process::id().to_string();
    ensure!(Command::new("kill").args(["-USR1", &process]).status()?.success(), "no signal");
    loop {
        let answer: Value = client.get(stack).send().await?.error_for_status()?.json().await?;
        if answer.pointer("/stack/updateAvailable").is_some_and(Value::is_string) {
            return Ok(());
        }
        ensure!(begun.elapsed() < REREAD, "the new version is not offered: {answer}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Visits the stack at `host` until `is_over`, and at least this often. No request waits for the one
/// before.
async fn visit(host: String, least: usize, is_over: CancellationToken) -> anyhow::Result<Seen> {
    let mut fields = HeaderMap::new();
    fields.insert(CONNECTION, HeaderValue::from_static("close"));
    fields.insert(HOST, HeaderValue::from_str(&host)?);
    let client = client_with(fields)?;
    let (_, port) = host.rsplit_once(':').context("a host without a port")?;
    let url = format!("http://127.0.0.1:{port}/");
    let mut sent = JoinSet::new();
    while !is_over.is_cancelled() || sent.len() < least {
        let request = client.get(&url);
        sent.spawn(async move {
            let begun = Instant::now();
            let answer = request.send().await;
            (answer.is_ok_and(|answer| answer.status() == StatusCode::OK), begun.elapsed())
        });
        tokio::time::sleep(PAUSE).await;
    }
    let mut seen = Seen { errors: 0, waits: Sample::default() };
    while let Some(visitor) = sent.join_next().await {
        let (is_good, took) = visitor?;
        seen.errors += u32::from(!is_good);
        seen.waits.push_ms(took, Duration::ZERO);
    }
    Ok(seen)
}
