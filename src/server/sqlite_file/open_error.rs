//! The error of opening a file as a store.

use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};

use super::files;

/// The remedy for lost data.
const REMEDY: &str = "restore a backup with `ai-stack-deployer restore FILE`, or start with an \
                      empty database with `ai-stack-deployer --new`";

/// The data of the portal that ran here before is missing.
#[derive(Debug, thiserror::Error)]
pub enum LostRecords {
    /// The database is missing.
    #[error(
        "{} is missing, but {} shows that a portal used it: put the file back, {REMEDY}",
        path.display(), trace.display()
    )]
    Database {
        /// The database file.
        path: PathBuf,
        /// The evidence that there was one.
        trace: PathBuf,
    },
    /// The database file is empty.
    #[error(
        "{} is empty, so its records are lost; if no portal ever used it, remove the file, else \
         {REMEDY}",
        .0.display()
    )]
    Length(PathBuf),
    /// The database does not have the tables of a portal.
    #[error(
        "{} holds no records of a portal. It may be a copy of the file alone, made while a portal \
         ran: make copies with `ai-stack-deployer backup FILE`; put its -wal back, {REMEDY}",
        .0.display()
    )]
    Tables(PathBuf),
    /// The database is incomplete without its log, which is missing.
    #[error(
        "{} is incomplete without {}. It may be a copy of the file alone, made while a portal ran: \
         put the -wal back, {REMEDY}",
        .0.display(), files::log(.0).display()
    )]
    Log(PathBuf),
    /// The log belongs to another database.
    #[error(
        "{} belongs to another database than {}, which was restored over it: move the -wal away if \
         this is the database that you want, {REMEDY}",
        files::log(.0).display(), .0.display()
    )]
    Mixed(PathBuf),
    /// The database belongs to another portal.
    #[error(
        "{} holds the records of another portal, according to {}: to use them, move the file away \
         and restore it with `ai-stack-deployer restore FILE`; else put the portal's own file \
         back, or start with an empty database with `ai-stack-deployer --new`",
        .0.display(), files::identity(.0).display()
    )]
    Other(PathBuf),
}

/// A file cannot be opened as a store.
#[derive(Debug, thiserror::Error)]
pub enum OpenStoreError {
    /// The file does not exist.
    #[error("{} does not exist: start the portal once, or check DATABASE_URL", path.display())]
    Missing {
        /// The database file.
        path: PathBuf,
    },
    /// Another process uses it.
    #[error(
        "{} is in use by another portal process: stop that one first (`fuser {}` shows it)",
        path.display(), path.with_extension("lock").display()
    )]
    InUse {
        /// The database file.
        path: PathBuf,
    },
    /// A portal of an older version has it, which a migration would stop.
    #[error(
        "a portal of another version is running on {}: restart it with this version first",
        path.display()
    )]
    OlderPortal {
        /// The database file.
        path: PathBuf,
    },
    /// The file or its folder cannot be created or opened.
    #[error(
        "cannot open {}: make the file and its folder readable and writable for the portal's user",
        path.display()
    )]
    File {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// The file is not a database of a portal, but something else.
    #[error(
        "{} is not a database of a portal, but holds the data of another program: set DATABASE_URL \
         to a file of the portal's own",
        .0.display()
    )]
    OtherProgram(PathBuf),
    /// The portal's user may read the database, but not write it.
    #[error(
        "{} cannot be written, so no tables can be made: make the file and its folder writable for \
         the portal's user, with `chown` or by mounting the disk for writing",
        path.display()
    )]
    ReadOnly {
        /// The database file.
        path: PathBuf,
        /// The reason.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The database cannot be read or migrated.
    #[error("cannot use {} as the portal's database", path.display())]
    Database {
        /// The database file.
        path: PathBuf,
        /// The reason.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The data of the portal that ran here before is missing.
    #[error(transparent)]
    Lost(#[from] LostRecords),
}

impl OpenStoreError {
    pub(in crate::server) fn database(
        path: &Path,
        source: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        let (path, source) = (path.to_owned(), source.into());
        match result_code(&*source) {
            // SQLITE_PERM, SQLITE_READONLY and SQLITE_CANTOPEN
            Some(3 | 8 | 14) => Self::ReadOnly { path, source },
            // SQLITE_NOTADB
            Some(26) => Self::OtherProgram(path),
            Some(_) | None => Self::Database { path, source },
        }
    }
}

/// Returns SQLite's primary result code (<https://www.sqlite.org/rescode.html>) in an error.
fn result_code(error: &(dyn Error + 'static)) -> Option<u32> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(error) = error.downcast_ref::<sqlx::Error>() {
            let extended: u32 = error.as_database_error()?.code()?.parse().ok()?;
            return Some(extended & 0xff);
        }
        next = error.source();
    }
    None
}
