//! A connection pool whose idle connections are known to be outside of any transaction.
//!
//! A connection returns to the pool only after the answer to its last statement, and outside of any
//! transaction. If its user is dropped before that, or gets an error after which its state is
//! unknown, the connection is closed, and the database rolls back.
//!
//! The pool must not know what the statements are about.

mod transaction;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use sqlx::Connection;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout};

use super::dialect::{Dialect, RunStatement as _};
use super::statement::Statement;
use crate::server::store::{Result, unavailable};
pub(in crate::server::store) use transaction::Transaction;

/// The time for which an idle connection is used again without a test.
const FRESH: Duration = Duration::from_secs(1);
/// The time limit for the test of an idle connection, for closing one, and for a rollback.
const PING_TIMEOUT: Duration = Duration::from_secs(1);
/// The time after which an idle connection is closed.
const IDLE_TIMEOUT: Duration = Duration::from_mins(10);
/// The age at which a connection is closed when it is released.
const MAX_LIFETIME: Duration = Duration::from_mins(30);

/// Connections to one database, up to a maximum number.
pub(in crate::server::store) struct Pool<D: Dialect> {
    options: <D::Connection as Connection>::Options,
    permits: Arc<Semaphore>,
    size: u32,
    /// The time limit for acquiring a connection.
    acquire_timeout: Duration,
    /// The idle connections, the one that was used last at the end.
    idle: Mutex<Vec<Idle<D>>>,
}

struct Idle<D: Dialect> {
    connection: D::Connection,
    created_at: Instant,
    since: Instant,
}

/// A connection in use. Dropping it without [`Self::release`] closes it.
struct PooledConnection<D: Dialect> {
    connection: D::Connection,
    created_at: Instant,
    /// True if it was used before, so that it may have been lost while it was idle.
    is_used: bool,
    pool: Arc<Pool<D>>,
    /// The last field, so that it is dropped after the connection is closed: only then may the next
    /// caller open one.
    permit: OwnedSemaphorePermit,
}

impl<D: Dialect> Pool<D> {
    /// Creates a pool of at most `size` connections. It connects when a connection is needed.
    pub(in crate::server::store) fn new(
        size: u32,
        acquire_timeout: Duration,
        options: <D::Connection as Connection>::Options,
    ) -> Arc<Self> {
        let permits = Arc::new(Semaphore::new(size as usize));
        let idle = Mutex::default();
        Arc::new(Self { options, permits, size, acquire_timeout, idle })
    }

    /// Returns all rows of a statement, outside of a transaction.
    pub(in crate::server::store) async fn fetch_all(
        self: &Arc<Self>,
        statement: Statement,
    ) -> Result<Vec<D::Row>> {
        let mut in_use = self.acquire().await.map_err(unavailable)?;
        let answer = in_use.connection.fetch_all(statement).await;
        in_use.release_after(&answer);
        answer.map_err(unavailable)
    }

    /// Executes a statement outside of a transaction, and returns the number of changed rows.
    pub(in crate::server::store) async fn execute(
        self: &Arc<Self>,
        statement: Statement,
    ) -> Result<u64> {
        let mut in_use = self.acquire().await.map_err(unavailable)?;
        let answer = in_use.connection.execute(statement).await;
        in_use.release_after(&answer);
        answer.map_err(unavailable)
    }

    /// Closes the idle connections. Connections in use are closed when they are released.
    pub(super) async fn close(&self) {
        let permits = Arc::clone(&self.permits);
        // Wait for connections in use, but only for a short time.
        let all = timeout(PING_TIMEOUT, permits.acquire_many(self.size)).await;
        self.permits.close();
        drop(all);
        let idle = std::mem::take(&mut *self.idle.lock());
        for Idle { connection, .. } in idle {
            timeout(PING_TIMEOUT, connection.close()).await.ok();
        }
    }

    /// Acquires a connection.
    async fn acquire(self: &Arc<Self>) -> Result<PooledConnection<D>, sqlx::Error> {
        let lending = async {
            let permit = self.permit().await?;
            match self.take_idle().await {
                Some(Idle { connection, created_at, .. }) => Ok(PooledConnection {
                    connection,
                    created_at,
                    is_used: true,
                    pool: Arc::clone(self),
                    permit,
                }),
                None => self.connect(permit).await,
            }
        };
        timeout(self.acquire_timeout, lending).await.map_err(|_| sqlx::Error::PoolTimedOut)?
    }

    /// Acquires a new connection.
    async fn acquire_new(self: &Arc<Self>) -> Result<PooledConnection<D>, sqlx::Error> {
        let lending = async { self.connect(self.permit().await?).await };
        timeout(self.acquire_timeout, lending).await.map_err(|_| sqlx::Error::PoolTimedOut)?
    }

    async fn permit(&self) -> Result<OwnedSemaphorePermit, sqlx::Error> {
        let permits = Arc::clone(&self.permits);
        permits.acquire_owned().await.map_err(|_| sqlx::Error::PoolClosed)
    }

    async fn connect(
        self: &Arc<Self>,
        permit: OwnedSemaphorePermit,
    ) -> Result<PooledConnection<D>, sqlx::Error> {
        let connection = D::connect(&self.options).await?;
        Ok(PooledConnection {
            connection,
            created_at: Instant::now(),
            is_used: false,
            pool: Arc::clone(self),
            permit,
        })
    }

    /// Takes an idle connection that still works. If one does not, those that have been idle for
    /// longer probably do not either, and are discarded.
    async fn take_idle(&self) -> Option<Idle<D>> {
        let mut idle = self.idle.lock().pop()?;
        if !D::IS_REMOTE || idle.since.elapsed() <= FRESH {
            return Some(idle);
        }
        if let Ok(Ok(())) = timeout(PING_TIMEOUT, idle.connection.ping()).await {
            return Some(idle);
        }
        self.discard_idle(idle.since);
        None
    }

    /// Discards the connections that have been idle since `since` or longer.
    fn discard_idle(&self, since: Instant) {
        self.idle.lock().retain(|idle| idle.since > since);
    }
}

impl<D: Dialect> PooledConnection<D> {
    /// Returns the connection to the pool. Call it only after the answer to the last statement, and
    /// outside of any transaction.
    fn release(self) {
        let Self { connection, created_at, pool, permit, .. } = self;
        let since = Instant::now();
        {
            let mut idle = pool.idle.lock();
            idle.retain(|idle| idle.since.elapsed() < IDLE_TIMEOUT);
            if created_at.elapsed() < MAX_LIFETIME {
                idle.push(Idle { connection, created_at, since });
            }
        }
        drop(permit);
    }

    /// Returns the connection to the pool after a statement outside of a transaction, unless
    /// `answer` is an error after which it cannot be reused.
    fn release_after<T>(self, answer: &Result<T, sqlx::Error>) {
        match answer {
            Err(error) if !D::survives(error) => self.discard(),
            Ok(_) | Err(_) => self.release(),
        }
    }

    /// Closes the connection. If the database is remote, the idle connections are probably lost as
    /// well, and are discarded.
    fn discard(self) {
        if D::IS_REMOTE {
            self.pool.discard_idle(Instant::now());
        }
    }
}

impl<D: Dialect> fmt::Debug for Pool<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("size", &self.size).finish_non_exhaustive()
    }
}
