//! What a step may touch, and the deadline it works under.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use jiff::Timestamp;

use super::{failure::StepError, journal::Journal};
use crate::{
    domain::{
        deployment::Deployment,
        event::{FailureCode, Level, LogEntry},
        progress::elapsed_ms,
    },
    server::{
        notifier::Notifier,
        ports::{
            clock::Clock,
            platform::Platform,
            probe::Probe,
            store::{Lease, Store, StoreError},
        },
        settings::StackSettings,
    },
};

/// What every deployment is driven with.
#[derive(Clone)]
pub struct Ports {
    /// Keeps the journal.
    pub store: Arc<dyn Store>,
    /// Runs the stacks.
    pub platform: Arc<dyn Platform>,
    /// Asks a stack whether it answers.
    pub probe: Arc<dyn Probe>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Nudges the watchers.
    pub notifier: Arc<Notifier>,
    /// What a stack is.
    pub settings: Arc<StackSettings>,
}

/// What the steps of one deployment may touch.
pub struct Context {
    pub(super) platform: Arc<dyn Platform>,
    pub(super) probe: Arc<dyn Probe>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) settings: Arc<StackSettings>,
    pub(super) journal: Journal,
    pub(super) deployment: Deployment,
    pub(super) host: String,
    pub(super) marker: String,
    /// When the way forward, or the undo, is given up, in Unix milliseconds.
    deadline_ms: AtomicI64,
}

impl Context {
    /// Opens the deployment that `lease` is for.
    ///
    /// # Errors
    ///
    /// Returns a [`StoreError`] when it cannot be read.
    pub async fn open(ports: &Ports, lease: Lease) -> Result<Self, StoreError> {
        let record = ports.store.find(&lease.id).await?.ok_or(StoreError::LeaseLost)?;
        let marker = ports.settings.marker(&lease.id);
        let clock = Arc::clone(&ports.clock);
        let (store, notifier) = (Arc::clone(&ports.store), Arc::clone(&ports.notifier));
        let journal = Journal::open(store, Arc::clone(&clock), notifier, lease).await?;
        let deadline = record.deployment.started.as_millisecond() + millis(ports.settings.deadline);
        Ok(Self {
            platform: Arc::clone(&ports.platform),
            probe: Arc::clone(&ports.probe),
            clock,
            settings: Arc::clone(&ports.settings),
            journal,
            deployment: record.deployment,
            host: record.host,
            marker,
            deadline_ms: AtomicI64::new(deadline),
        })
    }

    /// Gives the undo its own time.
    pub(super) fn begin_undo(&self) {
        let now = self.clock.now().as_millisecond();
        self.deadline_ms.store(now + millis(self.settings.drain_limit), Ordering::Relaxed);
    }

    /// Waits, but not past the deadline. What is in the log becomes visible first.
    ///
    /// # Errors
    ///
    /// [`FailureCode::Deadline`] when the deadline comes first.
    pub(super) async fn wait(&self, pause: Duration) -> Result<(), StepError> {
        self.journal.flush().await?;
        let now = self.clock.now().as_millisecond();
        let left = self.deadline_ms.load(Ordering::Relaxed).saturating_sub(now);
        let left = Duration::from_millis(u64::try_from(left).unwrap_or(0));
        if pause >= left {
            self.clock.sleep(left).await;
            return Err(StepError::failed(
                FailureCode::Deadline,
                "It took too long, so the portal stopped waiting.",
            ));
        }
        self.clock.sleep(pause).await;
        Ok(())
    }

    /// Returns the milliseconds from the deployment's start to `at`.
    pub(super) fn elapsed_ms(&self, at: Timestamp) -> u64 {
        elapsed_ms(self.deployment.started, at)
    }

    /// Logs something unexpected that was recovered from, for the person and the operator.
    pub(super) fn warn(&self, action: &str, message: &str) {
        tracing::warn!(action, "{message}");
        self.log(Level::Warn, action, message, 0, None);
    }

    /// Tells the person that something went well which began at `since`.
    pub(super) fn info(&self, action: &str, message: &str, since: Timestamp) {
        let took_ms = elapsed_ms(since, self.clock.now());
        self.log(Level::Info, action, message, took_ms, None);
    }

    /// Writes an entry into the person's log; `action` is `noun.verb`.
    pub(super) fn log(
        &self,
        level: Level,
        action: &str,
        message: &str,
        duration_ms: u64,
        attempt: Option<u32>,
    ) {
        self.journal.log(LogEntry {
            timestamp: self.clock.now(),
            level,
            phase: self.journal.phase(),
            action: action.to_owned(),
            message: message.to_owned(),
            duration_ms,
            attempt,
        });
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
