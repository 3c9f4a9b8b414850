//! The options of the sandbox, for all programs that can run it.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use secrecy::SecretString;

use crate::{Fault, SandboxConfig, Timing};

/// The options of a sandbox that runs alone.
#[derive(Clone, Debug, Args)]
pub struct Options {
    /// Address of the API, for `DOKPLOY_URL`
    #[arg(long, default_value = "127.0.0.1:4000")]
    listen: SocketAddr,
    /// Address under which stacks are reached, routed by host
    #[arg(long, default_value = "127.0.0.1:8081")]
    edge: SocketAddr,
    /// The key that the API accepts, for `DOKPLOY_API_TOKEN`. The variable does not show it to other
    /// users of the machine, as the arguments of a process do
    #[arg(long, env = "SANDBOX_API_KEY", hide_env_values = true)]
    api_key: SecretString,
    /// File in which the state is stored; without it every start begins empty
    #[arg(long)]
    state: Option<PathBuf>,
    /// Latency of every answer, in milliseconds; the time in which containers stop is scaled with it
    #[arg(long, value_name = "MS", default_value = "40")]
    latency: u64,
    /// How often the key may be verified in a day, each request twice; Dokploy's default is 10
    /// [default: without limit]
    #[arg(long, value_name = "COUNT")]
    key_limit: Option<u32>,
    /// A fault, as CALL:KIND[=DURATION][:HOW OFTEN], like application.create:reset:2
    #[arg(long)]
    fault: Vec<Fault>,
}

impl From<Options> for SandboxConfig {
    fn from(options: Options) -> Self {
        Self {
            listen: options.listen,
            edge: options.edge,
            state: options.state,
            latency: Duration::from_millis(options.latency),
            timing: Timing::scaled_to(Duration::from_millis(options.latency)),
            key_limit: options.key_limit,
            faults: options.fault,
            ..Self::new(options.api_key, rand::random())
        }
    }
}
