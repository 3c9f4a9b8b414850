//! Whose a database is, before anything is done to it. A file of another program or of a newer
//! version keeps its bytes and its mode, and no log or lock appears beside it.
//!
//! It only reads, and asks SQLite for neither a lock nor a log.

use std::env;
use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;

use sqlx::migrate::MigrateError;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection};
use tokio::time::sleep;

use super::files;
use super::identity::{self, Found};
use super::inspect::{Look, Main};
use super::open_error::{LostRecords, OpenStoreError};
use crate::server::schema::{self, OtherVersion, SQLITE};

/// The size in bytes up to which a database is copied to read it with its log.
const MOST_COPIED: u64 = 256 << 20;

/// The owner of a database, by its tables.
enum Owner {
    Portal,
    NewerPortal(OtherVersion),
    OtherProgram,
    /// There are no tables, so the owner is unknown.
    Nobody,
}

/// Checks that the database at `path`, if there is one, is that of a portal of this version or an
/// older one. A portal may be running on it.
///
/// # Errors
///
/// Returns an error if it is another program's or a newer version's, or its tables are lost.
pub(super) async fn check(path: &Path) -> Result<Found, OpenStoreError> {
    // A running portal may be moving the log into the file.
    for _ in 1..files::LOOKS {
        if let Ok(found) = look(path).await {
            return Ok(found);
        }
        sleep(files::MOMENT).await;
    }
    look(path).await
}

/// Checks that there is no database of another program at `path`. What an identity file is beside
/// was a portal's, however damaged it is now.
///
/// # Errors
///
/// Returns an error if there is one.
pub(super) async fn spare_other_programs(path: &Path) -> Result<(), OpenStoreError> {
    match check(path).await {
        Err(error @ OpenStoreError::OtherProgram(_)) if !files::identity(path).exists() => {
            Err(error)
        }
        Ok(_) | Err(_) => Ok(()),
    }
}

async fn look(path: &Path) -> Result<Found, OpenStoreError> {
    let file = |source| OpenStoreError::File { path: path.to_owned(), source };
    let look = Look::at(path).map_err(file)?;
    match look.main {
        Main::Missing => return Ok(Found::Nothing),
        Main::Empty => return Err(LostRecords::Length(path.to_owned()).into()),
        Main::Other => return Err(OpenStoreError::OtherProgram(path.to_owned())),
        Main::Database(_) => {}
    }
    let of_file = owner(&alone(path)).await;
    // After a crash, the file is only right with its log.
    let is_known = !look.has_log || matches!(of_file, Ok(Owner::Portal));
    let owner = if is_known {
        of_file
    } else {
        match (with_log(path).await, of_file) {
            (Ok(owner), _) => owner,
            (Err(_), Ok(Owner::OtherProgram)) => Ok(Owner::OtherProgram),
            // Without a place for the copy, the tables are checked when the database is open.
            (Err(_), _) => return Ok(Found::Database),
        }
    };
    match owner.map_err(|error| OpenStoreError::database(path, error))? {
        Owner::Portal => Ok(Found::Database),
        Owner::NewerPortal(other) => Err(OpenStoreError::database(path, other)),
        Owner::OtherProgram => Err(OpenStoreError::OtherProgram(path.to_owned())),
        Owner::Nobody => Err(LostRecords::Tables(path.to_owned()).into()),
    }
}

/// Returns options that read the file at `path` without its log: SQLite then writes nothing.
fn alone(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new().filename(path).read_only(true).immutable(true)
}

/// Reads the database at `path` with its log, from a copy: SQLite would change the log. A large one
/// is not copied.
async fn with_log(path: &Path) -> io::Result<Result<Owner, sqlx::Error>> {
    if fs::metadata(path)?.len() + fs::metadata(files::log(path))?.len() > MOST_COPIED {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    let folder = env::temp_dir().join(format!("ai-stack-deployer-{:016x}", rand::random::<u64>()));
    DirBuilder::new().mode(0o700).create(&folder)?;
    let copy = folder.join("copy.db");
    let copied = [(path, &copy), (&files::log(path), &files::log(&copy))].into_iter().try_for_each(
        |(from, to)| io::copy(&mut File::open(from)?, &mut File::create(to)?).map(drop),
    );
    let owner = match copied {
        Ok(()) => Ok(owner(&SqliteConnectOptions::new().filename(&copy)).await),
        Err(error) => Err(error),
    };
    fs::remove_dir_all(&folder).ok();
    owner
}

async fn owner(options: &SqliteConnectOptions) -> Result<Owner, sqlx::Error> {
    let mut connection = options.connect().await?;
    let owner = owner_by(&mut connection).await;
    connection.close().await?;
    owner
}

async fn owner_by(connection: &mut SqliteConnection) -> Result<Owner, sqlx::Error> {
    if !identity::has_tables(connection).await? {
        let is_other = identity::has_other_tables(connection).await?;
        return Ok(if is_other { Owner::OtherProgram } else { Owner::Nobody });
    }
    if let Err(other) = OtherVersion::of(identity::generation(connection).await?) {
        return Ok(Owner::NewerPortal(other));
    }
    match schema::check_applied(&SQLITE, connection).await {
        Ok(()) => Ok(Owner::Portal),
        // Its tables have the same names by chance.
        Err(error) if schema::is_of_other_program(&SQLITE, &error) => Ok(Owner::OtherProgram),
        Err(MigrateError::Execute(error)) => Err(error),
        Err(error) => Ok(match OtherVersion::of_migration(&error) {
            Some(other) => Owner::NewerPortal(other),
            // The migrations say what is wrong.
            None => Owner::Portal,
        }),
    }
}
