//! The store in one SQLite file, for one portal process.
//!
//! One connection writes and several read (write-ahead log). The process holds an exclusive
//! lock beside the file; having it, the leases of earlier owners are void.

mod answers;
mod leases;
mod reading;

use std::{
    fs::{File, TryLockError},
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::{
    SqlitePool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use crate::{
    domain::{
        deployment::DeploymentId,
        event::{Event, Seq},
        stack_name::StackName,
    },
    server::ports::store::{
        Answer, AnswerKey, Fact, Lease, NewDeployment, Record, StepId, StepRecord, Store,
        StoreError, StoredEvent,
    },
};

const READERS: u32 = 4;
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// The store in one SQLite file.
#[derive(Debug)]
pub struct SqliteStore {
    writer: SqlitePool,
    readers: SqlitePool,
    _lock: File,
}

/// The file could not be opened as a store.
#[derive(Debug, thiserror::Error)]
pub enum OpenStoreError {
    /// Another process has it.
    #[error("{} is in use by another portal process: stop that one first", path.display())]
    InUse {
        /// The database file.
        path: PathBuf,
    },
    /// The file or its folder cannot be made or opened.
    #[error("cannot open {}: check that the folder can be written to", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The database cannot be read or brought up to date.
    #[error("cannot use {} as the portal's database", path.display())]
    Database {
        /// The database file.
        path: PathBuf,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl SqliteStore {
    /// Opens the store at `path`, makes it when it is missing, brings its tables up to date
    /// and voids all leases.
    ///
    /// # Errors
    ///
    /// Returns why it cannot be used; another process's lock among the reasons.
    pub async fn open(path: &Path) -> Result<Self, OpenStoreError> {
        let lock = lock(path)?;
        let database = |source| OpenStoreError::Database { path: path.to_owned(), source };
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(BUSY_TIMEOUT);
        let pool =
            |size, options| SqlitePoolOptions::new().max_connections(size).connect_with(options);
        let writer = pool(1, options.clone()).await.map_err(|error| database(error.into()))?;
        sqlx::migrate!("migrations/sqlite")
            .run(&writer)
            .await
            .map_err(|error| database(error.into()))?;
        sqlx::query("UPDATE deployments SET lease_owner = NULL WHERE lease_owner IS NOT NULL")
            .execute(&writer)
            .await
            .map_err(|error| database(error.into()))?;
        let readers =
            pool(READERS, options.read_only(true)).await.map_err(|error| database(error.into()))?;
        Ok(Self { writer, readers, _lock: lock })
    }

    /// Closes the store in good order.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

/// Takes the exclusive lock beside the database, which ends with the process.
fn lock(path: &Path) -> Result<File, OpenStoreError> {
    let beside = path.with_extension("lock");
    let file = |source| OpenStoreError::File { path: beside.clone(), source };
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(file)?;
    }
    let lock =
        File::options().create(true).truncate(false).write(true).open(&beside).map_err(file)?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(OpenStoreError::InUse { path: path.to_owned() }),
        Err(TryLockError::Error(source)) => Err(file(source)),
    }
}

#[async_trait]
impl Store for SqliteStore {
    fn kind(&self) -> &'static str {
        "sqlite"
    }

    async fn check(&self) -> Result<(), StoreError> {
        sqlx::query("SELECT 1").execute(&self.readers).await.map_err(unavailable)?;
        Ok(())
    }

    async fn begin(&self, new: &NewDeployment, answer: Option<&Answer>) -> Result<(), StoreError> {
        let deployment = &new.deployment;
        let started = deployment.started.as_millisecond();
        let mut tx = self.writer.begin().await.map_err(unavailable)?;
        answers::forget(&mut tx, deployment.started).await?;
        if let Some(answer) = answer
            && !answers::keep(&mut tx, answer).await?
        {
            return Err(StoreError::KeyUsed);
        }
        sqlx::query(
            "INSERT INTO deployments (id, name, host, url, seq, started_ms)
             VALUES (?, ?, ?, ?, 1, ?)",
        )
        .bind(deployment.id.as_str())
        .bind(deployment.name.as_str())
        .bind(&new.host)
        .bind(&deployment.url)
        .bind(started)
        .execute(&mut *tx)
        .await
        .map_err(name_taken)?;
        let event = Event { seq: 1, body: new.first.clone() };
        insert_event(&mut tx, &deployment.id, &event).await?;
        tx.commit().await.map_err(unavailable)
    }

    async fn keep_answer(&self, answer: &Answer) -> Result<(), StoreError> {
        let mut connection = self.writer.acquire().await.map_err(unavailable)?;
        answers::keep(&mut connection, answer).await?;
        Ok(())
    }

    async fn answer(&self, key: &AnswerKey, now: Timestamp) -> Result<Option<Answer>, StoreError> {
        answers::find(&self.readers, key, now).await
    }

    async fn find(&self, id: &DeploymentId) -> Result<Option<Record>, StoreError> {
        reading::find(&self.readers, id).await
    }

    async fn events(
        &self,
        id: &DeploymentId,
        after: Seq,
        limit: u32,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        reading::events(&self.readers, id, after, limit).await
    }

    async fn reserved(&self, names: &[StackName]) -> Result<Vec<StackName>, StoreError> {
        reading::reserved(&self.readers, names).await
    }

    async fn stuck_count(&self) -> Result<u64, StoreError> {
        reading::stuck_count(&self.readers).await
    }

    async fn forget(&self, before: Timestamp) -> Result<u64, StoreError> {
        let done =
            sqlx::query("DELETE FROM deployments WHERE state = 'rolled_back' AND completed_ms < ?")
                .bind(before.as_millisecond())
                .execute(&self.writer)
                .await
                .map_err(unavailable)?;
        Ok(done.rows_affected())
    }

    async fn claim(
        &self,
        owner: &str,
        now: Timestamp,
        lasting: Duration,
    ) -> Result<Option<Lease>, StoreError> {
        leases::claim(&self.writer, owner, now, lasting).await
    }

    async fn renew(&self, lease: &Lease, until: Timestamp) -> Result<(), StoreError> {
        leases::renew(&self.writer, lease, until).await
    }

    async fn release(&self, lease: &Lease) -> Result<(), StoreError> {
        leases::release(&self.writer, lease).await
    }

    async fn journal(&self, id: &DeploymentId) -> Result<Vec<(StepId, StepRecord)>, StoreError> {
        reading::journal(&self.readers, id).await
    }

    async fn record(&self, lease: &Lease, fact: &Fact) -> Result<Seq, StoreError> {
        let mut tx = self.writer.begin().await.map_err(unavailable)?;
        let last = leases::advance(&mut tx, lease, fact).await?;
        let first = last - fact.events.len() as Seq + 1;
        for (seq, body) in (first..).zip(&fact.events) {
            insert_event(&mut tx, &lease.id, &Event { seq, body: body.clone() }).await?;
        }
        if let Some((step, record)) = &fact.step {
            write_step(&mut tx, &lease.id, *step, record).await?;
        }
        tx.commit().await.map_err(unavailable)?;
        Ok(last)
    }
}

async fn insert_event(
    tx: &mut sqlx::SqliteConnection,
    id: &DeploymentId,
    event: &Event,
) -> Result<(), StoreError> {
    sqlx::query("INSERT INTO events (deployment_id, seq, name, data) VALUES (?, ?, ?, ?)")
        .bind(id.as_str())
        .bind(event.seq.cast_signed())
        .bind(event.name())
        .bind(event.data())
        .execute(tx)
        .await
        .map_err(unavailable)?;
    Ok(())
}

async fn write_step(
    tx: &mut sqlx::SqliteConnection,
    id: &DeploymentId,
    step: StepId,
    record: &StepRecord,
) -> Result<(), StoreError> {
    let record = serde_json::to_string(record).map_err(|error| unavailable_for(error.into()))?;
    sqlx::query(
        "INSERT INTO steps (deployment_id, step, record) VALUES (?, ?, ?)
         ON CONFLICT (deployment_id, step) DO UPDATE SET record = excluded.record",
    )
    .bind(id.as_str())
    .bind(step.as_str())
    .bind(record)
    .execute(tx)
    .await
    .map_err(unavailable)?;
    Ok(())
}

fn name_taken(error: sqlx::Error) -> StoreError {
    match error.as_database_error() {
        Some(database) if database.is_unique_violation() => StoreError::NameTaken,
        Some(_) | None => unavailable(error),
    }
}

fn unavailable(error: sqlx::Error) -> StoreError {
    unavailable_for(error.into())
}

fn unavailable_for(error: Box<dyn std::error::Error + Send + Sync>) -> StoreError {
    StoreError::Unavailable(error)
}
