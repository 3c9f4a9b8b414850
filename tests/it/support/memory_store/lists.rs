//! Lists of operations.

use ai_stack_deployer::server::metrics::OperationCounts;
use ai_stack_deployer::server::store::{
    Desired, OperationFilter, Record, Stack, StackOperation, State,
};
use domain::deployment::DeploymentId;
use domain::stack_id::{RevisionId, StackId};
use domain::stack_name::StackName;
use jiff::Timestamp;

use super::tables::{Row, Tables};

impl Tables {
    /// Lists the live stacks, ordered by name: all, or only the one called `name`.
    pub(super) fn stacks(&self, name: Option<&StackName>) -> Vec<Stack> {
        let wanted = |row: &&Row| {
            row.reserves()
                && row.record.state == State::Live
                && name.is_none_or(|name| row.record.deployment.name == *name)
        };
        let removal = |id: &DeploymentId| {
            let removes = |row: &&Row| {
                row.record.metadata.links.removes.as_ref() == Some(id)
                    && row.record.state != State::RolledBack
            };
            let row = self.deployments.iter().find(removes)?;
            Some((row.record.deployment.id.clone(), row.record.state))
        };
        let stack = |row: &Row| Stack {
            removal: removal(&row.record.deployment.id),
            deployment: row.record.deployment.clone(),
            since: row.record.metadata.completed.unwrap(),
            owner: row.record.owner.clone(),
            desired: self.desired_of(row.record.revision.stack),
            revision: self.revision_of(row.record.revision.stack),
            label: self.labels.get(&row.record.revision.stack).cloned(),
            operation: self.held(row.record.revision.stack),
        };
        let mut stacks: Vec<_> = self.deployments.iter().filter(wanted).map(stack).collect();
        stacks.sort_by(|a, b| a.deployment.name.as_str().cmp(b.deployment.name.as_str()));
        stacks
    }

    /// Returns the revision that a stack has.
    pub(super) fn revision_of(&self, stack: StackId) -> RevisionId {
        let number = self.revisions.get(&stack).copied().unwrap_or(RevisionId::FIRST);
        RevisionId { stack, number }
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
        let OperationFilter { owner, state, search, before, limit } = filter;
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
