//! The composition root: builds the parts, starts them, and stops them in order.
//!
//! It is the only module that knows every part.

mod adapters;
mod keys;
mod parts;
mod templates;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use leptos::config::LeptosOptions;
use secrecy::SecretString;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use transport::{AuthoritiesError, Outbound};

pub use self::adapters::{
    StorePorts, check_database, check_portal_name, open_for_cli, open_unmigrated,
    reconciler_for_cli,
};
use self::adapters::{call_gate_of_portal, connection_limits, listen, watching};
pub(crate) use self::adapters::{outbound, probe};
pub use self::keys::{NO_KEY, known as known_keys};
use self::parts::serve;
pub use self::parts::{Parts, Retention, purge_old_records};
use crate::http::{self, HttpState};
use crate::server::audit::AuditTrail;
use crate::server::auth::authenticate::Authenticator;
use crate::server::auth::oidc::{BuildOidcError, Oidc};
use crate::server::auth::sign_in::{SignInParts, SignInService};
use crate::server::catalogue::Offers;
use crate::server::metrics::Metrics;
use crate::server::notifier::Notifier;
use crate::server::probe::BuildProbeError;
use crate::server::reconciler::Reconciler;
use crate::server::reconciler::report::ReconcileReport;
use crate::server::saga::{Operations, Ports, Worker};
use crate::server::secrets::KeyringError;
use crate::server::secrets::key_file::KeyFileError;
use crate::server::settings::{
    AuthSettings, Limits, OidcSettings, PlatformSettings, Settings, StackSettings, StoreSettings,
};
use crate::server::sqlite_file::OpenStoreError;
use crate::server::stacks::{Service, ServiceParts};
use crate::server::store::Store;
use crate::server::store::postgres::OpenPostgresError;
use crate::server::traces::{BuildTracesError, Traces};
use crate::server::{catch_all, platform};
use clock::{Clock, SystemClock};
use dokploy::{
    BuildDokployError, Dokploy, DokployConfig, EncodeEnvironmentError, encode_environment,
};
use dokploy_sandbox::{self as sandbox, Sandbox, SandboxConfig, StartSandboxError};
use domain::kind::Kinds;

/// The time for which a shutdown waits for responses in progress and for the release of leases.
const GRACE: Duration = Duration::from_secs(8);

/// The portal did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The database cannot be used.
    #[error("DATABASE_URL cannot be used")]
    Store(#[from] OpenStoreError),
    /// The PostgreSQL database cannot be used.
    #[error("DATABASE_URL cannot be used")]
    Postgres(#[from] OpenPostgresError),
    /// The embedded sandbox cannot start.
    #[error(transparent)]
    Sandbox(#[from] StartSandboxError),
    /// The client for Dokploy cannot be made.
    #[error("the client for DOKPLOY_URL cannot be made")]
    Dokploy(#[from] BuildDokployError),
    /// The client for the identity provider cannot be made.
    #[error("the client for OIDC_ISSUER cannot be made")]
    Oidc(#[from] BuildOidcError),
    /// The authorities of `CA_FILE` cannot be used.
    #[error("CA_FILE cannot be used")]
    Authorities(#[from] AuthoritiesError),
    /// The client for health checks cannot be made.
    #[error("the client for health checks cannot be made, see STACK_CA_FILE")]
    Probe(#[from] BuildProbeError),
    /// The client for the collector cannot be made.
    #[error("the client for the OpenTelemetry collector cannot be made")]
    Traces(#[from] BuildTracesError),
    /// The key beside the database cannot be used.
    #[error(transparent)]
    Key(#[from] KeyFileError),
    /// `PORTAL_SECRET_KEY` and `portal.key` contradict each other.
    #[error("PORTAL_SECRET_KEY, with the file portal.key beside the database, {0}")]
    KeyClash(KeyringError),
    /// The stacks have the marker of another name.
    #[error(
        "PORTAL_NAME is {set}, but the stacks in the database were created under {kept}: set \
         PORTAL_NAME to {kept}, or first remove all stacks under that name"
    )]
    PortalName {
        /// The name that is set.
        set: String,
        /// The name of the stacks.
        kept: String,
    },
    /// A variable cannot be passed to the container.
    #[error("STACK_ENV_{0}: choose another value")]
    Environment(EncodeEnvironmentError),
    /// The portal cannot listen on the address.
    #[error(
        "cannot listen on {addr}: stop what uses it, or set PORT (for the metrics METRICS_PORT) to a free port"
    )]
    Listen {
        /// The address.
        addr: SocketAddr,
        /// The reason.
        source: io::Error,
    },
}

/// A running portal.
pub struct Portal {
    addr: SocketAddr,
    sandbox: Option<Sandbox>,
    stop_sandbox: CancellationToken,
    store: Arc<dyn Store>,
    traces: Arc<Traces>,
    requests: TaskTracker,
    parts: Parts,
}

impl Portal {
    /// Starts the portal, which runs until `shutdown`. It shows the operations of `kinds`, and
    /// drives `operations`. It reads the platform once before it listens, so that its first answers
    /// do not have to guess the platform's state.
    ///
    /// # Errors
    ///
    /// Returns why it cannot start.
    pub async fn start(
        settings: Settings,
        kinds: Kinds,
        operations: Operations,
        site: LeptosOptions,
        shutdown: CancellationToken,
    ) -> Result<Self, StartError> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        check_environment(&settings.stack)?;
        let warnings = settings.warnings.iter().cloned().chain(settings.stack.warnings());
        warnings.for_each(|warning| tracing::warn!("{warning}"));
        let outbound = outbound(&settings)?;
        let notifier = Arc::new(Notifier::default());
        let metrics = Arc::new(Metrics::new(kinds));
        let traces = Arc::new(Traces::start(settings.traces.as_ref(), &outbound)?);
        let store_ports = StorePorts::open(&settings.store, &notifier, &metrics, &clock).await?;
        let store = Arc::clone(&store_ports.store);
        let name = &settings.stack.portal_name;
        // Stored first: another name that a replica stores meanwhile is then found by the check.
        if let Err(error) = store.keep_portal_name(name).await {
            tracing::warn!(%error, "Could not store PORTAL_NAME");
        }
        check_portal_name(&*store, name).await?;
        let keyring = keys::of_portal(&settings, &*store_ports.secrets).await?;
        let audit = Arc::new(AuditTrail::new(Arc::clone(&store_ports.audit), Arc::clone(&clock)));
        let stop_sandbox = CancellationToken::new();
        let (dokploy, sandbox) = platform(&settings, &outbound, &clock, &stop_sandbox).await?;
        let dokploy = platform::dokploy::counted(dokploy, Arc::clone(&metrics));
        let platform = Arc::new(Dokploy::new(dokploy, Arc::clone(&clock))?);
        let stack = Arc::new(settings.stack.clone());
        let asked = templates::listen();
        let offers = templates::of_portal(&settings, &*store).await;
        let sign_in_service =
            sign_in_service(&settings, &store_ports, &audit, &outbound, &clock, &offers)?;
        let reconcile_report = Arc::new(ReconcileReport::default());
        let service = Arc::new(Service::new(ServiceParts {
            store: Arc::clone(&store),
            accounts: Arc::clone(&store_ports.accounts),
            audit: Arc::clone(&audit),
            reconcile_report: Arc::clone(&reconcile_report),
            platform: Arc::clone(&platform) as _,
            logs: Arc::clone(&platform) as _,
            clock: Arc::clone(&clock),
            notifier: Arc::clone(&notifier),
            offers: Arc::clone(&offers),
            stack: Arc::clone(&stack),
            keyring: keyring.clone(),
            kinds,
            reserved_names: settings.reserved_names.clone(),
            quotas: settings.quotas,
            sandbox: sandbox.is_some(),
            metrics: Arc::clone(&metrics),
            random: Arc::new(rand::random),
        }));
        let (shared, bounds) = (store_ports.slots.clone(), settings.limits.calls);
        let call_gate =
            call_gate_of_portal(&*store, &operations, shared, bounds, clock.now()).await;
        let ports = Ports {
            store: Arc::clone(&store),
            platform,
            probe: Arc::new(probe(&settings, &outbound)?),
            clock: Arc::clone(&clock),
            notifier,
            settings: stack,
            keyring,
            kinds,
            polls: Arc::default(),
            call_gate,
            outages: Arc::default(),
            retry: Arc::default(),
            metrics,
            traces: Arc::clone(&traces),
        };
        catch_all::check_in_background(
            Arc::clone(&ports.probe),
            Arc::clone(&ports.settings),
            offers.health_paths(),
            rand::random(),
        );
        service.probe_platform().await;
        let listener = listen(settings.http.addr)?;
        let for_metrics = settings.http.metrics.addr.map(listen).transpose()?;
        let addr = listener.local_addr().unwrap_or(settings.http.addr);
        let Limits { lease, concurrent_deployments, reconcile_interval, .. } = settings.limits;
        let reconciler =
            Reconciler::new(ports.clone(), owner(), lease).with_report(reconcile_report);
        let limits = connection_limits(&settings);
        let state = HttpState::new(
            Arc::clone(&service),
            authenticator(&settings, &store_ports),
            sign_in_service,
            &settings.http,
            &settings.limits,
            shutdown.clone(),
        )
        .with_streams_among(limits.in_all);
        let mut parts = Parts::new(service.vitals(), shutdown.clone());
        let requests = state.requests().clone();
        parts.start("health watch", watching(&ports, &service, &settings.limits, &shutdown));
        let worker = Worker::new(ports, operations, owner(), lease, concurrent_deployments);
        let own = http::metrics_router(state.clone());
        let site = http::responder(state, site);
        let retention = Retention::new(&settings);
        let purged = Arc::<dyn Store>::clone(&store);
        let reread_clock = Arc::clone(&clock);
        let retention = purge_old_records(purged, audit, clock, retention, shutdown.clone());
        parts.start("server", serve(listener, site, limits.clone(), shutdown.clone()));
        if let Some(listener) = for_metrics {
            parts.start("metrics", serve(listener, own, limits, shutdown.clone()));
        }
        parts.start("worker", worker.run(shutdown.clone()));
        parts.start("catalogue", templates::reread(offers, asked, reread_clock, shutdown.clone()));
        parts.start("reconciler", reconciler.run(reconcile_interval, shutdown));
        parts.start("retention", retention);
        let listened = Arc::clone(&store);
        parts.watch("notification listener", async move { listened.broken().await });
        if let Some(sandbox) = &sandbox {
            parts.watch("sandbox", sandbox.over());
        }
        tracing::info!("The portal listens on http://{addr}");
        Ok(Self { addr, sandbox, stop_sandbox, store, traces, requests, parts })
    }

    /// Returns the address it listens on.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Returns the embedded sandbox, if there is one.
    pub fn sandbox(&self) -> Option<&Sandbox> {
        self.sandbox.as_ref()
    }

    /// Waits until a part ends unexpectedly, and returns its name. The portal is unhealthy from
    /// then on.
    pub async fn broken(&mut self) -> &'static str {
        self.parts.ended().await
    }

    /// Waits until the shutdown is complete, which takes at most ten seconds.
    pub async fn stopped(self) {
        let tasks = async {
            self.parts.stopped().await;
            // Requests whose clients have disconnected are completed as well.
            self.requests.close();
            self.requests.wait().await;
        };
        // Interrupting the rest is equivalent to a crash: leases expire.
        if tokio::time::timeout(GRACE, tasks).await.is_err() {
            tracing::warn!("The shutdown limit is over: work in progress was interrupted");
        }
        self.stop_sandbox.cancel();
        if let Some(sandbox) = self.sandbox {
            sandbox.stopped().await;
        }
        tokio::join!(self.store.close(), self.traces.stop());
    }
}

/// Checks that every variable of a stack can be passed to its container.
///
/// # Errors
///
/// Returns the first variable that cannot be passed.
pub fn check_environment(stack: &StackSettings) -> Result<(), StartError> {
    encode_environment(&stack.environment).map(drop).map_err(StartError::Environment)
}

/// Returns the file of the embedded sandbox's stacks; `None` with PostgreSQL, which cannot be
/// combined with the embedded sandbox.
pub fn sandbox_state(store: &StoreSettings) -> Option<PathBuf> {
    match store {
        StoreSettings::Sqlite { path } => Some(path.with_file_name("sandbox.json")),
        StoreSettings::Postgres { .. } => None,
    }
}

/// Returns the configuration of the platform's client, and starts the sandbox if it is the
/// platform.
async fn platform(
    settings: &Settings,
    outbound: &Outbound,
    clock: &Arc<dyn Clock>,
    stop: &CancellationToken,
) -> Result<(DokployConfig, Option<Sandbox>), StartError> {
    match &settings.platform {
        PlatformSettings::Dokploy { url, token } => {
            Ok((platform::dokploy::config(url.clone(), token.clone(), outbound.clone()), None))
        }
        PlatformSettings::Sandbox { edge } => {
            let state = sandbox_state(&settings.store);
            let key = SecretString::from(format!("{:032x}", rand::random::<u128>()));
            let config = SandboxConfig {
                edge: *edge,
                state,
                ..SandboxConfig::new(key.clone(), rand::random())
            };
            let sandbox = sandbox::start(config, Arc::clone(clock), stop.clone()).await?;
            // It is on this machine.
            let outbound = Outbound::default();
            Ok((platform::dokploy::config(sandbox.url(), key, outbound), Some(sandbox)))
        }
    }
}

/// Creates the authenticator for the access mode.
fn authenticator(settings: &Settings, store_ports: &StorePorts) -> Authenticator {
    match &settings.auth {
        AuthSettings::Open => Authenticator::Open {
            is_secure: settings.http.is_secure(),
            random: Arc::new(rand::random),
        },
        AuthSettings::Oidc(oidc) => Authenticator::SignIn {
            accounts: Arc::clone(&store_ports.accounts),
            idle: oidc.session.idle,
        },
    }
}

/// Creates the sign-in service; `None` if people do not sign in.
fn sign_in_service(
    settings: &Settings,
    store_ports: &StorePorts,
    audit: &Arc<AuditTrail>,
    outbound: &Outbound,
    clock: &Arc<dyn Clock>,
    offers: &Arc<Offers>,
) -> Result<Option<Arc<SignInService>>, StartError> {
    let public_url = &settings.http.public_url;
    let oidc = match &settings.auth {
        AuthSettings::Oidc(oidc) => OidcSettings::clone(oidc),
        AuthSettings::Open => {
            if !public_url.is_loopback() {
                tracing::warn!("AUTH is open: anyone who can reach {public_url} can start stacks");
            }
            return Ok(None);
        }
    };
    Ok(Some(Arc::new(SignInService::new(SignInParts {
        accounts: Arc::clone(&store_ports.accounts),
        audit: Arc::clone(audit),
        provider_name: oidc.name.clone(),
        session: oidc.session,
        provider: Arc::new(Oidc::new(oidc, outbound, Arc::clone(clock))?),
        clock: Arc::clone(clock),
        random: Arc::new(rand::random),
        asked: {
            let offers = Arc::clone(offers);
            Arc::new(move || offers.asked())
        },
    }))))
}

/// Returns a random name for this process as a holder of leases.
fn owner() -> String {
    format!("{:016x}", rand::random::<u64>())
}
