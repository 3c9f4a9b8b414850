//! The server's settings, typed and checked, by concern.
//!
//! Plain values: where they came from is `config`'s business, and none of them changes while
//! the server runs.

mod auth;

use std::{net::SocketAddr, path::PathBuf, time::Duration};

pub use auth::{AuthSettings, OidcSettings, SessionSettings};
use secrecy::SecretString;

use super::{
    masking,
    origin::{Origin, Scheme},
    platform::call_slots::CallBounds,
    proxies::Proxy,
};
use crate::api::wire::AddressPattern;
use crate::server::{platform::Registry, secrets::Keyring};
use domain::{deployment::DeploymentId, stack_name::StackName, stack_spec::CertificateSource};

/// Everything that the server is told from outside.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Describes how the portal is reached.
    pub http: HttpSettings,
    /// The access mode.
    pub auth: AuthSettings,
    /// The platform.
    pub platform: PlatformSettings,
    /// The store of deployments.
    pub store: StoreSettings,
    /// The keys under which secrets are stored.
    pub secret_key: Option<Keyring>,
    /// The settings of a stack.
    pub stack: StackSettings,
    /// Describes how stacks are asked whether they answer.
    pub probe: ProbeSettings,
    /// The limits on concurrent work.
    pub limits: Limits,
    /// The quotas of one owner.
    pub quotas: Quotas,
    /// Names that nobody gets besides the built-in ones.
    pub reserved_names: Vec<String>,
    /// The number of days for which events and logs of ended deployments are kept.
    pub retention_days: u32,
    /// Describes how the server's own log is written.
    pub log: LogSettings,
}

/// Describes how the portal is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpSettings {
    /// The address to listen on.
    pub addr: SocketAddr,
    /// The place where people reach it: the only origin that browsers may post from.
    pub public_url: Origin,
    /// The proxies that are believed when they say from where somebody comes.
    pub trusted_proxies: Vec<Proxy>,
    /// Other origins whose pages may use the API with a token.
    pub cors_origins: Vec<Origin>,
}

/// The platform.
#[derive(Clone, Debug)]
pub enum PlatformSettings {
    /// The embedded sandbox.
    Sandbox {
        /// The loopback address under which its stacks are reached.
        edge: SocketAddr,
    },
    /// A Dokploy server.
    Dokploy {
        /// Its address, without a slash at the end.
        url: String,
        /// The key for its API.
        token: SecretString,
    },
}

impl PlatformSettings {
    /// Returns whether it is the embedded sandbox.
    pub fn is_sandbox(&self) -> bool {
        matches!(self, Self::Sandbox { .. })
    }
}

/// The store of deployments.
#[derive(Clone, Debug)]
pub enum StoreSettings {
    /// A file; made with its folder when missing.
    Sqlite {
        /// The file.
        path: PathBuf,
    },
    /// A PostgreSQL database, which several portals may share.
    Postgres {
        /// Its address, which may hold a password.
        url: SecretString,
    },
}

/// Describes how stacks are asked whether they answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProbeSettings {
    /// A file with certificate authorities to trust besides the public ones.
    pub ca_file: Option<PathBuf>,
    /// True if a stack's certificate must be valid.
    pub verify_tls: bool,
    /// True if a stack's host may lead to a private or loopback address.
    pub allow_private: bool,
}

/// The limits on concurrent work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The number of deployments that are driven at once; the others wait.
    pub concurrent_deployments: usize,
    /// The number of mutating calls that may be under way on the platform at once.
    pub calls: CallBounds,
    /// The number of deployments that one address can ask for within a minute.
    pub deploys_per_minute: u32,
    /// The number of names that one address can look at within a second.
    pub checks_per_second: Option<u32>,
    /// The number of streams that one person may have open.
    pub streams_per_person: Option<u32>,
    /// The number of streams that one address may have open.
    pub streams_per_address: Option<u32>,
    /// The time for which the right to drive a deployment lasts without a heartbeat.
    pub lease: Duration,
    /// The interval at which the store is compared with the platform.
    pub reconcile_interval: Duration,
}

/// The quotas of one owner; `None` is no bound.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quotas {
    /// The number of stacks that one may have.
    pub stacks: Option<u32>,
    /// The number of deployments of that one may be under way.
    pub under_way: Option<u32>,
    /// The number of deployments that may be under way in all.
    pub under_way_in_all: Option<u32>,
    /// The number of deployments that one may start within an hour.
    pub per_hour: Option<u32>,
    /// The time for which the name of a removed stack is kept for its owner.
    pub hold_down: Option<Duration>,
}

/// Describes how the server's own log is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogSettings {
    /// The log filter, in the form of `RUST_LOG`.
    pub filter: String,
    /// Describes how a line looks; `None` where the terminal decides.
    pub format: Option<LogFormat>,
}

/// Describes how a line of the log looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Pretty,
    /// For machines.
    Json,
}

/// The settings of a stack: its image, its address, and its time limits.
#[derive(Clone, Debug)]
pub struct StackSettings {
    /// This portal's name, part of every marker.
    pub portal_name: String,
    /// Describes how a stack is reached.
    pub scheme: Scheme,
    /// The suffix of a stack's host, without a dot in front.
    pub suffix: String,
    /// The port under which stacks are reached, where it is not the scheme's own.
    pub public_port: Option<u16>,
    /// The source of a stack's certificate.
    pub certificate: CertificateSource,
    /// The image, with its tag or digest.
    pub image: String,
    /// The private registry it comes from.
    pub registry: Option<Registry>,
    /// The port on which the container listens.
    pub port: u16,
    /// CPU limit in nano-CPUs: 1 CPU is 1,000,000,000.
    pub cpu_nanos: Option<u64>,
    /// Memory limit in bytes.
    pub memory_bytes: Option<u64>,
    /// The container's environment, by name.
    pub environment: Vec<(String, SecretString)>,
    /// The path that answers with success once the stack works.
    pub health_path: String,
    /// The time that a stack may take to answer once it is started.
    pub health_timeout: Duration,
    /// The longest pause between two questions to a stack.
    pub health_interval: Duration,
    /// The time that its certificate may take to become valid.
    pub certificate_timeout: Duration,
    /// The time that a deployment may take.
    pub deadlines: Deadlines,
}

/// The time that a deployment and its parts may take, over the wall clock and across restarts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadlines {
    /// From the start until it is given up.
    pub whole: Duration,
    /// For each step that only asks the platform for something.
    pub step: Duration,
    /// For starting the container: the platform's queue, the pull and the start.
    pub deploy: Duration,
    /// For the undo, the wait for a deploy job that is under way among it.
    pub drain: Duration,
}

impl Deadlines {
    /// The least that an undo gets, also after a restart, however long the portal was away: the
    /// evidence that something is gone takes some seconds.
    pub const LEAST_DRAIN: Duration = Duration::from_secs(30);

    /// Returns what an operator should know of these limits at the start.
    pub fn warning(&self) -> Option<String> {
        let least = Self::LEAST_DRAIN.as_secs();
        (self.drain < Self::LEAST_DRAIN).then(|| {
            format!(
                "DRAIN_LIMIT is less than {least}s and counts as {least}s, the minimum that \
                 undoing needs"
            )
        })
    }
}

impl StackSettings {
    /// Returns whether anything is handed to a stack that must not be stored in plain text.
    pub fn has_secrets(&self) -> bool {
        self.registry.is_some() || !self.environment.is_empty()
    }

    /// Returns what an operator should know of all this at the start.
    pub fn warnings(&self) -> Vec<String> {
        let password = self
            .registry
            .iter()
            .map(|registry| ("STACK_REGISTRY_PASSWORD", "", &registry.password));
        let variables =
            self.environment.iter().map(|(name, value)| ("STACK_ENV_", name.as_str(), value));
        let short = password.chain(variables).filter(|(_, _, value)| masking::is_too_short(value));
        let short = short.map(|(before, name, _)| {
            format!(
                "{before}{name} is too short to be masked in the platform's log of a failure: if \
                 it is a secret, use 4 characters or more"
            )
        });
        self.deadlines.warning().into_iter().chain(short).collect()
    }

    /// Returns what the project of the stack called `name` is called on the platform.
    pub fn project(name: &StackName) -> String {
        format!("ai-stack-{name}")
    }

    /// Returns the host of the stack called `name`.
    pub fn host(&self, name: &StackName) -> String {
        format!("{name}.{}", self.suffix)
    }

    /// Returns where the stack called `name` is reached.
    pub fn url(&self, name: &StackName) -> String {
        self.address_pattern().address(name.as_str())
    }

    /// Returns the address that tells whether the stack at `host` works.
    pub fn health_url(&self, host: &str) -> String {
        format!("{}://{host}{}{}", self.scheme, self.shown_port(), self.health_path)
    }

    /// Returns how a stack's address is made of its name.
    pub fn address_pattern(&self) -> AddressPattern {
        AddressPattern {
            before: format!("{}://", self.scheme),
            after: format!(".{}{}", self.suffix, self.shown_port()),
        }
    }

    /// Returns what is written on every resource that the deployment `id` makes, so that it
    /// can be found and known as ours.
    pub fn marker(&self, id: &DeploymentId) -> String {
        format!("{}{id}", self.marker_prefix())
    }

    /// Returns how every marker of this portal begins.
    pub fn marker_prefix(&self) -> String {
        format!("ai-stack-deployer/{}/", self.portal_name)
    }

    fn shown_port(&self) -> String {
        match self.public_port {
            Some(port) if port != self.scheme.default_port() => format!(":{port}"),
            Some(_) | None => String::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(scheme: Scheme, public_port: Option<u16>) -> StackSettings {
        StackSettings {
            portal_name: String::from("staging"),
            scheme,
            suffix: String::from("ai.example.com"),
            public_port,
            certificate: CertificateSource::LetsEncrypt,
            image: String::from("sandbox/hello"),
            registry: None,
            port: 8080,
            cpu_nanos: None,
            memory_bytes: None,
            environment: Vec::new(),
            health_path: String::from("/health"),
            health_timeout: Duration::from_mins(1),
            health_interval: Duration::from_secs(5),
            certificate_timeout: Duration::from_mins(5),
            deadlines: Deadlines {
                whole: Duration::from_mins(15),
                step: Duration::from_mins(5),
                deploy: Duration::from_mins(10),
                drain: Duration::from_mins(5),
            },
        }
    }

    #[test]
    fn an_address_shows_only_a_port_that_the_scheme_does_not_imply() {
        let alice = StackName::parse("alice").unwrap();
        let cases = [
            (Scheme::Https, None, "https://alice.ai.example.com"),
            (Scheme::Https, Some(443), "https://alice.ai.example.com"),
            (Scheme::Http, Some(443), "http://alice.ai.example.com:443"),
            (Scheme::Http, Some(8081), "http://alice.ai.example.com:8081"),
        ];
        for (scheme, port, url) in cases {
            let settings = settings(scheme, port);
            assert_eq!(settings.url(&alice), url);
            let host = settings.host(&alice);
            assert_eq!(settings.health_url(&host), format!("{url}/health"));
        }
    }

    #[test]
    fn the_marker_names_portal_and_deployment() {
        let id = DeploymentId::from_random(1);
        let marker = settings(Scheme::Https, None).marker(&id);
        assert_eq!(marker, format!("ai-stack-deployer/staging/{id}"));
    }
}
