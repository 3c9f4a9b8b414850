//! A whole portal in this process: real HTTP, a SQLite store on disk, and a sandbox as its
//! platform.

use std::{path::Path, sync::Arc};

use ai_stack_deployer::server::{
    config::{self, Environment, Options},
    ports::clock::SystemClock,
    run::Portal,
    sandbox::{self, Sandbox, SandboxConfig, Timing},
    settings::Settings,
};
use anyhow::Context;
use clap::Parser;
use leptos::config::LeptosOptions;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

/// The key that the sandbox takes.
pub(crate) const KEY: &str = "key-of-the-benchmark";

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    options: Options,
}

/// A portal and its platform.
pub(crate) struct World {
    pub(crate) portal: Portal,
    pub(crate) sandbox: Sandbox,
    stop_portal: CancellationToken,
    stop_sandbox: CancellationToken,
    _folder: TempDir,
}

impl World {
    /// Starts both. The sandbox is the embedded one in all but its `timing`, and that it
    /// keeps nothing on disk; the built site lies in `site`.
    pub(crate) async fn start(timing: Timing, site: &Path) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let (stop_portal, stop_sandbox) = (CancellationToken::new(), CancellationToken::new());
        let config = SandboxConfig {
            edge: ([127, 0, 0, 1], 0).into(),
            timing,
            ..SandboxConfig::new(KEY.into(), rand::random())
        };
        let sandbox = sandbox::start(config, Arc::new(SystemClock), stop_sandbox.clone()).await?;
        let settings = settings(&sandbox, folder.path())?;
        let site = LeptosOptions::builder()
            .output_name("ai-stack-deployer")
            .site_root(site.to_str().context("the site's folder is not UTF-8")?.to_owned())
            .build();
        let portal = Portal::start(settings, site, stop_portal.clone()).await?;
        Ok(Self { portal, sandbox, stop_portal, stop_sandbox, _folder: folder })
    }

    /// Returns the address of `path` on the portal.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.portal.addr())
    }

    /// Returns the host of the stack called `name`.
    pub(crate) fn host(&self, name: &str) -> String {
        format!("{name}.localhost:{}", self.sandbox.edge().port())
    }

    /// Stops the portal, then its platform.
    pub(crate) async fn end(self) {
        self.stop_portal.cancel();
        self.portal.stopped().await;
        self.stop_sandbox.cancel();
        self.sandbox.stopped().await;
    }
}

fn settings(sandbox: &Sandbox, folder: &Path) -> anyhow::Result<Settings> {
    let environment = Environment::from(
        [
            ("DATABASE_URL", format!("sqlite://{}", folder.join("portal.db").display())),
            ("DEPLOY_RATE_LIMIT", "100000".to_owned()),
            ("DOKPLOY_URL", sandbox.url()),
            ("DOKPLOY_API_TOKEN", KEY.to_owned()),
            ("STACK_IMAGE", "sandbox/hello".to_owned()),
            ("STACK_DOMAIN_SUFFIX", "localhost".to_owned()),
            ("STACK_SCHEME", "http".to_owned()),
            ("STACK_PUBLIC_PORT", sandbox.edge().port().to_string()),
            ("STACK_ALLOW_PRIVATE", "true".to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value)),
    );
    let cli: Cli = config::parse(&["portal".into()], &environment)?;
    let mut settings = cli.options.settle(&environment)?;
    // Any free one.
    settings.http.addr.set_port(0);
    Ok(settings)
}

/// Makes a client as plain as the portal's own. A portal must have been started before: it
/// installs what the client needs.
pub(crate) fn client() -> reqwest::Result<reqwest::Client> {
    let builder = reqwest::Client::builder().http1_only().no_proxy().tls_certs_only([]);
    builder.timeout(std::time::Duration::from_secs(30)).build()
}
