//! A whole portal in this process: real HTTP, a SQLite store on disk, and a sandbox as its
//! platform.

use std::path::Path;
use std::time::Duration;

use ai_stack_deployer::run::Portal;
use ai_stack_deployer::server::config::{self, Environment, Options};
use ai_stack_deployer::server::operations;
use ai_stack_deployer::server::settings::Settings;
use anyhow::Context;
use clap::Parser;
use dokploy_sandbox::Timing;
use domain::kind::Kinds;
use leptos::config::LeptosOptions;
use reqwest::header::HeaderMap;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use super::platform::Platform;

/// The time for which an answer may leave one waiting; streams say something more often.
const SILENCE: Duration = Duration::from_secs(30);

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    options: Options,
}

/// A portal and its platform.
pub(crate) struct World {
    pub(crate) portal: Portal,
    pub(crate) platform: Platform,
    stop_portal: CancellationToken,
    _folder: TempDir,
}

impl World {
    /// Starts both; the built site lies in `site`.
    pub(crate) async fn start(timing: Timing, site: &Path) -> anyhow::Result<Self> {
        Self::start_with(timing, site, &[]).await
    }

    /// Starts both, the portal with more settings.
    pub(crate) async fn start_with(
        timing: Timing,
        site: &Path,
        more: &[(&str, &str)],
    ) -> anyhow::Result<Self> {
        Self::prepared(timing, site, more, |_| Ok(())).await
    }

    /// Does the same, and calls `prepare` before the portal knows its platform.
    pub(crate) async fn prepared(
        timing: Timing,
        site: &Path,
        more: &[(&str, &str)],
        prepare: impl FnOnce(&Platform) -> anyhow::Result<()>,
    ) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let stop_portal = CancellationToken::new();
        let platform = Platform::start(timing).await?;
        prepare(&platform)?;
        let settings = settings(&platform, folder.path(), more)?;
        let site = LeptosOptions::builder()
            .output_name("ai-stack-deployer")
            .site_root(site.to_str().context("the site's folder is not UTF-8")?.to_owned())
            .build();
        let (kinds, operations) = (Kinds::default(), operations::all());
        let portal = Portal::start(settings, kinds, operations, site, stop_portal.clone()).await?;
        Ok(Self { portal, platform, stop_portal, _folder: folder })
    }

    /// Returns the address of the portal.
    pub(crate) fn root(&self) -> String {
        format!("http://{}", self.portal.addr())
    }

    /// Stops the portal, then its platform.
    pub(crate) async fn end(self) {
        self.stop_portal.cancel();
        self.portal.stopped().await;
        self.platform.end().await;
    }
}

fn settings(platform: &Platform, folder: &Path, more: &[(&str, &str)]) -> anyhow::Result<Settings> {
    let own = [
        ("DATABASE_URL", format!("sqlite://{}", folder.join("portal.db").display())),
        ("DEPLOY_RATE_LIMIT", "100000".to_owned()),
    ];
    let variables = own.into_iter().chain(platform.variables());
    let more = more.iter().map(|(name, value)| (*name, (*value).to_owned()));
    let variables = variables.chain(more);
    let environment: Environment =
        variables.map(|(name, value)| (name.to_owned(), value)).collect();
    let cli: Cli = config::parse(&["portal".into()], &environment)?;
    let mut settings = cli.options.resolve(&environment)?;
    // Any free one.
    settings.http.addr.set_port(0);
    Ok(settings)
}

/// Makes a client as plain as the portal's own.
pub(crate) fn client() -> reqwest::Result<reqwest::Client> {
    client_with(HeaderMap::new())
}

/// Makes one that sends these fields with each request.
pub(crate) fn client_with(headers: HeaderMap) -> reqwest::Result<reqwest::Client> {
    // A portal in this process would do so; there may be none. The first one stays.
    rustls::crypto::ring::default_provider().install_default().ok();
    let builder = reqwest::Client::builder()
        .default_headers(headers)
        .http1_only()
        .no_proxy()
        .tls_certs_only([]);
    builder.connect_timeout(SILENCE).read_timeout(SILENCE).build()
}
