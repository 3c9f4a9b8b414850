//! Builds the settings from the options: defaults that depend on other options, and valid
//! combinations.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use secrecy::SecretString;

use super::environment::{self, STACK_ENV};
use super::limits::Bounded;
use super::options::{MetricsOptions, Options, PlatformOptions, StackOptions};
use super::parse::PublicUrls;
use super::{ConfigError, Environment};
use crate::server::origin::{Origin, Scheme};
use crate::server::platform::call_slots::CallBounds;
use crate::server::platform::{OPERATION, REVISION, Registry};
use crate::server::settings::{
    AuthSettings, CatalogueSource, Deadlines, HttpSettings, Limits, LogSettings, MetricsSettings,
    PlatformSettings, ProbeSettings, Settings, StackSettings, StoreSettings, TraceSettings,
};

use domain::stack_spec::CertificateSource;

impl Options {
    /// Determines the defaults that depend on other options, and checks the combination of all.
    ///
    /// # Errors
    ///
    /// Returns the first setting that is missing or in conflict with others.
    pub fn resolve(self, environment: &Environment) -> Result<Settings, ConfigError> {
        let platform = platform(&self.platform)?;
        check_store(&self.database_url, &platform)?;
        let stack = self.stack(&platform, environment)?;
        let catalogue = catalogue(&self.stack, &platform);
        let unused = unused_image(&self.stack);
        let sandbox = platform.is_sandbox();
        let http = HttpSettings {
            trusted_proxies: self.limits.trusted_proxies.clone(),
            cors_origins: self.limits.cors_origins.clone(),
            metrics: metrics(self.metrics, self.host, self.port)?,
            ..http(self.host, self.port, self.public_url)
        };
        let auth = self.auth.resolve(&http)?;
        let bounded = bounded(&auth, http.addr.ip());
        let rates = self.limits.rates(bounded, http.addr.ip());
        let mut reserved_names = self.reserved_names;
        reserved_names.retain(|name| !name.is_empty());
        reserved_names.extend(own_names(&stack.suffix, &http, &platform));
        let traces = self.traces.resolve()?;
        let store = self.outbound.trusted_by(self.database_url);
        let proxy = self.outbound.stack_probe_proxy.clone();
        let reached = reached(&platform, &auth, traces.as_ref());
        let (outbound, ignored) = self.outbound.resolve(&reached)?;
        Ok(Settings {
            http,
            auth,
            store,
            secret_key: self.portal_secret_key,
            catalogue,
            stack,
            probe: ProbeSettings {
                ca_file: self.health.stack_ca_file,
                verify_tls: self.health.stack_tls_verify,
                allow_private: self.health.stack_allow_private.unwrap_or(sandbox),
                proxy,
            },
            limits: Limits {
                concurrent_deployments: usize::try_from(self.max_concurrent_deployments)
                    .unwrap_or(usize::MAX),
                calls: CallBounds {
                    domains_each: self.domain_calls_per_replica,
                    domains: self.domain_calls,
                    others: self.changing_calls,
                },
                deploys_per_minute: self.deploy_rate_limit,
                checks_per_second: rates.checks_per_second,
                streams_per_person: rates.streams_per_person,
                streams_per_address: rates.streams_per_address,
                connections_in_all: rates.connections_in_all,
                connections_per_address: rates.connections_per_address,
                lease: self.lease_duration,
                reconcile_interval: self.reconcile_interval,
                watch_interval: self.stack_watch_interval,
            },
            quotas: self.limits.quotas(bounded),
            reserved_names,
            retention_days: self.retention_days,
            audit_retention_days: self.audit_retention_days,
            outbound,
            warnings: environment::warnings(environment)
                .into_iter()
                .chain(ignored)
                .chain(unused)
                .collect(),
            log: LogSettings { filter: self.rust_log, format: self.log_format },
            traces,
            platform,
        })
    }

    fn stack(
        &self,
        platform: &PlatformSettings,
        environment: &Environment,
    ) -> Result<StackSettings, ConfigError> {
        let options = self.stack.clone();
        let registry = registry(&options)?;
        let image_on_dokploy = dokploy_image(&options);
        let (suffix, image, scheme, public_port) = match platform {
            PlatformSettings::Sandbox { edge } => (
                options.stack_domain_suffix.unwrap_or_else(|| String::from("localhost")),
                options.stack_image.unwrap_or_else(|| String::from("sandbox/hello")),
                options.stack_scheme.unwrap_or(Scheme::Http),
                Some(options.stack_public_port.unwrap_or(edge.port())),
            ),
            PlatformSettings::Dokploy { .. } => (
                required(options.stack_domain_suffix, "STACK_DOMAIN_SUFFIX", "ai.example.com")?,
                image_on_dokploy?,
                options.stack_scheme.unwrap_or(Scheme::Https),
                options.stack_public_port,
            ),
        };
        Ok(StackSettings {
            portal_name: self.portal_name.clone(),
            scheme,
            suffix,
            public_port,
            certificate: certificate(scheme, options.stack_certificate)?,
            image,
            registry,
            port: options.stack_port,
            cpu_nanos: options.stack_cpu,
            memory_bytes: options.stack_memory,
            environment: stack_environment(environment)?,
            health_path: self.health.stack_health_path.clone(),
            health_timeout: self.health.stack_health_timeout,
            health_interval: self.health.stack_health_interval,
            certificate_timeout: self.health.stack_certificate_timeout,
            deadlines: Deadlines {
                whole: self.health.deployment_deadline,
                step: self.health.step_deadline,
                deploy: self.health.deploy_deadline,
                drain: self.health.drain_limit,
                watch: self.health.stack_change_watch,
            },
            lifetime_max: self.limits.lifetime_max(),
        })
    }
}

/// Returns the image of a stack on Dokploy, which a catalogue makes unnecessary.
fn dokploy_image(options: &StackOptions) -> Result<String, ConfigError> {
    let image = options.stack_image.clone();
    let image = image.or_else(|| options.catalogue.as_ref().map(|_| String::new()));
    required(image, "STACK_IMAGE", "registry.example.com/ai-stack:1.4")
}

/// Returns where the templates come from: those of the embedded sandbox are built in.
fn catalogue(options: &StackOptions, platform: &PlatformSettings) -> CatalogueSource {
    match (&options.catalogue, platform, &options.stack_image) {
        (Some(folder), _, _) => CatalogueSource::Folder(folder.clone()),
        (None, PlatformSettings::Sandbox { .. }, None) => CatalogueSource::BuiltIn,
        (None, _, _) => CatalogueSource::Settings,
    }
}

/// Returns the warning about an image that a catalogue makes ineffective.
fn unused_image(options: &StackOptions) -> Option<String> {
    (options.catalogue.is_some() && options.stack_image.is_some()).then(|| {
        String::from(
            "STACK_IMAGE has no effect, because CATALOGUE is set: unset it, or describe the image \
             as a template",
        )
    })
}

fn http(host: IpAddr, port: u16, public_urls: Option<PublicUrls>) -> HttpSettings {
    let shown = match host {
        // Browsers cannot use the unspecified address (0.0.0.0).
        host if host.is_unspecified() => String::from("localhost"),
        IpAddr::V4(host) => host.to_string(),
        IpAddr::V6(host) => format!("[{host}]"),
    };
    let mut public_urls = public_urls.map_or_else(Vec::new, |PublicUrls(urls)| urls).into_iter();
    HttpSettings {
        addr: SocketAddr::new(host, port),
        public_url: public_urls.next().unwrap_or_else(|| Origin::new(Scheme::Http, shown, port)),
        other_public_urls: public_urls.collect(),
        trusted_proxies: Vec::new(),
        cors_origins: Vec::new(),
        metrics: MetricsSettings::default(),
    }
}

/// Returns where the metrics are.
fn metrics(
    options: MetricsOptions,
    host: IpAddr,
    port: u16,
) -> Result<MetricsSettings, ConfigError> {
    if options.metrics_port == Some(port) {
        let problem = "is the same as PORT: give another one, or only METRICS_TOKEN";
        return Err(ConfigError::setting("METRICS_PORT", problem));
    }
    let addr = options.metrics_port.map(|port| SocketAddr::new(host, port));
    Ok(MetricsSettings { addr, token: options.metrics_token })
}

/// Returns which limits apply by default.
fn bounded(auth: &AuthSettings, host: IpAddr) -> Bounded {
    match auth {
        AuthSettings::Oidc(_) => Bounded::People,
        AuthSettings::Open if host.to_canonical().is_loopback() => Bounded::Nothing,
        AuthSettings::Open => Bounded::Addresses,
    }
}

fn platform(options: &PlatformOptions) -> Result<PlatformSettings, ConfigError> {
    match (options.dokploy_url.clone(), options.dokploy_api_token.clone()) {
        (Some(url), Some(token)) => Ok(PlatformSettings::Dokploy { url, token }),
        (None, None) => {
            let edge = SocketAddr::from((Ipv4Addr::LOCALHOST, options.sandbox_edge_port));
            Ok(PlatformSettings::Sandbox { edge })
        }
        (Some(_), None) => Err(ConfigError::setting(
            "DOKPLOY_API_TOKEN",
            "is not set, but DOKPLOY_URL is: give the key of that server's API as well, or \
             neither to use the sandbox",
        )),
        (None, Some(_)) => Err(ConfigError::setting(
            "DOKPLOY_URL",
            "is not set, but DOKPLOY_API_TOKEN is: give the server's address as well, or \
             neither to use the sandbox",
        )),
    }
}

/// Returns the addresses that the portal reaches through proxies, with the variables that set them.
fn reached<'a>(
    platform: &'a PlatformSettings,
    auth: &'a AuthSettings,
    traces: Option<&'a TraceSettings>,
) -> Vec<(&'static str, &'a str)> {
    let platform = match platform {
        PlatformSettings::Dokploy { url, .. } => Some(("DOKPLOY_URL", url.as_str())),
        PlatformSettings::Sandbox { .. } => None,
    };
    let provider = match auth {
        AuthSettings::Oidc(oidc) => Some(("OIDC_ISSUER", oidc.issuer.as_str())),
        AuthSettings::Open => None,
    };
    let collector = traces.map(|to| ("OTEL_EXPORTER_OTLP_ENDPOINT", to.endpoint.as_str()));
    platform.into_iter().chain(provider).chain(collector).collect()
}

/// Checks that the embedded sandbox is not combined with PostgreSQL.
fn check_store(store: &StoreSettings, platform: &PlatformSettings) -> Result<(), ConfigError> {
    match (store, platform) {
        (StoreSettings::Postgres { .. }, PlatformSettings::Sandbox { .. }) => {
            Err(ConfigError::setting(
                "DATABASE_URL",
                "names a PostgreSQL database, which replicas share, but the embedded sandbox \
                 belongs to one process and its SQLite file: set DOKPLOY_URL as well. For a test, \
                 it can be the address of a standalone sandbox",
            ))
        }
        (StoreSettings::Postgres { .. }, PlatformSettings::Dokploy { .. })
        | (StoreSettings::Sqlite { .. }, _) => Ok(()),
    }
}

/// Returns the stack names whose host would be the portal's or its platform's.
fn own_names(suffix: &str, http: &HttpSettings, platform: &PlatformSettings) -> Vec<String> {
    let platform = match platform {
        PlatformSettings::Dokploy { url, .. } => Origin::split(url).ok().map(|(origin, _)| origin),
        PlatformSettings::Sandbox { .. } => None,
    };
    let hosts = http.origins().chain(&platform).map(Origin::host);
    let label = |host: &str| host.strip_suffix(suffix)?.strip_suffix('.').map(ToOwned::to_owned);
    hosts.filter_map(label).collect()
}

fn required(value: Option<String>, variable: &str, example: &str) -> Result<String, ConfigError> {
    value.ok_or_else(|| {
        let problem = format!("is not set: with DOKPLOY_URL it is needed, like {example}");
        ConfigError::setting(variable, problem)
    })
}

fn registry(options: &StackOptions) -> Result<Option<Registry>, ConfigError> {
    let url = options.stack_registry_url.clone();
    let missing = |variable| {
        let problem = "is not set: a private registry needs user and password";
        Err(ConfigError::setting(variable, problem))
    };
    match (options.stack_registry_user.clone(), options.stack_registry_password.clone()) {
        (Some(user), Some(password)) => Ok(Some(Registry { url, user, password })),
        (None, None) if url.is_none() => Ok(None),
        (None, _) => missing("STACK_REGISTRY_USER"),
        (Some(_), None) => missing("STACK_REGISTRY_PASSWORD"),
    }
}

fn certificate(
    scheme: Scheme,
    certificate: Option<CertificateSource>,
) -> Result<CertificateSource, ConfigError> {
    match (scheme, certificate) {
        (Scheme::Https, certificate) => Ok(certificate.unwrap_or(CertificateSource::LetsEncrypt)),
        (Scheme::Http, None | Some(CertificateSource::None)) => Ok(CertificateSource::None),
        (Scheme::Http, Some(CertificateSource::LetsEncrypt | CertificateSource::Custom)) => {
            let problem =
                "requires certificates, but STACK_SCHEME is http: remove one of the two settings";
            Err(ConfigError::setting("STACK_CERTIFICATE", problem))
        }
    }
}

fn stack_environment(
    environment: &Environment,
) -> Result<Vec<(String, SecretString)>, ConfigError> {
    let ours = environment.iter().filter_map(|(variable, value)| {
        variable.strip_prefix(STACK_ENV).map(|name| (variable, name, value))
    });
    ours.map(|(variable, name, value)| {
        let allowed = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let starts_well = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        if [OPERATION, REVISION].contains(&name) {
            let problem = "is set by the portal in each container: choose another name";
            return Err(ConfigError::setting(variable, problem));
        }
        if starts_well && name.chars().all(allowed) {
            Ok((name.to_owned(), SecretString::from(value.as_str())))
        } else {
            let problem = "is not a valid variable name: use letters, digits and underscores after \
                           STACK_ENV_, starting with a letter";
            Err(ConfigError::setting(variable, problem))
        }
    })
    .collect()
}
