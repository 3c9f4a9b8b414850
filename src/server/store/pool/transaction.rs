//! Transactions that leave no connection behind of which nobody knows the state.

use std::ops::{Deref, DerefMut};

use tokio::{runtime::Handle, time::timeout};

use super::{Kind, Lent, Pool, SIGN_OF_LIFE};
use crate::server::{
    ports::store::StoreError,
    store::{generation, unavailable},
};

/// An open transaction. Dropping it rolls it back.
pub(in crate::server::store) struct Transaction<D: Kind> {
    /// There until the end.
    lent: Option<Lent<D>>,
}

impl<D: Kind> Pool<D> {
    /// Begins a transaction that is going to write.
    ///
    /// # Errors
    ///
    /// Returns why none is open; the connection is thrown away then.
    /// [`StoreError::OtherGeneration`] where the tables are not those that this program was built
    /// for.
    pub(in crate::server::store) async fn begin(&self) -> Result<Transaction<D>, StoreError> {
        let (lent, found) = self.open().await.map_err(unavailable)?;
        let tx = Transaction { lent: Some(lent) };
        generation::check(found)?;
        Ok(tx)
    }

    async fn open(&self) -> Result<(Lent<D>, Option<i64>), sqlx::Error> {
        let mut lent = self.lend().await?;
        match D::begin(&mut lent.connection).await {
            Ok(found) => Ok((lent, found)),
            Err(error) => {
                let has_died = D::IS_REMOTE && lent.is_used && !D::is_unharmed_by(&error);
                if !has_died {
                    return Err(error);
                }
                lent.throw_away();
                // Nothing has been done yet, so nothing is done twice.
                let mut lent = self.lend_new().await?;
                let found = D::begin(&mut lent.connection).await?;
                Ok((lent, found))
            }
        }
    }
}

impl<D: Kind> Transaction<D> {
    /// Ends it, and keeps what it has done.
    ///
    /// # Errors
    ///
    /// Returns why nobody knows whether it is kept; the connection is thrown away then.
    pub(in crate::server::store) async fn commit(mut self) -> Result<(), sqlx::Error> {
        let Some(mut lent) = self.lent.take() else { return Ok(()) };
        D::say(&mut lent.connection, "COMMIT").await?;
        lent.give_back();
        Ok(())
    }
}

impl<D: Kind> Drop for Transaction<D> {
    fn drop(&mut self) {
        let (Some(mut lent), Ok(runtime)) = (self.lent.take(), Handle::try_current()) else {
            return;
        };
        // It keeps its place in the pool until it is known to be clean, or thrown away.
        runtime.spawn(async move {
            let ending = timeout(SIGN_OF_LIFE, D::say(&mut lent.connection, "ROLLBACK")).await;
            if let Ok(Ok(())) = ending {
                lent.give_back();
            }
        });
    }
}

impl<D: Kind> Deref for Transaction<D> {
    type Target = D::Connection;

    #[expect(clippy::expect_used, reason = "only the end takes it out")]
    fn deref(&self) -> &D::Connection {
        &self.lent.as_ref().expect("it is there until the end").connection
    }
}

impl<D: Kind> DerefMut for Transaction<D> {
    #[expect(clippy::expect_used, reason = "only the end takes it out")]
    fn deref_mut(&mut self) -> &mut D::Connection {
        &mut self.lent.as_mut().expect("it is there until the end").connection
    }
}
