//! Starting and stopping the sandbox: its two listeners and the keeper of its state file.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use secrecy::SecretString;
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, spawn_blocking};
use tokio_util::sync::CancellationToken;

use super::core::Core;
use super::faults::Fault;
use super::images::Timing;
use super::persistence::{self, Keeper};
use super::shared::{CallTime, Pool, Shared, lock};
use super::{edge, http, log_socket};
use clock::Clock;

/// The time for which a shutdown waits for answers in progress.
const GRACE: Duration = Duration::from_secs(1);

/// The window of the key's rate limit.
const DAY: Duration = Duration::from_hours(24);

/// The configuration of a sandbox.
#[derive(Clone, Debug)]
pub struct SandboxConfig {
    /// The address of the API. Port 0 chooses a free one.
    pub listen: SocketAddr,
    /// The address of the stacks. Port 0 chooses a free one.
    pub edge: SocketAddr,
    /// The only key that the API accepts.
    pub api_key: SecretString,
    /// The file in which the state is stored. Without one, every start begins with an empty
    /// platform.
    pub state: Option<PathBuf>,
    /// The latency of every answer.
    pub latency: Duration,
    /// The durations of jobs and starts.
    pub timing: Timing,
    /// The number of times that the key may be verified per day; `None` means no limit. Each
    /// request counts twice, and Dokploy's default is 10.
    pub key_limit: Option<u32>,
    /// The faults that are active from the start.
    pub faults: Vec<Fault>,
    /// The seed of ids and other random choices.
    pub seed: u64,
}

impl SandboxConfig {
    /// Returns the configuration for a program that embeds the sandbox: a free loopback port for
    /// the API, port 8081 for the stacks, realistic latencies, no state file.
    pub fn new(api_key: SecretString, seed: u64) -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            edge: SocketAddr::from((Ipv4Addr::LOCALHOST, 8081)),
            api_key,
            state: None,
            latency: Duration::from_millis(40),
            timing: Timing::default(),
            key_limit: None,
            faults: Vec::new(),
            seed,
        }
    }
}

/// The sandbox cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartSandboxError {
    /// The port of the stacks is taken.
    #[error(
        "port {} for the sandbox's stacks is already in use: stop what uses it, or set \
         SANDBOX_EDGE_PORT to a free port", .0.port()
    )]
    EdgeInUse(SocketAddr),
    /// The port of the API is taken.
    #[error("port {} for the sandbox's API is already in use: choose a free one", .0.port())]
    ListenInUse(SocketAddr),
    /// Listening on a port failed for another reason.
    #[error("sandbox cannot listen on {0}")]
    Listen(SocketAddr, #[source] io::Error),
    /// The state file cannot be read.
    #[error("sandbox state {} cannot be read: repair or remove it", .0.display())]
    State(PathBuf, #[source] io::Error),
}

/// A running sandbox.
#[derive(Debug)]
pub struct Sandbox {
    listen: SocketAddr,
    edge: SocketAddr,
    shared: Arc<Shared>,
    running: JoinHandle<()>,
    over: CancellationToken,
}

/// Starts the sandbox; it runs until `shutdown` is cancelled.
///
/// # Errors
///
/// Returns an error if a port cannot be used or the state file cannot be read.
pub async fn start(
    config: SandboxConfig,
    clock: Arc<dyn Clock>,
    shutdown: CancellationToken,
) -> Result<Sandbox, StartSandboxError> {
    let (edge_listener, edge) = bind(config.edge, StartSandboxError::EdgeInUse).await?;
    let (api_listener, listen) = bind(config.listen, StartSandboxError::ListenInUse).await?;
    let core = core(&config).await?;
    let shared = Arc::new(Shared {
        core: Arc::new(Mutex::new(core)),
        clock,
        latency: config.latency,
        shutdown,
        keeper: Keeper::new(config.state),
        calls: Mutex::default(),
        pool: Pool::default(),
    });
    let over = CancellationToken::new();
    let ending = over.clone().drop_guard();
    let api = http::router(Arc::clone(&shared)).merge(log_socket::router(Arc::clone(&shared)));
    let work = run(
        serve(api_listener, api, Arc::clone(&shared)),
        serve(edge_listener, edge::router(Arc::clone(&shared)), Arc::clone(&shared)),
        Arc::clone(&shared),
    );
    let running = tokio::spawn(async move {
        // Dropped however the task ends, even by a panic.
        let _ending = ending;
        work.await;
    });
    tracing::info!(sandbox.api = %listen, "The sandbox stacks are at {}", edge::pattern(edge));
    Ok(Sandbox { listen, edge, shared, running, over })
}

impl Sandbox {
    /// Returns the base URL of the API, for `DOKPLOY_URL`.
    pub fn url(&self) -> String {
        format!("http://{}", self.listen)
    }

    /// Returns the address of the stacks.
    pub fn edge(&self) -> SocketAddr {
        self.edge
    }

    /// Returns the platform itself.
    pub fn core(&self) -> Arc<Mutex<Core>> {
        Arc::clone(&self.shared.core)
    }

    /// Returns how long each call took so far, in order.
    pub fn calls(&self) -> Vec<CallTime> {
        lock(&self.shared.calls).clone()
    }

    /// Returns a future that completes when the sandbox has ended, for any reason.
    pub fn over(&self) -> impl Future<Output = ()> + Send + 'static {
        self.over.clone().cancelled_owned()
    }

    /// Waits until both listeners have ended and the state is on disk.
    pub async fn stopped(self) {
        if let Err(error) = self.running.await {
            tracing::error!(%error, "The sandbox ended with an error");
        }
    }
}

/// Listens at `address`, and returns the address that it got.
async fn bind(
    address: SocketAddr,
    in_use: fn(SocketAddr) -> StartSandboxError,
) -> Result<(TcpListener, SocketAddr), StartSandboxError> {
    let failed = |error: io::Error| match error.kind() {
        io::ErrorKind::AddrInUse => in_use(address),
        _ => StartSandboxError::Listen(address, error),
    };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let local = listener.local_addr().map_err(failed)?;
    Ok((listener, local))
}

async fn core(config: &SandboxConfig) -> Result<Core, StartSandboxError> {
    let mut core = Core::new(config.api_key.clone(), config.timing, config.seed);
    core.limit_key(config.key_limit.map(|most| (most, DAY)));
    config.faults.iter().cloned().for_each(|fault| core.inject(fault));
    if let Some(path) = config.state.clone() {
        let reading = path.clone();
        let state = spawn_blocking(move || persistence::load(&reading))
            .await
            .unwrap_or_else(|error| Err(io::Error::other(error)))
            .map_err(|error| StartSandboxError::State(path, error))?;
        if let Some(state) = state {
            core.adopt(state);
        }
    }
    Ok(core)
}

/// Serves until the shutdown, then completes the answers in progress within [`GRACE`]: an
/// incomplete request would otherwise block the shutdown forever.
async fn serve(listener: TcpListener, router: Router, shared: Arc<Shared>) {
    let shutdown = shared.shutdown.clone().cancelled_owned();
    let limit = async {
        shared.shutdown.cancelled().await;
        shared.clock.sleep(GRACE).await;
    };
    tokio::select! {
        served = axum::serve(listener, router).with_graceful_shutdown(shutdown) => {
            if let Err(error) = served {
                tracing::error!(%error, "A listener of the sandbox failed");
            }
        }
        () = limit => tracing::warn!("The sandbox closed connections that were still open"),
    }
}

/// Runs both listeners to their end, then the keeper of the state file to its last write.
async fn run(api: impl Future<Output = ()>, edge: impl Future<Output = ()>, shared: Arc<Shared>) {
    let served = CancellationToken::new();
    let serving = async {
        tokio::join!(api, edge);
        served.cancel();
    };
    let state = || {
        let mut core = lock(&shared.core);
        core.tick(shared.clock.now());
        core.to_bytes()
    };
    tokio::join!(serving, shared.keeper.run(state, served.clone()));
}
