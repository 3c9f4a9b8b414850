//! Notifications between the replicas that share a database, by `LISTEN` and `NOTIFY`.
//!
//! A notification belongs to the transaction whose change it announces: it is delivered if and when
//! that commits. A portal without a connection misses notifications, so after each reconnect it
//! wakes all local watchers.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use sqlx::PgConnection;
use sqlx::postgres::{PgConnectOptions, PgListener, PgNotification, PgPoolOptions};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::ACQUIRE_TIMEOUT;
use crate::server::notifier::{Notification, Notifier};
use crate::server::store::sql::dialect::RunStatement as _;
use crate::server::store::sql::statement::Statement;
use crate::server::store::{Result, unavailable};

const CHANNEL: &str = "ai_stack_deployer";
/// The interval at which a silent connection is checked: the server may have disappeared without
/// closing it.
const HEARTBEAT: Duration = Duration::from_secs(5);
/// The pause before a reconnect.
const PAUSE: Duration = Duration::from_millis(500);

/// The origin of a notification. A portal ignores its own notifications, except those about names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Origin(u64);

impl Origin {
    /// Returns a random origin, which no other portal has.
    pub(super) fn random() -> Self {
        Self(rand::random())
    }

    /// Sends a notification to the other replicas when the transaction commits.
    pub(super) async fn notify(
        self,
        connection: &mut PgConnection,
        notification: &Notification,
    ) -> Result<()> {
        let notify = Statement::new("SELECT pg_notify($1, $2)");
        let notify = notify.bind(CHANNEL).bind(format!("{self} {notification}"));
        connection.execute(notify).await.map(drop).map_err(unavailable)
    }

    /// Parses a notification. Returns `None` if it is unreadable, or if it is our own, except for
    /// one about a name: the caller whose transaction changed the name may be gone.
    fn decode_foreign(self, payload: &str) -> Option<Notification> {
        let (origin, notification) = payload.split_once(' ')?;
        let notification = notification.parse().ok()?;
        let is_own = origin == self.to_string();
        let is_for_us = !is_own || matches!(notification, Notification::Name(_));
        is_for_us.then_some(notification)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// The task that listens for notifications from other replicas. Dropping it stops the task.
#[derive(Debug)]
pub(super) struct NotificationListener {
    stop: CancellationToken,
    task: TaskTracker,
}

impl NotificationListener {
    /// Starts the task, which passes notifications to `notifier`.
    pub(super) fn start(
        options: PgConnectOptions,
        origin: Origin,
        notifier: Arc<Notifier>,
    ) -> Self {
        notifier.listening().set(false);
        let (stop, task) = (CancellationToken::new(), TaskTracker::new());
        let until = stop.clone();
        task.spawn(async move {
            tokio::select! {
                () = until.cancelled() => {}
                () = listen(&options, origin, &notifier) => {}
            }
        });
        task.close();
        Self { stop, task }
    }

    /// Waits until the task has ended. Unless it was stopped, that means it panicked.
    pub(super) async fn ended(&self) {
        self.task.wait().await;
    }

    /// Stops the task, and waits until it has ended.
    pub(super) async fn stop(&self) {
        self.stop.cancel();
        self.task.wait().await;
    }
}

impl Drop for NotificationListener {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// Listens, and reconnects whenever the connection is lost.
async fn listen(options: &PgConnectOptions, origin: Origin, notifier: &Notifier) {
    loop {
        match connect(options).await {
            Ok(mut listener) => {
                // Notifications may have been missed before the connection.
                notifier.notify_all();
                notifier.listening().set(true);
                while let Some(heard) = next(&mut listener).await {
                    if let Some(notification) =
                        heard.and_then(|heard| origin.decode_foreign(heard.payload()))
                    {
                        notifier.notify(&notification);
                    }
                }
                notifier.listening().set(false);
                tracing::warn!("Lost the connection for notifications from other replicas");
            }
            Err(error) => {
                tracing::warn!(%error, "Cannot listen for notifications from other replicas");
            }
        }
        sleep(PAUSE).await;
    }
}

/// Opens a connection outside of the store's pool, where it might have to wait for others.
async fn connect(options: &PgConnectOptions) -> Result<PgListener, sqlx::Error> {
    let pool = PgPoolOptions::new()
        .max_connections(1)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .max_lifetime(None)
        .idle_timeout(None)
        .connect_lazy_with(options.clone());
    let late = |_| sqlx::Error::PoolTimedOut;
    let mut listener = PgListener::connect_with(&pool).await?;
    listener.eager_reconnect(false);
    timeout(ACQUIRE_TIMEOUT, listener.listen(CHANNEL)).await.map_err(late)??;
    Ok(listener)
}

/// Waits for the next notification, or until [`HEARTBEAT`] has passed and the server has answered a
/// query. Returns `None` if the connection is lost.
async fn next(listener: &mut PgListener) -> Option<Option<PgNotification>> {
    match timeout(HEARTBEAT, listener.try_recv()).await {
        Ok(Ok(Some(heard))) => Some(Some(heard)),
        Ok(Ok(None) | Err(_)) => None,
        Err(_) => {
            let alive =
                timeout(ACQUIRE_TIMEOUT, sqlx::query("SELECT 1").execute(&mut *listener)).await;
            alive.is_ok_and(|response| response.is_ok()).then_some(None)
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::stack_name::StackName;

    use super::*;

    #[test]
    fn our_own_notifications_are_ignored() {
        let (own, other) = (Origin(1), Origin(2));
        let payload = format!("{own} {}", Notification::Work);
        assert_eq!(own.decode_foreign(&payload), None);
        assert_eq!(other.decode_foreign(&payload), Some(Notification::Work));
        let name = Notification::Name(StackName::parse("alice").unwrap());
        assert_eq!(own.decode_foreign(&format!("{own} {name}")), Some(name));
        assert_eq!(other.decode_foreign("something else"), None);
    }
}
