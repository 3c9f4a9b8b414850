//! Makes the adapters from the settings: the database behind its ports, the call slots, the
//! health probe, the listener with its limits, and for a command the reconciler.

use std::net::SocketAddr;
use std::sync::Arc;

use jiff::Timestamp;
use tokio::net::{TcpListener, TcpSocket};
use tokio_util::sync::CancellationToken;
use transport::Outbound;

use super::{StartError, owner};
use crate::http::{ConnectionLimits, ConnectionTimes};
use crate::server::audit::AuditLog;
use crate::server::auth::accounts::Accounts;
use crate::server::auth::recent_accounts::RecentAccounts;
use crate::server::measure::Measure;
use crate::server::metrics::Metrics;
use crate::server::notifier::Notifier;
use crate::server::origin::Scheme;
use crate::server::platform;
use crate::server::platform::call_slots::{CallBounds, CallSlots};
use crate::server::platform::local_slots::LocalCallSlots;
use crate::server::probe::{AddressPolicy, BuildProbeError, HttpProbe, Trust};
use crate::server::reconciler::Reconciler;
use crate::server::saga::{CallGate, Operations, Ports, calls_under_way};
use crate::server::secrets::sealed::SealedSecrets;
use crate::server::settings::{
    Limits, OutboundSettings, PlatformSettings, ProbeSettings, Settings, StoreSettings,
};
use crate::server::sqlite_file::{self, Found};
use crate::server::stacks::Service;
use crate::server::store::Store;
use crate::server::store::postgres::PostgresStore;
use crate::server::store::sqlite::SqliteStore;
use crate::server::watch::Watch;
use clock::{Clock, SystemClock};
use dokploy::Dokploy;
use domain::kind::Kinds;

/// The number of connections that are open at most, unless `CONNECTIONS_IN_ALL` is set.
const MOST_CONNECTIONS: usize = 20_000;
/// The size in bytes of what the system holds for a client that does not read; Linux doubles it.
const SEND_BUFFER: u32 = 64 << 10;
/// The number of connections that may wait to be accepted.
const BACKLOG: u32 = 1_024;
/// The number of open files that are kept for everything but connections of clients.
const OTHER_FILES: usize = 256;

/// Opens the database for a command. A portal may be running.
///
/// # Errors
///
/// Returns why the database cannot be used.
pub async fn open_for_cli(settings: &StoreSettings) -> Result<StorePorts, StartError> {
    Ok(match settings {
        StoreSettings::Sqlite { path } => {
            StorePorts::of(Arc::new(SqliteStore::open_for_cli(path).await?))
        }
        StoreSettings::Postgres { url } => {
            StorePorts::of_postgres(Arc::new(PostgresStore::open_for_cli(url).await?))
        }
    })
}

/// Checks that a portal could start with the database, and returns whether there is one: that of
/// PostgreSQL is never missing. Makes and migrates nothing.
///
/// # Errors
///
/// Returns the error of a start.
pub async fn check_database(settings: &StoreSettings) -> Result<Found, StartError> {
    Ok(match settings {
        StoreSettings::Sqlite { path } => sqlite_file::check_start(path).await?,
        StoreSettings::Postgres { url } => {
            PostgresStore::check_start(url).await?;
            Found::Database
        }
    })
}

/// Opens the database to read it as it is: unlike for another command, it is not migrated.
///
/// # Errors
///
/// Returns why the database cannot be used.
pub async fn open_unmigrated(settings: &StoreSettings) -> Result<Arc<dyn Store>, StartError> {
    Ok(match settings {
        StoreSettings::Sqlite { path } => Arc::new(SqliteStore::open_unmigrated(path).await?),
        StoreSettings::Postgres { url } => Arc::new(PostgresStore::open_unmigrated(url)?),
    })
}

/// The store ports of one database.
pub struct StorePorts {
    /// Deployments.
    pub store: Arc<dyn Store>,
    /// People, their sessions and tokens.
    pub accounts: Arc<dyn Accounts>,
    /// The audit log.
    pub audit: Arc<dyn AuditLog>,
    /// The sealed secrets of all stacks.
    pub secrets: Arc<dyn SealedSecrets>,
    /// The call slots that portals share; `None` if this portal shares its database with no other.
    pub slots: Option<Arc<dyn CallSlots>>,
}

impl StorePorts {
    /// Opens the database. Changes by other portals are passed to `notifier`.
    pub(super) async fn open(
        settings: &StoreSettings,
        notifier: &Arc<Notifier>,
        metrics: &Arc<Metrics>,
        clock: &Arc<dyn Clock>,
    ) -> Result<Self, StartError> {
        let metrics = Arc::clone(metrics);
        let ports = match settings {
            StoreSettings::Sqlite { path } => {
                Self::of(Arc::new(SqliteStore::open(path).await?.measured(metrics)))
            }
            StoreSettings::Postgres { url } => {
                let store = PostgresStore::open(url, Arc::clone(notifier)).await?;
                Self::of_postgres(Arc::new(store.measured(metrics)))
            }
        };
        let listening = Arc::clone(notifier.listening());
        let accounts =
            RecentAccounts::new(ports.accounts, Arc::clone(clock), move || listening.is_on());
        Ok(Self { accounts: Arc::new(accounts), ..ports })
    }

    fn of_postgres(store: Arc<PostgresStore>) -> Self {
        Self { slots: Some(Arc::<PostgresStore>::clone(&store)), ..Self::of(store) }
    }

    fn of<T: Store + Accounts + AuditLog + SealedSecrets + 'static>(database: Arc<T>) -> Self {
        Self {
            store: Arc::<T>::clone(&database),
            accounts: Arc::<T>::clone(&database),
            audit: Arc::<T>::clone(&database),
            secrets: database,
            slots: None,
        }
    }
}

/// Creates a reconciler for a command; `None` with the embedded sandbox, which exists only in a
/// running portal.
///
/// # Errors
///
/// Returns which part cannot be created, or that the stacks have the marker of another portal's
/// name.
pub async fn reconciler_for_cli(settings: &Settings) -> Result<Option<Reconciler>, StartError> {
    let PlatformSettings::Dokploy { url, token } = &settings.platform else { return Ok(None) };
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let outbound = outbound(settings)?;
    let dokploy = platform::dokploy::config(url.clone(), token.clone(), outbound.clone());
    let StorePorts { store, slots, .. } = open_for_cli(&settings.store).await?;
    check_portal_name(&*store, &settings.stack.portal_name).await?;
    let ports = Ports {
        store,
        call_gate: call_gate_of_command(slots, settings.limits.calls),
        platform: Arc::new(Dokploy::new(dokploy, Arc::clone(&clock))?),
        probe: Arc::new(probe(settings, &outbound)?),
        clock,
        notifier: Arc::new(Notifier::default()),
        settings: Arc::new(settings.stack.clone()),
        // It opens no secret and seals none.
        keyring: None,
        kinds: Kinds::default(),
        polls: Arc::default(),
        outages: Arc::default(),
        retry: Arc::default(),
        metrics: Arc::default(),
        traces: Arc::default(),
    };
    Ok(Some(Reconciler::new(ports, owner(), settings.limits.lease)))
}

/// Looks at the stacks, measures what they use, and ends those whose time is over, until `shutdown`.
pub(super) fn watching(
    ports: &Ports,
    service: &Arc<Service>,
    limits: &Limits,
    shutdown: &CancellationToken,
) -> impl Future<Output = ()> + use<> {
    let Limits { lease, watch_interval, .. } = *limits;
    let measure = Measure::new(ports.clone(), owner(), lease).run(shutdown.clone());
    let watch = Watch::new(ports.clone(), owner(), lease).run(watch_interval, shutdown.clone());
    let (service, shutdown) = (Arc::clone(service), shutdown.clone());
    async move {
        tokio::join!(watch, measure, service.end_stacks(owner(), lease, shutdown));
    }
}

/// Checks that no stack has the marker of another portal's name: it would not be found any more.
/// Passes if the database cannot be read.
///
/// # Errors
///
/// Returns the name of the stacks if it is not `name`.
pub async fn check_portal_name(store: &dyn Store, name: &str) -> Result<(), StartError> {
    match store.name_of_stacks().await {
        Ok(Some(kept)) if kept != name => {
            Err(StartError::PortalName { set: name.to_owned(), kept })
        }
        Ok(_) => Ok(()),
        Err(error) => {
            tracing::warn!(%error, "Could not check PORTAL_NAME");
            Ok(())
        }
    }
}

/// Creates the call gate of a portal that drives `operations`. Without `shared` slots, the calls
/// during which an earlier process stopped still take slots.
pub(super) async fn call_gate_of_portal(
    store: &dyn Store,
    operations: &Operations,
    shared: Option<Arc<dyn CallSlots>>,
    bounds: CallBounds,
    now: Timestamp,
) -> Arc<CallGate> {
    let slots = match shared {
        Some(shared) => shared,
        None => match calls_under_way(store, operations, bounds, now).await {
            Ok((calls, until)) => Arc::new(LocalCallSlots::after(&calls, until)),
            Err(error) => {
                tracing::warn!(%error, "Could not read the call slots in use");
                Arc::new(LocalCallSlots::default())
            }
        },
    };
    Arc::new(CallGate::new(slots, bounds, owner()))
}

/// Creates the call gate of a command that calls the platform.
fn call_gate_of_command(shared: Option<Arc<dyn CallSlots>>, bounds: CallBounds) -> Arc<CallGate> {
    let slots = shared.unwrap_or_else(|| Arc::<LocalCallSlots>::default());
    Arc::new(CallGate::new(slots, bounds, owner()))
}

/// Reads how the portal reaches others.
///
/// # Errors
///
/// Returns why the authorities cannot be used.
pub(crate) fn outbound(settings: &Settings) -> Result<Outbound, StartError> {
    let OutboundSettings { ca_file, proxies } = &settings.outbound;
    Ok(Outbound::new(ca_file.as_deref(), proxies.clone())?)
}

/// Creates the health probe.
pub(crate) fn probe(
    settings: &Settings,
    outbound: &Outbound,
) -> Result<HttpProbe, BuildProbeError> {
    let ProbeSettings { ca_file, verify_tls, allow_private, proxy } = &settings.probe;
    let trust = match (settings.stack.scheme, verify_tls, ca_file) {
        (Scheme::Http, _, _) => Trust::PlainHttp,
        (Scheme::Https, false, _) => Trust::Unverified,
        (Scheme::Https, true, Some(path)) => Trust::SystemAnd(path.clone()),
        (Scheme::Https, true, None) => Trust::System,
    };
    let policy = if *allow_private { AddressPolicy::AnyAddress } else { AddressPolicy::Public };
    HttpProbe::new(&trust, policy, outbound, proxy.clone())
}

/// Returns the limits on connections. In all there are as many as leave enough open files for the
/// database and for the calls to the platform and to stacks.
pub(super) fn connection_limits(settings: &Settings) -> ConnectionLimits {
    let Limits { connections_in_all, connections_per_address, .. } = settings.limits;
    let number = |limit| usize::try_from(limit).unwrap_or(usize::MAX);
    let files = number(transport::descriptor_limit());
    let most = MOST_CONNECTIONS.min(files.saturating_sub(OTHER_FILES).max(files / 2));
    let times = ConnectionTimes::default();
    // Where only this machine reaches the portal, every client may be a proxy.
    let is_local = settings.http.addr.ip().to_canonical().is_loopback();
    let idle = if is_local { times.proxy_idle } else { times.idle };
    ConnectionLimits {
        in_all: connections_in_all.map_or(most, |limit| number(limit.into())),
        per_address: connections_per_address.map(|limit| number(limit.into())),
        proxies: settings.http.trusted_proxies.clone().into(),
        times: ConnectionTimes { idle, ..times },
    }
}

/// Listens at `addr`. Its connections get a small buffer: by default, the system takes up to 4 MiB
/// for what a client does not read, and all its connections fail when that memory is used up.
pub(super) fn listen(addr: SocketAddr) -> Result<TcpListener, StartError> {
    let listen = || {
        let socket = if addr.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        socket.set_reuseaddr(true)?;
        socket.set_send_buffer_size(SEND_BUFFER)?;
        socket.bind(addr)?;
        socket.listen(BACKLOG)
    };
    listen().map_err(|source| StartError::Listen { addr, source })
}
