//! The benchmark: the portal's figures, each beside its baseline of the same run.
//!
//! Everything runs on loopback, in a quarter of an hour, or in parts; `--quick` shows in seconds
//! that it works.
//! It judges nothing: a machine that does other things meanwhile gives other figures.
#![expect(clippy::print_stdout, reason = "its output is what it is for")]
#![expect(clippy::disallowed_methods, reason = "it times the portal from outside")]

mod bare;
mod calls;
mod connection;
mod crowd;
mod database;
mod deployment;
mod figure;
mod first_load;
mod home;
mod neighbour;
mod platform;
mod process;
mod recovery;
mod running;
mod sample;
mod speed;
mod support;
mod throughput;
mod world;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, ValueEnum};
use figure::Figure;
use support::postgres::Cluster;

/// Measures the portal. Run it with `cargo bench --features ssr`, and options behind `--`.
#[derive(Parser)]
struct Options {
    /// What is measured [default: everything]
    #[arg(value_enum)]
    parts: Vec<Part>,
    /// Only a few rounds of each: shows that it works, not how fast
    #[arg(long)]
    quick: bool,
    /// Folder of the site that `cargo leptos build --release --precompress` made
    #[arg(long, env = "LEPTOS_SITE_ROOT", default_value = "target/site")]
    site: PathBuf,
    /// Binary whose size, start and memory are measured
    #[arg(long, default_value = env!("CARGO_BIN_EXE_ai-stack-deployer"))]
    binary: PathBuf,
    /// What cargo passes to every benchmark
    #[arg(long, hide = true)]
    bench: bool,
    /// Serves the bare server of the baselines on this port instead
    #[arg(long, hide = true)]
    bare: Option<u16>,
}

/// What can be measured alone.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Name checks per second
    Checks,
    /// One deployment after the other
    Speed,
    /// A deployment beside an address that asks without end
    Neighbour,
    /// Many deployments at once
    Crowd,
    /// Deployments whose portal is killed
    Recovery,
    /// The bytes of the first load
    Load,
    /// The binary, its start and its memory
    Process,
}

/// How much is done for each figure.
#[derive(Clone, Copy)]
struct Effort {
    /// Rounds of name checks on either side.
    rounds: usize,
    /// How long a round takes.
    round: Duration,
    /// Deployments for each figure about deployments.
    deployments: u32,
    /// How long the neighbour asks.
    neighbour: Duration,
    /// How many deployments are many at once.
    crowd: u32,
    /// How often that many are brought up in each way.
    crowds: u32,
    /// How often portals are killed on each store.
    recoveries: u32,
    /// Starts of the binary.
    starts: usize,
    /// How long it idles until its memory is read.
    idle: Duration,
}

impl Effort {
    const FULL: Self = Self {
        rounds: 7,
        round: Duration::from_secs(1),
        deployments: 24,
        neighbour: Duration::from_mins(1),
        crowd: 200,
        crowds: 3,
        recoveries: 5,
        starts: 11,
        idle: Duration::from_secs(5),
    };
    const QUICK: Self = Self {
        rounds: 3,
        round: Duration::from_millis(200),
        deployments: 3,
        neighbour: Duration::from_secs(1),
        crowd: 3,
        crowds: 1,
        recoveries: 1,
        starts: 3,
        idle: Duration::from_millis(500),
    };
}

fn main() -> anyhow::Result<ExitCode> {
    let options = Options::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    if let Some(port) = options.bare {
        runtime.block_on(bare::serve_health(port))?;
        return Ok(ExitCode::SUCCESS);
    }
    // The log is written as in production, and thrown away.
    let log = tracing_subscriber::fmt().json().with_writer(std::io::sink);
    log.with_max_level(tracing::Level::INFO).init();
    let figures = runtime.block_on(measure(&options))?;
    figure::print(&figures);
    if options.quick || cfg!(debug_assertions) {
        println!("\nA quick run, or a build that is not optimised: these figures say little.");
    }
    Ok(ExitCode::SUCCESS)
}

async fn measure(options: &Options) -> anyhow::Result<Vec<Figure>> {
    let effort = if options.quick { Effort::QUICK } else { Effort::FULL };
    let is_wanted = |part| options.parts.is_empty() || options.parts.contains(&part);
    let mut figures = Vec::new();
    if is_wanted(Part::Checks) {
        println!("Measuring name checks ...");
        figures.push(throughput::measure(effort).await?);
    }
    if is_wanted(Part::Speed) {
        println!("Measuring deployments ...");
        figures.extend(speed::measure(effort).await?);
    }
    if is_wanted(Part::Neighbour) {
        println!("Measuring a deployment beside a busy neighbour ...");
        figures.push(neighbour::measure(effort).await?);
    }
    if is_wanted(Part::Crowd) || is_wanted(Part::Recovery) {
        let cluster = cluster(options.quick);
        if is_wanted(Part::Crowd) {
            println!("Measuring many deployments at once ...");
            figures.extend(crowd::measure(&options.binary, effort, &cluster).await?);
        }
        if is_wanted(Part::Recovery) {
            println!("Measuring recovery ...");
            figures.extend(recovery::measure(&options.binary, effort, &cluster).await?);
        }
    }
    if is_wanted(Part::Load) {
        println!("Measuring the first load ...");
        figures.extend(first_load::measure(&options.site).await?);
    }
    if is_wanted(Part::Process) {
        println!("Measuring the process ...");
        figures.extend(process::measure(&options.binary, effort).await?);
    }
    println!();
    Ok(figures)
}

/// Starts PostgreSQL, or says why there is none: its start takes longer than a quick run.
fn cluster(quick: bool) -> Result<Cluster, String> {
    if quick {
        return Err(String::from("A quick run leaves PostgreSQL out."));
    }
    let missing = "PostgreSQL's server programs are missing: scripts/test installs them on Debian.";
    Cluster::try_start().ok_or_else(|| String::from(missing))
}
