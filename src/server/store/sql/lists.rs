//! Queries of lists, some of them composed from a filter.

use super::{dialect::Dialect, statement::Statement};
use crate::server::{audit::AuditFilter, store::OperationFilter};
use domain::deployment::DeploymentId;

/// Selects the columns of a record. Not with `*`: a newer replica may add a column while this one
/// runs, and a statement that PostgreSQL has prepared with `*` fails from then on.
pub(super) const RECORD: &str = "SELECT id, name, host, url, owner, state, seq, started_ms,
    completed_ms, removes, retry_of, retried_by, cancel_ms, receipt, tries, due_ms, panics, kind,
    stack, COALESCE(to_revision, from_revision) AS revision
    FROM operations JOIN stacks USING (stack)";

/// Converts a list to texts, for a parameter of a statement.
pub(super) fn texts(list: &[impl ToString]) -> Vec<String> {
    list.iter().map(ToString::to_string).collect()
}

/// Returns the query of the operations that pass `filter`, newest first.
pub(super) fn operations<D: Dialect>(filter: &OperationFilter) -> Statement {
    let OperationFilter { owner, state, search, before, limit } = filter;
    let mut query = Statement::new(RECORD).push(" WHERE TRUE");
    if let Some(owner) = owner {
        query = query.push(" AND owner = ").push_bind(owner);
    }
    if let Some(state) = state {
        query = query.push(" AND state = ").push_bind(state.as_str());
    }
    if let Some(search) = search {
        query = query.push(" AND (id = ").push_bind(search).push(" OR ").push(D::POSITION);
        query = query.push("(name, ").push_bind(search).push(") > 0)");
    }
    if let Some(before) = before {
        query = query
            .push(" AND (started_ms, id) < (SELECT started_ms, id FROM operations WHERE id = ")
            .push_bind(before)
            .push(")");
    }
    query.push(" ORDER BY started_ms DESC, id DESC LIMIT ").push_bind(i64::from(*limit))
}

/// Returns the query of the steps of these operations.
pub(super) fn steps<D: Dialect>(ids: &[DeploymentId]) -> Statement {
    let is_wanted = D::is_in("$1");
    Statement::composed(format!(
        "SELECT deployment_id, step, record FROM steps WHERE deployment_id {is_wanted}"
    ))
    .bind(texts(ids))
}

/// Returns the query of the audit entries that pass `filter`, newest first.
pub(super) fn entries(filter: &AuditFilter) -> Statement {
    let AuditFilter { who, act, target, since, before, limit } = filter;
    let mut query = Statement::new(
        "SELECT number, at_ms, who, act, target, address, outcome FROM audit WHERE TRUE",
    );
    if let Some(who) = who {
        query = query.push(" AND who = ").push_bind(who);
    }
    if let Some(act) = act {
        query = query.push(" AND act = ").push_bind(act.as_str());
    }
    if let Some(target) = target {
        query = query.push(" AND target = ").push_bind(target);
    }
    if let Some(since) = since {
        query = query.push(" AND at_ms >= ").push_bind(*since);
    }
    if let Some(before) = before {
        query = query.push(" AND number < ").push_bind(*before);
    }
    query.push(" ORDER BY number DESC LIMIT ").push_bind(i64::from(*limit))
}
