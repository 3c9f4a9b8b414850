//! The responses to requests with a key, and the leases of tasks.

use ai_stack_deployer::server::store::{
    Idempotency, IdempotencyKey, Result, StoredResponse, TaskHolder, TaskLease, TaskLeases,
};
use async_trait::async_trait;
use jiff::Timestamp;

use super::MemoryStore;

#[async_trait]
impl Idempotency for MemoryStore {
    async fn store_response(&self, response: &StoredResponse) -> Result<()> {
        let key = (response.key.caller.clone(), response.key.key.clone());
        self.up()?.responses.entry(key).or_insert_with(|| response.clone());
        Ok(())
    }

    async fn stored_response(
        &self,
        key: &IdempotencyKey,
        now: Timestamp,
    ) -> Result<Option<StoredResponse>> {
        let tables = self.up()?;
        let response = tables.responses.get(&(key.caller.clone(), key.key.clone()));
        Ok(response.filter(|response| response.expires > now).cloned())
    }
}

#[async_trait]
impl TaskLeases for MemoryStore {
    async fn take_task_lease(&self, lease: &TaskLease) -> Result<TaskHolder> {
        Ok(self.up()?.take_task_lease(lease))
    }
}
