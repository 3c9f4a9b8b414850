//! The command `sandbox`: runs the embedded platform without a portal, so that a separate portal
//! can be tried against it.

use std::process::ExitCode;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::{Exit, StopSignals};
use crate::server::settings::LogSettings;
use crate::server::telemetry;
use clock::SystemClock;
use dokploy_sandbox::Options;

/// Runs the sandbox until the process receives a stop signal.
pub(super) async fn run(options: Options) -> Exit {
    let _guard = telemetry::init(&LogSettings { filter: String::from("info"), format: None });
    let mut stop = StopSignals::listen()?;
    let shutdown = CancellationToken::new();
    let sandbox =
        dokploy_sandbox::start(options.into(), Arc::new(SystemClock), shutdown.clone()).await?;
    tracing::info!("The sandbox's API listens on {}", sandbox.url());
    stop.asked().await;
    shutdown.cancel();
    sandbox.stopped().await;
    Ok(ExitCode::SUCCESS)
}
