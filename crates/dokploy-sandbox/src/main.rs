//! Runs the sandbox alone until it is interrupted.

use std::sync::Arc;

use clap::Parser;
use clock::SystemClock;
use tokio_util::sync::CancellationToken;

/// A server that answers like Dokploy v0.30 and runs small stacks of its own
#[derive(Debug, Parser)]
#[command(version)]
struct Command {
    #[command(flatten)]
    options: dokploy_sandbox::Options,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let command = Command::parse();
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    let shutdown = CancellationToken::new();
    let clock = Arc::new(SystemClock);
    let sandbox = dokploy_sandbox::start(command.options.into(), clock, shutdown.clone()).await?;
    tracing::info!("The sandbox's API listens on {}", sandbox.url());
    tokio::signal::ctrl_c().await?;
    shutdown.cancel();
    sandbox.stopped().await;
    Ok(())
}
