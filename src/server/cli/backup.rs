//! `backup` and `restore`: copies of the records; and `--new`, which sets them aside.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Args;

use super::{CommandError, say};
use crate::server::{
    run,
    settings::{PlatformSettings, Settings, StoreSettings},
    store::sqlite,
};
use clock::{Clock as _, SystemClock};

const PG_DUMP: &str = "copy them, while portals run, with \
                       `pg_dump --format=custom --file=FILE ADDRESS`, where ADDRESS is DATABASE_URL";
const PG_RESTORE: &str = "stop every portal, make an empty database, fill it with `pg_restore \
                          --no-owner --exit-on-error --single-transaction --dbname=ADDRESS FILE`, \
                          and start the portals with DATABASE_URL=ADDRESS";
const PG_NEW: &str = "instead of --new, make an empty database and set DATABASE_URL to its address";

/// Which file.
#[derive(Clone, Debug, Args)]
pub(super) struct CopyOptions {
    /// The file that holds the copy
    file: PathBuf,
}

/// Writes all records to a new file.
pub(super) async fn back_up(
    options: &CopyOptions,
    settings: &Settings,
) -> Result<ExitCode, CommandError> {
    let path = database(settings, PG_DUMP)?;
    let size = sqlite::back_up(path, &options.file).await?;
    let (file, path) = (options.file.display(), path.display());
    say(&format!("{file} holds a copy of all records of {path} ({size} bytes)."))?;
    say("The copy does not include the portal's key: keep a copy of portal.key or \
         PORTAL_SECRET_KEY in another place. Without the key, the secrets in the database are lost.")?;
    if let Some(state) = stacks(settings) {
        let state = state.display();
        say(&format!(
            "The copy does not include the embedded sandbox's stacks: to keep them, stop the \
             portal and copy {state} as well."
        ))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Puts a copy of the records in their place.
pub(super) async fn restore(
    options: &CopyOptions,
    settings: &Settings,
) -> Result<ExitCode, CommandError> {
    let path = database(settings, PG_RESTORE)?;
    let aside = sqlite::restore(path, &options.file, SystemClock.now()).await?;
    say(&format!("{} now holds the records of {}.", path.display(), options.file.display()))?;
    if let Some(aside) = aside {
        say(&format!("The previous records are in {}.", aside.display()))?;
    }
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

/// Sets the records aside, and the sandbox's stacks with them.
pub(super) async fn begin_anew(settings: &Settings) -> Result<(), CommandError> {
    let path = database(settings, PG_NEW)?;
    let stacks = stacks(settings);
    let is_sandbox = stacks.is_some();
    let besides: Vec<_> = stacks.into_iter().collect();
    let Some(aside) = sqlite::begin_anew(path, &besides, SystemClock.now()).await? else {
        return Ok(());
    };
    let what = if is_sandbox {
        "the sandbox's stacks are with them"
    } else {
        "their stacks continue to run on the platform, and `reconcile` reports them"
    };
    tracing::warn!(
        "Starting with an empty database: the old records are in {}; {what}. Remove --new before \
         the next start",
        aside.display()
    );
    Ok(())
}

/// Returns where the records are, unless they are in PostgreSQL.
fn database<'a>(settings: &'a Settings, otherwise: &'static str) -> Result<&'a Path, CommandError> {
    match &settings.store {
        StoreSettings::Sqlite { path } => Ok(path),
        StoreSettings::Postgres { .. } => Err(CommandError::Postgres(otherwise)),
    }
}

/// Returns where the embedded sandbox keeps its stacks, if it is the platform and has any.
fn stacks(settings: &Settings) -> Option<PathBuf> {
    match settings.platform {
        PlatformSettings::Sandbox { .. } => run::sandbox_state(&settings.store),
        PlatformSettings::Dokploy { .. } => None,
    }
    .filter(|state| state.exists())
}
