//! Transactions. Their connection returns to the pool only when its state is known.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::time::timeout;

use super::{PING_TIMEOUT, Pool, PooledConnection};
use crate::server::schema::BUILT_FOR;
use crate::server::store::sql::dialect::{Dialect, RunStatement as _};
use crate::server::store::sql::rows::Columns as _;
use crate::server::store::sql::statement::Statement;
use crate::server::store::{Result, StoreError, unavailable};

/// An open transaction. Dropping it rolls it back.
pub(in crate::server::store) struct Transaction<D: Dialect> {
    /// `None` only after the end.
    connection_in_use: Option<PooledConnection<D>>,
}

impl<D: Dialect> Pool<D> {
    /// Begins a transaction that writes.
    ///
    /// # Errors
    ///
    /// Returns a [`StoreError`] if no transaction was opened. The connection is closed then.
    /// [`StoreError::OtherGeneration`] means that the tables are not those that this program was
    /// built for.
    pub(in crate::server::store) async fn begin(self: &Arc<Self>) -> Result<Transaction<D>> {
        let (connection_in_use, found) = self.open().await.map_err(unavailable)?;
        let tx = Transaction { connection_in_use: Some(connection_in_use) };
        match found.map(|row| row.number("generation")).transpose()? {
            Some(BUILT_FOR) => Ok(tx),
            Some(found) => Err(StoreError::OtherGeneration { found, built_for: BUILT_FOR }),
            None => Err(StoreError::Corrupt { what: "schema generation" }),
        }
    }

    async fn open(self: &Arc<Self>) -> Result<(PooledConnection<D>, Option<D::Row>), sqlx::Error> {
        let mut connection_in_use = self.acquire().await?;
        match connection_in_use.connection.execute_raw(D::BEGIN).await {
            Ok(found) => Ok((connection_in_use, found)),
            Err(error) => {
                let has_died = D::IS_REMOTE && connection_in_use.is_used && !D::survives(&error);
                if !has_died {
                    return Err(error);
                }
                connection_in_use.discard();
                // The lost connection had not begun a transaction, so a second attempt repeats
                // nothing.
                let mut connection_in_use = self.acquire_new().await?;
                let found = connection_in_use.connection.execute_raw(D::BEGIN).await?;
                Ok((connection_in_use, found))
            }
        }
    }
}

impl<D: Dialect> Transaction<D> {
    /// Commits the transaction.
    ///
    /// # Errors
    ///
    /// Returns a [`StoreError`] if it is unknown whether the transaction is committed. The
    /// connection is closed then.
    pub(in crate::server::store) async fn commit(mut self) -> Result<()> {
        let Some(mut connection_in_use) = self.connection_in_use.take() else { return Ok(()) };
        connection_in_use.connection.execute_raw("COMMIT").await.map_err(unavailable)?;
        connection_in_use.release();
        Ok(())
    }
}

impl<D: Dialect> Drop for Transaction<D> {
    fn drop(&mut self) {
        let (Some(mut connection_in_use), Ok(runtime)) =
            (self.connection_in_use.take(), Handle::try_current())
        else {
            return;
        };
        // The connection keeps its permit until it is rolled back or closed.
        runtime.spawn(async move {
            let ending =
                timeout(PING_TIMEOUT, connection_in_use.connection.execute_raw("ROLLBACK")).await;
            if let Ok(Ok(_)) = ending {
                connection_in_use.release();
            }
        });
    }
}

impl<D: Dialect> Deref for Transaction<D> {
    type Target = D::Connection;

    #[expect(clippy::expect_used, reason = "only the end takes it out")]
    fn deref(&self) -> &D::Connection {
        &self.connection_in_use.as_ref().expect("it is there until the end").connection
    }
}

impl<D: Dialect> DerefMut for Transaction<D> {
    #[expect(clippy::expect_used, reason = "only the end takes it out")]
    fn deref_mut(&mut self) -> &mut D::Connection {
        &mut self.connection_in_use.as_mut().expect("it is there until the end").connection
    }
}

impl Statement {
    /// Executes the statement, and returns the number of changed rows.
    pub(in crate::server::store) async fn execute<D: Dialect>(
        self,
        tx: &mut Transaction<D>,
    ) -> Result<u64> {
        tx.execute(self).await.map_err(unavailable)
    }

    /// Returns all its rows.
    pub(in crate::server::store) async fn fetch_all<D: Dialect>(
        self,
        tx: &mut Transaction<D>,
    ) -> Result<Vec<D::Row>> {
        tx.fetch_all(self).await.map_err(unavailable)
    }

    /// Returns its first row, if there is one.
    pub(in crate::server::store) async fn fetch_optional<D: Dialect>(
        self,
        tx: &mut Transaction<D>,
    ) -> Result<Option<D::Row>> {
        Ok(self.fetch_all(tx).await?.into_iter().next())
    }

    /// Returns its first row, which must exist.
    pub(in crate::server::store) async fn fetch_one<D: Dialect>(
        self,
        tx: &mut Transaction<D>,
    ) -> Result<D::Row> {
        self.fetch_optional(tx).await?.ok_or_else(|| unavailable(sqlx::Error::RowNotFound))
    }
}
