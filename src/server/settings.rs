//! The server's settings, typed and checked, by concern.
//!
//! They are plain values, which `config` reads and which do not change while the server runs.

mod auth;
mod marks;
mod outbound;
mod template;
mod watchers;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

pub use auth::{AuthSettings, OidcSettings, SessionSettings};
pub use outbound::{OutboundSettings, ProbeSettings};
use secrecy::SecretString;
use strum::EnumString;
pub use watchers::{BatchSettings, MetricsSettings, TraceSettings};

use super::masking;
use super::origin::{Origin, Scheme};
use super::platform::call_slots::CallBounds;
use super::proxies::Proxy;
use crate::server::platform::{Registry, RetryFile};
use crate::server::secrets::Keyring;
use crate::wire::AddressPattern;
use domain::stack_name::StackName;
use domain::stack_spec::CertificateSource;

/// All settings of the server.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The addresses of the portal, and whom it trusts.
    pub http: HttpSettings,
    /// The access mode: open, or sign-in.
    pub auth: AuthSettings,
    /// The platform.
    pub platform: PlatformSettings,
    /// The store of deployments.
    pub store: StoreSettings,
    /// The keys that encrypt stored secrets.
    pub secret_key: Option<Keyring>,
    /// Where the templates come from.
    pub catalogue: CatalogueSource,
    /// The settings of a stack.
    pub stack: StackSettings,
    /// The settings of health probes.
    pub probe: ProbeSettings,
    /// The limits on concurrent work.
    pub limits: Limits,
    /// The quotas of one owner.
    pub quotas: Quotas,
    /// Reserved names, in addition to the built-in ones.
    pub reserved_names: Vec<String>,
    /// The number of days for which events and logs of ended deployments are kept.
    pub retention_days: u32,
    /// The number of days for which entries of the audit log are kept.
    pub audit_retention_days: u32,
    /// How the portal reaches others.
    pub outbound: OutboundSettings,
    /// The settings of the server's log.
    pub log: LogSettings,
    /// Who gets traces of operations; `None` means nobody.
    pub traces: Option<TraceSettings>,
    /// What the operator should know about the variables, such as misspelt names.
    pub warnings: Vec<String>,
}

/// The addresses of the portal, and whom it trusts.
#[derive(Clone, Debug)]
pub struct HttpSettings {
    /// The address to listen on.
    pub addr: SocketAddr,
    /// The origin at which people reach the portal, which is used for links.
    pub public_url: Origin,
    /// Other origins at which people reach the portal. Browsers may post from all of these only.
    pub other_public_urls: Vec<Origin>,
    /// The proxies whose `X-Forwarded-For` is trusted.
    pub trusted_proxies: Vec<Proxy>,
    /// Other origins whose pages may use the API with a token.
    pub cors_origins: Vec<Origin>,
    /// Who may read the metrics, and where.
    pub metrics: MetricsSettings,
}

impl HttpSettings {
    /// Returns the origins at which people reach the portal, the first for links.
    pub fn origins(&self) -> impl Iterator<Item = &Origin> {
        std::iter::once(&self.public_url).chain(&self.other_public_urls)
    }

    /// Returns whether people reach the portal over HTTPS. An open portal has no mixture.
    pub fn is_secure(&self) -> bool {
        self.origins().all(|origin| origin.scheme() == Scheme::Https)
    }
}

/// The platform.
#[derive(Clone, Debug)]
pub enum PlatformSettings {
    /// The embedded sandbox.
    Sandbox {
        /// The loopback address at which its stacks are reached.
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

/// Where the templates come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CatalogueSource {
    /// The one image of the settings.
    Settings,
    /// This folder, with a folder for each template.
    Folder(PathBuf),
    /// The portal itself: images of the embedded sandbox.
    BuiltIn,
}

/// The store of deployments.
#[derive(Clone, Debug)]
pub enum StoreSettings {
    /// An SQLite file, created with its folder if missing.
    Sqlite {
        /// The file.
        path: PathBuf,
    },
    /// A PostgreSQL database, which several portals may share.
    Postgres {
        /// Its address, which may contain a password.
        url: SecretString,
    },
}

/// The limits on concurrent work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The number of deployments that are executed at the same time; the others wait.
    pub concurrent_deployments: usize,
    /// The limits on concurrent calls that change something on the platform.
    pub calls: CallBounds,
    /// The number of deployments that one address can request per minute.
    pub deploys_per_minute: u32,
    /// The number of names that one address can check per second; `None` means no limit.
    pub checks_per_second: Option<u32>,
    /// The number of streams that one person may have open; `None` means no limit.
    pub streams_per_person: Option<u32>,
    /// The number of streams that one address may have open; `None` means no limit.
    pub streams_per_address: Option<u32>,
    /// The number of connections in all; `None` means as many as there may be open files.
    pub connections_in_all: Option<u32>,
    /// The number of connections of one address; `None` means no limit.
    pub connections_per_address: Option<u32>,
    /// The time for which the lease of a deployment lasts without a heartbeat.
    pub lease: Duration,
    /// The interval at which the database is compared with the platform.
    pub reconcile_interval: Duration,
    /// The interval at which every stack that should run is looked at.
    pub watch_interval: Duration,
}

/// The quotas of one owner; `None` means no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quotas {
    /// The number of stacks.
    pub stacks: Option<u32>,
    /// The number of deployments in progress.
    pub under_way: Option<u32>,
    /// The number of deployments in progress of all owners together.
    pub under_way_in_all: Option<u32>,
    /// The number of deployments started within an hour.
    pub per_hour: Option<u32>,
    /// The number of operations begun within an hour, but for stops and removals.
    pub operations_per_hour: Option<u32>,
    /// The time for which the name of a removed stack is reserved for its owner.
    pub hold_down: Option<Duration>,
    /// The number of stacks whose data is kept.
    pub kept: Option<u32>,
    /// The time for which a removal keeps data.
    pub removal_grace: Duration,
}

/// The settings of the server's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogSettings {
    /// The log filter, in the form of `RUST_LOG`.
    pub filter: String,
    /// The format of a line; `None` means pretty on a terminal, otherwise JSON.
    pub format: Option<LogFormat>,
}

/// The format of a line of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumString)]
#[strum(serialize_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Pretty,
    /// For machines.
    Json,
}

/// The settings of a stack: its image, its address, and its time limits.
#[derive(Clone, Debug)]
pub struct StackSettings {
    /// This portal's name, which is part of every marker.
    pub portal_name: String,
    /// The scheme of a stack's address.
    pub scheme: Scheme,
    /// The suffix of a stack's host, without a leading dot.
    pub suffix: String,
    /// The port at which stacks are reached, if it is not the scheme's default.
    pub public_port: Option<u16>,
    /// The source of a stack's certificate.
    pub certificate: CertificateSource,
    /// The image, with its tag or digest, where there is no catalogue.
    pub image: String,
    /// The private registry of the image, if it needs a login.
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
    /// The longest pause between two probes of a stack.
    pub health_interval: Duration,
    /// The time that its certificate may take to become valid.
    pub certificate_timeout: Duration,
    /// The time limits of a deployment.
    pub deadlines: Deadlines,
    /// How far ahead a stack may expire; `None` means that it need not expire.
    pub lifetime_max: Option<Duration>,
}

/// The time limits of a deployment and its parts, which include restarts of the portal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadlines {
    /// The limit of the whole deployment; after it, the deployment is undone.
    pub whole: Duration,
    /// The limit of each step that only calls the platform's API.
    pub step: Duration,
    /// The limit of the deploy step: queue, image pull and container start.
    pub deploy: Duration,
    /// The limit of the undo, including the wait for a running deploy job.
    pub drain: Duration,
    /// For how long a changed stack must go on to run before the change has succeeded.
    pub watch: Duration,
}

impl Deadlines {
    /// The minimum time for an undo, even after a long restart: verifying that a service is gone
    /// takes some seconds.
    pub const LEAST_DRAIN: Duration = Duration::from_secs(30);

    /// Returns a warning about these limits for the operator, if there is one.
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
    /// Returns whether a stack gets secrets: variables, or a registry password.
    pub fn has_secrets(&self) -> bool {
        self.registry.is_some() || !self.environment.is_empty()
    }

    /// Returns the warnings about these settings for the operator.
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

    /// Returns the name that the project of the stack `name` has on the platform.
    pub fn project(name: &StackName) -> String {
        format!("ai-stack-{name}")
    }

    /// Returns the host of the stack called `name`.
    pub fn host(&self, name: &StackName) -> String {
        format!("{name}.{}", self.suffix)
    }

    /// Returns the URL of the stack called `name`.
    pub fn url(&self, name: &StackName) -> String {
        let Self { scheme, suffix, .. } = self;
        format!("{scheme}://{name}.{suffix}{}", self.shown_port())
    }

    /// Returns the URL of the stack at `host`.
    pub fn url_of_host(&self, host: &str) -> String {
        format!("{}://{host}{}", self.scheme, self.shown_port())
    }

    /// Returns the address of `host` where the reverse proxy is reached without TLS.
    pub fn plain_url_of(&self, host: &str) -> String {
        let port = self.public_port.filter(|_| self.scheme == Scheme::Http);
        format!("http://{host}{}", port.map(|port| format!(":{port}")).unwrap_or_default())
    }

    /// Returns the portal's own file of the reverse proxy; `None` if its name or that of its stacks
    /// cannot be part of one.
    pub fn retry_file(&self) -> Option<RetryFile> {
        RetryFile::of(&self.portal_name, &self.suffix)
    }

    /// Returns the pattern that makes a stack's address from its name.
    pub fn address_pattern(&self) -> AddressPattern {
        AddressPattern {
            before: format!("{}://", self.scheme),
            after: format!(".{}{}", self.suffix, self.shown_port()),
        }
    }

    fn shown_port(&self) -> String {
        match self.public_port {
            Some(port) if port != self.scheme.default_port() => format!(":{port}"),
            Some(_) | None => String::new(),
        }
    }
}

#[cfg(test)]
mod tests;
