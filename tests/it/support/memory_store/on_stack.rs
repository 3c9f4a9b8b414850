//! Inserts operations on a stack that is there and that they leave there.

use ai_stack_deployer::server::store::{
    Disposal, NewOperation, OperationOutcome, Record, Result, RevisionOutcome, State, StoreError,
    StoredResponse,
};
use domain::deployment::{Deployment, DeploymentId, DeploymentMetadata};
use domain::event::Event;
use domain::stack_id::StackId;
use domain::stack_name::StackName;

use super::tables::{Row, Tables};

impl Tables {
    /// Inserts the operation on the stack `name`, unless another one is under way, another stack is
    /// meant, or the stack is not in a state from which it may begin.
    pub(super) fn begin_operation(
        &mut self,
        name: &StackName,
        new: &NewOperation,
    ) -> OperationOutcome {
        let is_live = |row: &&Row| {
            row.record.deployment.name == *name && row.reserves() && row.record.state == State::Live
        };
        let live = self.deployments.iter().find(is_live);
        let live = live.map(|row| (row.record.clone(), row.counted_as.clone()));
        let Some((live, counted_as)) = live else { return OperationOutcome::NotLive };
        if new.of.as_ref().is_some_and(|of| *of != live.deployment.id) {
            return OperationOutcome::DifferentStack;
        }
        let stack = live.revision.stack;
        let held = self.held(stack).filter(|held| held.state == State::Active);
        if let Some(held) = held {
            if new.revision.is_some() || held.kind != new.kind.name {
                return OperationOutcome::UnderWay(held.id);
            }
            self.audit.extend(new.audit_entry.clone());
            return OperationOutcome::Accepted(held.id);
        }
        let desired = self.desired_of(stack);
        if !new.kind.starts_from.contains(&desired.state()) {
            let is_so = new.kind.done == desired.state();
            return if is_so {
                OperationOutcome::Unchanged
            } else {
                OperationOutcome::WrongState(desired)
            };
        }
        if let Some(removal) = self.supersede(stack) {
            return OperationOutcome::UnderWay(removal);
        }
        let present = self.revision_of(stack);
        let mut reached = present;
        if let Some(revision) = &new.revision {
            reached.number = revision.number;
            if present.number != revision.from || self.specs.contains_key(&reached) {
                return OperationOutcome::RevisionChanged(present.number);
            }
            let maker = (Some(new.id.clone()), revision.by.clone(), Some(new.started));
            self.keep_spec(reached, revision.spec.clone(), maker);
        }
        let deployment = Deployment {
            id: new.id.clone(),
            kind: new.kind.name,
            started: new.started,
            ..live.deployment
        };
        let record = Record {
            deployment,
            metadata: DeploymentMetadata::default(),
            state: State::Active,
            disposal: Disposal::default(),
            seq: 1,
            revision: reached,
            from: Some(present.number),
            desired,
            ..live
        };
        let first = Event { seq: 1, body: new.first.clone() };
        let row = Row::new(record, counted_as, &first);
        self.deployments.push(row.claimed(new.claim.as_ref()));
        self.audit.extend(new.audit_entry.clone());
        OperationOutcome::Accepted(new.id.clone())
    }

    /// Ends the stuck operation on a stack, unless it is a removal, and returns the one that holds
    /// the stack all the same.
    pub(super) fn supersede(&mut self, stack: StackId) -> Option<DeploymentId> {
        let stuck = |row: &&mut Row| {
            let record = &row.record;
            record.revision.stack == stack && record.state == State::Stuck && !row.is_removal()
        };
        if let Some(row) = self.deployments.iter_mut().find(stuck) {
            row.record.state = State::RolledBack;
            row.record.clean_up.due = None;
            row.released = row.record.metadata.completed;
            row.owner = None;
            row.token += 1;
            let id = row.record.deployment.id.clone();
            self.conclude(&id, RevisionOutcome::NeverLive);
        }
        self.held(stack).map(|held| held.id)
    }
}

impl Tables {
    /// Uses the idempotency key of a request, if it has one.
    pub(super) fn use_key(&mut self, new: &NewOperation) -> Result<()> {
        self.responses.retain(|_, response| response.expires > new.started);
        let Some((key, response)) = keyed(new) else { return Ok(()) };
        if self.responses.contains_key(&key) {
            return Err(StoreError::KeyUsed);
        }
        self.responses.insert(key, response);
        Ok(())
    }

    /// Gives the key back, since nothing began.
    pub(super) fn give_key_back(&mut self, new: &NewOperation) {
        self.responses.retain(|key, _| keyed(new).is_none_or(|(used, _)| used != *key));
    }
}

fn keyed(new: &NewOperation) -> Option<((String, String), StoredResponse)> {
    let response = new.revision.as_ref()?.response.clone()?;
    Some(((response.key.caller.clone(), response.key.key.clone()), response))
}
