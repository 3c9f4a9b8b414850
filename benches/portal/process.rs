//! The portal as a process: the size of its binary, its start, and its memory.

use std::{
    fs, io,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use tempfile::TempDir;

use super::{
    Effort,
    connection::{Connection, get},
    figure::{Figure, Unit},
    sample::Sample,
};

const SIZE: &str = "binary";
const START: &str = "start-up";
const MEMORY: &str = "idle memory";
/// How long a start may take until the benchmark gives up.
const PATIENCE: Duration = Duration::from_secs(20);

/// Measures `binary`, beside a bare axum server in a process of its own.
pub(crate) async fn measure(binary: &Path, effort: Effort) -> anyhow::Result<Vec<Figure>> {
    let Ok(size) = fs::metadata(binary).map(|file| file.len()) else {
        let reason = format!("No binary at {}: name one with --binary.", binary.display());
        return Ok(vec![
            Figure::skipped(SIZE, Unit::Megabytes, reason.clone()),
            Figure::skipped(START, Unit::Milliseconds, reason.clone()),
            Figure::skipped(MEMORY, Unit::Megabytes, reason),
        ]);
    };
    let binary = fs::canonicalize(binary)?;
    let folder = tempfile::tempdir()?;
    fs::copy("Leptos.toml", folder.path().join("Leptos.toml"))?;
    let (mut ours, mut bare) = (Sample::default(), Sample::default());
    for _ in 0..effort.starts {
        ours.push_ms(Running::start(portal(&binary, &folder)?).await?.1, Duration::ZERO);
        bare.push_ms(Running::start(hello()?).await?.1, Duration::ZERO);
    }
    let (our_memory, bare_memory) = memory(&binary, &folder, effort.idle).await?;
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
            .aim(40.0)
            .note(format!("VmRSS after one request and {:?} of nothing.", effort.idle))
            .note("Baseline: the same axum server with one route."),
    ])
}

/// Returns the memory of the portal and of the bare server, idle side by side.
async fn memory(binary: &Path, folder: &TempDir, idle: Duration) -> anyhow::Result<(u64, u64)> {
    let (ours, _) = Running::start(portal(binary, folder)?).await?;
    let (bare, _) = Running::start(hello()?).await?;
    tokio::time::sleep(idle).await;
    Ok((ours.memory()?, bare.memory()?))
}

/// The portal over its embedded sandbox, with nothing of the surroundings in its environment.
fn portal(binary: &Path, folder: &TempDir) -> anyhow::Result<(Command, u16)> {
    let port = free_port()?;
    let mut command = Command::new(binary);
    command
        .env_clear()
        .env("PORT", port.to_string())
        .env("SANDBOX_EDGE_PORT", free_port()?.to_string())
        .env("DATABASE_URL", format!("sqlite://{}/portal.db", folder.path().display()))
        .current_dir(folder.path());
    Ok((command, port))
}

/// This very binary as the bare server.
fn hello() -> anyhow::Result<(Command, u16)> {
    let port = free_port()?;
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("--bare").arg(port.to_string());
    Ok((command, port))
}

/// A process that ends with this value.
struct Running(Child);

impl Running {
    /// Starts it, and returns how long it took until it was ready.
    async fn start((mut command, port): (Command, u16)) -> anyhow::Result<(Self, Duration)> {
        let begun = Instant::now();
        let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let running = Self(quiet.spawn()?);
        while !is_ready(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).await {
            ensure!(begun.elapsed() < PATIENCE, "the process does not get ready");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        Ok((running, begun.elapsed()))
    }

    /// Returns the bytes of memory that it holds.
    fn memory(&self) -> anyhow::Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.0.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let number = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
        Ok(number.context("the system does not tell the memory of a process")? * 1_024)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

async fn is_ready(addr: SocketAddr) -> bool {
    let Ok(mut connection) = Connection::open(addr).await else { return false };
    connection.ask(&get("/readyz")).await.is_ok()
}

fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

#[expect(clippy::cast_precision_loss, reason = "nothing here is that large")]
fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1_000_000.0
}
