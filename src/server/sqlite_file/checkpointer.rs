//! Keeps the database's file and its log recognisable as belonging together.
//!
//! Only the keeper moves the log into the file, and marks both each time: the file says that it
//! needs a log, which begins with the same mark and says that all is there. Whatever ends the log
//! in good order, this program, a command or `sqlite3`, so leaves a file that is whole by itself;
//! a copy of the file alone, or another one over the log, is known for what it is.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use sqlx::{
    AssertSqlSafe, ConnectOptions as _, Connection as _, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};
use tokio::{sync::Mutex, time::sleep};

use super::{OpenStoreError, files, identity, inspect::OperationTag};
use crate::server::schema::SQLITE;

/// The interval at which the log is looked at.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);
/// From which size on it is moved into the file, in bytes.
const CHECKPOINT_SIZE: u64 = 4 << 20;

/// Keeps one database, open for as long as the portal runs.
#[derive(Clone, Debug)]
pub(super) struct Checkpointer(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    path: PathBuf,
    connection: Option<SqliteConnection>,
    /// True if the log says that all is there.
    is_settled: bool,
}

impl Checkpointer {
    /// Opens the database at `path`, which is whole, unless its records are not the portal's.
    pub(super) async fn open(
        path: &Path,
        options: &SqliteConnectOptions,
    ) -> Result<Self, OpenStoreError> {
        let database = |error: sqlx::Error| OpenStoreError::database(path, error);
        let mut connection = options.connect().await.map_err(database)?;
        identity::check_records(&mut connection, path).await?;
        // The log begins with the mark that the file has.
        let mark = sqlx::query_scalar("PRAGMA user_version").fetch_one(&mut connection).await;
        mark_as(&mut connection, OperationTag::of(mark.map_err(database)?))
            .await
            .map_err(database)?;
        let path = path.to_owned();
        let kept = State { path, connection: Some(connection), is_settled: true };
        Ok(Self(Arc::new(Mutex::new(kept))))
    }

    /// Moves the log into the file for the first time, notes whose records these are, and goes on
    /// for as long as somebody has the keeper.
    pub(super) async fn begin(&self) -> Result<(), OpenStoreError> {
        let mut kept = self.0.lock().await;
        let path = kept.path.clone();
        let database = |error: sqlx::Error| OpenStoreError::database(&path, error);
        kept.move_log().await.map_err(database)?;
        if let Some(connection) = &mut kept.connection {
            identity::keep(connection, &path).await?;
        }
        let kept = Arc::downgrade(&self.0);
        tokio::spawn(async move {
            loop {
                sleep(CHECK_INTERVAL).await;
                let Some(kept) = kept.upgrade() else { return };
                kept.lock().await.inspect_log(&files::log(&path)).await;
            }
        });
        Ok(())
    }

    /// Closes the database, last of all: SQLite moves the log into the file then.
    pub(super) async fn close(&self) {
        let mut kept = self.0.lock().await;
        if !kept.is_settled {
            kept.mark_complete(OperationTag::new()).await.ok();
        }
        if kept.is_settled
            && let Some(connection) = kept.connection.take()
        {
            connection.close().await.ok();
        }
    }
}

impl State {
    async fn inspect_log(&mut self, log: &Path) {
        let is_large = fs::metadata(log).is_ok_and(|log| log.len() >= CHECKPOINT_SIZE);
        if (is_large || !self.is_settled)
            && let Err(error) = self.move_log().await
        {
            tracing::warn!(%error, "Could not checkpoint the write-ahead log");
        }
    }

    async fn move_log(&mut self) -> Result<(), sqlx::Error> {
        let Some(connection) = &mut self.connection else { return Ok(()) };
        let mark = OperationTag::new();
        self.is_settled = false;
        mark_as(connection, mark.needs_log()).await?;
        // What a reader still needs waits for the next time.
        sqlx::query("PRAGMA wal_checkpoint(PASSIVE)").execute(&mut *connection).await?;
        self.mark_complete(mark).await
    }

    async fn mark_complete(&mut self, mark: OperationTag) -> Result<(), sqlx::Error> {
        let Some(connection) = &mut self.connection else { return Ok(()) };
        mark_as(connection, mark).await?;
        self.is_settled = true;
        Ok(())
    }
}

impl Drop for State {
    fn drop(&mut self) {
        if !self.is_settled {
            // Closing it would move the log into the file, which would say that it needs one.
            std::mem::forget(self.connection.take());
        }
    }
}

/// Returns how a database is connected to: nothing but the keeper moves the log into the file.
pub(super) fn options(path: &Path, busy_timeout: Duration) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(false)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(busy_timeout)
        .pragma("wal_autocheckpoint", "0")
        .pragma("journal_size_limit", "1048576")
}

/// Makes a database at `path`, where there is none, that has its tables from the first moment on.
pub(super) async fn make(path: &Path) -> Result<(), OpenStoreError> {
    let unfinished = files::beside(path, ".new");
    files::remove_unfinished(&unfinished);
    let options = SqliteConnectOptions::new()
        .filename(&unfinished)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Memory)
        .synchronous(SqliteSynchronous::Off);
    let database = |error| OpenStoreError::database(path, error);
    let mut connection = options.connect().await.map_err(database)?;
    let made = SQLITE.run(&mut connection).await;
    connection.close().await.map_err(database)?;
    made.map_err(|error| OpenStoreError::database(path, error))?;
    let placed = files::sync(&unfinished)
        .and_then(|()| fs::rename(&unfinished, path))
        .and_then(|()| files::sync(files::folder(path)));
    placed.map_err(|source| OpenStoreError::File { path: path.to_owned(), source })
}

/// Marks the database.
pub(super) async fn mark_as(
    connection: &mut SqliteConnection,
    mark: OperationTag,
) -> Result<(), sqlx::Error> {
    let statement = format!("PRAGMA user_version = {}", mark.user_version());
    sqlx::query(AssertSqlSafe(statement)).execute(connection).await.map(drop)
}
