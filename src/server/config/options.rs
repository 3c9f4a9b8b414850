//! The options, as `--help` lists them.
//!
//! Each is a variable of the same name. What depends on another is settled in `build`.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use secrecy::SecretString;

use super::auth::AuthOptions;
use super::limits::LimitOptions;
use super::outbound::OutboundOptions;
use super::parse::{self, PublicUrls};
use super::traces::TraceOptions;
use crate::server::origin::Scheme;
use crate::server::secrets::Keyring;
use crate::server::settings::{LogFormat, StoreSettings};
use domain::stack_spec::CertificateSource;

/// All settings of the server, as they are given.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Portal")]
pub struct Options {
    /// Address to listen on
    #[arg(long, env, hide_env_values = true, value_parser = parse::ip, default_value = "127.0.0.1")]
    pub(super) host: IpAddr,
    /// Port to listen on
    #[arg(long, env, hide_env_values = true, value_parser = parse::port, default_value = "3000")]
    pub(super) port: u16,
    /// Where people reach the portal: the only origin that browsers may post from. Several are
    /// separated by commas: the first is for links [default: `http://HOST:PORT`]
    #[arg(long, env, hide_env_values = true, value_parser = parse::public_urls)]
    pub(super) public_url: Option<PublicUrls>,
    /// Names this portal: two portals on one Dokploy must differ
    #[arg(long, env, hide_env_values = true, value_parser = parse::portal_name, default_value = "default")]
    pub(super) portal_name: String,
    /// The database: a SQLite file, created with its folder if missing, or
    /// `postgres://user:password@host/name` for several replicas
    #[arg(long, env, hide_env_values = true, value_parser = parse::store, default_value = "sqlite://data/portal.db")]
    pub(super) database_url: StoreSettings,
    /// The key that encrypts the secrets of stacks: 32 random bytes in base64. Several are
    /// separated by commas, each as ID:KEY; the first encrypts, all decrypt [default: portal.key
    /// beside a SQLite database]
    #[arg(long, env, hide_env_values = true, value_parser = parse::keyring)]
    pub(super) portal_secret_key: Option<Keyring>,
    /// Reserved names, separated by commas
    #[arg(long, env, hide_env_values = true, value_parser = parse::reserved_name, value_delimiter = ',')]
    pub(super) reserved_names: Vec<String>,
    /// How many days events and logs of ended deployments are kept
    #[arg(long, env, hide_env_values = true, value_parser = parse::count, default_value = "90")]
    pub(super) retention_days: u32,
    /// How many days entries of the audit log are kept
    #[arg(long, env, hide_env_values = true, value_parser = parse::count, default_value = "400")]
    pub(super) audit_retention_days: u32,
    /// How many deployments are executed at the same time
    #[arg(long, env, hide_env_values = true, value_parser = parse::count, default_value = "256")]
    pub(super) max_concurrent_deployments: u32,
    /// How many calls of Dokploy's domain.create each replica may have in progress; 16 to 20 in
    /// total block Dokploy permanently
    #[arg(long, env, hide_env_values = true, value_parser = parse::count, default_value = "2")]
    pub(super) domain_calls_per_replica: u32,
    /// How many of them all replicas together may have in progress
    #[arg(long, env, hide_env_values = true, value_parser = parse::count, default_value = "8")]
    pub(super) domain_calls: u32,
    /// How many other changing calls to the platform all replicas together may have in progress
    #[arg(long, env, hide_env_values = true, value_parser = parse::count, default_value = "8")]
    pub(super) changing_calls: u32,
    /// How long the lease of a deployment lasts without a heartbeat
    #[arg(long, env, hide_env_values = true, value_parser = parse::duration, default_value = "10s")]
    pub(super) lease_duration: Duration,
    /// How often the database is compared with the platform
    #[arg(long, env, hide_env_values = true, value_parser = parse::duration, default_value = "5m")]
    pub(super) reconcile_interval: Duration,
    /// How often every stack that should run is looked at
    #[arg(long, env, hide_env_values = true, value_parser = parse::duration, default_value = "60s")]
    pub(super) stack_watch_interval: Duration,
    /// How many deployments one address can request per minute
    #[arg(long, env, hide_env_values = true, value_parser = parse::count, default_value = "240")]
    pub(super) deploy_rate_limit: u32,
    /// Log filter: a level, or module=level
    #[arg(long, env, hide_env_values = true, value_parser = parse::log_filter, default_value = "info")]
    pub(super) rust_log: String,
    /// Log format: pretty or json [default: pretty on a terminal, else json]
    #[arg(long, env, hide_env_values = true, value_parser = parse::log_format)]
    pub(super) log_format: Option<LogFormat>,
    #[command(flatten)]
    pub(super) metrics: MetricsOptions,
    #[command(flatten)]
    pub(super) traces: TraceOptions,
    #[command(flatten)]
    pub(super) auth: AuthOptions,
    #[command(flatten)]
    pub(super) limits: LimitOptions,
    #[command(flatten)]
    pub(super) platform: PlatformOptions,
    #[command(flatten)]
    pub(super) stack: StackOptions,
    #[command(flatten)]
    pub(super) health: HealthOptions,
    #[command(flatten)]
    pub(super) outbound: OutboundOptions,
}

/// The options of the metrics.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Metrics (off unless one of these is set)")]
pub(super) struct MetricsOptions {
    /// Port that serves only `/metrics`, for Prometheus
    #[arg(long, env, hide_env_values = true, value_parser = parse::port)]
    pub(super) metrics_port: Option<u16>,
    /// Bearer token that `/metrics` requires; without `METRICS_PORT`, `PORT` serves it
    #[arg(long, env, hide_env_values = true, value_parser = parse::metrics_token)]
    pub(super) metrics_token: Option<SecretString>,
}

/// The options of the platform.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Platform")]
pub(super) struct PlatformOptions {
    /// Address of the Dokploy server [default: none, the embedded sandbox is used]
    #[arg(long, env, hide_env_values = true, value_parser = parse::dokploy_url)]
    pub(super) dokploy_url: Option<String>,
    /// API key for the Dokploy server
    #[arg(long, env, hide_env_values = true, value_parser = parse::key)]
    pub(super) dokploy_api_token: Option<SecretString>,
    /// Port under which the embedded sandbox serves its stacks
    #[arg(long, env, hide_env_values = true, value_parser = parse::port, default_value = "8081")]
    pub(super) sandbox_edge_port: u16,
}

/// The options of a stack and its address. `STACK_ENV_<NAME>` variables go into the container as
/// `<NAME>`, as does the content of the file that `STACK_FILE_<NAME>` names.
#[derive(Clone, Debug, Args)]
#[command(
    next_help_heading = "Stacks (STACK_ENV_<NAME>, or the file STACK_FILE_<NAME>, goes into the \
                               container as <NAME>)"
)]
pub(super) struct StackOptions {
    /// Domain of the stacks: a stack's host is NAME.SUFFIX [default: localhost with the sandbox,
    /// else required]
    #[arg(long, env, hide_env_values = true, value_parser = parse::domain)]
    pub(super) stack_domain_suffix: Option<String>,
    /// How a stack is reached: http or https [default: http with the sandbox, else https]
    #[arg(long, env, hide_env_values = true, value_parser = parse::scheme)]
    pub(super) stack_scheme: Option<Scheme>,
    /// Port under which stacks are reached [default: the sandbox's, else the scheme's own]
    #[arg(long, env, hide_env_values = true, value_parser = parse::port)]
    pub(super) stack_public_port: Option<u16>,
    /// Where certificates come from: letsencrypt, none or custom [default: letsencrypt, none
    /// with http]
    #[arg(long, env, hide_env_values = true, value_parser = parse::certificate)]
    pub(super) stack_certificate: Option<CertificateSource>,
    /// Folder with the templates that people choose from, instead of one image [default: three
    /// built-in ones with the sandbox, unless `STACK_IMAGE` is set]
    #[arg(long, env, hide_env_values = true)]
    pub(super) catalogue: Option<PathBuf>,
    /// Container image of a stack [default: none with the sandbox, else required without
    /// CATALOGUE]
    #[arg(long, env, hide_env_values = true, value_parser = parse::image)]
    pub(super) stack_image: Option<String>,
    /// Address of the image's private registry
    #[arg(long, env, hide_env_values = true, value_parser = parse::registry)]
    pub(super) stack_registry_url: Option<String>,
    /// User name for the registry
    #[arg(long, env, hide_env_values = true)]
    pub(super) stack_registry_user: Option<String>,
    /// Password for the registry
    #[arg(long, env, hide_env_values = true, value_parser = parse::secret)]
    pub(super) stack_registry_password: Option<SecretString>,
    /// Port on which the container listens
    #[arg(long, env, hide_env_values = true, value_parser = parse::port, default_value = "8080")]
    pub(super) stack_port: u16,
    /// CPU limit of a stack, like 0.5 [default: none]
    #[arg(long, env, hide_env_values = true, value_parser = parse::cpu)]
    pub(super) stack_cpu: Option<u64>,
    /// Memory limit of a stack, like 512m [default: none]
    #[arg(long, env, hide_env_values = true, value_parser = parse::memory)]
    pub(super) stack_memory: Option<u64>,
}

/// The options of health checks and time limits.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Health and time")]
pub(super) struct HealthOptions {
    /// Path that answers with success once a stack works
    #[arg(long, env, hide_env_values = true, value_parser = parse::health_path, default_value = "/health")]
    pub(super) stack_health_path: String,
    /// How long a started stack may take to answer
    #[arg(long, env, hide_env_values = true, value_parser = parse::duration, default_value = "60s")]
    pub(super) stack_health_timeout: Duration,
    /// Longest pause between two health checks
    #[arg(long, env, hide_env_values = true, value_parser = parse::duration, default_value = "5s")]
    pub(super) stack_health_interval: Duration,
    /// How long a stack's certificate may take to become valid
    #[arg(long, env, hide_env_values = true, value_parser = parse::duration, default_value = "5m")]
    pub(super) stack_certificate_timeout: Duration,
    /// How long a changed stack must go on to run before the change has succeeded; otherwise it is
    /// undone
    #[arg(long, env, hide_env_values = true, value_parser = parse::duration, default_value = "30s")]
    pub(super) stack_change_watch: Duration,
    /// PEM file with certificate authorities to trust for stacks only, besides those of `CA_FILE`
    #[arg(long, env, hide_env_values = true)]
    pub(super) stack_ca_file: Option<PathBuf>,
    /// Whether a stack's certificate must be valid
    #[arg(long, env, hide_env_values = true, action = clap::ArgAction::Set, value_parser = parse::switch, default_value = "true")]
    pub(super) stack_tls_verify: bool,
    /// Whether a stack's host may lead to a private address [default: true with the sandbox,
    /// else false]
    #[arg(long, env, hide_env_values = true, value_parser = parse::switch)]
    pub(super) stack_allow_private: Option<bool>,
    /// How long a deployment may take before it is undone
    #[arg(long, env, hide_env_values = true, value_parser = parse::duration, default_value = "15m")]
    pub(super) deployment_deadline: Duration,
    /// How long each step may take that only calls the platform's API
    #[arg(long, env, hide_env_values = true, value_parser = parse::duration, default_value = "5m")]
    pub(super) step_deadline: Duration,
    /// How long the platform may take to start a container: queue, pull and start
    #[arg(long, env, hide_env_values = true, value_parser = parse::duration, default_value = "10m")]
    pub(super) deploy_deadline: Duration,
    /// How long an undo may take, including the wait for a running deploy job; less than 30s counts
    /// as 30s
    #[arg(long, env, hide_env_values = true, value_parser = parse::duration, default_value = "5m")]
    pub(super) drain_limit: Duration,
}
