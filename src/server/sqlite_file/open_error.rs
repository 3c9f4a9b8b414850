//! The error of opening a file as a store.

use std::{
    io,
    path::{Path, PathBuf},
};

use super::LostRecords;

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
    #[error("{} is in use by another portal process: stop that one first", path.display())]
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
    #[error("cannot open {}: check that the folder can be written to", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// The database cannot be read or migrated.
    #[error("cannot use {} as the portal's database", path.display())]
    Database {
        /// The database file.
        path: PathBuf,
        /// The reason.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The data of the portal that ran here before is missing.
    #[error(transparent)]
    Lost(#[from] LostRecords),
}

impl OpenStoreError {
    pub(in crate::server) fn database(
        path: &Path,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self::Database { path: path.to_owned(), source: source.into() }
    }
}
