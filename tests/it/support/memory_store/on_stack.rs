//! Inserts operations on a stack that is there and that they leave there.

use ai_stack_deployer::server::store::{
    Claim, Disposal, NewOperation, OperationOutcome, Record, Result, RevisionOutcome, State,
    StoreError, StoredResponse,
};
use domain::deployment::{Deployment, DeploymentId, DeploymentMetadata};
use domain::event::Event;
use domain::kind::KindName;
use domain::stack_event::Reason;
use domain::stack_id::StackId;
use domain::stack_name::StackName;
use jiff::Timestamp;

use super::tables::{Row, Tables};

impl Tables {
    /// Inserts the operation on the stack `name`, unless another one is under way, another stack is
    /// meant, or the stack is not in a state from which it may begin.
    pub(super) fn begin_operation(
        &mut self,
        name: &StackName,
        new: &NewOperation,
    ) -> Result<OperationOutcome> {
        let is_live = |row: &&Row| {
            row.record.deployment.name == *name && row.reserves() && row.record.state == State::Live
        };
        let live = self.deployments.iter().find(is_live);
        let live = live.map(|row| (row.record.clone(), row.counted_as.clone()));
        let Some((live, counted_as)) = live else { return Ok(OperationOutcome::NotLive) };
        if new.of.as_ref().is_some_and(|of| *of != live.deployment.id) {
            return Ok(OperationOutcome::DifferentStack);
        }
        let stack = live.revision.stack;
        let held = self.held(stack).filter(|held| held.state == State::Active);
        if let Some(held) = held {
            if new.revision.is_some() || new.expired.is_some() || held.kind != new.kind.name {
                return Ok(OperationOutcome::UnderWay(held.id));
            }
            self.audit.extend(new.audit_entry.clone());
            return Ok(OperationOutcome::Accepted(held.id));
        }
        let desired = self.desired_of(stack);
        let is_stuck = self.held(stack).is_some();
        if !is_stuck && !new.kind.starts_from.contains(&desired.state()) {
            let is_so = new.kind.done == desired.state();
            return Ok(if is_so {
                OperationOutcome::Unchanged
            } else {
                OperationOutcome::WrongState(desired)
            });
        }
        if !self.expires_at(stack, new.expired) {
            return Ok(OperationOutcome::DifferentStack);
        }
        if let (Some(limit), Some(counted_as)) = (&new.limit, &counted_as) {
            limit.admit(self.begun_in_all(counted_as, &limit.kinds), new.started)?;
        }
        let later = match self.supersede(stack) {
            Superseded::Held(removal) => return Ok(OperationOutcome::UnderWay(removal)),
            Superseded::Free(until) => nobodys(until, new.started),
        };
        let is_later = later.is_some();
        let claim = later.or_else(|| new.claim.clone());
        let present = self.revision_of(stack);
        let mut reached = present;
        if let Some(revision) = &new.revision {
            reached.number = revision.number;
            if present.number != revision.from || self.specs.contains_key(&reached) {
                return Ok(OperationOutcome::RevisionChanged(present.number));
            }
            if let Some(template) = &revision.template {
                self.keep_template(template)?;
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
        self.deployments.push(row.claimed(claim.as_ref()));
        self.begun(&new.id, Reason::of(new.expired));
        self.audit.extend(new.audit_entry.clone());
        let id = new.id.clone();
        Ok(if is_later { OperationOutcome::Later(id) } else { OperationOutcome::Accepted(id) })
    }

    /// Returns when the operations of these kinds began on the stacks of `counted_as`.
    fn begun_in_all(&self, counted_as: &str, kinds: &[KindName]) -> Vec<Timestamp> {
        let is_there = |stack: StackId| {
            let mut rows = self.deployments.iter().filter(|row| row.record.revision.stack == stack);
            rows.any(|row| row.record.deployment.id == stack.deployment() && row.reserves())
        };
        let counts = |row: &&Row| {
            let Record { deployment, revision, .. } = &row.record;
            row.counted_as.as_deref() == Some(counted_as)
                && kinds.contains(&deployment.kind)
                && is_there(revision.stack)
        };
        let begun = self.deployments.iter().filter(counts);
        let mut begun: Vec<_> = begun.map(|row| row.record.deployment.started).collect();
        begun.sort_unstable();
        begun
    }

    /// Ends the stuck operation on a stack, unless it is a removal.
    pub(super) fn supersede(&mut self, stack: StackId) -> Superseded {
        let mut until = None;
        let stuck = |row: &&mut Row| {
            let record = &row.record;
            record.revision.stack == stack && record.state == State::Stuck && !row.is_removal()
        };
        if let Some(row) = self.deployments.iter_mut().find(stuck) {
            row.record.state = State::RolledBack;
            row.record.clean_up.due = None;
            row.released = row.record.metadata.completed;
            until = row.owner.take().map(|_| row.until);
            row.token += 1;
            let id = row.record.deployment.id.clone();
            self.conclude(&id, RevisionOutcome::NeverLive);
        }
        self.held(stack).map_or(Superseded::Free(until), |held| Superseded::Held(held.id))
    }
}

/// Whether another operation on a stack can begin.
pub(super) enum Superseded {
    /// It cannot: this one holds the stack.
    Held(DeploymentId),
    /// It can. Until then, a worker may still clean up after the former one.
    Free(Option<Timestamp>),
}

/// Returns a lease of nobody until `until`, if that is after `now`.
pub(super) fn nobodys(until: Option<Timestamp>, now: Timestamp) -> Option<Claim> {
    let until = until.filter(|until| *until > now)?;
    Some(Claim { owner: String::new(), token: 0, until })
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
