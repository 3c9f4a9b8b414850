//! The journal of operations.

use std::collections::HashMap;

use ai_stack_deployer::server::platform::AppName;
use ai_stack_deployer::server::store::{
    CleanupRecord, Desired, Fact, Journal, Lease, Recorded, Result, RevisionOutcome, StackVolumes,
    State, Steps, StoreError, StoredEvent,
};
use async_trait::async_trait;
use domain::deployment::DeploymentId;
use domain::event::{Event, EventBody, Seq};
use domain::kind::VOLUME_STEPS;
use domain::stack_id::StackId;
use jiff::Timestamp;

use super::MemoryStore;
use super::tables::{Row, stored};

#[async_trait]
impl Journal for MemoryStore {
    async fn events(&self, id: &DeploymentId, after: Seq, limit: u32) -> Result<Vec<StoredEvent>> {
        let mut tables = self.up()?;
        let events = tables.row(id).map(|row| row.events.clone()).unwrap_or_default();
        Ok(events.into_iter().filter(|event| event.seq > after).take(limit as usize).collect())
    }

    async fn last_events(&self, ids: &[&DeploymentId]) -> Result<Vec<(DeploymentId, StoredEvent)>> {
        Ok(self.up()?.last(ids, |_| true))
    }

    async fn last_told(&self, ids: &[&DeploymentId]) -> Result<Vec<(DeploymentId, StoredEvent)>> {
        Ok(self.up()?.last(ids, |event| event.name != "log"))
    }

    async fn journal(&self, id: &DeploymentId) -> Result<Steps> {
        Ok(self.up()?.row(id).map(|row| row.steps.clone()).unwrap_or_default())
    }

    async fn platform_logs(&self, ids: &[DeploymentId]) -> Result<HashMap<DeploymentId, String>> {
        Ok(self.up()?.platform_logs(ids))
    }

    async fn stack_volumes(&self, stack: StackId) -> Result<StackVolumes> {
        let tables = self.up()?;
        let of_stack = tables.deployments.iter().filter(|row| row.record.revision.stack == stack);
        let records =
            of_stack.flat_map(|row| VOLUME_STEPS.map(|step| row.steps.records.get(&step)));
        StackVolumes::of(records.flatten())
    }

    async fn services(&self) -> Result<Vec<(AppName, DeploymentId)>> {
        let tables = self.up()?;
        let of_row = |row: &Row| {
            let id = row.record.deployment.id.clone();
            row.steps.services.iter().map(|name| (name.clone(), id.clone())).collect::<Vec<_>>()
        };
        Ok(tables.deployments.iter().flat_map(of_row).collect())
    }

    async fn record(&self, lease: &Lease, fact: &Fact) -> Result<Recorded> {
        let mut tables = self.up()?;
        let row = tables.leased(lease)?;
        if row.record.state != State::Active && (!fact.events.is_empty() || fact.end.is_some()) {
            return Err(StoreError::LeaseLost);
        }
        let cancel_request = row.record.cancel_request;
        if fact.end.is_some_and(|end| end.cancel_request != cancel_request) {
            return Err(StoreError::CancelPending);
        }
        for body in &fact.events {
            row.record.seq += 1;
            row.events.push(stored(&Event { seq: row.record.seq, body: body.clone() }));
        }
        if let Some((step, record)) = &fact.step {
            row.steps.records.insert(*step, record.clone());
        }
        row.steps.services.extend(fact.services.iter().cloned());
        let seq = row.record.seq;
        if let Some(end) = fact.end {
            row.record.state = end.state;
            row.record.metadata.completed = Some(end.at);
            row.record.clean_up.due = end.due;
            let is_good = matches!(fact.events.last(), Some(EventBody::Complete(_)));
            let outcome = match (end.state, is_good, end.leaves) {
                (State::Live, ..) | (State::RolledBack, true, Some(Desired::Running)) => {
                    Some(RevisionOutcome::Live)
                }
                (State::RolledBack, true, Some(Desired::Stopped)) => Some(RevisionOutcome::Untried),
                (State::RolledBack, false, Some(_)) => Some(RevisionOutcome::Reverted),
                (State::RolledBack, false, None) => Some(RevisionOutcome::NeverLive),
                (State::RolledBack, true, None) | (State::Active | State::Stuck, ..) => None,
            };
            if end.state == State::RolledBack {
                row.released = Some(end.at);
            }
            if let Some(outcome) = outcome {
                tables.conclude(&lease.id, outcome);
            }
            if end.state == State::RolledBack {
                if is_good {
                    tables.reach(&lease.id);
                }
                tables.end(&lease.id, end.at, end.leaves);
            }
            tables.ended(&lease.id, &end, fact.events.last());
            if let (State::Live, Some(expires)) = (end.state, fact.expires) {
                tables.expire(&lease.id, end.at, expires);
            }
        }
        Ok(Recorded { seq, cancel_request })
    }

    async fn record_cleanup(&self, lease: &Lease, cleanup: &CleanupRecord) -> Result<()> {
        let mut tables = self.up()?;
        let row = tables.leased(lease)?;
        if row.record.state != State::Stuck {
            return Err(StoreError::LeaseLost);
        }
        row.record_cleanup(cleanup);
        if cleanup.receipt.clean {
            let is_left = cleanup.leaves.is_some();
            let outcome =
                if is_left { RevisionOutcome::Reverted } else { RevisionOutcome::NeverLive };
            tables.conclude(&lease.id, outcome);
            tables.end(&lease.id, cleanup.at, cleanup.leaves);
            tables.cleaned_up(&lease.id, cleanup);
        }
        Ok(())
    }

    async fn rechecked(&self, lease: &Lease, again: Option<Timestamp>) -> Result<()> {
        self.up()?.leased(lease)?.rechecked(again)
    }
}
