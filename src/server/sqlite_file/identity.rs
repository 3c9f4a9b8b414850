//! Checks that the database is that of the portal that ran here before.
//!
//! The identity file beside the database contains the id from the table `identity`, which has one
//! row. It exists as soon as the database has data. So if it exists without a database, the
//! database was lost.

use std::path::Path;
use std::{fs, io};

use sqlx::SqliteConnection;
use tokio::time::sleep;

use super::files;
use super::inspect::{Look, Main};
use super::open_error::{LostRecords, OpenStoreError};

/// The tables that every portal's database has had.
pub(super) const TABLES: [&str; 2] = ["_sqlx_migrations", "deployments"];

/// The database files that a starting portal finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// No database, and no trace of an earlier one.
    Nothing,
    /// A complete database.
    Database,
}

/// Checks the files at `path` before SQLite opens them. No other process may write to them.
///
/// # Errors
///
/// Returns what is lost.
pub(super) async fn check_files(path: &Path) -> Result<Found, OpenStoreError> {
    // A command that is ending may be moving the log into the file.
    for _ in 1..files::LOOKS {
        if let Ok(found) = inspect_files(path) {
            return Ok(found);
        }
        sleep(files::MOMENT).await;
    }
    inspect_files(path)
}

fn inspect_files(path: &Path) -> Result<Found, OpenStoreError> {
    let file = |source| OpenStoreError::File { path: path.to_owned(), source };
    let inspect = Look::at(path).map_err(file)?;
    let path = path.to_owned();
    let (identity, log) = (files::identity(&path), files::log(&path));
    let lost = match inspect.main {
        Main::Missing if identity.exists() => LostRecords::Database { path, trace: identity },
        Main::Missing if inspect.has_log => LostRecords::Database { path, trace: log },
        Main::Missing => return Ok(Found::Nothing),
        Main::Empty => LostRecords::Length(path),
        Main::Database(mark) if inspect.lacks_log(mark) => LostRecords::Log(path),
        Main::Database(mark) if inspect.is_mixed(mark) => LostRecords::Mixed(path),
        Main::Database(_) | Main::Other => return Ok(Found::Database),
    };
    Err(lost.into())
}

/// Checks that the database at `path` belongs to the portal that ran here before.
///
/// # Errors
///
/// Returns what is lost.
pub(super) async fn check_records(
    connection: &mut SqliteConnection,
    path: &Path,
) -> Result<(), OpenStoreError> {
    check_tables(connection, path).await?;
    let database = |error: sqlx::Error| OpenStoreError::database(path, error);
    let known = read(path)
        .map_err(|source| OpenStoreError::File { path: files::identity(path), source })?;
    let Some(known) = known else { return Ok(()) };
    let is_same = has_table(connection, "identity").await.map_err(database)?
        && id(connection).await.map_err(database)?.is_some_and(|id| id == known);
    if is_same { Ok(()) } else { Err(LostRecords::Other(path.to_owned()).into()) }
}

/// Checks that the database at `path` has the tables of a portal.
///
/// # Errors
///
/// Returns that they are lost, or whose they are.
pub(super) async fn check_tables(
    connection: &mut SqliteConnection,
    path: &Path,
) -> Result<(), OpenStoreError> {
    let database = |error: sqlx::Error| OpenStoreError::database(path, error);
    if has_tables(connection).await.map_err(database)? {
        return Ok(());
    }
    Err(if has_other_tables(connection).await.map_err(database)? {
        OpenStoreError::OtherProgram(path.to_owned())
    } else {
        LostRecords::Tables(path.to_owned()).into()
    })
}

/// Writes the identity file of the database at `path`, unless it exists.
pub(super) async fn keep(
    connection: &mut SqliteConnection,
    path: &Path,
) -> Result<(), OpenStoreError> {
    let id = id(connection).await.map_err(|error| OpenStoreError::database(path, error))?;
    let file = |source| OpenStoreError::File { path: files::identity(path), source };
    match (read(path).map_err(file)?, id) {
        (None, Some(id)) => write(path, &id).map_err(file),
        (Some(_), _) | (None, None) => Ok(()),
    }
}

/// Writes the identity file of the database at `path`.
pub(super) fn write(path: &Path, id: &str) -> io::Result<()> {
    files::write(&files::identity(path), &format!("{id}\n"))
}

/// Reads the identity file of the database at `path`. Returns `None` if it does not exist, or does
/// not contain an id: a damaged identity file should not stop a portal that has its data.
fn read(path: &Path) -> io::Result<Option<String>> {
    let text = match fs::read(files::identity(path)) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).trim().to_owned(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let is_id = text.len() == 32 && text.chars().all(|c| c.is_ascii_hexdigit());
    Ok(is_id.then_some(text))
}

/// Reads the id in the database; `None` before the migration that creates it.
pub(super) async fn id(connection: &mut SqliteConnection) -> Result<Option<String>, sqlx::Error> {
    sqlx::query_scalar("SELECT identity FROM identity").fetch_optional(connection).await
}

/// Reads the schema's generation; `None` before the migration that creates it.
pub(super) async fn generation(
    connection: &mut SqliteConnection,
) -> Result<Option<i64>, sqlx::Error> {
    if !has_table(connection, "schema_generation").await? {
        return Ok(None);
    }
    let question = "SELECT generation FROM schema_generation";
    sqlx::query_scalar(question).fetch_optional(connection).await
}

/// Returns whether the database has the tables of a portal.
pub(super) async fn has_tables(connection: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    for table in TABLES {
        if !has_table(connection, table).await? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Returns whether the database has tables besides the one of migrations.
pub(super) async fn has_other_tables(
    connection: &mut SqliteConnection,
) -> Result<bool, sqlx::Error> {
    let question = "SELECT count(*) > 0 FROM sqlite_schema
                    WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name <> '_sqlx_migrations'";
    sqlx::query_scalar(question).fetch_one(connection).await
}

/// Returns whether the database has this table.
pub(super) async fn has_table(
    connection: &mut SqliteConnection,
    name: &str,
) -> Result<bool, sqlx::Error> {
    let question = "SELECT count(*) > 0 FROM sqlite_schema WHERE type = 'table' AND name = ?";
    sqlx::query_scalar(question).bind(name).fetch_one(connection).await
}
