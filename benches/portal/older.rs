//! The older server, which the portal replaces, as a process beside it.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::gate::Gate;
use super::platform::{KEY, Platform};
use super::running::Running;
use super::support::process::free_port;

/// The variable with the folder of the older server: `server.ts`, and `node_modules` with Bun.
pub(crate) const VARIABLE: &str = "OLDER_SERVER";
/// What a figure says whose baseline it is.
pub(crate) const NOTE: &str = "Baseline: the older server, in turns.";
/// The interval at which it asks its stacks, in milliseconds.
const HEALTH_INTERVAL: &str = "200";

/// The older server with a platform of its own.
pub(crate) struct Older {
    pub(crate) server: Running,
    /// Kept for as long as the server runs.
    _platform: Platform,
}

/// Returns the folder of the older server, if one is named.
pub(crate) fn folder() -> Option<PathBuf> {
    std::env::var_os(VARIABLE).filter(|folder| !folder.is_empty()).map(PathBuf::from)
}

impl Older {
    /// Starts it, with its stacks behind `gate`.
    pub(crate) async fn start(folder: &Path, gate: &Gate) -> anyhow::Result<Self> {
        let (platform, port) =
            (Platform::start(dokploy_sandbox::Timing::default()).await?, free_port());
        let folder = std::fs::canonicalize(folder)?;
        let mut command = Command::new(folder.join("node_modules/.bin/bun"));
        command
            .arg("server.ts")
            .current_dir(folder)
            .env_clear()
            .env("PORT", port.to_string())
            .env("DOKPLOY_URL", platform.sandbox.url())
            .env("DOKPLOY_API_TOKEN", KEY)
            .env("HEALTH_URL", gate.url())
            .env("HEALTH_INTERVAL_MS", HEALTH_INTERVAL);
        let (server, _) = Running::start_at((command, port), "/health").await?;
        Ok(Self { server, _platform: platform })
    }
}
