//! The port of sealed secrets, over the statements that all databases share.

use async_trait::async_trait;
use sqlx::Postgres;

use super::{Pool, PostgresStore, within};
use crate::server::store::{
    KeyUsage, Lease, Resealed, SealedSecrets, SealedSpec, SecretKey, StoreError, StoredSecret,
    specs::SpecTables,
};

pub(super) type Specs = SpecTables<Postgres>;

/// Selects and locks the operation with this id if its lease is held by this owner with this token.
const HELD: &str =
    "SELECT 1 FROM deployments WHERE id = $1 AND lease_owner = $2 AND lease_token = $3
     FOR UPDATE";

/// Inserts what the stack of the operation under `lease` is made of, if the lease is still held.
pub(super) async fn store(pool: Pool, lease: Lease, new: SealedSpec) -> Result<(), StoreError> {
    Specs::store(pool, lease, new, HELD).await
}

#[async_trait]
impl SealedSecrets for PostgresStore {
    async fn key_usage(&self) -> Result<KeyUsage, StoreError> {
        within(Specs::key_usage(&self.pool)).await
    }

    async fn secrets_not_under(
        &self,
        key_id: &str,
        after: Option<&SecretKey>,
        limit: u32,
    ) -> Result<Vec<StoredSecret>, StoreError> {
        within(Specs::not_under(&self.pool, key_id, after, limit)).await
    }

    async fn reseal(&self, secrets: &[Resealed]) -> Result<u64, StoreError> {
        self.finish(Specs::reseal(self.pool.clone(), secrets.to_vec())).await
    }
}
