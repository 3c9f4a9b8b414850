//! The time that operations on a live stack take beyond what the platform itself takes.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context;
use dokploy_sandbox::Timing;
use reqwest::{Client, RequestBuilder};
use serde_json::{Value, json};

use super::Effort;
use super::deployment::{CONFIRM_PAUSES, answer_times, post, until, until_complete};
use super::figure::{Figure, Unit};
use super::sample::Sample;
use super::speed::beyond;
use super::support::revisions::offer;
use super::world::{World, client};

/// The operations, the name of each figure, and the pauses that each makes on purpose.
const OPERATIONS: [(&str, &str, Duration); 3] = [
    ("stop", "stop", Duration::ZERO),
    ("start", "start again", CONFIRM_PAUSES),
    ("restart", "restart", CONFIRM_PAUSES),
];
/// What each may take.
const MOST_MS: f64 = 50.0;
/// For how long a changed stack is watched: longer than the swarm itself does.
const WATCH: Duration = Duration::from_secs(6);
/// Before its last look there is a longer pause than this.
const SHORTLY: Duration = Duration::from_millis(20);
/// The phase in which it is, in an event.
const WATCHING: &str = "\"phase\":\"watching\"";

/// Measures operations on one stack, one at a time, on a platform whose containers take no time.
pub(crate) async fn measure(effort: Effort) -> anyhow::Result<Vec<Figure>> {
    let world = World::start(Timing::NONE, Path::new("target/site")).await?;
    let client = client()?;
    let events = post(&client, &world.root(), "alice").await?;
    until_complete(&client, &events).await?;
    let mut samples: [Sample; OPERATIONS.len()] = Default::default();
    for _ in 0..effort.deployments {
        for ((operation, _, pauses), sample) in OPERATIONS.iter().zip(&mut samples) {
            let operated = operated(&client, &world, &events, operation);
            sample.push(beyond(&world, *pauses, operated).await?.0);
        }
    }
    world.end().await;
    let figures = OPERATIONS.iter().zip(&samples).map(|((_, name, _), sample)| {
        Figure::median(*name, Unit::Milliseconds, sample)
            .aim(MOST_MS)
            .note("From the POST being sent to `complete` at the client, with containers that take no")
            .note("time, less the answers to every call and the pauses between confirming answers")
            .note("(150 ms, none for a stop).")
    });
    Ok(figures.collect())
}

/// Measures changes of one stack, one at a time: of its size, for which the container is replaced.
pub(crate) async fn measure_changes(effort: Effort) -> anyhow::Result<Vec<Figure>> {
    let folder = tempfile::tempdir()?;
    offer(folder.path(), "1.0.0", "1")?;
    let catalogue = folder.path().to_str().context("the folder is not UTF-8")?;
    let watch = format!("{}ms", WATCH.as_millis());
    let more = [("CATALOGUE", catalogue), ("STACK_CHANGE_WATCH", &watch)];
    let world = World::start_with(Timing::NONE, Path::new("target/site"), &more).await?;
    let client = client()?;
    let events = post(&client, &world.root(), "alice").await?;
    until_complete(&client, &events).await?;
    let (mut change, mut restart) = (Sample::default(), Sample::default());
    for number in 0..effort.changes {
        let size = if number.is_multiple_of(2) { "large" } else { "small" };
        change.push(changed(&client, &world, &events, size).await?);
        let restarted = operated(&client, &world, &events, "restart");
        restart.push(beyond(&world, CONFIRM_PAUSES, restarted).await?.0);
    }
    world.end().await;
    let figure = Figure::median("change", Unit::Milliseconds, &change)
        .baseline(restart.median())
        .aim(MOST_MS)
        .note("From the PATCH of the size being sent to `complete` at the client, with containers that take no")
        .note("time, less the answers to every call before the watch and of its last look, the pauses between")
        .note(format!("confirming answers (150 ms) and the watch ({WATCH:?} here, within which the swarm itself watches"))
        .note("for 5 s).")
        .note("Baseline: a restart of the same stack, in turns.");
    Ok(vec![figure])
}

/// Changes the size of the stack, and waits until that has ended well. Returns the milliseconds beyond
/// the platform's answers, the pauses and the watch.
async fn changed(client: &Client, world: &World, events: &str, size: &str) -> anyhow::Result<f64> {
    let before = world.platform.sandbox.calls().len();
    let begun = Instant::now();
    let url = format!("{}/api/stacks/alice?id={}", world.root(), id_of(events)?);
    let own = begin(world, client.patch(url).json(&json!({ "size": size }))).await?;
    until(client, &own, WATCHING).await?;
    let calls = || world.platform.sandbox.calls();
    let mut theirs = answer_times(&calls().split_off(before)) + CONFIRM_PAUSES + WATCH;
    let watched = async {
        tokio::time::sleep(WATCH.saturating_sub(SHORTLY)).await;
        Ok(calls().len())
    };
    let (complete, before) = tokio::try_join!(until_complete(client, &own), watched)?;
    // The last look begins when the time of the watch is over.
    theirs += answer_times(&calls().split_off(before));
    let whole = complete.saturating_duration_since(begun);
    Ok((whole.as_secs_f64() - theirs.as_secs_f64()) * 1_000.0)
}

/// Asks for an operation on the stack, and waits until it has ended well.
async fn operated(
    client: &Client,
    world: &World,
    events: &str,
    operation: &str,
) -> anyhow::Result<()> {
    let url = format!("{}/api/stacks/alice/{operation}?id={}", world.root(), id_of(events)?);
    let own = begin(world, client.post(url)).await?;
    until_complete(client, &own).await?;
    Ok(())
}

/// Returns the id of the deployment with these events: a stack without an owner is named with it.
pub(crate) fn id_of(events: &str) -> anyhow::Result<&str> {
    events.rsplit('/').next().context("an address without an id")
}

/// Sends a request that begins an operation, and returns the address of its events.
pub(crate) async fn begin(world: &World, request: RequestBuilder) -> anyhow::Result<String> {
    let answer: Value = request.send().await?.error_for_status()?.json().await?;
    let own = answer.get("statusEndpoint").and_then(Value::as_str);
    let own = own.with_context(|| format!("no statusEndpoint: {answer}"))?;
    Ok(format!("{}{own}", world.root()))
}
