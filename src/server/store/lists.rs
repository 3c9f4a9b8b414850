//! Questions for lists that are made of a filter, the same for every database.

use sqlx::{Database, Encode, QueryBuilder, Type};

use crate::server::{
    audit::AuditFilter,
    store::{OperationFilter, StepId},
};
use domain::deployment::DeploymentId;

/// The columns that a record is read from. Named one by one: a newer portal may add a column while
/// this one runs, and a statement that PostgreSQL has prepared for `*` fails from then on.
pub(super) const RECORD: &str = "SELECT id, name, host, url, owner, state, seq, started_ms,
    completed_ms, removes, retry_of, retried_by, cancel_ms, receipt, tries, due_ms, panics, kind
    FROM deployments";

/// Asks for the operations that pass `filter`, newest first. `position` is the function that
/// finds a text within another and counts from one.
pub(super) fn operations<DB>(filter: &OperationFilter, position: &str) -> QueryBuilder<DB>
where
    DB: Database<Arguments: Default>,
    for<'a> &'a str: Encode<'a, DB> + Type<DB>,
    for<'a> i64: Encode<'a, DB> + Type<DB>,
{
    let OperationFilter { owner, state, search, before, limit } = filter;
    let mut query = QueryBuilder::new(RECORD);
    query.push(" WHERE TRUE");
    if let Some(owner) = owner {
        query.push(" AND owner = ").push_bind(owner.as_str());
    }
    if let Some(state) = state {
        query.push(" AND state = ").push_bind(state.as_str());
    }
    if let Some(search) = search.as_deref() {
        query.push(" AND (id = ").push_bind(search);
        query.push(" OR ").push(position).push("(name, ").push_bind(search).push(") > 0)");
    }
    if let Some(before) = before {
        query.push(" AND (started_ms, id) < (SELECT started_ms, id FROM deployments WHERE id = ");
        query.push_bind(before.as_str()).push(")");
    }
    query.push(" ORDER BY started_ms DESC, id DESC LIMIT ").push_bind(i64::from(*limit));
    query
}

/// Asks for the step at which the platform starts the container, of these operations.
pub(super) fn deploy_steps<DB>(ids: &[DeploymentId]) -> QueryBuilder<DB>
where
    DB: Database<Arguments: Default>,
    for<'a> &'a str: Encode<'a, DB> + Type<DB>,
{
    let mut query =
        QueryBuilder::new("SELECT deployment_id, step, record FROM steps WHERE step = ");
    query.push_bind(StepId::Deploy.as_str()).push(" AND deployment_id IN (");
    let mut values = query.separated(", ");
    for id in ids {
        values.push_bind(id.as_str());
    }
    values.push_unseparated(")");
    query
}

/// Asks for the entries of the audit log that pass `filter`, newest first.
pub(super) fn entries<DB>(filter: &AuditFilter) -> QueryBuilder<DB>
where
    DB: Database<Arguments: Default>,
    for<'a> &'a str: Encode<'a, DB> + Type<DB>,
    for<'a> i64: Encode<'a, DB> + Type<DB>,
{
    let AuditFilter { who, act, target, since, before, limit } = filter;
    let mut query = QueryBuilder::new(
        "SELECT number, at_ms, who, act, target, address, outcome FROM audit WHERE TRUE",
    );
    if let Some(who) = who.as_deref() {
        query.push(" AND who = ").push_bind(who);
    }
    if let Some(act) = act {
        query.push(" AND act = ").push_bind(act.as_str());
    }
    if let Some(target) = target.as_deref() {
        query.push(" AND target = ").push_bind(target);
    }
    if let Some(since) = since {
        query.push(" AND at_ms >= ").push_bind(since.as_millisecond());
    }
    if let Some(before) = before {
        query.push(" AND number < ").push_bind(*before);
    }
    query.push(" ORDER BY number DESC LIMIT ").push_bind(i64::from(*limit));
    query
}
