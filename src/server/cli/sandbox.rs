//! `sandbox`: runs the embedded platform alone, for trying a portal against it.

use std::{net::SocketAddr, path::PathBuf, process::ExitCode, sync::Arc, time::Duration};

use clap::Args;
use secrecy::SecretString;
use tokio_util::sync::CancellationToken;

use super::{CommandError, StopSignals};
use crate::server::{
    ports::clock::SystemClock,
    sandbox::{self, Fault, SandboxConfig, Timing},
    settings::LogSettings,
    telemetry,
};

/// How the sandbox is run alone.
#[derive(Clone, Debug, Args)]
pub(super) struct SandboxOptions {
    /// Address of the API, for `DOKPLOY_URL`
    #[arg(long, default_value = "127.0.0.1:4000")]
    listen: SocketAddr,
    /// Address under which stacks are reached, routed by host
    #[arg(long, default_value = "127.0.0.1:8081")]
    edge: SocketAddr,
    /// The key that the API accepts, for `DOKPLOY_API_TOKEN`
    #[arg(long)]
    api_key: SecretString,
    /// File that stores the state; without it every start is empty
    #[arg(long)]
    state: Option<PathBuf>,
    /// Latency of every answer in milliseconds; the time that containers take to stop scales with
    /// it
    #[arg(long, value_name = "MS", default_value = "40")]
    latency: u64,
    /// How often the key may be verified per day; each request counts twice; Dokploy's default is
    /// 10
    /// [default: without limit]
    #[arg(long, value_name = "COUNT")]
    key_limit: Option<u32>,
    /// Injected faults, as CALL:KIND[=DURATION][:HOW OFTEN], like application.create:reset:2
    #[arg(long)]
    fault: Vec<Fault>,
}

/// Runs the sandbox until it is asked to stop.
pub(super) async fn run(options: SandboxOptions) -> Result<ExitCode, CommandError> {
    let _guard = telemetry::init(&LogSettings { filter: String::from("info"), format: None });
    let config = SandboxConfig {
        listen: options.listen,
        edge: options.edge,
        state: options.state,
        latency: Duration::from_millis(options.latency),
        timing: Timing::scaled_to(Duration::from_millis(options.latency)),
        key_limit: options.key_limit,
        faults: options.fault,
        ..SandboxConfig::new(options.api_key, rand::random())
    };
    let mut stop = StopSignals::listen()?;
    let shutdown = CancellationToken::new();
    let sandbox = sandbox::start(config, Arc::new(SystemClock), shutdown.clone()).await?;
    tracing::info!("The sandbox's API listens on {}", sandbox.url());
    stop.asked().await;
    shutdown.cancel();
    sandbox.stopped().await;
    Ok(ExitCode::SUCCESS)
}
