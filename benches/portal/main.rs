//! The benchmark: the portal's figures, each beside its baseline of the same run.
//!
//! Everything runs on loopback, in a quarter of an hour, or in parts; `--quick` shows in seconds
//! that it works.
//! It judges nothing: a machine that does other things meanwhile gives other figures.
#![expect(clippy::print_stdout, reason = "its output is what it is for")]
#![expect(clippy::disallowed_methods, reason = "it times the portal from outside")]

mod bare;
mod calls;
mod checks;
mod connection;
mod crowd;
mod database;
mod day_two;
mod deployment;
mod fan_out;
mod figure;
mod first_load;
mod gate;
mod health;
mod history;
mod home;
mod load;
mod log;
mod neighbour;
mod older;
mod pages;
mod people;
mod platform;
mod process;
mod recovery;
mod running;
mod sample;
mod scale;
mod sides;
mod speed;
mod stacks;
mod support;
mod visitors;
mod watch;
mod watchers;
mod world;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, ValueEnum};
use figure::Figure;
use support::postgres::Cluster;

/// Measures the portal. Run it with `cargo bench --features ssr`, and options behind `--`. With the
/// folder of the older server in the variable `OLDER_SERVER`, it is measured beside the portal.
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
    #[command(flatten)]
    bare: bare::Bare,
}

/// What can be measured alone.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Name checks per second, with and without a sign-in
    Checks,
    /// Health checks per second
    Health,
    /// Pages rendered per second
    Pages,
    /// Many who watch one operation
    Watchers,
    /// One deployment after the other
    Speed,
    /// Operations on a live stack, one after the other
    DayTwo,
    /// Changes of a live stack, one after the other
    Change,
    /// Visitors of a stack that is changed
    Visitors,
    /// The health watch of many stacks
    Watch,
    /// A log that many watch, and one that a stack writes without end
    Log,
    /// The home page of somebody with many stacks
    Stacks,
    /// A deployment beside an address that asks without end
    Neighbour,
    /// Many deployments at once
    Crowd,
    /// Many deployments at once, beside what the platform allows, and with many watchers
    Scale,
    /// A store with many deployments that have ended
    History,
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
    /// Rounds of requests on either side.
    rounds: usize,
    /// How long a round takes.
    round: Duration,
    /// How many watch one operation, each number in turn.
    watchers: &'static [usize],
    /// How often that many watch on either side.
    watched: u32,
    /// How long they hear nothing.
    silence: Duration,
    /// Deployments for each figure about deployments.
    deployments: u32,
    /// Changes of a live stack.
    changes: u32,
    /// How often a stack is visited at least while it is changed.
    visits: usize,
    /// How many stacks are watched, for how long, and how long a start is waited for.
    watched_stacks: u32,
    watch: Duration,
    settling: Duration,
    /// How many watch a log, and for how long it is written.
    log_watchers: usize,
    logged: Duration,
    /// How long others are asked beside a stack that writes without end.
    flood: Duration,
    /// How many stacks somebody has, and how often the page of them is rendered.
    stacks: u32,
    renders: u32,
    /// How long the neighbour asks.
    neighbour: Duration,
    /// How many deployments are many at once.
    crowd: u32,
    /// How often that many are brought up in each way.
    crowds: u32,
    /// How many deployments at once are compared with what the platform allows.
    scales: &'static [u32],
    /// How many watch them.
    scale_watchers: usize,
    /// How many deployments have ended.
    ended: u32,
    /// Requests for each figure about a store with that many.
    requests: u32,
    /// How often portals are killed on each store.
    recoveries: u32,
    /// Starts of the binary.
    starts: usize,
    /// How long it idles until its memory is read.
    idle: Duration,
}

impl Effort {
    const FULL: Self = Self {
        rounds: 5,
        round: Duration::from_secs(1),
        watchers: &[1_000, 5_000, 9_000],
        watched: 3,
        silence: Duration::from_secs(10),
        deployments: 24,
        changes: 12,
        visits: 1_000,
        watched_stacks: 1_000,
        watch: Duration::from_mins(1),
        settling: Duration::from_secs(15),
        log_watchers: 1_000,
        logged: Duration::from_secs(10),
        flood: Duration::from_secs(10),
        stacks: 50,
        renders: 400,
        neighbour: Duration::from_mins(1),
        crowd: 200,
        crowds: 3,
        scales: &[200, 1_000],
        scale_watchers: 9_000,
        ended: 100_000,
        requests: 40,
        recoveries: 5,
        starts: 11,
        idle: Duration::from_secs(5),
    };
    const QUICK: Self = Self {
        rounds: 1,
        round: Duration::from_millis(200),
        watchers: &[100],
        watched: 1,
        silence: Duration::from_millis(500),
        deployments: 3,
        changes: 1,
        visits: 30,
        watched_stacks: 3,
        watch: Duration::from_secs(2),
        settling: Duration::from_millis(500),
        log_watchers: 30,
        logged: Duration::from_secs(1),
        flood: Duration::from_millis(500),
        stacks: 3,
        renders: 10,
        neighbour: Duration::from_secs(1),
        crowd: 3,
        crowds: 1,
        scales: &[3],
        scale_watchers: 30,
        ended: 1_000,
        requests: 3,
        recoveries: 1,
        starts: 3,
        idle: Duration::from_millis(500),
    };
}

fn main() -> anyhow::Result<ExitCode> {
    let options = Options::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    if let Some(port) = options.bare.port {
        runtime.block_on(bare::serve(port, &options.bare))?;
        return Ok(ExitCode::SUCCESS);
    }
    transport::raise_descriptor_limit()?;
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
        figures.extend(checks::measure(&options.binary, effort).await?);
    }
    if is_wanted(Part::Health) {
        println!("Measuring health checks ...");
        figures.extend(health::measure(&options.binary, effort).await?);
    }
    if is_wanted(Part::Pages) {
        println!("Measuring pages ...");
        figures.extend(pages::measure(&options.binary, effort).await?);
    }
    if is_wanted(Part::Watchers) {
        println!("Measuring watchers ...");
        figures.extend(watchers::measure(&options.binary, effort).await?);
    }
    if is_wanted(Part::Speed) {
        println!("Measuring deployments ...");
        figures.extend(speed::measure(effort).await?);
    }
    if is_wanted(Part::DayTwo) {
        println!("Measuring operations on a live stack ...");
        figures.extend(day_two::measure(effort).await?);
    }
    if is_wanted(Part::Change) {
        println!("Measuring changes of a live stack ...");
        figures.extend(day_two::measure_changes(effort).await?);
    }
    if is_wanted(Part::Visitors) {
        println!("Measuring what visitors of a changed stack get ...");
        figures.extend(visitors::measure(effort).await?);
    }
    if is_wanted(Part::Watch) {
        println!("Measuring the health watch of many stacks ...");
        figures.extend(watch::measure(&options.binary, effort).await?);
    }
    if is_wanted(Part::Log) {
        println!("Measuring logs ...");
        figures.extend(log::measure(&options.binary, effort).await?);
    }
    if is_wanted(Part::Stacks) {
        println!("Measuring the page of many stacks ...");
        figures.extend(stacks::measure(&options.binary, effort).await?);
    }
    if is_wanted(Part::Neighbour) {
        println!("Measuring a deployment beside a busy neighbour ...");
        figures.push(neighbour::measure(effort).await?);
    }
    if is_wanted(Part::Scale) {
        println!("Measuring deployments beside the platform's limit ...");
        figures.extend(scale::measure(&options.binary, effort).await?);
    }
    if [Part::Crowd, Part::History, Part::Recovery].into_iter().any(is_wanted) {
        let cluster = cluster(options.quick);
        if is_wanted(Part::History) {
            println!("Measuring a store with many ended deployments ...");
            figures.extend(history::measure(&options.binary, effort, &cluster).await?);
        }
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
