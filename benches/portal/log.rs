//! The log of a stack: what many who watch it cost, and what a stack that writes without end does to
//! others.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, ensure};
use dokploy_sandbox::{Sandbox, Timing};
use jiff::Timestamp;
use serde_json::Value;
use tokio::task::AbortHandle;

use super::Effort;
use super::connection::{Connection, get};
use super::deployment::{post, until_complete};
use super::fan_out::{Crew, Watchers};
use super::figure::{Figure, Unit};
use super::home::Home;
use super::platform::Platform;
use super::process::missing;
use super::running::Running;
use super::sample::Sample;
use super::world::client;

/// The line by which watchers know that they have all.
const LAST: &str = "that was the last line";
/// The number of watchers before memory is measured, so that what the first ones make once is not
/// counted.
const WARM_UP: usize = 10;
/// How many lines a second a stack writes that many watch, in how many pieces.
const LINES: usize = 100;
const PIECES: u32 = 10;
/// How many lines a second a stack writes without end, in how many pieces.
const FLOOD: usize = 50_000;
const FLOOD_PIECES: u32 = 50;
/// The pause between two requests of somebody else.
const PAUSE: Duration = Duration::from_millis(5);
/// How long 99 of 100 of them may wait for their answer beside such a stack, in milliseconds.
const MOST_LATE_MS: f64 = 50.0;
const SECOND: Duration = Duration::from_secs(1);

/// A portal with one live stack.
struct Live {
    portal: Running,
    platform: Platform,
    /// Where its database is.
    _home: Home,
    /// The service of the stack.
    service: String,
    /// The path of the stream of its log.
    stream: String,
}

/// What was measured of the log with some watchers.
#[derive(Default)]
struct Watched {
    memory: Sample,
    cpu: Sample,
    late: Sample,
}

/// What was measured of other requests: how long an answer takes, and what the portal computes in a
/// second.
#[derive(Default)]
struct Others {
    middle: Sample,
    late: Sample,
    cpu: Sample,
}

/// Measures both.
pub(crate) async fn measure(binary: &Path, effort: Effort) -> anyhow::Result<Vec<Figure>> {
    if let Some(reason) = missing(binary) {
        return Ok(vec![Figure::skipped("log", Unit::Milliseconds, reason)]);
    }
    let mut figures = watched(binary, effort).await?;
    figures.extend(flooded(binary, effort).await?);
    Ok(figures)
}

/// A log with many watchers beside the same with one.
async fn watched(binary: &Path, effort: Effort) -> anyhow::Result<Vec<Figure>> {
    let count = effort.log_watchers;
    let (mut many, mut one) = (Watched::default(), Watched::default());
    for _ in 0..effort.watched {
        Live::start(binary).await?.watch(count, effort, &mut many).await?;
        Live::start(binary).await?.watch(1, effort, &mut one).await?;
    }
    Ok(vec![
        Figure::median(
            format!("log, {count} watchers: memory of one"),
            Unit::Kilobytes,
            &many.memory,
        )
        .aim(256.0)
        .note(format!(
            "What VmRSS grows by while {LINES} lines a second are written for {:?}, for each.",
            effort.logged
        )),
        Figure::median(format!("log, {count} watchers: CPU"), Unit::Milliseconds, &many.cpu)
            .baseline(one.cpu.median())
            .note(format!(
                "What the portal computes in a second in which {} lines are sent: {LINES} to each.",
                LINES * count
            ))
            .note("Baseline: the same with one watcher."),
        Figure::median(
            format!("log, {count} watchers: last line, p99"),
            Unit::Milliseconds,
            &many.late,
        )
        .baseline(one.late.median())
        .note("From the last line being written until 99 of 100 have it. The platform looks every")
        .note("50 ms for new lines, and the portal gathers those of 100 ms. All share the cores.")
        .note("Baseline: the same with one watcher."),
    ])
}

/// Other requests: without a stack that writes without end, beside one that nobody watches, and beside
/// one whose log is watched.
async fn flooded(binary: &Path, effort: Effort) -> anyhow::Result<Vec<Figure>> {
    let [mut quiet, mut unread, mut read] = [(); 3].map(|()| Others::default());
    for _ in 0..effort.watched {
        let live = Live::start(binary).await?;
        live.ask(effort, &mut quiet).await?;
        let writing = live.flood();
        live.ask(effort, &mut unread).await?;
        let crew = Crew::start()?;
        let addr = live.portal.addr();
        let watchers = crew.watch_for(LAST.as_bytes(), addr, &live.stream, 1).await?;
        live.ask(effort, &mut read).await?;
        drop(writing);
        live.until_shown(watchers).await?;
        live.end().await?;
    }
    let each = format!("{FLOOD} lines a second");
    let beside = |name: &str, of: fn(&Others) -> &Sample| {
        let quiet = of(&quiet).median();
        Figure::median(format!("{name} {each}"), Unit::Milliseconds, of(&read))
            .baseline(of(&unread).median())
            .note(format!(
                "Baseline: while nobody watches that log. Without the flood: {quiet:.1} ms."
            ))
    };
    Ok(vec![
        beside("others, median, beside", |others| &others.middle).note(format!(
            "A name check every {PAUSE:?} while a stack writes that and its log is watched."
        )),
        beside("others, p99, beside", |others| &others.late).aim(MOST_LATE_MS).note(
            "The sandbox, which shares the cores, has more to do when the log is read as well.",
        ),
        beside("CPU beside", |others| &others.cpu).note("What the portal computes in a second."),
    ])
}

impl Live {
    async fn start(binary: &Path) -> anyhow::Result<Self> {
        let (platform, home) = (Platform::start(Timing::NONE).await?, Home::new(binary, None)?);
        let limits = [("CHECK_RATE_LIMIT", "none"), ("STREAMS_PER_ADDRESS", "none")];
        let limits = limits.map(|(name, value)| (name, value.to_owned()));
        let variables = platform.variables().into_iter().chain(limits);
        let (portal, _) = Running::start(home.portal(variables)).await?;
        let client = client()?;
        let events = post(&client, &portal.root(), "alice").await?;
        until_complete(&client, &events).await?;
        let id = events.rsplit('/').next().context("an address without an id")?;
        let stream = format!("/api/stacks/alice/logs/stream?id={id}&tail=1");
        let service = service(&platform.sandbox)?;
        Ok(Self { portal, platform, _home: home, service, stream })
    }

    fn write(&self, lines: Vec<String>) -> anyhow::Result<()> {
        write(&self.platform.sandbox, &self.service, lines)
    }

    /// Opens so many streams, and writes lines for a while.
    async fn watch(
        self,
        count: usize,
        effort: Effort,
        watched: &mut Watched,
    ) -> anyhow::Result<()> {
        let (crew, addr) = (Crew::start()?, self.portal.addr());
        let first = count.min(WARM_UP);
        let warm_up = crew.watch_for(LAST.as_bytes(), addr, &self.stream, first).await?;
        self.write(text(LINES))?;
        tokio::time::sleep(SECOND).await;
        let before = self.portal.memory()?;
        let rest = crew.watch_for(LAST.as_bytes(), addr, &self.stream, count - first).await?;
        let (cpu, begun) = (self.portal.cpu()?, Instant::now());
        while begun.elapsed() < effort.logged {
            self.write(text(LINES / PIECES as usize))?;
            tokio::time::sleep(SECOND / PIECES).await;
        }
        watched.cpu.push(share(self.portal.cpu()?.saturating_sub(cpu), begun.elapsed()));
        let grown = self.portal.memory()?.saturating_sub(before);
        watched.memory.push(kilobytes_each(grown, (count - first).max(1)));
        let written = Timestamp::now();
        self.write(vec![LAST.to_owned()])?;
        let mut late = Sample::default();
        for arrival in [warm_up.arrivals().await?, rest.arrivals().await?].concat() {
            late.push_ms(arrival.duration_since(written).unsigned_abs(), Duration::ZERO);
        }
        watched.late.push(late.percentile(99));
        self.end().await
    }

    /// Writes without end, until the returned value is dropped.
    fn flood(&self) -> Flood {
        let (sandbox, service) = (self.platform.sandbox.core(), self.service.clone());
        let writing = tokio::spawn(async move {
            let mut beat = tokio::time::interval(SECOND / FLOOD_PIECES);
            loop {
                beat.tick().await;
                let lines = text(FLOOD / FLOOD_PIECES as usize);
                let Ok(mut core) = sandbox.lock() else { return };
                core.write_lines(Timestamp::now(), &service, lines);
            }
        });
        Flood(writing.abort_handle())
    }

    /// Asks for something else for a while.
    async fn ask(&self, effort: Effort, others: &mut Others) -> anyhow::Result<()> {
        let mut connection = Connection::open(self.portal.addr()).await?;
        let request = get("/api/check/some-name");
        let (cpu, begun) = (self.portal.cpu()?, Instant::now());
        let mut sample = Sample::default();
        while begun.elapsed() < effort.flood {
            let asked = Instant::now();
            connection.ask(&request).await?;
            sample.push_ms(asked.elapsed(), Duration::ZERO);
            tokio::time::sleep(PAUSE).await;
        }
        others.middle.push(sample.median());
        others.late.push(sample.percentile(99));
        others.cpu.push(share(self.portal.cpu()?.saturating_sub(cpu), begun.elapsed()));
        Ok(())
    }

    /// Writes the last line until it is shown: of a second with too many lines, the last ones are not.
    async fn until_shown(&self, watchers: Watchers) -> anyhow::Result<()> {
        let arrivals = watchers.arrivals();
        tokio::pin!(arrivals);
        loop {
            tokio::select! {
                arrived = &mut arrivals => return arrived.map(drop),
                () = tokio::time::sleep(SECOND) => self.write(vec![LAST.to_owned()])?,
            }
        }
    }

    async fn end(self) -> anyhow::Result<()> {
        self.portal.kill()?;
        self.platform.end().await;
        Ok(())
    }
}

/// A stack that writes without end, until this is dropped.
struct Flood(AbortHandle);

impl Drop for Flood {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Returns the name of the only service.
fn service(sandbox: &Sandbox) -> anyhow::Result<String> {
    let core = sandbox.core();
    let core = core.lock().map_err(|_| anyhow!("the sandbox panicked"))?;
    let inventory = core.inventory(Timestamp::now());
    let name = inventory.pointer("/services/0/appName").and_then(Value::as_str);
    Ok(name.context("no service")?.to_owned())
}

fn write(sandbox: &Sandbox, service: &str, lines: Vec<String>) -> anyhow::Result<()> {
    let core = sandbox.core();
    let mut core = core.lock().map_err(|_| anyhow!("the sandbox panicked"))?;
    ensure!(core.write_lines(Timestamp::now(), service, lines), "no container runs");
    Ok(())
}

fn text(count: usize) -> Vec<String> {
    let line = "2026-11-30T12:00:00Z INFO request{method=GET path=/api/items status=200} handled";
    vec![line.to_owned(); count]
}

/// Returns how many milliseconds of CPU time that is in a second.
fn share(cpu: Duration, time: Duration) -> f64 {
    cpu.as_secs_f64() * 1_000.0 / time.as_secs_f64()
}

#[expect(clippy::cast_precision_loss, reason = "nothing here is that large")]
fn kilobytes_each(bytes: u64, count: usize) -> f64 {
    bytes as f64 / 1_000.0 / count as f64
}
