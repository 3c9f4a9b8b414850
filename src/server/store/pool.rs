//! Connections that are known to be clean.
//!
//! A connection comes back for others only with the answer to what was asked last, and outside
//! of any transaction. Whoever gives up in the middle, and whoever gets an error after which
//! nobody knows what is open on it, loses it: it is closed, and the database rolls back.
//!
//! It must not know what is asked.

mod executor;
mod transaction;

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use sqlx::{Connection, Database};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, timeout},
};

/// The time for which an unused connection is believed to be one.
const FRESH: Duration = Duration::from_secs(1);
/// The time that a connection that was put aside may take to answer that it is still one.
const PING_TIMEOUT: Duration = Duration::from_secs(1);
/// The time for which a connection is kept that nobody needs.
const IDLE_TIMEOUT: Duration = Duration::from_mins(10);
/// The time for which a connection is kept in any case.
const MAX_LIFETIME: Duration = Duration::from_mins(30);

/// A kind of database, as far as its connections need it.
#[async_trait]
pub(super) trait Backend: Database {
    /// True if a connection can be lost while nobody uses it.
    const IS_REMOTE: bool;

    /// Makes a connection.
    async fn connect(
        options: &<Self::Connection as Connection>::Options,
    ) -> Result<Self::Connection, sqlx::Error>;
    /// Begins a transaction that is going to write, and returns the schema's generation, which
    /// stays the same until the end.
    async fn begin(connection: &mut Self::Connection) -> Result<Option<i64>, sqlx::Error>;
    /// Executes a statement without parameters.
    async fn execute(
        connection: &mut Self::Connection,
        word: &'static str,
    ) -> Result<(), sqlx::Error>;
    /// Returns whether a connection is as good as before although a statement failed so.
    fn survives(error: &sqlx::Error) -> bool;
}

/// Connections to one database, at most so many at a time.
pub(super) struct Pool<D: Backend> {
    inner: Arc<Inner<D>>,
}

struct Inner<D: Backend> {
    options: <D::Connection as Connection>::Options,
    permits: Arc<Semaphore>,
    size: u32,
    /// The time for which a caller waits for a connection.
    acquire_timeout: Duration,
    /// Unused ones, the one that was used last at the end.
    idle: Mutex<Vec<Idle<D>>>,
}

struct Idle<D: Backend> {
    connection: D::Connection,
    created_at: Instant,
    since: Instant,
}

/// A connection in use. Unless it is given back it is closed.
struct PooledConnection<D: Backend> {
    connection: D::Connection,
    created_at: Instant,
    /// True if somebody else has used it before.
    is_used: bool,
    pool: Pool<D>,
    /// Goes last: somebody waits for the room.
    permit: OwnedSemaphorePermit,
}

impl<D: Backend> Pool<D> {
    /// Makes a pool that connects when it has to.
    pub(super) fn new(
        size: u32,
        acquire_timeout: Duration,
        options: <D::Connection as Connection>::Options,
    ) -> Self {
        let permits = Arc::new(Semaphore::new(size as usize));
        let idle = Mutex::default();
        Self { inner: Arc::new(Inner { options, permits, size, acquire_timeout, idle }) }
    }

    /// Closes what is not in use, and what is in use once it is not.
    pub(super) async fn close(&self) {
        let permits = Arc::clone(&self.inner.permits);
        // Whoever has one is not waited for in vain.
        let all = timeout(PING_TIMEOUT, permits.acquire_many(self.inner.size)).await;
        self.inner.permits.close();
        drop(all);
        let idle = std::mem::take(&mut *self.idle());
        for Idle { connection, .. } in idle {
            timeout(PING_TIMEOUT, connection.close()).await.ok();
        }
    }

    /// Acquires a connection.
    async fn acquire(&self) -> Result<PooledConnection<D>, sqlx::Error> {
        let lending = async {
            let permit = self.permit().await?;
            match self.take_idle().await {
                Some(Idle { connection, created_at, .. }) => Ok(PooledConnection {
                    connection,
                    created_at,
                    is_used: true,
                    pool: self.clone(),
                    permit,
                }),
                None => self.connect(permit).await,
            }
        };
        timeout(self.inner.acquire_timeout, lending).await.map_err(|_| sqlx::Error::PoolTimedOut)?
    }

    /// Acquires a new connection.
    async fn acquire_new(&self) -> Result<PooledConnection<D>, sqlx::Error> {
        let lending = async { self.connect(self.permit().await?).await };
        timeout(self.inner.acquire_timeout, lending).await.map_err(|_| sqlx::Error::PoolTimedOut)?
    }

    async fn permit(&self) -> Result<OwnedSemaphorePermit, sqlx::Error> {
        let permits = Arc::clone(&self.inner.permits);
        permits.acquire_owned().await.map_err(|_| sqlx::Error::PoolClosed)
    }

    async fn connect(
        &self,
        permit: OwnedSemaphorePermit,
    ) -> Result<PooledConnection<D>, sqlx::Error> {
        let connection = D::connect(&self.inner.options).await?;
        Ok(PooledConnection {
            connection,
            created_at: Instant::now(),
            is_used: false,
            pool: self.clone(),
            permit,
        })
    }

    /// Takes an idle connection that still works. Where one is not, neither are the others that
    /// have waited as long.
    async fn take_idle(&self) -> Option<Idle<D>> {
        let mut idle = self.idle().pop()?;
        if !D::IS_REMOTE || idle.since.elapsed() <= FRESH {
            return Some(idle);
        }
        if let Ok(Ok(())) = timeout(PING_TIMEOUT, idle.connection.ping()).await {
            return Some(idle);
        }
        self.discard_idle(idle.since);
        None
    }

    /// Discards the connections that have been idle since.
    fn discard_idle(&self, since: Instant) {
        self.idle().retain(|idle| idle.since > since);
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Idle<D>>> {
        self.inner.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<D: Backend> PooledConnection<D> {
    /// Releases the connection to the pool. Only after the answer to what was asked last, and
    /// outside of any transaction.
    fn release(self) {
        let Self { connection, created_at, pool, permit, .. } = self;
        let since = Instant::now();
        {
            let mut idle = pool.idle();
            idle.retain(|idle| idle.since.elapsed() < IDLE_TIMEOUT);
            if created_at.elapsed() < MAX_LIFETIME {
                idle.push(Idle { connection, created_at, since });
            }
        }
        drop(permit);
    }

    /// Releases the connection after a statement outside of a transaction, if `answer` tells that
    /// it is as good as before.
    fn release_after<T>(self, answer: &Result<T, sqlx::Error>) {
        match answer {
            Err(error) if !D::survives(error) => self.discard(),
            Ok(_) | Err(_) => self.release(),
        }
    }

    /// Closes the connection; where the database has gone, the unused ones are gone as well.
    fn discard(self) {
        if D::IS_REMOTE {
            self.pool.discard_idle(Instant::now());
        }
    }
}

impl<D: Backend> Clone for Pool<D> {
    fn clone(&self) -> Self {
        Self { inner: Arc::clone(&self.inner) }
    }
}

impl<D: Backend> fmt::Debug for Pool<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("size", &self.inner.size).finish_non_exhaustive()
    }
}
