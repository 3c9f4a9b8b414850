//! Whether a portal could start with a database: `check` asks that, and makes and migrates nothing.

use std::fs::File;
use std::io;
use std::path::Path;

use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection};

use super::identity::{self, Found};
use super::open_error::OpenStoreError;
use super::{files, look, options};
use crate::server::schema::{self, OtherVersion, SQLITE};

/// Checks that a portal could start with the database at `path`, and returns whether there is one.
/// A portal may be running on it.
///
/// # Errors
///
/// Returns the error of a start.
pub async fn check_start(path: &Path) -> Result<Found, OpenStoreError> {
    let path = &files::resolve(path);
    let found = look(path).await?;
    let lock = path.with_extension("lock");
    let file = |source| OpenStoreError::File { path: lock.clone(), source };
    match File::options().write(true).open(&lock) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            transport::may_make_files_in(existing(files::folder(path))).map_err(file)?;
        }
        opened => drop(opened.map_err(file)?),
    }
    if found == Found::Database {
        let database = |error: sqlx::Error| OpenStoreError::database(path, error);
        // The log beside it is made when the first portal writes.
        let read_only = |source: io::Error| OpenStoreError::ReadOnly {
            path: path.clone(),
            source: source.into(),
        };
        transport::may_make_files_in(files::folder(path)).map_err(read_only)?;
        drop(File::options().write(true).open(path).map_err(read_only)?);
        let mut connection = options(path).connect().await.map_err(database)?;
        let checked = check(&mut connection, path).await;
        connection.close().await.map_err(database)?;
        checked?;
    }
    Ok(found)
}

/// Returns the nearest folder that exists: the start makes those that are missing in it.
fn existing(folder: &Path) -> &Path {
    folder.ancestors().find(|folder| folder.exists()).unwrap_or(Path::new("."))
}

async fn check(connection: &mut SqliteConnection, path: &Path) -> Result<(), OpenStoreError> {
    identity::check_records(connection, path).await?;
    let applied = schema::check_applied(&SQLITE, connection).await;
    applied.map_err(|error| match OtherVersion::of_migration(&error) {
        Some(other) => OpenStoreError::database(path, other),
        None => OpenStoreError::database(path, error),
    })
}
