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

/// For how long an unused connection is believed to be one.
const FRESH: Duration = Duration::from_secs(1);
/// How long a connection that was put aside may take to answer that it is still one.
const SIGN_OF_LIFE: Duration = Duration::from_secs(1);
/// How long a connection is kept that nobody needs.
const UNUSED: Duration = Duration::from_mins(10);
/// How long a connection is kept in any case.
const LIFETIME: Duration = Duration::from_mins(30);

/// A kind of database, as far as its connections need it.
#[async_trait]
pub(super) trait Kind: Database {
    /// Whether a connection can be lost while nobody uses it.
    const IS_REMOTE: bool;

    /// Makes a connection.
    async fn connect(
        options: &<Self::Connection as Connection>::Options,
    ) -> Result<Self::Connection, sqlx::Error>;
    /// Begins a transaction that is going to write, and returns the schema's generation, which
    /// stays the same until the end.
    async fn begin(connection: &mut Self::Connection) -> Result<Option<i64>, sqlx::Error>;
    /// Says a word without parameters.
    async fn say(connection: &mut Self::Connection, word: &'static str) -> Result<(), sqlx::Error>;
    /// Tells whether a connection is as good as before although a statement failed so.
    fn is_unharmed_by(error: &sqlx::Error) -> bool;
}

/// Connections to one database, at most so many at a time.
pub(super) struct Pool<D: Kind> {
    inner: Arc<Inner<D>>,
}

struct Inner<D: Kind> {
    options: <D::Connection as Connection>::Options,
    room: Arc<Semaphore>,
    size: u32,
    /// How long a caller waits for a connection.
    patience: Duration,
    /// Unused ones, the one that was used last at the end.
    idle: Mutex<Vec<Idle<D>>>,
}

struct Idle<D: Kind> {
    connection: D::Connection,
    born: Instant,
    since: Instant,
}

/// A connection in use. Unless it is given back it is closed.
struct Lent<D: Kind> {
    connection: D::Connection,
    born: Instant,
    /// Whether somebody else has used it before.
    is_used: bool,
    pool: Pool<D>,
    /// Goes last: somebody waits for the room.
    permit: OwnedSemaphorePermit,
}

impl<D: Kind> Pool<D> {
    /// Makes a pool that connects when it has to.
    pub(super) fn new(
        size: u32,
        patience: Duration,
        options: <D::Connection as Connection>::Options,
    ) -> Self {
        let room = Arc::new(Semaphore::new(size as usize));
        let idle = Mutex::default();
        Self { inner: Arc::new(Inner { options, room, size, patience, idle }) }
    }

    /// Closes what is not in use, and what is in use once it is not.
    pub(super) async fn close(&self) {
        let room = Arc::clone(&self.inner.room);
        // Whoever has one is not waited for in vain.
        let all = timeout(SIGN_OF_LIFE, room.acquire_many(self.inner.size)).await;
        self.inner.room.close();
        drop(all);
        let idle = std::mem::take(&mut *self.idle());
        for Idle { connection, .. } in idle {
            timeout(SIGN_OF_LIFE, connection.close()).await.ok();
        }
    }

    /// Lends a connection.
    async fn lend(&self) -> Result<Lent<D>, sqlx::Error> {
        let lending = async {
            let permit = self.permit().await?;
            match self.living().await {
                Some(Idle { connection, born, .. }) => {
                    Ok(Lent { connection, born, is_used: true, pool: self.clone(), permit })
                }
                None => self.connect(permit).await,
            }
        };
        timeout(self.inner.patience, lending).await.map_err(|_| sqlx::Error::PoolTimedOut)?
    }

    /// Lends a connection that nobody has used.
    async fn lend_new(&self) -> Result<Lent<D>, sqlx::Error> {
        let lending = async { self.connect(self.permit().await?).await };
        timeout(self.inner.patience, lending).await.map_err(|_| sqlx::Error::PoolTimedOut)?
    }

    async fn permit(&self) -> Result<OwnedSemaphorePermit, sqlx::Error> {
        let room = Arc::clone(&self.inner.room);
        room.acquire_owned().await.map_err(|_| sqlx::Error::PoolClosed)
    }

    async fn connect(&self, permit: OwnedSemaphorePermit) -> Result<Lent<D>, sqlx::Error> {
        let connection = D::connect(&self.inner.options).await?;
        Ok(Lent { connection, born: Instant::now(), is_used: false, pool: self.clone(), permit })
    }

    /// Takes an unused connection that still is one. Where one is not, neither are the others
    /// that have waited as long.
    async fn living(&self) -> Option<Idle<D>> {
        let mut idle = self.idle().pop()?;
        if !D::IS_REMOTE || idle.since.elapsed() <= FRESH {
            return Some(idle);
        }
        if let Ok(Ok(())) = timeout(SIGN_OF_LIFE, idle.connection.ping()).await {
            return Some(idle);
        }
        self.forget(idle.since);
        None
    }

    /// Forgets the connections that nobody has used since.
    fn forget(&self, since: Instant) {
        self.idle().retain(|idle| idle.since > since);
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Idle<D>>> {
        self.inner.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<D: Kind> Lent<D> {
    /// Puts the connection aside for others. Only after the answer to what was asked last, and
    /// outside of any transaction.
    fn give_back(self) {
        let Self { connection, born, pool, permit, .. } = self;
        let since = Instant::now();
        {
            let mut idle = pool.idle();
            idle.retain(|idle| idle.since.elapsed() < UNUSED);
            if born.elapsed() < LIFETIME {
                idle.push(Idle { connection, born, since });
            }
        }
        drop(permit);
    }

    /// Gives the connection back after a statement outside of a transaction, if `answer` tells
    /// that it is as good as before.
    fn give_back_after<T>(self, answer: &Result<T, sqlx::Error>) {
        match answer {
            Err(error) if !D::is_unharmed_by(error) => self.throw_away(),
            Ok(_) | Err(_) => self.give_back(),
        }
    }

    /// Closes the connection; where the database has gone, the unused ones are gone as well.
    fn throw_away(self) {
        if D::IS_REMOTE {
            self.pool.forget(Instant::now());
        }
    }
}

impl<D: Kind> Clone for Pool<D> {
    fn clone(&self) -> Self {
        Self { inner: Arc::clone(&self.inner) }
    }
}

impl<D: Kind> fmt::Debug for Pool<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("size", &self.inner.size).finish_non_exhaustive()
    }
}
