//! The port of sealed secrets, over the statements that all databases share.

use async_trait::async_trait;
use sqlx::Sqlite;

use super::{Pool, SqliteStore};
use crate::server::store::{
    KeyUsage, Lease, Resealed, SealedSecrets, SealedSpec, SecretKey, StoreError, StoredSecret,
    specs::SpecTables,
};

pub(super) type Specs = SpecTables<Sqlite>;

/// Selects the operation with this id if its lease is held by this owner with this token.
const HELD: &str =
    "SELECT 1 FROM deployments WHERE id = $1 AND lease_owner = $2 AND lease_token = $3";

/// Inserts what the stack of the operation under `lease` is made of, if the lease is still held.
pub(super) async fn store(pool: Pool, lease: Lease, new: SealedSpec) -> Result<(), StoreError> {
    Specs::store(pool, lease, new, HELD).await
}

#[async_trait]
impl SealedSecrets for SqliteStore {
    async fn key_usage(&self) -> Result<KeyUsage, StoreError> {
        Specs::key_usage(&self.readers).await
    }

    async fn secrets_not_under(
        &self,
        key_id: &str,
        after: Option<&SecretKey>,
        limit: u32,
    ) -> Result<Vec<StoredSecret>, StoreError> {
        Specs::not_under(&self.readers, key_id, after, limit).await
    }

    async fn reseal(&self, secrets: &[Resealed]) -> Result<u64, StoreError> {
        self.finish(Specs::reseal(self.writer.clone(), secrets.to_vec())).await
    }
}
