//! The time that operations on a live stack take beyond what the platform itself takes.

use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use dokploy_sandbox::Timing;
use reqwest::Client;
use serde_json::Value;

use super::Effort;
use super::deployment::{CONFIRM_PAUSES, post, until_complete};
use super::figure::{Figure, Unit};
use super::sample::Sample;
use super::speed::beyond;
use super::world::{World, client};

/// The operations, the name of each figure, and the pauses that each makes on purpose.
const OPERATIONS: [(&str, &str, Duration); 3] = [
    ("stop", "stop", Duration::ZERO),
    ("start", "start again", CONFIRM_PAUSES),
    ("restart", "restart", CONFIRM_PAUSES),
];
/// What each may take.
const MOST_MS: f64 = 50.0;

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

/// Asks for an operation on the stack, and waits until it has ended well.
async fn operated(
    client: &Client,
    world: &World,
    events: &str,
    operation: &str,
) -> anyhow::Result<()> {
    // A stack without an owner is named with its deployment.
    let id = events.rsplit('/').next().context("an address without an id")?;
    let url = format!("{}/api/stacks/alice/{operation}?id={id}", world.root());
    let answer: Value = client.post(url).send().await?.error_for_status()?.json().await?;
    let own = answer.get("statusEndpoint").and_then(Value::as_str);
    let own = own.context("an answer without statusEndpoint")?;
    until_complete(client, &format!("{}{own}", world.root())).await?;
    Ok(())
}
