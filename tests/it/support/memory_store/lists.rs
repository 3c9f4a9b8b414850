//! Lists of operations.

use ai_stack_deployer::{
    domain::deployment::DeploymentId,
    server::ports::store::{OperationFilter, Record},
};
use jiff::Timestamp;

use super::tables::Tables;

impl Tables {
    /// Lists operations that pass `filter`, newest first.
    pub(super) fn operations(&self, filter: &OperationFilter) -> Vec<Record> {
        let OperationFilter { owner, state, search, before, limit } = filter;
        let records = || self.deployments.iter().map(|row| &row.record);
        let before = match before {
            None => None,
            Some(id) => match records().find(|record| record.deployment.id == *id) {
                None => return Vec::new(),
                Some(record) => Some(place(record)),
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
            .filter(|record| before.is_none_or(|before| place(record) < before))
            .cloned()
            .collect();
        found.sort_by(|one, other| place(other).cmp(&place(one)));
        found.truncate(*limit as usize);
        found
    }
}

/// Returns where a list has it.
fn place(record: &Record) -> (Timestamp, &DeploymentId) {
    (record.deployment.started, &record.deployment.id)
}
