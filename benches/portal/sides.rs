//! The servers that are compared: a portal, a bare server, and the older server, each a process of
//! its own.

use std::path::Path;

use dokploy_sandbox::Timing;

use super::bare;
use super::gate::Gate;
use super::home::Home;
use super::older::{self, Older};
use super::platform::Platform;
use super::running::Running;

/// A portal, and what it needs.
pub(crate) struct Servers {
    pub(crate) portal: Running,
    pub(crate) home: Home,
    pub(crate) gate: Gate,
    pub(crate) platform: Platform,
}

impl Servers {
    /// Starts a portal on SQLite with these variables besides those of its platform. Its stacks are
    /// behind a gate that is shut.
    pub(crate) async fn start(
        binary: &Path,
        variables: &[(&'static str, &str)],
    ) -> anyhow::Result<Self> {
        let (platform, gate) = (Platform::start(Timing::default()).await?, Gate::start().await?);
        let home = Home::new(binary, None)?;
        let more = variables.iter().map(|(name, value)| (*name, (*value).to_owned()));
        let variables = gate.variables(&platform).into_iter().chain(more);
        let (portal, _) = Running::start(home.portal(variables)).await?;
        Ok(Self { portal, home, gate, platform })
    }

    /// Starts a bare server, which serves the files of `bodies` by their numbers.
    pub(crate) async fn bare(&self, bodies: Option<&Path>) -> anyhow::Result<Running> {
        let edge = self.gate.port();
        Ok(Running::start(bare::command(edge, bodies)?).await?.0)
    }

    /// Starts the older server, if one is named.
    pub(crate) async fn older(&self) -> anyhow::Result<Option<Older>> {
        match older::folder() {
            Some(folder) => Ok(Some(Older::start(&folder, &self.gate).await?)),
            None => Ok(None),
        }
    }

    /// Stops the portal and its platform.
    pub(crate) async fn end(self) {
        drop(self.portal);
        self.platform.end().await;
    }
}
