//! Nudges between the portals that share a database, by LISTEN and NOTIFY.
//!
//! A nudge is part of the transaction that it is about: it arrives once that is committed, and not
//! at all if it is not. While a portal cannot listen it misses nudges, so after each reconnect it
//! wakes all local watchers.

use std::{fmt, sync::Arc, time::Duration};

use sqlx::{
    Postgres,
    postgres::{PgConnectOptions, PgListener, PgNotification, PgPoolOptions},
};
use tokio::time::{sleep, timeout};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::ACQUIRE_TIMEOUT;
use crate::server::{
    notifier::{Notifier, Nudge},
    store::{
        StoreError,
        sql::{pool::Transaction, statement::Statement},
    },
};

const CHANNEL: &str = "ai_stack_deployer";
/// The interval at which a silent connection is asked whether it still is one: the other end may be
/// gone without a word.
const HEARTBEAT: Duration = Duration::from_secs(5);
/// The pause before listening is tried again.
const PAUSE: Duration = Duration::from_millis(500);

/// The origin of a nudge: our own notifications are ignored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Origin(u64);

impl Origin {
    /// Returns one that no other portal has.
    pub(super) fn random() -> Self {
        Self(rand::random())
    }

    /// Sends a nudge to the other portals, once the transaction is committed.
    pub(super) async fn notify(
        self,
        tx: &mut Transaction<Postgres>,
        nudge: &Nudge,
    ) -> Result<(), StoreError> {
        let notify = Statement::new("SELECT pg_notify($1, $2)");
        notify.bind(CHANNEL).bind(format!("{self} {nudge}")).execute(tx).await.map(drop)
    }

    /// Reads a nudge that comes from somebody else.
    fn decode_foreign(self, payload: &str) -> Option<Nudge> {
        let (origin, nudge) = payload.split_once(' ')?;
        if origin == self.to_string() { None } else { nudge.parse().ok() }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// The task that listens to the other portals.
#[derive(Debug)]
pub(super) struct NudgeListener {
    stop: CancellationToken,
    task: TaskTracker,
}

impl NudgeListener {
    /// Starts to listen for nudges to hand to `notifier`.
    pub(super) fn start(
        options: PgConnectOptions,
        origin: Origin,
        notifier: Arc<Notifier>,
    ) -> Self {
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

    /// Waits until the task has ended, for whatever reason.
    pub(super) async fn ended(&self) {
        self.task.wait().await;
    }

    /// Ends it.
    pub(super) async fn stop(&self) {
        self.stop.cancel();
        self.task.wait().await;
    }
}

impl Drop for NudgeListener {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// Listens, again and again.
async fn listen(options: &PgConnectOptions, origin: Origin, notifier: &Notifier) {
    loop {
        match connect(options).await {
            Ok(mut listener) => {
                // Something may have been missed.
                notifier.nudge_all();
                while let Some(heard) = next(&mut listener).await {
                    if let Some(nudge) =
                        heard.and_then(|heard| origin.decode_foreign(heard.payload()))
                    {
                        notifier.nudge(&nudge);
                    }
                }
                tracing::warn!("Lost the connection for notifications from other replicas");
            }
            Err(error) => {
                tracing::warn!(%error, "Cannot listen for notifications from other replicas");
            }
        }
        sleep(PAUSE).await;
    }
}

/// Opens a connection of its own: one in a pool that others share could have to wait for them.
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

/// Waits for the next notification, or for a sign of life; `None` when the connection is lost.
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
    use super::*;

    #[test]
    fn our_own_notifications_are_ignored() {
        let (own, other) = (Origin(1), Origin(2));
        let payload = format!("{own} {}", Nudge::Work);
        assert_eq!(own.decode_foreign(&payload), None);
        assert_eq!(other.decode_foreign(&payload), Some(Nudge::Work));
        assert_eq!(other.decode_foreign("something else"), None);
    }
}
