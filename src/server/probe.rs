//! The health probe: checks whether a stack's address answers, by one HTTP request over a new
//! connection.
//!
//! Names under `localhost` mean this machine, as in browsers. Other names are resolved, and their
//! private addresses are not used unless the policy allows it. It must not know the platform.

mod address;
mod special;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;
use reqwest::{Client, ClientBuilder, Response, Url};
use transport::{AuthoritiesError, Outbound, ProxyAddress};

use self::address::{Resolver, is_public};
use crate::server::local_fault::{self, LocalFault};

/// The number of bytes of a response body after which reading stops.
const LARGEST_ANSWER: usize = 4 * 1024;
/// The longest reason, in characters.
const REASON_LENGTH: usize = 300;

/// Addresses of both families that are reserved for documentation (RFC 5737, RFC 3849). There is a
/// route to one of them if there is any route out of this machine. Nothing is sent there.
const DOCUMENTATION_ADDRESSES: [SocketAddr; 2] = [
    SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), 9),
    SocketAddr::new(IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1)), 9),
];

/// Checks addresses of stacks.
#[async_trait]
pub trait Probe: Send + Sync {
    /// Sends one GET request to `url`, without following redirects. It takes at most `limit`.
    async fn check(&self, url: &str, limit: Duration) -> Health;
}

/// The result of a check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Health {
    /// An answer with this status.
    Answering(u16),
    /// No answer: the name does not resolve, the connection fails, or the time is over. Contains
    /// the reason.
    Silent(String),
    /// A local fault of the portal prevented the check, so it says nothing about the stack.
    /// Contains the reason as well.
    LocalFault(LocalFault, String),
    /// The certificate is not trusted; a new stack may not have its certificate yet. Contains the
    /// reason.
    Untrusted(String),
}

impl Health {
    /// Returns whether it is an answer with success.
    pub fn is_success(&self) -> bool {
        matches!(self, Self::Answering(200..=299))
    }
}

/// The certificate authorities that are trusted for a stack's host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trust {
    /// No authority: stacks are reached over plain HTTP.
    PlainHttp,
    /// The authorities that the system trusts.
    System,
    /// The authorities that the system trusts, and those in this PEM file.
    SystemAnd(PathBuf),
    /// Certificates are not verified.
    Unverified,
}

/// The addresses to which a host may resolve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressPolicy {
    /// Addresses of the public Internet, and this machine for names under `localhost`.
    Public,
    /// All addresses, including those of private networks.
    AnyAddress,
}

/// The probe cannot be created from its configuration.
#[derive(Debug, thiserror::Error)]
pub enum BuildProbeError {
    /// The file of authorities cannot be used.
    #[error(transparent)]
    Authorities(#[from] AuthoritiesError),
    /// The TLS client cannot be built, usually because the system has no certificate authorities.
    #[error("the HTTP client for health checks cannot be made")]
    Http(#[source] reqwest::Error),
}

/// A health probe that sends HTTP requests.
#[derive(Clone, Debug)]
pub struct HttpProbe {
    http: Client,
    policy: AddressPolicy,
    proxy: Option<ProxyAddress>,
}

impl HttpProbe {
    /// Creates a probe, which trusts the authorities of `outbound` as well. It uses no proxy but
    /// `proxy`, which resolves the names of stacks: then the policy applies only to IP addresses.
    ///
    /// # Errors
    ///
    /// Returns why no HTTP client can be built from `trust`.
    pub fn new(
        trust: &Trust,
        policy: AddressPolicy,
        outbound: &Outbound,
        proxy: Option<ProxyAddress>,
    ) -> Result<Self, BuildProbeError> {
        transport::install_crypto_provider();
        let builder = Client::builder()
            .pool_max_idle_per_host(0)
            .dns_resolver(Resolver::new(reached(policy, proxy.as_ref())));
        let builder =
            outbound.through(proxy.clone()).configure(builder, *trust != Trust::PlainHttp);
        let http = trusting(builder, trust)?.build().map_err(BuildProbeError::Http)?;
        Ok(Self { http, policy, proxy })
    }

    /// Returns whether the host of `url` is an IP address that the policy forbids. The client does
    /// not resolve IP addresses, so the resolver cannot check them.
    fn is_out_of_reach(&self, url: &Url) -> bool {
        let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
        let address = host.parse::<IpAddr>().ok();
        self.policy == AddressPolicy::Public && address.is_some_and(|address| !is_public(address))
    }

    /// Returns the fault of the portal's own machine that explains `error`, if there is one: then
    /// the failed probe says nothing about the stack.
    async fn local_fault(
        &self,
        url: &Url,
        error: &reqwest::Error,
    ) -> Option<transport::LocalFault> {
        if transport::find_tls_error(error).is_some() {
            return None;
        }
        if !error.is_connect() {
            return transport::behind_silence().filter(|_| error.is_timeout());
        }
        let of_stack =
            || Some((url.host_str()?.trim_matches(['[', ']']), url.port_or_known_default()?));
        let (host, port) = self.proxy.as_ref().map_or_else(of_stack, ProxyAddress::server)?;
        let addresses = address::of(host, port, reached(self.policy, self.proxy.as_ref()));
        let fault = transport::behind(error, addresses, &DOCUMENTATION_ADDRESSES).await?;
        let look_up = async |name: String| transport::look_up(&name, port).await;
        // A name that does not resolve may be the fault of the stack's own zone. It is a local
        // fault only if the resolver does not answer for other names either.
        let is_ours = fault != transport::LocalFault::Names
            || transport::is_resolver_down(host, look_up).await;
        is_ours.then_some(fault)
    }

    #[expect(clippy::disallowed_methods, reason = "this asks a stack, not the platform")]
    async fn get(&self, url: Url, limit: Duration) -> reqwest::Result<Health> {
        let response = self.http.get(url).timeout(limit).send().await?;
        let status = response.status();
        if status.is_success() {
            read_some(response).await?;
        }
        Ok(Health::Answering(status.as_u16()))
    }
}

#[async_trait]
impl Probe for HttpProbe {
    async fn check(&self, url: &str, limit: Duration) -> Health {
        let Ok(url) = Url::parse(url) else {
            return Health::Silent("it is no address".to_owned());
        };
        if self.is_out_of_reach(&url) {
            return Health::Silent("its address is private".to_owned());
        }
        match self.get(url.clone(), limit).await {
            Ok(health) => health,
            Err(error) => match self.local_fault(&url, &error).await {
                Some(fault) => Health::LocalFault(
                    local_fault::classify(fault),
                    short(transport::describe(&error.without_url())),
                ),
                None => health_of(error, limit),
            },
        }
    }
}

/// Configures which certificate authorities the client trusts.
fn trusting(builder: ClientBuilder, trust: &Trust) -> Result<ClientBuilder, BuildProbeError> {
    Ok(match trust {
        Trust::PlainHttp | Trust::System => builder,
        Trust::SystemAnd(path) => builder.tls_certs_merge(transport::authorities(path)?),
        Trust::Unverified => builder.tls_danger_accept_invalid_certs(true),
    })
}

/// Returns the policy for the addresses that the client connects to itself: a proxy's may be
/// private.
fn reached(policy: AddressPolicy, proxy: Option<&ProxyAddress>) -> AddressPolicy {
    if proxy.is_some() { AddressPolicy::AnyAddress } else { policy }
}

/// Reads the beginning of a body, so that a connection that breaks after the headers is a failure.
async fn read_some(mut response: Response) -> reqwest::Result<()> {
    let mut length = 0;
    while length < LARGEST_ANSWER {
        match response.chunk().await? {
            Some(chunk) => length += chunk.len(),
            None => break,
        }
    }
    Ok(())
}

/// Returns what `error` says about the stack: an untrusted certificate, or no answer.
fn health_of(error: reqwest::Error, limit: Duration) -> Health {
    let error = error.without_url();
    if let Some(error) = transport::find_tls_error(&error) {
        Health::Untrusted(short(error.to_string()))
    } else if error.is_timeout() {
        Health::Silent(format!("no answer within {} ms", limit.as_millis()))
    } else {
        Health::Silent(short(transport::describe(&error)))
    }
}

fn short(text: String) -> String {
    text.chars().take(REASON_LENGTH).collect()
}
