//! The change of the portal's key: every stored secret is encrypted again under the first key.
//! Secrets that name this key are decrypted as well, since another key may have had the same id.
//!
//! Portals may run meanwhile: each stored secret names the key that decrypts it, and portals have
//! both keys.

use super::{Keyring, OpenSecretError};
use crate::server::secrets::sealed::{KeyUsage, Resealed, SealedSecrets};
use crate::server::store_error::Result;

/// The number of secrets that one transaction changes.
const BATCH: u32 = 100;

/// The result of a rotation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rotation {
    /// The number of secrets that it encrypted under the first key.
    pub resealed: u64,
    /// The secrets that it could not decrypt, described by their names and the deployments that made
    /// their stacks, each with the reason.
    pub unopened: Vec<(String, OpenSecretError)>,
    /// The number of secrets under each key afterwards.
    pub usage: KeyUsage,
}

impl Rotation {
    /// Returns whether the key `sealing` opens every secret.
    pub fn is_done(&self, sealing: &str) -> bool {
        self.unopened.is_empty() && self.usage.keys().all(|id| id == sealing)
    }
}

/// Encrypts every secret in `store` under the first key of `keyring`, and verifies those that are.
///
/// # Errors
///
/// Returns an error if the store is unavailable. Batches that were written before remain
/// changed.
pub async fn rotate(store: &dyn SealedSecrets, keyring: &Keyring) -> Result<Rotation> {
    let mut rotation = Rotation::default();
    let mut after = None;
    loop {
        let batch = store.secrets_after(after.as_ref(), BATCH).await?;
        let Some(last) = batch.last() else { break };
        after = Some(last.key.clone());
        let mut resealed = Vec::new();
        for old in batch {
            let id = old.key.id();
            match keyring.reseal(id, &old.sealed) {
                Ok(_) if old.sealed.key_id == keyring.sealing_id() => {}
                Ok(new) => resealed.push(Resealed { old, new }),
                Err(error) => {
                    let which = format!("{} of {}", id.name, id.revision.stack.deployment());
                    rotation.unopened.push((which, error));
                }
            }
        }
        rotation.resealed += store.reseal(&resealed).await?;
    }
    rotation.usage = store.key_usage().await?;
    Ok(rotation)
}
