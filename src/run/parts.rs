//! The parts of a running portal: tasks that run until the shutdown.
//!
//! A part that ends earlier, by a panic or by returning, makes the portal unhealthy. The caller
//! decides what happens then.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::{Id, JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

use super::GRACE;
use crate::http::{self, ConnectionLimits, Site};
use crate::server::audit::AuditTrail;
use crate::server::settings::Settings;
use crate::server::stacks::SECRETS_KEPT_FOR;
use crate::server::store::{Operations, Result};
use crate::server::vitals::Vitals;
use clock::Clock;
use domain::time::earlier;

/// The interval between two purges.
const PURGE_INTERVAL: Duration = Duration::from_hours(1);

/// The tasks of a portal, each with its name.
pub struct Parts {
    tasks: JoinSet<()>,
    names: HashMap<Id, &'static str>,
    vitals: Arc<Vitals>,
    shutdown: CancellationToken,
}

impl Parts {
    /// Creates an empty set. Parts run until `shutdown`; one that ends earlier is recorded in
    /// `vitals`.
    pub fn new(vitals: Arc<Vitals>, shutdown: CancellationToken) -> Self {
        Self { tasks: JoinSet::new(), names: HashMap::new(), vitals, shutdown }
    }

    /// Starts `part`, which is called `name`.
    pub fn start(&mut self, name: &'static str, part: impl Future<Output = ()> + Send + 'static) {
        let task = self.tasks.spawn(part);
        self.names.insert(task.id(), name);
    }

    /// Watches a part that runs elsewhere: the future `over` completes when that part ends.
    pub fn watch(&mut self, name: &'static str, over: impl Future<Output = ()> + Send + 'static) {
        let shutdown = self.shutdown.clone();
        self.start(name, async move {
            tokio::select! {
                () = shutdown.cancelled() => {}
                () = over => {}
            }
        });
    }

    /// Waits until a part ends before the shutdown, and returns its name. Never returns if none
    /// does.
    pub async fn ended(&mut self) -> &'static str {
        while let Some(name) = self.next_ended().await {
            if !self.shutdown.is_cancelled() {
                tracing::error!(
                    part = name,
                    "A component ended unexpectedly: the portal is unhealthy"
                );
                self.vitals.lose(name);
                return name;
            }
        }
        std::future::pending().await
    }

    /// Waits until all parts have ended.
    pub async fn stopped(mut self) {
        while self.next_ended().await.is_some() {}
    }

    /// Waits until the next part ends, and returns its name; `None` if all have ended.
    async fn next_ended(&mut self) -> Option<&'static str> {
        let ended = self.tasks.join_next_with_id().await?;
        let id = ended.as_ref().map_or_else(JoinError::id, |(id, ())| *id);
        let name = self.names.get(&id).copied().unwrap_or("unknown");
        if let Err(error) = ended {
            tracing::error!(part = name, %error, "A component ended with an error");
        }
        Some(name)
    }
}

/// How long records are kept.
#[derive(Clone, Copy, Debug)]
pub struct Retention {
    /// The number of days after the end of a deployment, or after its removal.
    operations_days: u32,
    /// The number of days of an entry of the audit log.
    audit_days: u32,
}

impl Retention {
    /// Returns what the settings say.
    pub fn new(settings: &Settings) -> Self {
        let Settings { retention_days, audit_retention_days, .. } = settings;
        Self { operations_days: *retention_days, audit_days: *audit_retention_days }
    }
}

/// Purges older deployments and audit entries, and the secrets of stacks that are gone, every hour
/// until `shutdown`. Audit entries are purged
/// an hour after the start for the first time: by then a rolling update is over, so that no older
/// replica reads an entry of an action that it does not know.
pub async fn purge_old_records(
    operations: Arc<dyn Operations>,
    audit: Arc<AuditTrail>,
    clock: Arc<dyn Clock>,
    retention: Retention,
    shutdown: CancellationToken,
) {
    let age = |days: u32| Duration::from_hours(u64::from(days) * 24);
    loop {
        let purged = operations.purge(earlier(clock.now(), age(retention.operations_days))).await;
        log_purge("deployments", purged);
        let forgotten = operations.forget_secrets(earlier(clock.now(), SECRETS_KEPT_FOR)).await;
        log_purge("secrets of stacks that are gone", forgotten);
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = clock.sleep(PURGE_INTERVAL) => {}
        }
        log_purge("audit entries", audit.purge(age(retention.audit_days)).await);
    }
}

fn log_purge(what: &str, purged: Result<u64>) {
    match purged {
        Ok(0) => {}
        Ok(count) => tracing::info!(count, "Purged old {what}"),
        Err(error) => tracing::warn!(%error, "Could not purge old {what}"),
    }
}

/// Serves `site` until `shutdown`, then completes the responses in progress within [`GRACE`]: a
/// client that never reads would otherwise block the shutdown forever.
pub(super) async fn serve(
    listener: TcpListener,
    site: impl Site,
    limits: ConnectionLimits,
    shutdown: CancellationToken,
) {
    let serving = http::serve(listener, site, limits, shutdown.clone());
    let limit = async {
        shutdown.cancelled().await;
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        () = serving => {}
        () = limit => tracing::warn!("Closed connections that were still open"),
    }
}
