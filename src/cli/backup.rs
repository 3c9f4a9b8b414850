//! `backup` and `restore`: copies of the database; and `--new`, which sets the database aside.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

use super::{CommandError, Exit, say};
use crate::run;
use crate::server::settings::{PlatformSettings, Settings, StoreSettings};
use crate::server::sqlite_file;
use clock::{Clock as _, SystemClock};

const PG_DUMP: &str = "copy them, while portals run, with \
                       `pg_dump --format=custom --file=FILE ADDRESS`, where ADDRESS is DATABASE_URL";
const PG_RESTORE: &str = "stop every portal, make an empty database, fill it with `pg_restore \
                          --no-owner --exit-on-error --single-transaction --dbname=ADDRESS FILE`, \
                          and start the portals with DATABASE_URL=ADDRESS";
const PG_NEW: &str = "instead of --new, make an empty database and set DATABASE_URL to its address";

const KEY: &str = "The copy does not include the portal's key: keep a copy of portal.key or \
                   PORTAL_SECRET_KEY in another place. Without the key, the secrets in the \
                   database are lost.";

/// The file of the copy.
#[derive(Clone, Debug, Args)]
pub(super) struct CopyOptions {
    /// The file that holds the copy
    file: PathBuf,
}

/// Copies the database to a new file.
pub(super) async fn back_up(options: &CopyOptions, settings: &Settings) -> Exit {
    let path = database(settings, PG_DUMP)?;
    let size = sqlite_file::back_up(path, &options.file).await?;
    let (file, path) = (options.file.display(), path.display());
    say(&format!("{file} is a copy of the database {path} ({size} bytes)."))?;
    say(KEY)?;
    if let Some(state) = stacks(settings) {
        let state = state.display();
        say(&format!(
            "The copy does not include the embedded sandbox's stacks: to keep them, stop the \
             portal and copy {state} as well."
        ))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Replaces the database with a copy.
pub(super) async fn restore(options: &CopyOptions, settings: &Settings) -> Exit {
    let path = database(settings, PG_RESTORE)?;
    let aside = sqlite_file::restore(path, &options.file, SystemClock.now()).await?;
    say(&format!("{} is now the database from {}.", path.display(), options.file.display()))?;
    if let Some(aside) = aside {
        say(&format!("The previous database is {}.", aside.display()))?;
    }
    say(KEY)?;
    say(&match stacks(settings) {
        Some(state) => format!(
            "The embedded sandbox's stacks in {} are unchanged: the next start compares the \
             database with them, and reports the differences.",
            state.display()
        ),
        None => String::from(
            "Start the portal. `ai-stack-deployer reconcile --dry-run` lists the differences \
             between database and platform.",
        ),
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Sets the database aside, together with the sandbox's stacks.
pub(super) async fn begin_anew(settings: &Settings) -> Result<(), CommandError> {
    let path = database(settings, PG_NEW)?;
    let stacks = stacks(settings);
    let is_sandbox = stacks.is_some();
    let besides: Vec<_> = stacks.into_iter().collect();
    let Some(aside) = sqlite_file::begin_anew(path, &besides, SystemClock.now()).await? else {
        return Ok(());
    };
    let what = if is_sandbox {
        "the sandbox's stacks are with them"
    } else {
        "their stacks continue to run on the platform, and `reconcile` reports them"
    };
    tracing::warn!(
        "Starting with an empty database: the old one is {}; {what}. Remove --new before \
         the next start",
        aside.display()
    );
    Ok(())
}

/// Returns the path of the SQLite database. With PostgreSQL, returns an error that says what to do
/// `otherwise`.
fn database<'a>(settings: &'a Settings, otherwise: &'static str) -> Result<&'a Path, CommandError> {
    match &settings.store {
        StoreSettings::Sqlite { path } => Ok(path),
        StoreSettings::Postgres { .. } => Err(CommandError::Postgres(otherwise)),
    }
}

/// Returns the file of the embedded sandbox's stacks, if the sandbox is the platform and the file
/// exists.
fn stacks(settings: &Settings) -> Option<PathBuf> {
    match settings.platform {
        PlatformSettings::Sandbox { .. } => run::sandbox_state(&settings.store),
        PlatformSettings::Dokploy { .. } => None,
    }
    .filter(|state| state.exists())
}
