//! Implements the ports over an SQL database, for SQLite and PostgreSQL alike: one file for each
//! port.
//!
//! Both databases run the same statements. What differs is in [`dialect`], so no other file names a
//! database. On PostgreSQL, every wait has a time limit: for a connection, for an answer, and for a
//! lock.

mod accounts;
mod audit;
mod beginning;
mod deleting;
pub(super) mod dialect;
mod journal;
mod kept;
mod leases;
mod lists;
mod looks;
mod measured;
mod on_stack;
mod operations;
pub(super) mod pool;
mod purge;
mod quotas;
mod responses;
mod revisions;
pub(super) mod rows;
mod specs;
mod stack_events;
mod stacks;
pub(super) mod statement;
mod templates;
mod under_way;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::timeout;
use tokio_util::task::TaskTracker;

use self::dialect::Dialect;
use self::pool::{Pool, Transaction};
use self::rows::Columns as _;
use self::statement::Statement;
use super::{Result, Store, StoreError, unavailable_for};
use crate::server::metrics::{Access, Metrics};
use crate::server::notifier::Notification;
use crate::server::run_to_completion::RunToCompletion;
use clock::{Clock as _, SystemClock};

/// The time limit for finishing writes when the store is closed.
const LAST_WRITES: Duration = Duration::from_secs(2);

/// The store in an SQL database.
#[derive(Debug)]
pub struct SqlStore<D: Dialect> {
    pub(super) writer: Arc<Pool<D>>,
    /// The pool for reads. PostgreSQL uses the writer's pool. SQLite has one writer, for which
    /// readers must not wait.
    pub(super) readers: Arc<Pool<D>>,
    writes: Writes,
    pub(super) companion: D::Companion,
    metrics: Arc<Metrics>,
}

impl<D: Dialect> Clone for SqlStore<D> {
    fn clone(&self) -> Self {
        let (writer, readers) = (Arc::clone(&self.writer), Arc::clone(&self.readers));
        let (writes, companion) = (self.writes.clone(), self.companion.clone());
        Self { writer, readers, writes, companion, metrics: Arc::clone(&self.metrics) }
    }
}

impl<D: Dialect> SqlStore<D> {
    /// Creates a store over a database whose tables are migrated.
    pub(super) fn new(
        writer: Arc<Pool<D>>,
        readers: Arc<Pool<D>>,
        companion: D::Companion,
    ) -> Self {
        let (writes, metrics) = (Writes::default(), Arc::default());
        Self { writer, readers, writes, companion, metrics }
    }

    /// Adds the time of each access to the `metrics`.
    #[must_use]
    pub fn measured(self, metrics: Arc<Metrics>) -> Self {
        Self { metrics, ..self }
    }

    /// Begins a transaction that writes.
    async fn transaction(&self) -> Result<Transaction<D>> {
        self.writer.begin().await
    }

    /// Notifies the other replicas when the transaction commits.
    async fn notify(&self, tx: &mut Transaction<D>, notification: &Notification) -> Result<()> {
        D::notify(&self.companion, &mut *tx, notification).await
    }

    /// Returns all rows of a query.
    async fn rows(&self, query: Statement) -> Result<Vec<D::Row>> {
        self.read(|| self.readers.fetch_all(query.clone())).await
    }

    /// Returns the first row of a query, if there is one.
    async fn row(&self, query: Statement) -> Result<Option<D::Row>> {
        Ok(self.rows(query).await?.into_iter().next())
    }

    /// Executes one statement that writes, and returns its rows.
    async fn change(&self, statement: Statement) -> Result<Vec<D::Row>> {
        let store = self.clone();
        self.finish(async move {
            // One statement needs no transaction, but beginning one checks the schema's generation.
            let mut tx = store.transaction().await?;
            let rows = statement.fetch_all(&mut tx).await?;
            tx.commit().await?;
            Ok(rows)
        })
        .await
    }

    /// Executes one statement that writes, and returns the number of changed rows.
    async fn change_rows(&self, statement: Statement) -> Result<u64> {
        let store = self.clone();
        self.finish(async move {
            let mut tx = store.transaction().await?;
            let changed = statement.execute(&mut tx).await?;
            tx.commit().await?;
            Ok(changed)
        })
        .await
    }

    /// Executes one statement that is guarded by an operation's lease. If it changes no row, the
    /// lease is lost.
    async fn change_held(&self, statement: Statement) -> Result<()> {
        if self.change_rows(statement).await? == 0 { Err(StoreError::LeaseLost) } else { Ok(()) }
    }

    /// Reads, and retries once if the connection was lost: the pool does not test a connection that
    /// was used recently. A read can be repeated without harm.
    async fn read<T, F>(&self, query: impl Fn() -> F + Send + Sync) -> Result<T>
    where
        F: Future<Output = Result<T>> + Send,
        T: Send,
    {
        let read = within::<D, T>(async {
            match query().await {
                Err(StoreError::Unavailable(error)) if is_loss::<D>(&*error) => query().await,
                response => response,
            }
        });
        measure(&self.metrics, Access::Read, read).await
    }

    /// Runs a write to its end, even if the caller is dropped, within the dialect's time limit.
    pub(super) async fn finish<T: Send + 'static>(
        &self,
        write: impl Future<Output = Result<T>> + Send + 'static,
    ) -> Result<T> {
        let metrics = Arc::clone(&self.metrics);
        let write = async move { measure(&metrics, Access::Write, within::<D, T>(write)).await };
        self.writes.finish(write).await
    }
}

/// The writes in progress. They run to their end even if their callers are dropped, so that none is
/// interrupted halfway.
#[derive(Clone, Debug, Default)]
struct Writes(TaskTracker);

impl Writes {
    /// Runs `write` to its end, even if the caller is dropped.
    async fn finish<T: Send + 'static>(
        &self,
        write: impl Future<Output = Result<T>> + Send + 'static,
    ) -> Result<T> {
        RunToCompletion::new(self.0.token(), write).await
    }

    /// Waits until all writes are finished, but no longer than `patience`.
    async fn finished(&self, patience: Duration) {
        self.0.close();
        if timeout(patience, self.0.wait()).await.is_err() {
            let count = self.0.len();
            tracing::error!(count, "Writes were interrupted: they may or may not be committed");
        }
    }
}

/// Adds to the `metrics` how long an access takes, the wait for a connection included.
async fn measure<T>(
    metrics: &Metrics,
    access: Access,
    answer: impl Future<Output = Result<T>> + Send,
) -> Result<T> {
    let began = SystemClock.monotonic();
    let answer = answer.await;
    let is_answered = !matches!(answer, Err(StoreError::Unavailable(_)));
    metrics.stored(access, is_answered, SystemClock.monotonic().saturating_sub(began));
    answer
}

/// Limits the time of `transaction`, if the dialect has a limit.
async fn within<D: Dialect, T>(transaction: impl Future<Output = Result<T>> + Send) -> Result<T> {
    let Some(limit) = D::LIMIT else { return transaction.await };
    match timeout(limit, transaction).await {
        Ok(result) => result,
        Err(late) => Err(unavailable_for(late.into())),
    }
}

/// Returns whether a query failed because its connection was lost.
fn is_loss<D: Dialect>(error: &(dyn std::error::Error + Send + Sync + 'static)) -> bool {
    D::IS_REMOTE
        && error.downcast_ref().is_some_and(|error| match error {
            sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed => false,
            error => !D::survives(error),
        })
}

/// Updates the only row of the table `write_probe`.
async fn check<D: Dialect>(store: SqlStore<D>) -> Result<()> {
    let mut tx = store.transaction().await?;
    let write = Statement::new("UPDATE write_probe SET writes = writes + 1");
    if write.execute(&mut tx).await? != 1 {
        return Err(StoreError::Corrupt { what: "table write_probe" });
    }
    tx.commit().await
}

#[async_trait]
impl<D: Dialect> Store for SqlStore<D> {
    fn kind(&self) -> &'static str {
        D::KIND
    }

    async fn keep_portal_name(&self, name: &str) -> Result<()> {
        let keep = Statement::new(
            "INSERT INTO portal (id, name) VALUES (1, $1) ON CONFLICT (id) DO UPDATE
             SET name = excluded.name
             WHERE NOT EXISTS (SELECT 1 FROM stacks WHERE gone_ms IS NULL)",
        );
        self.change_rows(keep.bind(name)).await.map(drop)
    }

    async fn name_of_stacks(&self) -> Result<Option<String>> {
        // The smallest name is in the index of the names in use; EXISTS reads the table.
        let name = Statement::new(
            "SELECT name FROM portal
             WHERE (SELECT min(name) FROM stacks WHERE gone_ms IS NULL) IS NOT NULL",
        );
        self.row(name).await?.map(|row| row.text("name")).transpose()
    }

    async fn check(&self) -> Result<()> {
        self.finish(check(self.clone())).await
    }

    async fn broken(&self) {
        D::broken(&self.companion).await;
    }

    async fn close(&self) {
        D::before_close(&self.companion).await;
        self.writes.finished(LAST_WRITES).await;
        self.readers.close().await;
        self.writer.close().await;
        D::after_close(&self.companion).await;
    }
}
