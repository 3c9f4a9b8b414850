//! The port of sealed secrets: reads and replaces those of all stacks, for a change of the portal's
//! key.

use std::collections::BTreeMap;

use async_trait::async_trait;

use crate::server::secrets::{SealedSecret, SecretId};
use crate::server::store_error::Result;
use domain::stack_id::RevisionId;

/// The number of sealed secrets, by the id of the key that seals them.
pub type KeyUsage = BTreeMap<String, u64>;

/// Identifies a secret of a stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretKey {
    /// The revision to which it belongs.
    pub revision: RevisionId,
    /// The secret's name, which is unique within the revision.
    pub name: String,
}

impl SecretKey {
    /// Returns the identity that the secret is bound to: sealed for one, it cannot be opened as
    /// another.
    pub fn id(&self) -> SecretId<'_> {
        SecretId { revision: self.revision, name: &self.name }
    }
}

/// A sealed secret with its identity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredSecret {
    /// Its identity.
    pub key: SecretKey,
    /// The sealed secret.
    pub sealed: SealedSecret,
}

/// A secret that was sealed again with another key.
#[derive(Clone, Debug)]
pub struct Resealed {
    /// The stored secret.
    pub old: StoredSecret,
    /// The replacement.
    pub new: SealedSecret,
}

/// Reads and replaces the sealed secrets of all stacks. Every method returns an error if
/// the database fails.
#[async_trait]
pub trait SealedSecrets: Send + Sync {
    /// Counts the secrets by the key that seals them.
    async fn key_usage(&self) -> Result<KeyUsage>;
    /// Returns, for each key in use, the secrets of one stack that it seals.
    async fn samples(&self) -> Result<Vec<StoredSecret>>;
    /// Lists the secrets that follow `after` in a fixed order, at most `limit`.
    async fn secrets_after(
        &self,
        after: Option<&SecretKey>,
        limit: u32,
    ) -> Result<Vec<StoredSecret>>;
    /// Replaces those of `secrets` that have not changed since they were read, and returns how
    /// many.
    async fn reseal(&self, secrets: &[Resealed]) -> Result<u64>;
}
