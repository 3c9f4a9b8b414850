//! The portal's keys: those of `PORTAL_SECRET_KEY`, and those of the file beside a SQLite database.

use super::StartError;
use crate::server::{
    secrets::{Keyring, key_file},
    settings::{Settings, StoreSettings},
    store::SealedSecrets,
};

/// The warning for a portal without a key whose stacks have secrets.
pub const NO_KEY: &str = "PORTAL_SECRET_KEY is not set, so no stack can be started: the variables \
                          STACK_ENV_* and the registry password are stored with each stack, under \
                          this key. Set 32 random bytes, as `openssl rand -base64 32` prints them, \
                          and the same for every replica";

/// Returns the keys of a portal that starts, and logs which keys are missing. With SQLite, a key is
/// created if neither the setting nor the file has one.
///
/// # Errors
///
/// Returns why the keys cannot be used.
pub(super) async fn of_portal(
    settings: &Settings,
    secrets: &dyn SealedSecrets,
) -> Result<Option<Keyring>, StartError> {
    let keyring = match (known(settings)?, &settings.store) {
        (None, StoreSettings::Sqlite { path }) => {
            let path = key_file::beside(path);
            let keyring = key_file::create(&path)?;
            tracing::info!(
                "Made the portal's key {}: keep a copy of it, apart from the copies of the \
                 database, which do not include it",
                path.display()
            );
            Some(keyring)
        }
        (keyring, _) => keyring,
    };
    if keyring.is_none() && settings.stack.has_secrets() {
        tracing::error!("{NO_KEY}");
    }
    match secrets.key_usage().await {
        Ok(usage) => {
            let is_missing = |id: &&String| !keyring.as_ref().is_some_and(|keys| keys.has(id));
            for id in usage.keys().filter(is_missing) {
                tracing::error!(
                    key.id = id,
                    secrets = usage.get(id),
                    "A key of the portal is missing: put it back into PORTAL_SECRET_KEY or \
                     portal.key. Without it, live stacks continue to run, but a deployment in \
                     progress that needs one of these secrets ends with SECRETS_SEALED"
                );
            }
        }
        Err(error) => tracing::warn!(%error, "Could not check which keys the secrets need"),
    }
    Ok(keyring)
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
