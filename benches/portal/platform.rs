//! The platform alone: a sandbox in this process, for a portal beside it or in a process of its
//! own, or for nobody but a bare client.

use std::sync::Arc;

use anyhow::anyhow;
use clock::SystemClock;
use dokploy_sandbox as sandbox;
use dokploy_sandbox::{Sandbox, SandboxConfig, Timing};
use jiff::Timestamp;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

/// The key that the sandbox takes.
pub(crate) const KEY: &str = "key-of-the-benchmark";

/// A running sandbox.
pub(crate) struct Platform {
    pub(crate) sandbox: Sandbox,
    stop: CancellationToken,
}

impl Platform {
    /// Starts a sandbox as the portal embeds it and as `sandbox` runs it alone, in all but its
    /// `timing`, and that it keeps nothing on disk.
    pub(crate) async fn start(timing: Timing) -> anyhow::Result<Self> {
        let stop = CancellationToken::new();
        let config = SandboxConfig {
            edge: ([127, 0, 0, 1], 0).into(),
            timing,
            ..SandboxConfig::new(KEY.into(), rand::random())
        };
        let sandbox = sandbox::start(config, Arc::new(SystemClock), stop.clone()).await?;
        Ok(Self { sandbox, stop })
    }

    /// Returns the variables that make a portal drive it.
    pub(crate) fn variables(&self) -> [(&'static str, String); 7] {
        [
            ("DOKPLOY_URL", self.sandbox.url()),
            ("DOKPLOY_API_TOKEN", KEY.to_owned()),
            ("STACK_IMAGE", "sandbox/hello".to_owned()),
            ("STACK_DOMAIN_SUFFIX", "localhost".to_owned()),
            ("STACK_SCHEME", "http".to_owned()),
            ("STACK_PUBLIC_PORT", self.sandbox.edge().port().to_string()),
            ("STACK_ALLOW_PRIVATE", "true".to_owned()),
        ]
    }

    /// Returns the host of the stack called `name`.
    pub(crate) fn host(&self, name: &str) -> String {
        format!("{name}.localhost:{}", self.sandbox.edge().port())
    }

    /// Counts the stacks that answer by now.
    pub(crate) fn live(&self) -> anyhow::Result<usize> {
        let core = self.sandbox.core();
        let core = core.lock().map_err(|_| anyhow!("the sandbox panicked"))?;
        let inventory = core.inventory(Timestamp::now());
        let services = inventory.get("services").and_then(Value::as_array);
        let answers = |service: &&Value| service.get("answers") == Some(&Value::Bool(true));
        Ok(services.into_iter().flatten().filter(answers).count())
    }

    /// Stops it.
    pub(crate) async fn end(self) {
        self.stop.cancel();
        self.sandbox.stopped().await;
    }
}
