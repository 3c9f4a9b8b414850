//! The configuration of a client, and why none can be made of it.

use std::time::Duration;

use secrecy::SecretString;
use transport::Outbound;

use super::breaker::FAILURES_TO_OPEN;
use super::problem::Problem;
use super::report::OnCall;

/// The configuration of a client.
#[derive(Clone, Debug)]
pub struct DokployConfig {
    /// The server's address, with or without a path or a trailing slash.
    pub base_url: String,
    /// An API key of an owner or admin, without a rate limit.
    pub api_key: SecretString,
    /// The time limit of a call.
    pub timeout: Duration,
    /// The time limit of the removal of an application, which waits for Docker.
    pub removal_timeout: Duration,
    /// The time limit for connecting, including name resolution and TLS.
    pub connect_timeout: Duration,
    /// The time for which an idle connection is kept: less than the 5 s after which the server
    /// closes it.
    pub idle_timeout: Duration,
    /// The number of failures in a row after which calls are paused for a minute.
    pub failures_to_open: u32,
    /// How the server is reached.
    pub outbound: Outbound,
    /// Called once with each problem of the whole server when it begins. By default, logs it.
    pub report_problem: fn(Problem),
    /// Called after each call, for those who count calls. By default, does nothing.
    pub on_call: OnCall,
}

impl DokployConfig {
    /// Creates a configuration with the default time limits.
    pub fn new(base_url: impl Into<String>, api_key: SecretString) -> Self {
        Self {
            base_url: base_url.into(),
            api_key,
            timeout: Duration::from_secs(15),
            removal_timeout: Duration::from_secs(45),
            connect_timeout: Duration::from_secs(5),
            idle_timeout: Duration::from_secs(3),
            failures_to_open: FAILURES_TO_OPEN,
            outbound: Outbound::default(),
            report_problem: Problem::log,
            on_call: OnCall::default(),
        }
    }
}

/// A client cannot be created from its configuration.
#[derive(Debug, thiserror::Error)]
pub enum BuildDokployError {
    /// The address is invalid, is not an HTTP address, or contains a user or a query.
    #[error("the Dokploy address must look like https://dokploy.example.org")]
    BaseUrl,
    /// The key contains characters that are not allowed in a header.
    #[error("the Dokploy API key holds characters that cannot be sent")]
    ApiKey,
    /// The TLS client cannot be built, usually because the system has no certificate authorities.
    #[error("the HTTP client for Dokploy cannot be made")]
    Http(#[source] reqwest::Error),
}
