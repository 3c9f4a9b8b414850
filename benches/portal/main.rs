//! The benchmark: the portal's figures, each beside its baseline of the same run.
//!
//! Everything runs on loopback, in under two minutes; `--quick` shows in seconds that it works.
//! It judges nothing: a machine that does other things meanwhile gives other figures.
#![expect(clippy::print_stdout, reason = "its output is what it is for")]
#![expect(clippy::disallowed_methods, reason = "it times the portal from outside")]

mod bare;
mod calls;
mod connection;
mod deployment;
mod figure;
mod first_load;
mod process;
mod sample;
mod speed;
mod throughput;
mod world;

use std::{path::PathBuf, process::ExitCode, time::Duration};

use clap::Parser;
use figure::Figure;

/// Measures the portal. Run it with `cargo bench --features ssr`, and options behind `--`.
#[derive(Parser)]
struct Options {
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

/// How much is done for each figure.
#[derive(Clone, Copy)]
struct Effort {
    /// Rounds of name checks on either side.
    rounds: usize,
    /// How long a round takes.
    round: Duration,
    /// Deployments for each figure about deployments.
    deployments: u32,
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
        starts: 11,
        idle: Duration::from_secs(5),
    };
    const QUICK: Self = Self {
        rounds: 3,
        round: Duration::from_millis(200),
        deployments: 3,
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
    let mut figures = Vec::new();
    println!("Measuring name checks ...");
    figures.push(throughput::measure(effort).await?);
    println!("Measuring deployments ...");
    figures.extend(speed::measure(effort).await?);
    println!("Measuring the first load ...");
    figures.extend(first_load::measure(&options.site).await?);
    println!("Measuring the process ...\n");
    figures.extend(process::measure(&options.binary, effort).await?);
    Ok(figures)
}
