//! The portal as a process: the size of its binary, its start, and its memory.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use super::figure::{Figure, Unit};
use super::home::Home;
use super::running::Running;
use super::sample::Sample;
use super::support::process::free_port;
use super::{Effort, bare};

const SIZE: &str = "binary";
const START: &str = "start-up";
const MEMORY: &str = "idle memory";

/// Measures `binary`, beside a bare axum server in a process of its own.
pub(crate) async fn measure(binary: &Path, effort: Effort) -> anyhow::Result<Vec<Figure>> {
    if let Some(reason) = missing(binary) {
        return Ok(vec![
            Figure::skipped(SIZE, Unit::Megabytes, reason.clone()),
            Figure::skipped(START, Unit::Milliseconds, reason.clone()),
            Figure::skipped(MEMORY, Unit::Megabytes, reason),
        ]);
    }
    let size = fs::metadata(binary)?.len();
    let home = Home::new(binary, None)?;
    let (mut ours, mut bare) = (Sample::default(), Sample::default());
    for _ in 0..effort.starts {
        ours.push_ms(Running::start(portal(&home)).await?.1, Duration::ZERO);
        bare.push_ms(Running::start(bare::command(0, None)?).await?.1, Duration::ZERO);
    }
    let (our_memory, anonymous, bare_memory) = memory(&home, effort.idle).await?;
    Ok(vec![
        Figure::new(SIZE, Unit::Megabytes, megabytes(size))
            .note(format!("{size} bytes, symbols included: {}", binary.display())),
        Figure::median(START, Unit::Milliseconds, &ours)
            .baseline(bare.median())
            .aim(500.0)
            .note("From spawning the process to the first 200 on /readyz; the first of the starts")
            .note("makes the database. Baseline: this benchmark's own binary as an axum server with one")
            .note("route."),
        Figure::new(MEMORY, Unit::Megabytes, megabytes(our_memory))
            .baseline(megabytes(bare_memory))
            .aim(20.0)
            .note(format!(
                "VmRSS after one request and {:?} of nothing. {:.1} MB of it are no pages of files,",
                effort.idle,
                megabytes(anonymous)
            ))
            .note("such as those of the binary, which the system can drop.")
            .note("Baseline: the same axum server with one route."),
    ])
}

/// Returns what to do when there is no such binary.
pub(crate) fn missing(binary: &Path) -> Option<String> {
    let reason = || format!("No binary at {}: name one with --binary.", binary.display());
    (!binary.is_file()).then(reason)
}

/// Returns the memory of the portal, what of it is anonymous, and the memory of the bare server,
/// idle side by side.
async fn memory(home: &Home, idle: Duration) -> anyhow::Result<(u64, u64, u64)> {
    let (ours, _) = Running::start(portal(home)).await?;
    let (bare, _) = Running::start(bare::command(0, None)?).await?;
    tokio::time::sleep(idle).await;
    Ok((ours.memory()?, ours.anonymous_memory()?, bare.memory()?))
}

/// The portal over its embedded sandbox.
fn portal(home: &Home) -> (Command, u16) {
    home.portal([("SANDBOX_EDGE_PORT", free_port().to_string())])
}

#[expect(clippy::cast_precision_loss, reason = "nothing here is that large")]
pub(crate) fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1_000_000.0
}
