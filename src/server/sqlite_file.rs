//! The SQLite database as a file: whose records it holds, whether it is whole, and its copies.
//!
//! SQLite itself would open any file beside any write-ahead log, and mix two databases without a
//! word. So a portal looks at the files first, holds a lock beside them, and is the only one that
//! moves the log into the file.
//!
//! It must not know what the store asks of the tables.

mod backup;
mod checkpointer;
mod files;
mod identity;
mod inspect;
mod open_error;

use std::{fs::File, path::Path, time::Duration};

use sqlx::{ConnectOptions as _, Connection as _, sqlite::SqliteConnectOptions};

pub use self::{
    backup::{CopyError, back_up, begin_anew, restore},
    identity::LostRecords,
    open_error::OpenStoreError,
};
pub(super) use files::resolve;

use self::{checkpointer::Checkpointer, identity::Found};
use super::schema::{OtherVersion, SQLITE};

/// The time for which somebody else who writes is waited for.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// A database file that belongs to this process alone for as long as this value is there.
#[derive(Debug)]
pub struct HeldFile {
    checkpointer: Checkpointer,
    /// Dropping it lets the next portal in.
    _lock: File,
}

impl HeldFile {
    /// Takes the file at `path` for a portal, and creates the database if there is none.
    ///
    /// # Errors
    ///
    /// Returns why it cannot be used: another process has it, or its records are lost.
    pub(super) async fn take(path: &Path) -> Result<Self, OpenStoreError> {
        let lock = files::lock(path).await?;
        if identity::check_files(path).await? == Found::Nothing {
            checkpointer::make(path).await?;
        }
        Ok(Self { checkpointer: Checkpointer::open(path, &options(path)).await?, _lock: lock })
    }

    /// Begins to keep the log short, once the tables are up to date.
    pub(super) async fn begin(&self) -> Result<(), OpenStoreError> {
        self.checkpointer.begin().await
    }

    /// Closes the file, after everybody else who has it open.
    pub(super) async fn close(&self) {
        self.checkpointer.close().await;
    }
}

/// Checks that there is a database at `path` that a command can use, beside a portal or without.
///
/// # Errors
///
/// Returns that there is none, or what is lost.
pub(super) async fn check(path: &Path) -> Result<(), OpenStoreError> {
    // A running portal has checked its files itself, and may be changing them.
    if !files::is_held(path) && identity::check_files(path).await? == Found::Nothing {
        return Err(OpenStoreError::Missing { path: path.to_owned() });
    }
    Ok(())
}

/// Returns how the database at `path` is connected to.
pub(super) fn options(path: &Path) -> SqliteConnectOptions {
    checkpointer::options(path, BUSY_TIMEOUT)
}

/// Brings the tables up to date over a connection of its own.
///
/// # Errors
///
/// Returns why they cannot be used, for example because a newer version changed them.
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
