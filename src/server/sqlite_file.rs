//! The SQLite database as a file: which portal it belongs to, whether it is complete, and its
//! copies.
//!
//! SQLite itself would silently combine a file with the write-ahead log of another database. So a
//! portal inspects the files first, holds a lock beside them, and is the only one that checkpoints
//! the log into the file.
//!
//! It must not know the store's queries.

mod access;
mod backup;
mod checkpointer;
mod files;
mod identity;
mod inspect;
mod open_error;
mod ownership;
mod usable;

use std::fs::{self, File, TryLockError};
use std::path::Path;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _};
use tokio::time::sleep;

pub use self::backup::{CopyError, back_up, begin_anew, restore};
pub use self::identity::Found;
pub use self::open_error::{LostRecords, OpenStoreError};
pub use self::usable::check_start;
pub(super) use files::resolve;

use self::checkpointer::Checkpointer;
use super::schema::{OtherVersion, SQLITE};

/// The time for which a write waits for another writer.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// A database file that this process owns exclusively as long as this value exists.
#[derive(Debug)]
pub struct HeldFile {
    checkpointer: Checkpointer,
    /// The lock of this process, which dropping it releases.
    _lock: File,
}

impl HeldFile {
    /// Locks the file at `path` for a portal, and creates the database if there is none.
    ///
    /// # Errors
    ///
    /// Returns why it cannot be used, for example because another process uses it or its data is
    /// lost.
    pub(super) async fn take(path: &Path) -> Result<Self, OpenStoreError> {
        // Before anything is changed: it may be another program's.
        look(path).await?;
        let lock = lock(path).await?;
        if identity::check_files(path).await? == Found::Nothing {
            checkpointer::make(path).await?;
        }
        Ok(Self { checkpointer: Checkpointer::open(path, &options(path)).await?, _lock: lock })
    }

    /// Starts to checkpoint the log regularly, and reports what other users can do with the files.
    /// Call it after the migrations.
    pub(super) async fn begin(&self, path: &Path) -> Result<(), OpenStoreError> {
        access::report(path);
        self.checkpointer.begin().await
    }

    /// Closes the file. Call it after all other connections are closed.
    pub(super) async fn close(&self) {
        self.checkpointer.close().await;
    }
}

/// Checks that there is a database at `path` that a command can use. A portal may be running.
///
/// # Errors
///
/// Returns an error if there is no database, or its data is lost.
pub(super) async fn check(path: &Path) -> Result<(), OpenStoreError> {
    match look(path).await? {
        Found::Nothing => Err(OpenStoreError::Missing { path: path.to_owned() }),
        Found::Database if is_locked(path) => check_version(path).await,
        Found::Database => Ok(()),
    }
}

/// Looks at the files at `path`, and changes nothing. A portal may be running.
async fn look(path: &Path) -> Result<Found, OpenStoreError> {
    // A running portal has checked its files itself, and may be changing them now.
    if !is_locked(path) {
        identity::check_files(path).await?;
    }
    ownership::check(path).await
}

/// Takes the exclusive lock beside the database, which the system releases when the process ends.
async fn lock(path: &Path) -> Result<File, OpenStoreError> {
    let beside = path.with_extension("lock");
    let file = |source| OpenStoreError::File { path: beside.clone(), source };
    fs::create_dir_all(files::folder(path)).map_err(file)?;
    access::remove_foreign_lock(path).map_err(file)?;
    access::restrict(path);
    let lock =
        File::options().create(true).truncate(false).write(true).open(&beside).map_err(file)?;
    // A command may hold the lock for a moment.
    let mut tries = 0..files::LOOKS;
    loop {
        match (lock.try_lock(), tries.next()) {
            (Ok(()), _) => return Ok(lock),
            (Err(TryLockError::WouldBlock), Some(_)) => sleep(files::MOMENT).await,
            (Err(TryLockError::WouldBlock), None) => {
                return Err(OpenStoreError::InUse { path: path.to_owned() });
            }
            (Err(TryLockError::Error(source)), _) => return Err(file(source)),
        }
    }
}

/// Returns whether a portal holds the lock of the database at `path`; if this cannot be determined,
/// it does not.
fn is_locked(path: &Path) -> bool {
    File::open(path.with_extension("lock"))
        .is_ok_and(|lock| matches!(lock.try_lock_shared(), Err(TryLockError::WouldBlock)))
}

/// Returns an error if the running portal is older: it would stop if its tables were migrated.
async fn check_version(path: &Path) -> Result<(), OpenStoreError> {
    let database = |error: sqlx::Error| OpenStoreError::database(path, error);
    let mut connection = options(path).connect().await.map_err(database)?;
    let applied = sqlx::query_scalar::<_, i64>("SELECT count(*) FROM _sqlx_migrations");
    let applied = applied.fetch_one(&mut connection).await.map_err(database)?;
    connection.close().await.map_err(database)?;
    if usize::try_from(applied).is_ok_and(|applied| applied < SQLITE.iter().count()) {
        return Err(OpenStoreError::OlderPortal { path: path.to_owned() });
    }
    Ok(())
}

/// Returns the options for connections to the database at `path`. Automatic checkpoints are off,
/// since only the checkpointer moves the log into the file.
pub(super) fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(false)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(BUSY_TIMEOUT)
        .pragma("wal_autocheckpoint", "0")
        .pragma("journal_size_limit", "1048576")
        // What was sealed under a key that somebody knows does not stay in the file's free space.
        .pragma("secure_delete", "ON")
}

/// Runs the migrations on a separate connection.
///
/// # Errors
///
/// Returns why the tables cannot be used, for example because a newer version migrated them.
pub(super) async fn migrate(path: &Path) -> Result<(), OpenStoreError> {
    let database = |error: sqlx::Error| OpenStoreError::database(path, error);
    let mut connection = options(path).connect().await.map_err(database)?;
    let found = identity::generation(&mut connection).await.map_err(database)?;
    OtherVersion::of(found).map_err(|error| OpenStoreError::database(path, error))?;
    identity::check_tables(&mut connection, path).await?;
    if let Err(error) = SQLITE.run(&mut connection).await {
        return Err(match OtherVersion::of_migration(&error) {
            Some(other) => OpenStoreError::database(path, other),
            None => OpenStoreError::database(path, error),
        });
    }
    connection.close().await.map_err(database)
}
