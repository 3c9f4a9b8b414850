//! Backups of the database: `backup` may run beside a portal, `restore` needs the portal stopped.
//!
//! A failure at any moment loses neither the old files nor the copy. An incomplete file never has
//! the name of a complete one.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf, absolute};

use jiff::Timestamp;
use sqlx::migrate::MigrateError;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection};

use super::inspect::{FileMark, Look, Main};
use super::{BUSY_TIMEOUT, OpenStoreError, access, checkpointer, files, identity, ownership};
use crate::server::schema::{OtherVersion, SQLITE};
use crate::server::secrets::key_file;

/// A backup, a restore or a new start failed.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// The database cannot be used.
    #[error(transparent)]
    Open(#[from] OpenStoreError),
    /// A file with the name of the copy exists already.
    #[error("{} already exists, and `backup` does not overwrite files: choose another name", .0.display())]
    Exists(PathBuf),
    /// The copy would replace one of the database's own files.
    #[error("{} is one of the database's own files: choose another name", .0.display())]
    Own(PathBuf),
    /// The copy cannot be written.
    #[error("{} cannot be written, and the incomplete file was removed: choose another place", path.display())]
    Write {
        /// The copy.
        path: PathBuf,
        /// The reason.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The copy cannot be restored.
    #[error("{} cannot be restored, and nothing was changed: {why}", path.display())]
    Unfit {
        /// The copy to restore.
        path: PathBuf,
        /// The reason, and the remedy.
        why: String,
    },
    /// The files cannot be renamed.
    #[error(
        "{} could not be put into place; nothing was deleted: fix the cause, and run the command \
         again",
        path.display()
    )]
    Place {
        /// The database.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
}

/// Writes a consistent snapshot of the database at `path` to the new file `copy`, and returns its
/// size in bytes. A portal may be running.
///
/// # Errors
///
/// Returns why there is no copy.
pub async fn back_up(path: &Path, copy: &Path) -> Result<u64, CopyError> {
    let path = &files::resolve(path);
    let own = ["", "-wal", "-shm", "-journal", ".identity"].map(|end| files::beside(path, end));
    let others = [path.with_extension("lock"), key_file::beside(path)];
    let is_own = |own: &PathBuf| absolute(own).ok() == absolute(files::resolve(copy)).ok();
    if own.iter().chain(&others).any(is_own) {
        return Err(CopyError::Own(copy.to_owned()));
    }
    if fs::symlink_metadata(copy).is_ok() {
        return Err(CopyError::Exists(copy.to_owned()));
    }
    super::check(path).await?;
    let unfinished = files::beside(copy, &format!(".part-{:08x}", rand::random::<u32>()));
    let written = write(path, copy, &unfinished).await;
    files::remove_unfinished(&unfinished);
    written
}

async fn write(path: &Path, copy: &Path, unfinished: &Path) -> Result<u64, CopyError> {
    let failed = |source| CopyError::Write { path: copy.to_owned(), source };
    let io = |error: io::Error| failed(error.into());
    let mut options = File::options();
    drop(options.write(true).create_new(true).mode(0o600).open(unfinished).map_err(io)?);
    let database = |error: sqlx::Error| OpenStoreError::database(path, error);
    let mut connection = as_it_is(path).connect().await.map_err(database)?;
    identity::check_records(&mut connection, path).await?;
    // SQLite would read a name that begins with `file:` as a URI; an absolute path never does.
    let target = absolute(unfinished).map_err(io)?;
    let copied = match target.to_str() {
        Some(target) => sqlx::query("VACUUM INTO ?").bind(target).execute(&mut connection).await,
        None => return Err(io(io::Error::other("its name is not in UTF-8"))),
    };
    connection.close().await.map_err(database)?;
    copied.map_err(|error| failed(error.into()))?;

    let mut connection = as_it_is(unfinished).connect().await.map_err(|e| failed(e.into()))?;
    let checked = check_and_mark(&mut connection).await;
    connection.close().await.map_err(|error| failed(error.into()))?;
    checked.map_err(|why| failed(why.into()))?;
    files::sync(unfinished).map_err(io)?;
    publish(unfinished, copy)?;
    files::sync(files::folder(copy)).map_err(io)?;
    Ok(fs::metadata(copy).map_err(io)?.len())
}

/// Gives the finished file its name, unless a file with that name exists by now.
fn publish(unfinished: &Path, copy: &Path) -> Result<(), CopyError> {
    match fs::hard_link(unfinished, copy) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            Err(CopyError::Exists(copy.to_owned()))
        }
        // Not every file system supports hard links. A rename may overwrite a file that appeared
        // since the first check.
        Err(_) => fs::rename(unfinished, copy)
            .map_err(|error| CopyError::Write { path: copy.to_owned(), source: error.into() }),
    }
}

/// Checks the integrity of the whole file, and marks it with a new tag. A write-ahead log of
/// another database has another tag, so it is detected.
async fn check_and_mark(connection: &mut SqliteConnection) -> Result<(), String> {
    let check = sqlx::query_scalar::<_, String>("PRAGMA integrity_check(1)");
    let problem = check.fetch_one(&mut *connection).await;
    match problem.as_deref() {
        Ok("ok") => {}
        Ok(problem) => return Err(format!("it is damaged ({})", problem.replace('\n', " "))),
        Err(error) => return Err(format!("it is damaged ({error})")),
    }
    checkpointer::mark_as(connection, FileMark::new()).await.map_err(|error| error.to_string())
}

/// Replaces the database at `path` by `copy`. Renames the old files, and returns their new name if
/// there were any.
///
/// # Errors
///
/// Returns why the copy was not restored.
pub async fn restore(
    path: &Path,
    copy: &Path,
    now: Timestamp,
) -> Result<Option<PathBuf>, CopyError> {
    let path = &files::resolve(path);
    ownership::spare_other_programs(path).await?;
    let _lock = super::lock(path).await?;
    let unfit = |why: String| CopyError::Unfit { path: copy.to_owned(), why };
    let source = &files::resolve(copy);
    check_source(source, path).map_err(unfit)?;
    let unfinished = &files::beside(path, ".restoring");
    files::remove_unfinished(unfinished);
    let place = |source| CopyError::Place { path: path.clone(), source };
    let mut taken = fs::copy(source, unfinished);
    if files::log(source).exists() {
        taken = taken.and_then(|_| fs::copy(files::log(source), files::log(unfinished)));
    }
    access::restrict(unfinished);
    let id = match taken {
        Ok(_) => examine(unfinished).await.map_err(unfit),
        Err(error) => Err(place(error)),
    };
    let exchanged = id.and_then(|id| exchange(path, unfinished, &id, now).map_err(place));
    if exchanged.is_err() {
        files::remove_unfinished(unfinished);
    }
    exchanged
}

/// Checks that `source` is a complete database, which no portal uses.
fn check_source(source: &Path, path: &Path) -> Result<(), String> {
    let inspect = Look::at(source).map_err(|error| format!("it cannot be read ({error})"))?;
    let number = |path: &Path| fs::metadata(path).map(|file| (file.dev(), file.ino())).ok();
    let why = match inspect.main {
        Main::Missing => "it does not exist",
        Main::Empty => "it is empty",
        Main::Other => "it is not an SQLite database",
        Main::Database(_) if number(source) == number(path) => "it is the portal's own database",
        Main::Database(_) if super::is_locked(source) => {
            "a portal is using it: make a copy with `ai-stack-deployer backup FILE` there"
        }
        Main::Database(mark) if inspect.lacks_log(mark) => {
            "it was copied without its -wal while a portal ran, and is incomplete: put the -wal \
             beside it, or use another copy"
        }
        Main::Database(mark) if inspect.is_mixed(mark) => {
            "the -wal beside it belongs to another database: move the -wal away"
        }
        Main::Database(_) => return Ok(()),
    };
    Err(why.to_owned())
}

/// Checks that the file is an intact database of a portal that this version supports, migrates it,
/// and returns its identity.
async fn examine(unfinished: &Path) -> Result<String, String> {
    let unreadable = |error: sqlx::Error| format!("it cannot be read ({error})");
    let mut connection = as_it_is(unfinished).connect().await.map_err(unreadable)?;
    let id = examine_by(&mut connection).await;
    connection.close().await.map_err(unreadable)?;
    id
}

async fn examine_by(connection: &mut SqliteConnection) -> Result<String, String> {
    check_and_mark(connection).await?;
    let unreadable = |error: sqlx::Error| format!("it cannot be read ({error})");
    for table in identity::TABLES {
        if !identity::has_table(connection, table).await.map_err(unreadable)? {
            return Err(String::from("it holds no records of a portal"));
        }
    }
    let found = identity::generation(connection).await.map_err(unreadable)?;
    OtherVersion::of(found).map_err(|other| other.to_string())?;
    SQLITE.run(&mut *connection).await.map_err(|error| match error {
        MigrateError::VersionMissing(number) => format!(
            "a newer version of the portal made it, and this version does not know its migration \
             {number}: restore it with the newer version"
        ),
        error => format!("its tables cannot be brought up to date ({error})"),
    })?;
    let id = identity::id(connection).await.map_err(unreadable)?;
    id.ok_or_else(|| String::from("it holds no database identity"))
}

/// Renames the old files, and gives the new one their name.
///
/// The identity of the new database is written first. After a crash in between, a start therefore
/// finds an identity that does not match the files and refuses, instead of creating a new database.
fn exchange(
    path: &Path,
    unfinished: &Path,
    id: &str,
    now: Timestamp,
) -> io::Result<Option<PathBuf>> {
    let aside = files::beside(path, &files::aside(path, now));
    let model = if path.exists() { path } else { files::folder(path) };
    files::give_to_owner_of(model, unfinished);
    files::sync(unfinished)?;
    let identity = files::identity(path);
    if identity.exists() {
        fs::copy(&identity, files::identity(&aside))?;
    }
    identity::write(path, id)?;
    let was_there = files::set_aside(path, &aside)?;
    fs::rename(unfinished, path)?;
    files::sync(files::folder(path))?;
    Ok(was_there.then_some(aside))
}

/// Renames the database at `path` and the files in `besides` that belong to it, so that the next
/// start creates a new portal. Returns the new name of the database, if there was anything.
///
/// # Errors
///
/// Returns which file cannot be renamed, or that a portal is running.
pub async fn begin_anew(
    path: &Path,
    besides: &[PathBuf],
    now: Timestamp,
) -> Result<Option<PathBuf>, CopyError> {
    let path = &files::resolve(path);
    ownership::spare_other_programs(path).await?;
    let _lock = super::lock(path).await?;
    let place = |source| CopyError::Place { path: path.clone(), source };
    let ending = files::aside(path, now);
    let aside = files::beside(path, &ending);
    let mut was_there = files::set_aside(path, &aside).map_err(place)?;
    // The identity is last: as long as it exists without its database, a start refuses.
    for file in besides.iter().chain([&files::identity(path)]).filter(|file| file.exists()) {
        let to = if *file == files::identity(path) {
            files::identity(&aside)
        } else {
            files::beside(file, &ending)
        };
        fs::rename(file, to).map_err(place)?;
        was_there = true;
    }
    files::sync(files::folder(path)).map_err(place)?;
    Ok(was_there.then_some(aside))
}

/// Returns options that open the file without automatic checkpoints, which only a portal makes.
fn as_it_is(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .busy_timeout(BUSY_TIMEOUT)
        .pragma("wal_autocheckpoint", "0")
}
