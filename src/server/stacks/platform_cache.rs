//! A cache of the platform's hosts, projects and version: they decide which names are available and
//! whether it is supported.
//!
//! Names are checked against a copy that is at most ten seconds old and read by one reader at
//! a time, never at each key; a start reads afresh.

use std::{
    collections::HashSet,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use crate::server::{
    platform::{Platform, PlatformError, Version},
    settings::StackSettings,
};
use clock::Clock;
use domain::stack_name::StackName;

/// A copy is used up to this age.
const LIFETIME: Duration = Duration::from_secs(10);
/// From this age on it is renewed in the background.
const REFRESH_AFTER: Duration = Duration::from_secs(5);
/// Up to this age a copy is believed when it says that a name is taken.
const RECENT: Duration = Duration::from_secs(1);
/// Up to this age a version that will do is not asked for again.
const VERSION_LIFETIME: Duration = Duration::from_mins(10);
/// After which pauses a 401 is asked about again: a moment without its database brings it, too.
const RETRY_401_AFTER: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(2)];
/// The time for which a caller waits for a new copy.
const TIMEOUT: Duration = Duration::from_secs(2);

/// The hosts and projects on the platform, which make names unavailable.
#[derive(Debug, Default)]
pub(super) struct NamesInUse {
    hosts: HashSet<String>,
    projects: HashSet<String>,
}

impl NamesInUse {
    /// Returns whether the platform has something where the stack `name` would be.
    pub(super) fn has(&self, name: &StackName, stack: &StackSettings) -> bool {
        self.hosts.contains(&stack.host(name))
            || self.projects.contains(&StackSettings::project(name))
    }
}

/// The last reading of the platform.
#[derive(Debug)]
pub(super) struct PlatformSnapshot {
    /// When, by the monotonic clock.
    at: Duration,
    /// True if it answered.
    pub(super) reachable: bool,
    /// The names in use, where it told.
    pub(super) names_in_use: Option<NamesInUse>,
    /// The version that it had when that was last asked, and when.
    version: Option<(Version, Duration)>,
}

impl PlatformSnapshot {
    /// Returns whether the platform was too old for us. While that is not known, it is not.
    pub(super) fn is_too_old(&self) -> bool {
        self.version.as_ref().is_some_and(|(version, _)| !version.is_supported)
    }
}

/// Caches the last reading of the platform.
pub(super) struct PlatformCache {
    platform: Arc<dyn Platform>,
    clock: Arc<dyn Clock>,
    snapshot: Mutex<Option<Arc<PlatformSnapshot>>>,
    /// Held by the one reader.
    reading: tokio::sync::Mutex<()>,
    /// The number of readings that are done.
    readings: AtomicU64,
}

impl PlatformCache {
    pub(super) fn new(platform: Arc<dyn Platform>, clock: Arc<dyn Clock>) -> Self {
        Self {
            platform,
            clock,
            snapshot: Mutex::new(None),
            reading: tokio::sync::Mutex::new(()),
            readings: AtomicU64::new(0),
        }
    }

    /// Returns what was seen within the last ten seconds, looking again when that is older.
    pub(super) async fn current(self: &Arc<Self>) -> Arc<PlatformSnapshot> {
        let snapshot = self.snapshot();
        match snapshot.as_ref().map(|snapshot| self.age(snapshot.at)) {
            Some(age) if age < REFRESH_AFTER => {}
            Some(age) if age < LIFETIME => drop(self.refresh_in_background()),
            Some(_) | None => return self.refreshed().await,
        }
        self.snapshot().unwrap_or_else(|| self.unknown())
    }

    /// Returns what was seen within the last second, looking again when that is older: what
    /// is taken may be a stack of ours that was removed meanwhile.
    pub(super) async fn recent(self: &Arc<Self>) -> Arc<PlatformSnapshot> {
        match self.snapshot() {
            Some(snapshot) if self.age(snapshot.at) < RECENT => snapshot,
            Some(_) | None => self.refreshed().await,
        }
    }

    async fn refreshed(self: &Arc<Self>) -> Arc<PlatformSnapshot> {
        tokio::select! {
            _ = self.refresh_in_background() => self.snapshot().unwrap_or_else(|| self.unknown()),
            () = self.clock.sleep(TIMEOUT) => self.unknown(),
        }
    }

    /// Asks the platform and keeps the answer. Whoever asks meanwhile waits for the same one.
    pub(super) fn refresh(&self) -> impl Future<Output = ()> {
        self.read_after(self.readings.load(Ordering::SeqCst))
    }

    /// Reads, unless that has been done since there were `before` readings.
    async fn read_after(&self, before: u64) {
        let _reading = self.reading.lock().await;
        if self.readings.load(Ordering::SeqCst) != before {
            return;
        }
        let (health, names_in_use, version) =
            tokio::join!(self.platform.check_health(), self.read_retrying_401(), self.version());
        // A breaker that is open says nothing of the platform behind it, and one that refuses
        // the key answers.
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
        *self.snapshot.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(snapshot));
        self.readings.fetch_add(1, Ordering::SeqCst);
    }

    /// Asks the platform what it has now, and about a 401 once more, until it is known to last.
    pub(super) async fn read_retrying_401(&self) -> Result<NamesInUse, PlatformError> {
        for pause in RETRY_401_AFTER {
            match self.read().await {
                Err(error) if error.is_unauthorized() && self.platform.problem().is_none() => {
                    self.clock.sleep(pause).await;
                }
                result => return result,
            }
        }
        self.read().await
    }

    /// Asks the platform what it has now.
    async fn read(&self) -> Result<NamesInUse, PlatformError> {
        let (hosts, projects) = tokio::join!(self.platform.hosts(), self.platform.projects());
        Ok(NamesInUse {
            hosts: hosts?.into_iter().map(|host| host.name.to_ascii_lowercase()).collect(),
            projects: projects?.into_iter().map(|project| project.name).collect(),
        })
    }

    /// Returns the platform's version, asking for it when the last answer is old. One that is
    /// too old is asked for each time: somebody may be updating it.
    async fn version(&self) -> Option<(Version, Duration)> {
        let known = self.snapshot().and_then(|snapshot| snapshot.version.clone());
        if let Some((version, at)) = &known
            && version.is_supported
            && self.age(*at) < VERSION_LIFETIME
        {
            return known;
        }
        // Where it does not tell, the lists do not come either, and that is warned about.
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

    /// Returns what was seen last, however old.
    pub(super) fn snapshot(&self) -> Option<Arc<PlatformSnapshot>> {
        self.snapshot.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn age(&self, at: Duration) -> Duration {
        self.clock.monotonic().saturating_sub(at)
    }

    fn unknown(&self) -> Arc<PlatformSnapshot> {
        let version = self.snapshot().and_then(|snapshot| snapshot.version.clone());
        Arc::new(PlatformSnapshot {
            at: self.clock.monotonic(),
            reachable: false,
            names_in_use: None,
            version,
        })
    }
}

/// Tells the operator which version the platform has.
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
