//! Checkpoints the write-ahead log into the database file, and marks both so that a file and a log
//! that do not belong together are detected.
//!
//! Only the checkpointer moves the log into the file. Each time, it writes a new mark into the
//! file, with a bit that says that the file needs a log; the log then begins with the same mark
//! without the bit. When this program, a command or `sqlite3` closes the database normally, the
//! mark without the bit reaches the file, which is complete then. So a copy of the file alone, or a
//! file beside the log of another database, is detected.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, SqliteConnection};
use tokio::sync::Mutex;
use tokio::time::sleep;

use super::inspect::FileMark;
use super::{OpenStoreError, files, identity};
use crate::server::schema::SQLITE;

/// The interval at which the size of the log is checked.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);
/// The size in bytes from which the log is moved into the file.
const CHECKPOINT_SIZE: u64 = 4 << 20;

/// The checkpointer of one database, whose connection stays open while the portal runs.
#[derive(Clone, Debug)]
pub(super) struct Checkpointer(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    path: PathBuf,
    connection: Option<SqliteConnection>,
    /// True if the log contains the mark that makes file and log complete.
    is_settled: bool,
}

impl Checkpointer {
    /// Opens the database at `path`, whose files were checked. Fails if it does not belong to this
    /// portal.
    pub(super) async fn open(
        path: &Path,
        options: &SqliteConnectOptions,
    ) -> Result<Self, OpenStoreError> {
        let database = |error: sqlx::Error| OpenStoreError::database(path, error);
        let mut connection = options.connect().await.map_err(database)?;
        identity::check_records(&mut connection, path).await?;
        // The new log begins with the mark of the file.
        let mark = sqlx::query_scalar("PRAGMA user_version").fetch_one(&mut connection).await;
        mark_as(&mut connection, FileMark::of(mark.map_err(database)?)).await.map_err(database)?;
        let path = path.to_owned();
        let kept = State { path, connection: Some(connection), is_settled: true };
        Ok(Self(Arc::new(Mutex::new(kept))))
    }

    /// Checkpoints for the first time, writes the identity file, and then checkpoints in the
    /// background until the checkpointer is dropped.
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

    /// Closes the database, upon which SQLite moves the log into the file. Call it after all other
    /// connections are closed.
    pub(super) async fn close(&self) {
        let mut kept = self.0.lock().await;
        if !kept.is_settled {
            kept.mark_complete(FileMark::new()).await.ok();
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
        let mark = FileMark::new();
        self.is_settled = false;
        mark_as(connection, mark.needs_log()).await?;
        // Pages that a reader still needs stay in the log until the next time.
        sqlx::query("PRAGMA wal_checkpoint(PASSIVE)").execute(&mut *connection).await?;
        self.mark_complete(mark).await
    }

    async fn mark_complete(&mut self, mark: FileMark) -> Result<(), sqlx::Error> {
        let Some(connection) = &mut self.connection else { return Ok(()) };
        mark_as(connection, mark).await?;
        self.is_settled = true;
        Ok(())
    }
}

impl Drop for State {
    fn drop(&mut self) {
        if !self.is_settled {
            // Closing the connection would move the log into the file, which would then have the
            // mark of a file that needs a log.
            std::mem::forget(self.connection.take());
        }
    }
}

/// Creates a database at `path`, which must not exist. The file appears with all its tables.
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

/// Writes the mark of the database.
pub(super) async fn mark_as(
    connection: &mut SqliteConnection,
    mark: FileMark,
) -> Result<(), sqlx::Error> {
    let statement = format!("PRAGMA user_version = {}", mark.user_version());
    sqlx::query(AssertSqlSafe(statement)).execute(connection).await.map(drop)
}
