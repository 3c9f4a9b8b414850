//! `secrets`: seals the stored secrets under another key.

use std::process::ExitCode;

use clap::Subcommand;

use super::{CommandError, say};
use crate::server::{
    run,
    secrets::rotation::{self, Rotation},
    settings::Settings,
};

/// The exit code where secrets remain that are sealed under other keys.
const REMAIN: u8 = 2;

/// What to do with the stored secrets.
#[derive(Clone, Debug, Subcommand)]
pub(super) enum SecretsCommand {
    /// Seals all stored secrets under the first key of `PORTAL_SECRET_KEY`, while portals run or not.
    /// Exits with 0 when no other key is needed any more, with 2 when one still is
    Rotate,
}

/// Carries `command` out on the records that `settings` name.
pub(super) async fn run(
    command: &SecretsCommand,
    settings: &Settings,
) -> Result<ExitCode, CommandError> {
    let SecretsCommand::Rotate = command;
    let keyring = run::known_keys(settings)?.ok_or(CommandError::NoKey)?;
    let records = run::open_for_cli(&settings.store).await?;
    let rotation = rotation::rotate(&*records.secrets, &keyring).await?;
    for line in describe(&rotation, keyring.sealing_id()) {
        say(&line)?;
    }
    let is_done = rotation.usage.keys().all(|id| id == keyring.sealing_id());
    Ok(if is_done { ExitCode::SUCCESS } else { ExitCode::from(REMAIN) })
}

/// Writes what was done, which key seals how many secrets, and what follows from it.
fn describe(rotation: &Rotation, sealing: &str) -> Vec<String> {
    let Rotation { resealed, unopened, usage } = rotation;
    let mut lines = vec![format!("{resealed} secrets were sealed under the key {sealing}.")];
    lines.extend(unopened.iter().map(|(which, error)| format!("{which} does not open: {error}.")));
    lines.extend(usage.iter().map(|(id, count)| format!("{count} secrets use the key {id}.")));
    lines.push(if usage.keys().all(|id| id == sealing) {
        String::from("No secret uses another key: every other key can be removed.")
    } else {
        String::from(
            "Some secrets still use other keys: keep these keys, or put them back if they are \
             missing, and run this command again.",
        )
    });
    lines
}
