//! Many who watch one operation: when they have its last event, and what they cost.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use dokploy_sandbox::Timing;
use jiff::Timestamp;
use serde_json::Value;

use super::connection::{Connection, get};
use super::deployment::post;
use super::fan_out::Crew;
use super::figure::{Figure, Unit};
use super::gate::Gate;
use super::home::Home;
use super::older::{self, Older};
use super::platform::Platform;
use super::process::missing;
use super::running::Running;
use super::sample::Sample;
use super::world::client;
use super::{Effort, bare};

/// The files that either side has open besides the streams.
const OTHER_FILES: u64 = 300;
/// The number of streams that are opened before memory is measured, so that what the first ones
/// make once is not counted.
const WARM_UP: usize = 50;

/// What was measured of one server with one number of watchers.
#[derive(Default)]
struct Measured {
    /// From the end to each watcher's last event: the median and the 99th percentile.
    middle: Sample,
    late: Sample,
    /// From the first watcher's last event to those of the others: the 99th percentile.
    spread: Sample,
    /// How long it took to open all.
    opened: Sample,
    /// The bytes of memory that each watcher takes.
    memory: Sample,
}

/// Measures each number of watchers on the portal and on its baseline in turns: on the older server
/// if there is one, otherwise on a bare server.
pub(crate) async fn measure(binary: &Path, effort: Effort) -> anyhow::Result<Vec<Figure>> {
    if let Some(reason) = missing(binary) {
        return Ok(vec![Figure::skipped("watchers", Unit::Milliseconds, reason)]);
    }
    let mut figures = Vec::new();
    for wanted in effort.watchers {
        let count = possible(*wanted);
        let (mut ours, mut other) = (Measured::default(), Measured::default());
        for _ in 0..effort.watched {
            of_portal(binary, count, effort, &mut ours).await?;
            match older::folder() {
                Some(folder) => of_older(&folder, count, effort, &mut other).await?,
                None => of_bare(count, effort, &mut other).await?,
            }
        }
        let figures_of_count = self::figures(count, &ours, &other, effort);
        figures.extend(figures_of_count.into_iter().map(|figure| {
            let fewer = format!("The limit of open files allows {count} of {wanted} watchers.");
            if count < *wanted { figure.note(fewer) } else { figure }
        }));
    }
    Ok(figures)
}

/// Returns how many of so many watchers the limit of open files allows: portals keep half of their
/// connections for others.
fn possible(wanted: usize) -> usize {
    let most = transport::descriptor_limit().saturating_sub(OTHER_FILES) / 2;
    wanted.min(usize::try_from(most).unwrap_or(usize::MAX))
}

fn figures(count: usize, ours: &Measured, other: &Measured, effort: Effort) -> Vec<Figure> {
    let has_older = older::folder().is_some();
    let beside = |figure: Figure| {
        let note = if has_older { older::NOTE } else { "Baseline: a bare axum server, in turns." };
        let figure = figure.note(note);
        if has_older { figure.at_most(0.8) } else { figure }
    };
    let (middle, other_middle) = (ours.middle.median(), other.middle.median());
    vec![
        beside(
            Figure::median(
                format!("last event, {count} watchers, p99"),
                Unit::Milliseconds,
                &ours.late,
            )
            .baseline(other.late.median())
            .note(
                "From the time of the end that the server tells, before its commit, to the arrival",
            )
            .note(format!(
                "at 99 of 100 watchers; at half of them after {middle:.1} ms, with the baseline"
            ))
            .note(format!(
                "{other_middle:.1} ms. The watchers are one thread, which shares the cores."
            )),
        ),
        beside(
            Figure::median(
                format!("spread, {count} watchers, p99"),
                Unit::Milliseconds,
                &ours.spread,
            )
            .baseline(other.spread.median())
            .note("From the first watcher's last event to that of 99 of 100."),
        ),
        opened(count, ours).baseline(other.opened.median()),
        Figure::median(format!("memory of one of {count} watchers"), Unit::Kilobytes, &ours.memory)
            .baseline(other.memory.median())
            .aim(12.0)
            .note(format!(
                "What VmRSS grows by until {:?} of silence are over, for each.",
                effort.silence
            )),
    ]
}

fn opened(count: usize, ours: &Measured) -> Figure {
    let figure = Figure::median(format!("{count} streams opened"), Unit::Seconds, &ours.opened)
        .note("From the first connection to the beginning of the last answer.");
    if count <= 1_000 { figure.aim(0.2) } else { figure }
}

async fn of_portal(
    binary: &Path,
    count: usize,
    effort: Effort,
    measured: &mut Measured,
) -> anyhow::Result<()> {
    let (platform, gate) = (Platform::start(Timing::default()).await?, Gate::start().await?);
    let home = Home::new(binary, None)?;
    let (portal, _) = Running::start(home.portal(gate.variables(&platform))).await?;
    watch(&portal, count, effort, measured, async || {
        gate.open();
        Ok(())
    })
    .await?;
    portal.kill()?;
    platform.end().await;
    Ok(())
}

async fn of_older(
    folder: &Path,
    count: usize,
    effort: Effort,
    measured: &mut Measured,
) -> anyhow::Result<()> {
    let gate = Gate::start().await?;
    let older = Older::start(folder, &gate).await?;
    watch(&older.server, count, effort, measured, async || {
        gate.open();
        Ok(())
    })
    .await
}

async fn of_bare(count: usize, effort: Effort, measured: &mut Measured) -> anyhow::Result<()> {
    let (bare, _) = Running::start(bare::command(0, None)?).await?;
    let addr = bare.addr();
    watch(&bare, count, effort, measured, async || {
        Connection::open(addr)
            .await?
            .ask(b"POST /end HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
            .await?;
        Ok(())
    })
    .await
}

/// Watches one operation of `server`, which ends after `end`.
async fn watch(
    server: &Running,
    count: usize,
    effort: Effort,
    measured: &mut Measured,
    end: impl AsyncFnOnce() -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let events = post(&client()?, &server.root(), "alice").await?;
    let path = events.strip_prefix(&server.root()).context("an address of another server")?;
    let crew = Crew::start()?;
    let warm_up = crew.watch(server.addr(), path, WARM_UP).await?;
    let before = server.memory()?;
    let watchers = crew.watch(server.addr(), path, count - WARM_UP).await?;
    tokio::time::sleep(effort.silence).await;
    let grown = server.memory()?.saturating_sub(before);
    measured.opened.push(watchers.opened.as_secs_f64());
    measured.memory.push(kilobytes_each(grown, count - WARM_UP));
    end().await?;
    let mut arrivals = watchers.arrivals().await?;
    arrivals.extend(warm_up.arrivals().await?);
    measured.take(&arrivals, completed(server.addr(), path).await?)
}

#[expect(clippy::cast_precision_loss, reason = "nothing here is that large")]
fn kilobytes_each(bytes: u64, count: usize) -> f64 {
    bytes as f64 / 1_000.0 / count as f64
}

/// Returns the time at which the operation whose events are at `path` ended, as the server tells.
async fn completed(addr: SocketAddr, path: &str) -> anyhow::Result<Timestamp> {
    let id = path.rsplit('/').next().unwrap_or_default();
    let mut connection = Connection::open(addr).await?;
    let body = connection.ask(&get(&format!("/api/deployment/{id}"))).await?;
    let body: Value = serde_json::from_slice(body)?;
    let completed = body.pointer("/deployment/timestamps/completed").and_then(Value::as_str);
    Ok(completed.context("an operation without an end")?.parse()?)
}

impl Measured {
    fn take(&mut self, arrivals: &[Timestamp], end: Timestamp) -> anyhow::Result<()> {
        let first = *arrivals.iter().min().context("nobody watched")?;
        let (mut after_end, mut after_first) = (Vec::new(), Vec::new());
        for arrival in arrivals {
            after_end.push(arrival.duration_since(end).unsigned_abs());
            after_first.push(arrival.duration_since(first).unsigned_abs());
        }
        let [after_end, after_first] = [after_end, after_first].map(sample);
        self.middle.push(after_end.median());
        self.late.push(after_end.percentile(99));
        self.spread.push(after_first.percentile(99));
        Ok(())
    }
}

fn sample(times: Vec<Duration>) -> Sample {
    let mut sample = Sample::default();
    for time in times {
        sample.push_ms(time, Duration::ZERO);
    }
    sample
}
