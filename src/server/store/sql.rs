//! The ports over an SQL database: one layer for SQLite and PostgreSQL, one file for each port.
//!
//! A statement is one text for both. What really differs between them is in [`dialect`], so a port
//! names no database. Nothing here waits for ever: not for a connection, not for an answer, and not
//! for somebody who holds a lock and says nothing.

mod accounts;
mod audit;
mod beginning;
pub(super) mod dialect;
mod journal;
mod leases;
mod lists;
mod operations;
pub(super) mod pool;
mod purge;
mod quotas;
mod responses;
pub(super) mod rows;
mod specs;
mod stacks;
pub(super) mod statement;
mod task_leases;
pub(super) mod writes;

use std::time::Duration;

use async_trait::async_trait;
use tokio::time::timeout;

use self::{
    dialect::Dialect,
    pool::{Pool, Transaction},
    statement::Statement,
    writes::Writes,
};
use super::{Store, StoreError, unavailable_for};
use crate::server::notifier::Nudge;

/// The time for which writes under way are waited for at the end.
const LAST_WRITES: Duration = Duration::from_secs(2);

/// The store in an SQL database.
#[derive(Debug)]
pub struct SqlStore<D: Dialect> {
    pub(super) writer: Pool<D>,
    /// The same pool as the writer's where several may write. SQLite has one writer, which readers
    /// must not wait for.
    pub(super) readers: Pool<D>,
    writes: Writes,
    pub(super) companion: D::Companion,
}

impl<D: Dialect> Clone for SqlStore<D> {
    fn clone(&self) -> Self {
        let (writer, readers) = (self.writer.clone(), self.readers.clone());
        let (writes, companion) = (self.writes.clone(), self.companion.clone());
        Self { writer, readers, writes, companion }
    }
}

impl<D: Dialect> SqlStore<D> {
    /// Makes a store whose tables are up to date.
    pub(super) fn new(writer: Pool<D>, readers: Pool<D>, companion: D::Companion) -> Self {
        Self { writer, readers, writes: Writes::default(), companion }
    }

    /// Begins a transaction that is going to write.
    async fn transaction(&self) -> Result<Transaction<D>, StoreError> {
        self.writer.begin().await
    }

    /// Tells the other portals on the database, once the transaction is committed.
    async fn notify(&self, tx: &mut Transaction<D>, nudge: &Nudge) -> Result<(), StoreError> {
        D::notify(&self.companion, tx, nudge).await
    }

    /// Returns all rows of a question.
    async fn rows(&self, question: Statement) -> Result<Vec<D::Row>, StoreError> {
        self.read(|| self.readers.fetch_all(question.clone())).await
    }

    /// Returns the first row of a question, if there is one.
    async fn row(&self, question: Statement) -> Result<Option<D::Row>, StoreError> {
        self.read(|| self.readers.fetch_optional(question.clone())).await
    }

    /// Changes something with one statement, and returns the rows that it returns.
    async fn change(&self, statement: Statement) -> Result<Vec<D::Row>, StoreError> {
        let store = self.clone();
        self.finish(async move {
            // A transaction of its own although it is one statement: beginning it checks the
            // schema's generation.
            let mut tx = store.transaction().await?;
            let rows = statement.fetch_all(&mut tx).await?;
            tx.commit().await?;
            Ok(rows)
        })
        .await
    }

    /// Changes something with one statement, and returns the number of rows that it has changed.
    async fn change_rows(&self, statement: Statement) -> Result<u64, StoreError> {
        let store = self.clone();
        self.finish(async move {
            let mut tx = store.transaction().await?;
            let changed = statement.execute(&mut tx).await?;
            tx.commit().await?;
            Ok(changed)
        })
        .await
    }

    /// Changes an operation with one statement that is guarded by its lease.
    async fn change_held(&self, statement: Statement) -> Result<(), StoreError> {
        if self.change_rows(statement).await? == 0 { Err(StoreError::LeaseLost) } else { Ok(()) }
    }

    /// Asks the database, and once more where the connection was lost meanwhile: a connection
    /// that was used just now is believed to be one.
    async fn read<T, F>(&self, question: impl Fn() -> F + Send + Sync) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, StoreError>> + Send,
        T: Send,
    {
        within::<D, T>(async {
            match question().await {
                Err(StoreError::Unavailable(error)) if is_loss::<D>(&*error) => question().await,
                response => response,
            }
        })
        .await
    }

    /// Finishes a write within its time, whether or not somebody waits for it.
    pub(super) async fn finish<T: Send + 'static>(
        &self,
        write: impl Future<Output = Result<T, StoreError>> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.writes.finish(within::<D, T>(write)).await
    }
}

/// Lets `transaction` take its time, but not for ever.
async fn within<D: Dialect, T>(
    transaction: impl Future<Output = Result<T, StoreError>> + Send,
) -> Result<T, StoreError> {
    let Some(limit) = D::LIMIT else { return transaction.await };
    match timeout(limit, transaction).await {
        Ok(result) => result,
        Err(late) => Err(unavailable_for(late.into())),
    }
}

/// Returns whether a question has failed because its connection was lost.
fn is_loss<D: Dialect>(error: &(dyn std::error::Error + Send + Sync + 'static)) -> bool {
    D::IS_REMOTE
        && error.downcast_ref().is_some_and(|error| match error {
            sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed => false,
            error => !D::survives(error),
        })
}

/// Writes the one row that is there to be written.
async fn check<D: Dialect>(store: SqlStore<D>) -> Result<(), StoreError> {
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

    async fn check(&self) -> Result<(), StoreError> {
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
