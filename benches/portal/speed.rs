//! The time that deployments take beyond what the platform itself takes.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::ensure;
use dokploy_sandbox::{CallTime, Timing};
use reqwest::Client;

use super::Effort;
use super::calls::straight;
use super::deployment::{CONFIRM_PAUSES, answer_times, post, until_complete, until_healthy};
use super::figure::{Figure, Unit};
use super::sample::Sample;
use super::world::{World, client};

/// The longest pause between two questions to a stack that has just been started.
const QUESTIONS: Duration = Duration::from_millis(250);
/// The pause of the poll that the older server had.
const FIXED_POLL: Duration = Duration::from_secs(5);
/// The calls of the reconciler's surveys, and of its looks at the file of the reverse proxy, that no
/// deployment makes.
const SURVEY: [&str; 7] = [
    "application.one",
    "dockerVolume.getVolumes",
    "project.one",
    "settings.readTraefikFile",
    "settings.updateTraefikFile",
    "swarm.getNodeApps",
    "swarm.getNodes",
];
/// With how many phases of that poll each moment is compared.
const PHASES: usize = 100;

/// Measures deployments, one at a time.
pub(crate) async fn measure(effort: Effort) -> anyhow::Result<Vec<Figure>> {
    let mut figures = as_shipped(effort).await?;
    figures.push(at_once(effort).await?);
    Ok(figures)
}

/// Deployments on a platform that takes its time, as the embedded sandbox does.
async fn as_shipped(effort: Effort) -> anyhow::Result<Vec<Figure>> {
    let (mut notice, mut poll, mut beyond) =
        (Sample::default(), Sample::default(), Sample::default());
    for number in 0..effort.deployments {
        // Stacks become healthy evenly spread over the pause between two questions.
        let start = Timing::default().start + QUESTIONS * number / effort.deployments;
        let timing = Timing { start, ..Timing::default() };
        let world = World::start(timing, Path::new("target/site")).await?;
        let client = client()?;
        let platform = &world.platform;
        let before = platform.sandbox.calls().len();
        let posted = Instant::now();
        let events = post(&client, &world.root(), "alice").await?;
        let host = platform.host("alice");
        let (complete, healthy) =
            tokio::try_join!(until_complete(&client, &events), until_healthy(platform, &host))?;
        notice.push_ms(complete.saturating_duration_since(healthy), Duration::ZERO);
        for _ in 0..PHASES {
            poll.push_ms(until_next_poll(healthy - posted), Duration::ZERO);
        }
        let calls = platform.sandbox.calls().split_off(before);
        let theirs = answer_times(until_deploy(&calls)) + timing.job + timing.start;
        beyond.push_ms(complete - posted, theirs + CONFIRM_PAUSES);
        world.end().await;
    }
    Ok(vec![
        Figure::median("healthy to complete", Unit::Milliseconds, &notice)
            .baseline(poll.median())
            .aim(300.0)
            .note("From the first healthy look at the stack (every 2 ms) to `complete` at the client.")
            .note("The moments are spread evenly over the 250 ms between two questions; the pause of")
            .note("50 ms until the confirming answer is included, and so are the looks at the container.")
            .note("Baseline: computed, not measured: when a poll every 5 s would have looked next after the")
            .note("same moments, for 100 phases each, drawn at random."),
        Figure::median("orchestration, container included", Unit::Milliseconds, &beyond)
            .note("From the POST being sent to `complete`, less: the longer of the two lists read at")
            .note("once, the answers to project.create, application.create, application.update and")
            .note("domain.create, the job (150 ms) and the start (1.2 to 1.45 s), both counted from")
            .note("the arrival of application.deploy, and the confirming pauses (150 ms). What waits for")
            .note("the next question to the stack is included, and so are the two looks at its container;")
            .note("each portal has just been started."),
    ])
}

/// Returns how long a fixed poll whose phase is drawn at random leaves a stack unnoticed that is
/// healthy at `moment`.
fn until_next_poll(moment: Duration) -> Duration {
    let phase = FIXED_POLL.mul_f64(rand::random());
    let since_last = (moment + phase).as_secs_f64() % FIXED_POLL.as_secs_f64();
    FIXED_POLL.saturating_sub(Duration::from_secs_f64(since_last))
}

/// Returns the calls before the one after which only the platform's own time counts.
fn until_deploy(calls: &[CallTime]) -> &[CallTime] {
    calls.split(|call| call.call == "application.deploy").next().unwrap_or_default()
}

/// Deployments on a platform whose jobs and containers take no time: no call waits.
async fn at_once(effort: Effort) -> anyhow::Result<Figure> {
    let world = World::start(Timing::NONE, Path::new("target/site")).await?;
    let client = client()?;
    let (mut ours, mut bare) = (Sample::default(), Sample::default());
    let mut number = 0;
    while ours.len() < effort.deployments as usize {
        number += 1;
        let name = format!("ours-{number}");
        let (ours_ms, our_calls) =
            beyond(&world, CONFIRM_PAUSES, orchestrated(&client, &world, &name)).await?;
        let name = format!("bare-{number}");
        let (bare_ms, bare_calls) =
            beyond(&world, CONFIRM_PAUSES, straight(&client, &world.platform, &name)).await?;
        // A survey, once in five minutes, calls the platform as well.
        if our_calls.iter().chain(&bare_calls).any(|call| SURVEY.contains(&call.as_str())) {
            continue;
        }
        ensure!(our_calls == bare_calls, "the portal calls {our_calls:?}, not {bare_calls:?}");
        ours.push(ours_ms);
        bare.push(bare_ms);
    }
    world.end().await;
    Ok(Figure::median("orchestration", Unit::Milliseconds, &ours)
        .baseline(bare.median())
        .aim(100.0)
        .note("From the POST being sent to `complete` at the client, with jobs and containers that")
        .note("take no time, less: the longer of the two lists read at once, the answers to every")
        .note("other call (project.create, application.create, application.update, domain.create,")
        .note("application.deploy, deployment.all, and the two looks at the container), and the")
        .note("confirming pauses (150 ms).")
        .note("Baseline: a bare client that makes the same calls and asks the stack four times, 50 ms")
        .note("apart, without journal, events or stream; the same is subtracted."))
}

async fn orchestrated(client: &Client, world: &World, name: &str) -> anyhow::Result<()> {
    let events = post(client, &world.root(), name).await?;
    until_complete(client, &events).await?;
    Ok(())
}

/// Returns the milliseconds that an operation takes beyond the platform's answers and its `pauses`,
/// and the names of the calls made, sorted.
pub(crate) async fn beyond(
    world: &World,
    pauses: Duration,
    operation: impl Future<Output = anyhow::Result<()>>,
) -> anyhow::Result<(f64, Vec<String>)> {
    let before = world.platform.sandbox.calls().len();
    let begun = Instant::now();
    operation.await?;
    let whole = begun.elapsed();
    let calls = world.platform.sandbox.calls().split_off(before);
    let platform = answer_times(&calls) + pauses;
    let mut names: Vec<_> = calls.into_iter().map(|call| call.call).collect();
    names.sort_unstable();
    Ok(((whole.as_secs_f64() - platform.as_secs_f64()) * 1_000.0, names))
}
