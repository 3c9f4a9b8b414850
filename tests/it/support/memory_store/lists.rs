//! Lists of operations.

use std::collections::HashMap;

use ai_stack_deployer::server::metrics::OperationCounts;
use ai_stack_deployer::server::store::{
    Desired, OperationFilter, PresentStack, Record, Stack, StackOperation, State, StepRecord,
    StoredEvent,
};
use domain::deployment::DeploymentId;
use domain::owner::OwnerId;
use domain::stack_id::{RevisionId, StackId};
use domain::stack_name::StackName;
use jiff::Timestamp;

use super::stack_events::Life;
use super::tables::{Row, Tables};

impl Tables {
    /// Lists the live stacks, ordered by name: all, or only the one called `name`.
    pub(super) fn stacks(&self, name: Option<&StackName>) -> Vec<Stack> {
        let wanted = |row: &&Row| {
            row.reserves()
                && row.record.state == State::Live
                && name.is_none_or(|name| row.record.deployment.name == *name)
        };
        let mut stacks: Vec<_> =
            self.deployments.iter().filter(wanted).map(|row| self.stack(row)).collect();
        stacks.sort_by(|a, b| a.deployment.name.as_str().cmp(b.deployment.name.as_str()));
        stacks
    }

    /// Lists the stacks that are not gone, ordered by name: all, or only those of `owner`.
    pub(super) fn present_stacks(&self, owner: Option<&OwnerId>) -> Vec<PresentStack> {
        let wanted = |row: &&Row| {
            row.reserves() && owner.is_none_or(|owner| row.record.owner.as_ref() == Some(owner))
        };
        let present = |row: &Row| PresentStack {
            stack: self.stack(row),
            is_live: row.record.state == State::Live,
        };
        let mut stacks: Vec<_> = self.deployments.iter().filter(wanted).map(present).collect();
        stacks
            .sort_by(|a, b| a.stack.deployment.name.as_str().cmp(b.stack.deployment.name.as_str()));
        stacks
    }

    /// Returns the platform's logs of these operations.
    pub(super) fn platform_logs(&mut self, ids: &[DeploymentId]) -> HashMap<DeploymentId, String> {
        let log = |id: &DeploymentId| {
            let records = &self.row(id)?.steps.records;
            let log = records.values().find_map(StepRecord::platform_log)?;
            Some((id.clone(), log.to_owned()))
        };
        ids.iter().filter_map(log).collect()
    }

    /// Returns the last event of each of these operations that `is_wanted`.
    pub(super) fn last(
        &mut self,
        ids: &[&DeploymentId],
        is_wanted: impl Fn(&StoredEvent) -> bool,
    ) -> Vec<(DeploymentId, StoredEvent)> {
        let mut last = |id: &DeploymentId| {
            let events = &self.row(id)?.events;
            Some((id.clone(), events.iter().rfind(|event| is_wanted(event))?.clone()))
        };
        ids.iter().filter_map(|id| last(id)).collect()
    }

    /// Returns the stack that a deployment made, or is making.
    fn stack(&self, row: &Row) -> Stack {
        let record = &row.record;
        let removes = |row: &&Row| {
            row.record.metadata.links.removes.as_ref() == Some(&record.deployment.id)
                && row.record.state != State::RolledBack
        };
        let removal = self.deployments.iter().find(removes);
        let life = self.lives.get(&record.revision.stack);
        Stack {
            removal: removal.map(|row| (row.record.deployment.id.clone(), row.record.state)),
            deployment: record.deployment.clone(),
            since: record.metadata.completed.unwrap_or(record.deployment.started),
            owner: record.owner.clone(),
            template: self.template_of(record.revision.stack),
            desired: self.desired_of(record.revision.stack),
            revision: self.revision_of(record.revision.stack),
            label: self.labels.get(&record.revision.stack).cloned(),
            operation: self.held(record.revision.stack),
            last_event: life.map_or(0, Life::last),
            unhealthy: life.and_then(|life| life.unhealthy.clone()),
            expires: life.and_then(|life| life.expires),
        }
    }

    /// Returns the revision that a stack has.
    pub(super) fn revision_of(&self, stack: StackId) -> RevisionId {
        let number = self.revisions.get(&stack).copied().unwrap_or(RevisionId::FIRST);
        RevisionId { stack, number }
    }

    /// Returns the template of a stack.
    fn template_of(&self, stack: StackId) -> String {
        let sealed = self.specs.get(&RevisionId { stack, number: RevisionId::FIRST });
        let template = sealed.and_then(|sealed| sealed.spec.template.as_ref());
        template.map_or_else(|| String::from("default"), |template| template.id.clone())
    }

    /// Returns what a stack should be.
    pub(super) fn desired_of(&self, stack: StackId) -> Desired {
        self.desired.get(&stack).copied().unwrap_or_default()
    }

    /// Returns the operation on a stack that is in progress or stuck.
    pub(super) fn held(&self, stack: StackId) -> Option<StackOperation> {
        let holds = |row: &&Row| {
            row.record.revision.stack == stack
                && matches!(row.record.state, State::Active | State::Stuck)
        };
        let record = &self.deployments.iter().find(holds)?.record;
        let (id, kind) = (record.deployment.id.clone(), record.deployment.kind);
        Some(StackOperation { id, kind, state: record.state })
    }

    /// Lists the records that `is_wanted` accepts, oldest first.
    pub(super) fn records(&self, is_wanted: impl Fn(&Record) -> bool) -> Vec<Record> {
        let records = self.deployments.iter().map(|row| &row.record);
        records.filter(|record| is_wanted(record)).cloned().collect()
    }

    /// Counts the operations in progress and the stuck ones.
    pub(super) fn counts(&self, now: Timestamp) -> OperationCounts {
        let count = |is_wanted: &dyn Fn(&Row) -> bool| {
            self.deployments.iter().filter(|row| is_wanted(row)).count() as u64
        };
        let is_active = |row: &Row| row.record.state == State::Active;
        let is_leased = |row: &Row| is_active(row) && row.owner.is_some() && row.until > now;
        OperationCounts {
            waiting: count(&|row| is_active(row) && !is_leased(row)),
            leased: count(&is_leased),
            stuck: count(&|row| row.record.state == State::Stuck),
        }
    }

    /// Lists operations that pass `filter`, newest first.
    pub(super) fn operations(&self, filter: &OperationFilter) -> Vec<Record> {
        let OperationFilter { owner, stack, name, kind, state, search, before, limit } = filter;
        let records = || self.deployments.iter().map(|row| &row.record);
        let before = match before {
            None => None,
            Some(id) => match records().find(|record| record.deployment.id == *id) {
                None => return Vec::new(),
                Some(record) => Some(sort_key(record)),
            },
        };
        let matches = |record: &Record, search: &String| {
            let deployment = &record.deployment;
            deployment.id.as_str() == search || deployment.name.as_str().contains(search)
        };
        let mut found: Vec<_> = records()
            .filter(|record| owner.is_none() || record.owner == *owner)
            .filter(|record| stack.is_none_or(|stack| record.revision.stack == stack))
            .filter(|record| name.as_ref().is_none_or(|name| record.deployment.name == *name))
            .filter(|record| kind.is_none_or(|kind| record.deployment.kind == kind))
            .filter(|record| state.is_none_or(|state| record.state == state))
            .filter(|record| search.as_ref().is_none_or(|search| matches(record, search)))
            .filter(|record| before.is_none_or(|before| sort_key(record) < before))
            .cloned()
            .collect();
        found.sort_by(|one, other| sort_key(other).cmp(&sort_key(one)));
        found.truncate(*limit as usize);
        found
    }
}

/// Returns the position of a record in lists.
fn sort_key(record: &Record) -> (Timestamp, &DeploymentId) {
    (record.deployment.started, &record.deployment.id)
}
