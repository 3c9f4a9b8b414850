//! Queries of lists, some of them composed from a filter.

use super::dialect::Dialect;
use super::statement::Statement;
use crate::server::audit::{AuditAction, AuditFilter};
use crate::server::store::{OperationFilter, State};
use domain::deployment::DeploymentId;
use domain::kind::{KindName, VOLUME_STEPS};

/// Selects the columns of a record. Not with `*`: a newer replica may add a column while this one
/// runs, and a statement that PostgreSQL has prepared with `*` fails from then on.
pub(super) const RECORD: &str = "SELECT id, name, host, url, owner, state, seq, started_ms,
    completed_ms, removes, retry_of, retried_by, cancel_ms, receipt, tries, due_ms, panics, kind,
    disposal, stack, COALESCE(to_revision, from_revision) AS revision,
    from_revision, desired
    FROM operations JOIN stacks USING (stack)";

/// Converts a list to texts, for a parameter of a statement.
pub(super) fn texts(list: &[impl ToString]) -> Vec<String> {
    list.iter().map(ToString::to_string).collect()
}

/// Returns the names of the steps that name volumes, as SQL.
pub(super) fn volume_steps() -> String {
    VOLUME_STEPS.map(|step| format!("'{}'", step.as_str())).join(", ")
}

/// Returns the query of the operations that pass `filter`, newest first.
pub(super) fn operations<D: Dialect>(filter: &OperationFilter) -> Statement {
    let OperationFilter { owner, stack, name, kind, state, search, before, limit } = filter;
    let mut query = Statement::new(RECORD)
        .push(" WHERE TRUE")
        .push_if(" AND owner = ", owner.as_ref())
        .push_if(" AND stack = ", *stack)
        .push_if(" AND name = ", name.as_ref())
        .push_if(" AND kind = ", kind.as_ref().map(KindName::as_str))
        .push_if(" AND state = ", state.map(State::as_str));
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
    Statement::new("SELECT number, at_ms, who, act, target, address, outcome FROM audit WHERE TRUE")
        .push_if(" AND who = ", who.as_ref())
        .push_if(" AND act = ", act.map(AuditAction::as_str))
        .push_if(" AND target = ", target.as_ref())
        .push_if(" AND at_ms >= ", *since)
        .push_if(" AND number < ", *before)
        .push(" ORDER BY number DESC LIMIT ")
        .push_bind(i64::from(*limit))
}
