//! The port of sealed secrets: what a change of the portal's key needs of them all.

use std::collections::BTreeMap;

use async_trait::async_trait;

use super::StoreError;
use crate::server::secrets::{SealedSecret, SecretId};

/// The number of sealed secrets by the id of the portal's key that they are sealed under.
pub type KeyUsage = BTreeMap<String, u64>;

/// Which secret of which stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretKey {
    /// The stack, by the id of the deployment that creates it.
    pub owner: String,
    /// The name among the secrets of the stack.
    pub name: String,
}

impl SecretKey {
    /// Returns what the secret is bound to.
    pub fn id(&self) -> SecretId<'_> {
        SecretId { owner: &self.owner, name: &self.name }
    }
}

/// A sealed secret and whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredSecret {
    /// Which it is.
    pub key: SecretKey,
    /// As it is stored.
    pub sealed: SealedSecret,
}

/// A secret that was sealed under another key.
#[derive(Clone, Debug)]
pub struct Resealed {
    /// As it was stored.
    pub old: StoredSecret,
    /// As it is to be stored.
    pub new: SealedSecret,
}

/// Keeps the sealed secrets of all stacks.
#[async_trait]
pub trait SealedSecrets: Send + Sync {
    /// Counts the secrets by the key that they are sealed under.
    async fn key_usage(&self) -> Result<KeyUsage, StoreError>;
    /// Returns the secrets of one stack for each key that any is sealed under.
    async fn samples(&self) -> Result<Vec<StoredSecret>, StoreError>;
    /// Lists secrets in a fixed order after `after`: at most `limit`.
    async fn secrets_after(
        &self,
        after: Option<&SecretKey>,
        limit: u32,
    ) -> Result<Vec<StoredSecret>, StoreError>;
    /// Replaces those of `secrets` that are still as they were, and returns how many that are.
    async fn reseal(&self, secrets: &[Resealed]) -> Result<u64, StoreError>;
}
