//! The portal's keys: those of `PORTAL_SECRET_KEY`, and those of the file beside a SQLite database.

use std::collections::BTreeSet;
use std::path::Path;

use super::StartError;
use crate::server::secrets::sealed::{SealedSecrets, StoredSecret};
use crate::server::secrets::{Keyring, key_file};
use crate::server::settings::{Settings, StoreSettings};

/// The warning for a portal without a key whose stacks have secrets.
pub const NO_KEY: &str = "PORTAL_SECRET_KEY is not set, so no stack can be started: the variables \
                          STACK_ENV_* and the registry password are stored with each stack, under \
                          this key. Set 32 random bytes, as `openssl rand -base64 32` prints them, \
                          and the same for every replica";

const APPEND: &str = "append the old key after a comma, in PORTAL_SECRET_KEY or in the file \
                      portal.key beside a SQLite database";
const ANOTHER_ID: &str = "give the new key another id, and append the old one with this id after a \
                          comma, as in PORTAL_SECRET_KEY=NEWID:NEWKEY,ID:OLDKEY";

/// Returns the keys of a portal that starts, and logs which keys are missing or
/// do not open what is stored. With SQLite, a key is created if neither the setting nor
/// the file has one.
///
/// # Errors
///
/// Returns why the keys cannot be used.
pub(super) async fn of_portal(
    settings: &Settings,
    secrets: &dyn SealedSecrets,
) -> Result<Option<Keyring>, StartError> {
    let mut keyring = known(settings)?;
    let used = secrets.samples().await;
    if let StoreSettings::Sqlite { path } = &settings.store {
        let path = key_file::beside(path);
        if keyring.is_none() {
            keyring = Some(key_file::create(&path)?);
            say_that_it_is_made(&path, used.as_ref().is_ok_and(Vec::is_empty));
        }
        key_file::remove_unfinished(&path);
    }
    if keyring.is_none() && settings.stack.has_secrets() {
        tracing::error!("{NO_KEY}");
    }
    match used {
        Ok(used) => report_unusable(keyring.as_ref(), &used),
        Err(error) => tracing::warn!(%error, "Could not check which keys the secrets need"),
    }
    Ok(keyring)
}

fn say_that_it_is_made(path: &Path, is_first: bool) {
    let path = path.display();
    let advice =
        "keep a copy of it, apart from the copies of the database, which do not include it";
    if is_first {
        tracing::info!("Made the portal's key {path}: {advice}");
    } else {
        tracing::warn!("Made the portal's key {path}, since there was no key any more: {advice}");
    }
}

/// Logs which keys of these secrets are missing, and which ids now belong to another key.
fn report_unusable(keyring: Option<&Keyring>, used: &[StoredSecret]) {
    let mut reported = BTreeSet::new();
    for StoredSecret { key, sealed } in used {
        let id = &sealed.key_id;
        let keys = keyring.filter(|keys| keys.has(id));
        if keys.is_some_and(|keys| keys.open(key.id(), sealed).is_ok()) || !reported.insert(id) {
            continue;
        }
        let (problem, remedy) = if keys.is_some() {
            ("The portal's key with this id is another one than the one that sealed", ANOTHER_ID)
        } else {
            ("A key of the portal is missing", APPEND)
        };
        tracing::error!(
            key.id = id,
            "{problem}: {remedy}. Without it, live stacks continue to run, but a deployment in \
             progress that needs one of these secrets ends with SECRETS_SEALED"
        );
    }
}

/// Returns the existing keys; `None` if there are none. If the setting has keys, those of the file
/// are used for decryption only.
///
/// # Errors
///
/// Returns why they cannot be used.
pub fn known(settings: &Settings) -> Result<Option<Keyring>, StartError> {
    let file = match &settings.store {
        StoreSettings::Sqlite { path } => key_file::read(&key_file::beside(path))?,
        StoreSettings::Postgres { .. } => None,
    };
    match (settings.secret_key.clone(), file) {
        (Some(setting), Some(file)) => {
            setting.with_older(&file).map(Some).map_err(StartError::KeyClash)
        }
        (setting, file) => Ok(setting.or(file)),
    }
}
