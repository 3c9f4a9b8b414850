//! One deployment, watched from outside: by its caller, and by a look at its stack.

use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use clock::{Clock, SystemClock};
use dokploy_sandbox::{CallTime, EdgeResponse};
use reqwest::Client;
use serde_json::{Value, json};

use super::platform::Platform;

/// The pause between two answers of a stack that count: part of what is promised.
pub(crate) const CONFIRM_PAUSE: Duration = Duration::from_millis(50);
/// The three pauses between the four answers that count: two before the platform shows the stack's
/// own container, and two until it shows it again.
pub(crate) const CONFIRM_PAUSES: Duration = Duration::from_millis(150);
/// The two calls that the portal makes at the same time.
const AT_ONCE: [&str; 2] = ["overview.domains", "project.all"];
/// The interval at which a stack is looked at.
const LOOK_PAUSE: Duration = Duration::from_millis(2);

/// Asks the portal at `root` for a deployment, and returns the address of its events.
pub(crate) async fn post(client: &Client, root: &str, name: &str) -> anyhow::Result<String> {
    let request = client.post(format!("{root}/api/deploy")).json(&json!({ "name": name }));
    let body: Value = request.send().await?.error_for_status()?.json().await?;
    let events = body.get("statusEndpoint").and_then(Value::as_str);
    Ok(format!("{root}{}", events.context("an answer without statusEndpoint")?))
}

/// Reads the events, and returns when the one that says `complete` was there.
pub(crate) async fn until_complete(client: &Client, events: &str) -> anyhow::Result<Instant> {
    until(client, events, "event: complete\n").await
}

/// Reads the events, and returns when one with `part` was there.
pub(crate) async fn until(client: &Client, events: &str, part: &str) -> anyhow::Result<Instant> {
    let mut response = client.get(events).send().await?.error_for_status()?;
    let mut text = String::new();
    while let Some(chunk) = response.chunk().await? {
        text.push_str(&String::from_utf8_lossy(&chunk));
        if text.contains(part) {
            return Ok(Instant::now());
        }
    }
    bail!("the stream ended without `{part}`:\n{text}")
}

/// Looks at the stack behind `host` every few milliseconds, and returns when it first answered.
/// It asks the sandbox itself: what its edge would answer, without the cost of HTTP.
pub(crate) async fn until_healthy(platform: &Platform, host: &str) -> anyhow::Result<Instant> {
    let core = platform.sandbox.core();
    loop {
        let visit = match core.lock() {
            Ok(mut core) => core.visit(SystemClock.now(), host),
            Err(_) => bail!("the sandbox panicked"),
        };
        if visit == EdgeResponse::Healthy {
            return Ok(Instant::now());
        }
        tokio::time::sleep(LOOK_PAUSE).await;
    }
}

/// Adds up what the platform took to answer `calls`; of the two made at once, the longer counts.
pub(crate) fn answer_times(calls: &[CallTime]) -> Duration {
    let at_once = |call: &&CallTime| AT_ONCE.contains(&call.call.as_str());
    let longest = calls.iter().filter(at_once).map(|call| call.duration).max();
    let others = calls.iter().filter(|call| !at_once(call)).map(|call| call.duration);
    others.sum::<Duration>() + longest.unwrap_or_default()
}
