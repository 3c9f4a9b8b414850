//! The change of the portal's key: seals every stored secret under the first key.
//!
//! It works beside running portals. A saga that reads a secret meanwhile opens it under whichever
//! key it was sealed with when it was read.

use super::{Keyring, OpenSecretError, SecretId};
use crate::server::store::{KeyUsage, Resealed, SealedSecrets, StoreError};

/// The number of secrets that one transaction changes.
const BATCH: u32 = 100;

/// What a rotation came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rotation {
    /// The number of secrets that it sealed under the first key.
    pub resealed: u64,
    /// Those that it could not open, by whose they are and their names, each with the reason.
    pub unopened: Vec<(String, OpenSecretError)>,
    /// The number of secrets under each key afterwards.
    pub usage: KeyUsage,
}

/// Seals every secret in `store` under the first key of `keyring`.
///
/// # Errors
///
/// Returns a [`StoreError`] where the store is out of reach. What was sealed before stays so.
pub async fn rotate(store: &dyn SealedSecrets, keyring: &Keyring) -> Result<Rotation, StoreError> {
    let mut rotation = Rotation::default();
    let mut after = None;
    loop {
        let batch = store.secrets_not_under(keyring.sealing_id(), after.as_ref(), BATCH).await?;
        let Some(last) = batch.last() else { break };
        after = Some(last.key.clone());
        let mut resealed = Vec::new();
        for old in batch {
            let id = SecretId { owner: &old.key.owner, name: &old.key.name };
            match keyring.reseal(id, &old.sealed) {
                Ok(new) => resealed.push(Resealed { old, new }),
                Err(error) => {
                    rotation.unopened.push((format!("{} of {}", id.name, id.owner), error));
                }
            }
        }
        rotation.resealed += store.reseal(&resealed).await?;
    }
    rotation.usage = store.key_usage().await?;
    Ok(rotation)
}
