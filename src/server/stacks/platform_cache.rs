//! A cache of the platform's hosts, projects and version. They decide which names are available,
//! and whether the platform is supported.
//!
//! Name checks use a snapshot that is at most ten seconds old, and one task at a time reads the
//! platform. A start reads the platform itself.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;

use crate::server::platform::{PlatformError, PlatformOverview, Version, retry_401};
use crate::server::settings::StackSettings;
use clock::Clock;
use domain::stack_name::StackName;

/// The age up to which a snapshot is used.
const LIFETIME: Duration = Duration::from_secs(10);
/// The age from which a snapshot is refreshed in the background.
const REFRESH_AFTER: Duration = Duration::from_secs(5);
/// The age up to which a snapshot is used to report a name as taken.
const RECENT: Duration = Duration::from_secs(1);
/// The age up to which a supported version is not requested again.
const VERSION_LIFETIME: Duration = Duration::from_mins(10);
/// The pauses between attempts after a 401.
pub(super) const RETRY_401_AFTER: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(2)];
/// The time for which a caller waits for a new snapshot.
const TIMEOUT: Duration = Duration::from_secs(2);

/// The hosts and projects on the platform, which make names unavailable.
#[derive(Debug, Default)]
pub(super) struct NamesInUse {
    hosts: HashSet<String>,
    projects: HashSet<String>,
}

impl NamesInUse {
    /// Returns whether the platform has the host or the project that the stack `name` would get.
    pub(super) fn has(&self, name: &StackName, stack: &StackSettings) -> bool {
        self.hosts.contains(&stack.host(name))
            || self.projects.contains(&StackSettings::project(name))
    }
}

/// The last reading of the platform.
#[derive(Debug, Default)]
pub(super) struct PlatformSnapshot {
    /// The time of the reading, on the monotonic clock.
    at: Duration,
    /// True if it answered.
    pub(super) reachable: bool,
    /// The names in use; `None` if the platform could not list them.
    pub(super) names_in_use: Option<NamesInUse>,
    /// The version at the last request for it, and the time of that request.
    version: Option<(Version, Duration)>,
}

impl PlatformSnapshot {
    /// Returns whether the platform is too old. An unknown version counts as supported.
    pub(super) fn is_too_old(&self) -> bool {
        self.version.as_ref().is_some_and(|(version, _)| !version.is_supported)
    }
}

/// Caches the last reading of the platform.
pub(super) struct PlatformCache {
    platform: Arc<dyn PlatformOverview>,
    clock: Arc<dyn Clock>,
    snapshot: Mutex<Option<Arc<PlatformSnapshot>>>,
    /// Held by the task that reads the platform.
    reading: tokio::sync::Mutex<()>,
    /// The number of completed readings.
    readings: AtomicU64,
}

impl PlatformCache {
    pub(super) fn new(platform: Arc<dyn PlatformOverview>, clock: Arc<dyn Clock>) -> Self {
        Self {
            platform,
            clock,
            snapshot: Mutex::new(None),
            reading: tokio::sync::Mutex::new(()),
            readings: AtomicU64::new(0),
        }
    }

    /// Returns a snapshot that is at most ten seconds old, reading the platform if necessary.
    pub(super) async fn current(self: &Arc<Self>) -> Arc<PlatformSnapshot> {
        let snapshot = self.snapshot();
        match snapshot.as_ref().map(|snapshot| self.age(snapshot.at)) {
            Some(age) if age < REFRESH_AFTER => {}
            Some(age) if age < LIFETIME => drop(self.refresh_in_background()),
            Some(_) | None => return Box::pin(self.refreshed()).await,
        }
        self.snapshot().unwrap_or_else(|| self.unknown())
    }

    /// Returns a snapshot that is at most one second old, reading the platform if necessary: an
    /// older one may show a stack that has been removed since.
    pub(super) async fn recent(self: &Arc<Self>) -> Arc<PlatformSnapshot> {
        match self.snapshot() {
            Some(snapshot) if self.age(snapshot.at) < RECENT => snapshot,
            Some(_) | None => Box::pin(self.refreshed()).await,
        }
    }

    async fn refreshed(self: &Arc<Self>) -> Arc<PlatformSnapshot> {
        tokio::select! {
            _ = self.refresh_in_background() => self.snapshot().unwrap_or_else(|| self.unknown()),
            () = self.clock.sleep(TIMEOUT) => self.unknown(),
        }
    }

    /// Reads the platform and stores the snapshot. Concurrent callers wait for the same reading.
    pub(super) fn refresh(&self) -> impl Future<Output = ()> {
        self.read_after(self.readings.load(Ordering::SeqCst))
    }

    /// Reads the platform, unless a reading was completed since there were `before` of them.
    async fn read_after(&self, before: u64) {
        let _reading = self.reading.lock().await;
        if self.readings.load(Ordering::SeqCst) != before {
            return;
        }
        let (health, names_in_use, version) =
            tokio::join!(self.platform.check_health(), self.read_retrying_401(), self.version());
        // An open circuit breaker says nothing about the platform, and a platform that rejects the
        // key does answer.
        let answers = matches!(
            names_in_use,
            Ok(_) | Err(PlatformError::Paused { .. } | PlatformError::KeyRefused { .. })
        );
        if let Err(error) = health.as_ref().and(names_in_use.as_ref().map(|_| &())) {
            tracing::warn!(error = %error, "The platform does not answer as expected");
        }
        let reachable = health.is_ok() && answers;
        let snapshot = PlatformSnapshot {
            at: self.clock.monotonic(),
            reachable,
            names_in_use: names_in_use.ok(),
            version,
        };
        *self.snapshot.lock() = Some(Arc::new(snapshot));
        self.readings.fetch_add(1, Ordering::SeqCst);
    }

    /// Reads the names in use from the platform, and repeats that after a 401.
    pub(super) async fn read_retrying_401(&self) -> Result<NamesInUse, PlatformError> {
        retry_401(&*self.platform, &*self.clock, &RETRY_401_AFTER, || self.read()).await
    }

    /// Reads the names in use from the platform.
    async fn read(&self) -> Result<NamesInUse, PlatformError> {
        let (hosts, projects) = tokio::join!(self.platform.hosts(), self.platform.projects());
        Ok(NamesInUse {
            hosts: hosts?.into_iter().map(|host| host.name.to_ascii_lowercase()).collect(),
            projects: projects?.into_iter().map(|project| project.name).collect(),
        })
    }

    /// Returns the platform's version, and requests it if the last answer is older than
    /// [`VERSION_LIFETIME`]. An unsupported version is requested each time, since somebody may be
    /// updating the platform.
    async fn version(&self) -> Option<(Version, Duration)> {
        let known = self.snapshot().and_then(|snapshot| snapshot.version.clone());
        if let Some((version, at)) = &known
            && version.is_supported
            && self.age(*at) < VERSION_LIFETIME
        {
            return known;
        }
        // If this call fails, the lists fail as well, which is logged.
        let Ok(version) = self.platform.version().await else { return known };
        if known.as_ref().map(|(known, _)| known) != Some(&version) {
            report(&version);
        }
        Some((version, self.clock.monotonic()))
    }

    fn refresh_in_background(self: &Arc<Self>) -> tokio::task::JoinHandle<()> {
        let own = Arc::clone(self);
        let before = self.readings.load(Ordering::SeqCst);
        tokio::spawn(async move { own.read_after(before).await })
    }

    /// Returns the last snapshot, regardless of its age.
    pub(super) fn snapshot(&self) -> Option<Arc<PlatformSnapshot>> {
        self.snapshot.lock().clone()
    }

    fn age(&self, at: Duration) -> Duration {
        self.clock.monotonic().saturating_sub(at)
    }

    fn unknown(&self) -> Arc<PlatformSnapshot> {
        let version = self.snapshot().and_then(|snapshot| snapshot.version.clone());
        Arc::new(PlatformSnapshot { version, ..PlatformSnapshot::default() })
    }
}

/// Logs the platform's version.
fn report(version: &Version) {
    let Version { text, is_supported, oldest } = version;
    if *is_supported {
        tracing::info!(platform.version = text, "Platform version is supported");
    } else {
        tracing::error!(
            platform.version = text,
            "The platform is too old, so no deployment can start: update it to {oldest} or newer"
        );
    }
}
