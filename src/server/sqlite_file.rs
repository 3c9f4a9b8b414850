//! The SQLite database as a file: which portal it belongs to, whether it is complete, and its
//! copies.
//!
//! SQLite itself would silently combine a file with the write-ahead log of another database. So a
//! portal inspects the files first, holds a lock beside them, and is the only one that checkpoints
//! the log into the file.
//!
//! It must not know the store's queries.

mod backup;
mod checkpointer;
mod files;
mod identity;
mod inspect;
mod lock;
mod open_error;

use std::{fs::File, path::Path, time::Duration};

use sqlx::{ConnectOptions as _, Connection as _, sqlite::SqliteConnectOptions};

pub use self::{
    backup::{CopyError, back_up, begin_anew, restore},
    open_error::{LostRecords, OpenStoreError},
};
pub(super) use files::resolve;

use self::{checkpointer::Checkpointer, identity::Found};
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
        let lock = lock::take(path).await?;
        if identity::check_files(path).await? == Found::Nothing {
            checkpointer::make(path).await?;
        }
        Ok(Self { checkpointer: Checkpointer::open(path, &options(path)).await?, _lock: lock })
    }

    /// Starts to checkpoint the log regularly. Call it after the migrations.
    pub(super) async fn begin(&self) -> Result<(), OpenStoreError> {
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
    // A running portal has checked its files itself, and may be changing them now.
    if lock::is_held(path) {
        return check_version(path).await;
    }
    match identity::check_files(path).await? {
        Found::Nothing => Err(OpenStoreError::Missing { path: path.to_owned() }),
        Found::Database => Ok(()),
    }
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

/// Returns the options for connections to the database at `path`.
pub(super) fn options(path: &Path) -> SqliteConnectOptions {
    checkpointer::options(path, BUSY_TIMEOUT)
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
    if let Err(error) = SQLITE.run(&mut connection).await {
        return Err(match OtherVersion::of_migration(&error) {
            Some(other) => OpenStoreError::database(path, other),
            None => OpenStoreError::database(path, error),
        });
    }
    connection.close().await.map_err(database)
}
