//! Everybody's operations, a page at a time.

use super::{Owner, PAGE, allow, page, typed};
use crate::server::auth::access::Caller;
use crate::server::stacks::Service;
use crate::server::store::{self, OperationFilter, Record};
use crate::wire::ApiError;
use domain::deployment::DeploymentId;
use domain::owner::OwnerId;
use domain::progress::End;
use domain::refusal::{FilterField, Refusal};

/// The filter of the operations, as typed. An empty field matches all operations.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OperationQuery {
    /// The owner: `person:<id>` or `browser:<digest>`.
    pub owner: String,
    /// The state, by its word.
    pub state: String,
    /// A part of the stack's name, or the operation's id.
    pub search: String,
    /// The id of the last operation on the previous page.
    pub before: String,
}

/// A page of operations, newest first.
#[derive(Debug)]
pub struct OperationPage {
    /// The operations.
    pub lines: Vec<OperationLine>,
    /// The id after which the next page begins, if there is one.
    pub next: Option<DeploymentId>,
}

/// An operation.
#[derive(Debug)]
pub struct OperationLine {
    /// The operation.
    pub record: Record,
    /// How it ended, if it is one on a stack that stays: its state does not say.
    pub end: Option<End>,
    /// Its owner; `None` if an anonymous client started it.
    pub owner: Option<Owner>,
    /// True if its stack is live but no container of it runs.
    pub is_down: bool,
    /// The last lines of the platform's log, if its deploy job failed.
    pub platform_log: Option<String>,
}

impl OperationQuery {
    /// Parses the filter.
    fn filter(&self) -> Result<OperationFilter, ApiError> {
        let owner = typed(&self.owner).map(OwnerId::parse).transpose();
        let before = typed(&self.before).map(DeploymentId::parse).transpose();
        let state = typed(&self.state).map(str::parse).transpose();
        Ok(OperationFilter {
            owner: owner.map_err(|_| Refusal::InvalidFilter(FilterField::Owner))?,
            state: state.map_err(|_| Refusal::InvalidFilter(FilterField::State))?,
            search: typed(&self.search).map(str::to_ascii_lowercase),
            before: before.map_err(|_| Refusal::InvalidFilter(FilterField::Page))?,
            limit: PAGE + 1,
            ..OperationFilter::default()
        })
    }
}

impl Service {
    /// Lists everybody's operations.
    ///
    /// # Errors
    ///
    /// Returns an error if the caller is not an operator, the query is invalid, or the store is
    /// unavailable.
    pub async fn operations(
        &self,
        caller: &Caller,
        query: &OperationQuery,
    ) -> Result<OperationPage, ApiError> {
        allow(caller)?;
        let (records, goes_on) = page(self.parts.store.operations(&query.filter()?).await?);
        let names = self.names().await?;
        let ids: Vec<_> = records.iter().map(|record| record.deployment.id.clone()).collect();
        let mut logs = self.parts.store.platform_logs(&ids).await?;
        let keeping = records.iter().filter(|record| self.kind(record).keeps_stack());
        let keeping: Vec<_> = keeping.map(|record| &record.deployment.id).collect();
        let mut told = store::told(&*self.parts.store, &keeping).await?;
        let line = |record: Record| OperationLine {
            end: told.remove(&record.deployment.id).and_then(|told| told.end),
            owner: record.owner.clone().map(|owner| names.owner(owner)),
            is_down: self.downtime(&record).is_some(),
            platform_log: logs.remove(&record.deployment.id),
            record,
        };
        let lines: Vec<_> = records.into_iter().map(line).collect();
        let last = lines.last().map(|line| line.record.deployment.id.clone());
        Ok(OperationPage { next: last.filter(|_| goes_on), lines })
    }
}
