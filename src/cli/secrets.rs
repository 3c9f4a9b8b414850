//! `secrets`: encrypts the stored secrets under another key.

use std::process::ExitCode;

use clap::Subcommand;

use super::{CommandError, Exit, say};
use crate::run;
use crate::server::secrets::rotation::{self, Rotation};
use crate::server::settings::Settings;

/// The exit code if secrets remain that need another key.
const REMAIN: u8 = 2;

/// The subcommands of `secrets`.
#[derive(Clone, Debug, Subcommand)]
pub(super) enum SecretsCommand {
    /// Encrypts all stored secrets under the first key of `PORTAL_SECRET_KEY`, while portals run or
    /// not. Exits with 0 when no other key is needed any more, with 2 when one still is or a secret
    /// does not open
    Rotate,
}

/// Runs `command` on the database of `settings`.
pub(super) async fn run(command: &SecretsCommand, settings: &Settings) -> Exit {
    let SecretsCommand::Rotate = command;
    let keyring = run::known_keys(settings)?.ok_or(CommandError::NoKey)?;
    let store_ports = run::open_for_cli(&settings.store).await?;
    let rotation = rotation::rotate(&*store_ports.secrets, &keyring).await?;
    for line in describe(&rotation, keyring.sealing_id()) {
        say(&line)?;
    }
    Ok(if rotation.is_done(keyring.sealing_id()) {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(REMAIN)
    })
}

/// Returns what was done, how many secrets use which key, and what to do next.
fn describe(rotation: &Rotation, sealing: &str) -> Vec<String> {
    let Rotation { resealed, unopened, usage } = rotation;
    let mut lines = vec![format!("Secrets newly encrypted under the key {sealing}: {resealed}.")];
    lines.extend(unopened.iter().map(|(which, error)| format!("{which} does not open: {error}.")));
    let count = |(id, count)| format!("Secrets that use the key {id}: {count}.");
    lines.extend(usage.iter().map(count));
    lines.push(String::from(if rotation.is_done(sealing) {
        "No secret uses another key: every other key can be removed once every portal has been \
         restarted with this key first; run this command again before you remove a key."
    } else {
        "Some secrets still use other keys or do not open: keep every key, put back those that are \
         missing, and run this command again."
    }));
    lines
}
