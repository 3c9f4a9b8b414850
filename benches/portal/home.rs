//! Where portals live that are processes of their own: a folder, and a database in it or on a
//! PostgreSQL server.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::database::Database;
use super::support::postgres::Cluster;
use super::support::process::free_port;

/// The folder and the database of one portal after the other, or of several at once.
pub(crate) struct Home {
    pub(crate) database: Database,
    binary: PathBuf,
    folder: TempDir,
}

impl Home {
    /// Makes one for `binary`, with an empty database: a file, or one of `cluster`'s.
    pub(crate) fn new(binary: &Path, cluster: Option<&Cluster>) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        fs::copy("Leptos.toml", folder.path().join("Leptos.toml"))?;
        let database = match cluster {
            Some(cluster) => Database::Postgres(cluster.database()),
            None => Database::Sqlite(folder.path().join("portal.db")),
        };
        Ok(Self { database, binary: fs::canonicalize(binary)?, folder })
    }

    /// Returns the command of a portal with these variables, and nothing else of the surroundings
    /// in its environment, and the port that it will listen on.
    pub(crate) fn portal(
        &self,
        variables: impl IntoIterator<Item = (&'static str, String)>,
    ) -> (Command, u16) {
        let port = free_port();
        let mut command = Command::new(&self.binary);
        command
            .env_clear()
            .env("PORT", port.to_string())
            .env("DATABASE_URL", self.database.url())
            .envs(variables)
            .current_dir(self.folder.path());
        (command, port)
    }
}
