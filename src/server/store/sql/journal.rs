//! Implements the journal port: the events and steps of an operation, and the facts that its worker
//! records.

use std::collections::HashMap;

use async_trait::async_trait;
use jiff::Timestamp;

use super::dialect::Dialect;
use super::pool::Transaction;
use super::rows::Columns as _;
use super::stack_events::{self, Ended};
use super::statement::Statement;
use super::{SqlStore, kept, lists, revisions, rows};
use crate::server::notifier::Notification;
use crate::server::platform::AppName;
use crate::server::store::{
    CleanupRecord, Desired, End, Fact, Journal, Lease, Recorded, Result, StackVolumes, State,
    StepId, StepRecord, Steps, StoreError, StoredEvent, unavailable_for,
};
use domain::deployment::DeploymentId;
use domain::event::{Event, EventBody, Seq};
use domain::kind::StackState;
use domain::stack_id::StackId;

/// The number of events that one statement inserts. SQLite searches the list from its start for each
/// of them, so the time grows with the square of the number.
const EVENTS: usize = 500;

#[async_trait]
impl<D: Dialect> Journal for SqlStore<D> {
    async fn events(&self, id: &DeploymentId, after: Seq, limit: u32) -> Result<Vec<StoredEvent>> {
        let events = Statement::new(
            "SELECT seq, name, data FROM events
             WHERE deployment_id = $1 AND seq > $2 ORDER BY seq LIMIT $3",
        );
        let after = i64::try_from(after).unwrap_or(i64::MAX);
        let found = self.rows(events.bind(id).bind(after).bind(i64::from(limit))).await?;
        found.iter().map(rows::event).collect()
    }

    async fn last_events(&self, ids: &[&DeploymentId]) -> Result<Vec<(DeploymentId, StoredEvent)>> {
        let is_wanted = D::is_in("$1");
        let last = Statement::composed(format!(
            "SELECT events.deployment_id, events.seq, events.name, events.data
             FROM operations JOIN events
                 ON events.deployment_id = operations.id AND events.seq = operations.seq
             WHERE operations.id {is_wanted}"
        ));
        let found = self.rows(last.bind(lists::texts(ids))).await?;
        found.iter().map(|row| Ok((rows::id(row, "deployment_id")?, rows::event(row)?))).collect()
    }

    async fn last_told(&self, ids: &[&DeploymentId]) -> Result<Vec<(DeploymentId, StoredEvent)>> {
        let is_wanted = D::is_in("$1");
        let last = Statement::composed(format!(
            "SELECT events.deployment_id, events.seq, events.name, events.data
             FROM operations JOIN events ON events.deployment_id = operations.id
             WHERE operations.id {is_wanted} AND events.seq =
                 (SELECT MAX(told.seq) FROM events AS told
                  WHERE told.deployment_id = operations.id AND told.name <> 'log')"
        ));
        let found = self.rows(last.bind(lists::texts(ids))).await?;
        found.iter().map(|row| Ok((rows::id(row, "deployment_id")?, rows::event(row)?))).collect()
    }

    async fn journal(&self, id: &DeploymentId) -> Result<Steps> {
        let steps = Statement::new("SELECT step, record FROM steps WHERE deployment_id = $1");
        let services = Statement::new("SELECT app_name FROM services WHERE deployment_id = $1");
        let (steps, services) = (steps.bind(id), services.bind(id));
        let both = async || {
            let records = self.readers.fetch_all(steps.clone()).await?;
            Ok((records, self.readers.fetch_all(services.clone()).await?))
        };
        let (records, services) = self.read(both).await?;
        Ok(Steps {
            records: records.iter().map(rows::step).collect::<Result<_, _>>()?,
            services: services.iter().map(rows::app_name).collect::<Result<_, _>>()?,
        })
    }

    async fn platform_logs(&self, ids: &[DeploymentId]) -> Result<HashMap<DeploymentId, String>> {
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let found = self.rows(lists::steps::<D>(ids)).await?;
        found.iter().filter_map(|row| rows::platform_log(row).transpose()).collect()
    }

    async fn stack_volumes(&self, stack: StackId) -> Result<StackVolumes> {
        let of_stack = Statement::composed(format!(
            "SELECT step, record FROM steps JOIN operations ON id = deployment_id
             WHERE stack = $1 AND step IN ({}) ORDER BY started_ms, id",
            lists::volume_steps()
        ));
        let rows = self.rows(of_stack.bind(stack)).await?;
        let records = rows.iter().map(rows::step).collect::<Result<Vec<_>>>()?;
        StackVolumes::of(records.iter().map(|(_, record)| record))
    }

    async fn services(&self) -> Result<Vec<(AppName, DeploymentId)>> {
        let all = Statement::new("SELECT app_name, deployment_id FROM services");
        self.rows(all).await?.iter().map(rows::service).collect()
    }

    async fn record(&self, lease: &Lease, fact: &Fact) -> Result<Recorded> {
        self.finish(record(self.clone(), lease.clone(), fact.clone())).await
    }

    async fn record_cleanup(&self, lease: &Lease, cleanup: &CleanupRecord) -> Result<()> {
        self.finish(record_cleanup(self.clone(), lease.clone(), cleanup.clone())).await
    }

    async fn rechecked(&self, lease: &Lease, again: Option<Timestamp>) -> Result<()> {
        let rechecked = lease.guard(
            "UPDATE operations SET tries = tries + 1, due_ms = $4
             WHERE id = $1 AND lease_owner = $2 AND lease_token = $3 AND state = 'live'",
        );
        self.change_held(rechecked.bind(again)).await
    }
}

/// Records a fact, all of it or nothing.
async fn record<D: Dialect>(store: SqlStore<D>, lease: Lease, fact: Fact) -> Result<Recorded> {
    let mut tx = store.transaction().await?;
    // The row comes first: it is locked from here on, and shows whether the lease is still held.
    let (recorded, row) = advance(&mut tx, &lease, &fact).await?;
    if !fact.events.is_empty() {
        let first = recorded.seq - fact.events.len() as Seq + 1;
        insert_events(&mut tx, &lease.id, first, &fact.events).await?;
        store.notify(&mut tx, &Notification::Events(lease.id.clone())).await?;
    }
    if let Some((step, record)) = &fact.step {
        write_step(&lease.id, *step, record)?.execute(&mut tx).await?;
    }
    if !fact.services.is_empty() {
        insert_services::<D>(&lease.id, &fact.services).execute(&mut tx).await?;
    }
    if let Some(outcome) = fact.end.and_then(|end| revisions::outcome(&end, &fact.events)) {
        revisions::conclude(&lease.id, outcome).execute(&mut tx).await?;
    }
    match fact.end {
        Some(End { state: State::Live, at, .. }) => {
            mark_live(&lease.id, at).execute(&mut tx).await?;
        }
        Some(End { state: State::RolledBack, at, leaves, .. }) => {
            if revisions::is_good(&fact.events) {
                revisions::reach(&lease.id).execute(&mut tx).await?;
            }
            settle(&store, &mut tx, &lease.id, at, leaves).await?;
        }
        Some(_) | None => {}
    }
    // Last, since it shows what has become of the stack.
    if let Some(end) = &fact.end {
        let ended = ended::<D>(&lease.id, &row, end.at)?;
        ended.record(&store, &mut tx, end, fact.events.last()).await?;
        if let (State::Live, Some(expires)) = (end.state, fact.expires) {
            stack_events::expire(&mut tx, &lease.id, end.at, expires).await?;
        }
    }
    tx.commit().await?;
    Ok(recorded)
}

/// Returns the operation `id` with this row, which has ended at `at`.
fn ended<'a, D: Dialect>(id: &'a DeploymentId, row: &D::Row, at: Timestamp) -> Result<Ended<'a>> {
    let from = row.optional_number("from_revision")?.and_then(|number| u32::try_from(number).ok());
    Ok(Ended { id, kind: rows::kind(row)?, from, at })
}

/// Advances the number of the operation's last event by the fact's events, and records the end if
/// the fact has one.
async fn advance<D: Dialect>(
    tx: &mut Transaction<D>,
    lease: &Lease,
    fact: &Fact,
) -> Result<(Recorded, D::Row)> {
    let end = fact.end.as_ref();
    let at = end.map(|end| end.at);
    // After the end, an operation still takes a step's record, but no event and no other end: its
    // readers have already received the terminal event. The cast tells PostgreSQL the type of NULL.
    let advance = lease.guard(
        "UPDATE operations
         SET seq = seq + $4, state = COALESCE($5, state), completed_ms = COALESCE($6, completed_ms),
             released_ms = COALESCE($7, released_ms), due_ms = COALESCE($8, due_ms)
         WHERE id = $1 AND lease_owner = $2 AND lease_token = $3
           AND (state = 'active' OR ($4 = 0 AND CAST($5 AS text) IS NULL))
         RETURNING seq, cancel_ms, kind, removes, from_revision",
    );
    let advance = advance
        .bind(i64::try_from(fact.events.len()).unwrap_or(i64::MAX))
        .bind(end.map(|end| end.state.as_str()))
        .bind(at)
        .bind(end.filter(|end| end.state == State::RolledBack).and(at))
        .bind(end.and_then(|end| end.due));
    let row = advance.fetch_optional(tx).await?.ok_or(StoreError::LeaseLost)?;
    let recorded = rows::recorded(&row)?;
    // Both a request to cancel and an end lock this row, so one of the two comes first: an end that
    // does not know of the request is rolled back, and the operation ends as cancelled instead
    // (promise P11).
    if end.is_some_and(|end| end.cancel_request != recorded.cancel_request) {
        return Err(StoreError::CancelPending);
    }
    Ok((recorded, row))
}

/// Inserts events, numbered from `first` on.
pub(super) async fn insert_events<D: Dialect>(
    tx: &mut Transaction<D>,
    id: &DeploymentId,
    first: Seq,
    bodies: &[EventBody],
) -> Result<()> {
    for (first, bodies) in (first..).step_by(EVENTS).zip(bodies.chunks(EVENTS)) {
        insert_few::<D>(id, first, bodies).execute(tx).await?;
    }
    Ok(())
}

/// Returns the statement that inserts at most [`EVENTS`] events.
fn insert_few<D: Dialect>(id: &DeploymentId, first: Seq, bodies: &[EventBody]) -> Statement {
    // Each event is stored as the bytes that its readers get, so a later version replays the same
    // bytes.
    let (mut seqs, mut names, mut data) = (Vec::new(), Vec::new(), Vec::new());
    for (seq, body) in (first..).zip(bodies) {
        let event = Event { seq, body: body.clone() };
        seqs.push(seq.cast_signed());
        names.push(event.name().to_owned());
        data.push(event.data());
    }
    let given =
        D::table_of(&[("seq", "bigint", "$2"), ("name", "text", "$3"), ("data", "text", "$4")]);
    Statement::composed(format!(
        "INSERT INTO events (deployment_id, seq, name, data) SELECT $1, seq, name, data FROM {given}"
    ))
    .bind(id)
    .bind(seqs)
    .bind(names)
    .bind(data)
}

fn write_step(id: &DeploymentId, step: StepId, record: &StepRecord) -> Result<Statement> {
    let record = serde_json::to_string(record).map_err(|error| unavailable_for(error.into()))?;
    let write = Statement::new(
        "INSERT INTO steps (deployment_id, step, record) VALUES ($1, $2, $3)
         ON CONFLICT (deployment_id, step) DO UPDATE SET record = excluded.record",
    );
    Ok(write.bind(id).bind(step.as_str()).bind(record))
}

fn insert_services<D: Dialect>(id: &DeploymentId, services: &[AppName]) -> Statement {
    let given = D::table_of(&[("name", "text", "$2")]);
    let names: Vec<_> = services.iter().map(|service| service.0.clone()).collect();
    Statement::composed(format!(
        "INSERT INTO services (deployment_id, app_name) SELECT $1, name FROM {given} WHERE TRUE
         ON CONFLICT DO NOTHING"
    ))
    .bind(id)
    .bind(names)
}

/// Returns the statement that marks the stack of the operation `id` as live since `at`.
fn mark_live(id: &DeploymentId, at: Timestamp) -> Statement {
    let mark_live = Statement::new(
        "UPDATE stacks SET live_ms = COALESCE(live_ms, $1)
         WHERE stack = (SELECT stack FROM operations WHERE id = $2)",
    );
    mark_live.bind(at).bind(id)
}

/// Records what is of the stack of the operation `id`, of which nothing is left to do.
async fn settle<D: Dialect>(
    store: &SqlStore<D>,
    tx: &mut Transaction<D>,
    id: &DeploymentId,
    at: Timestamp,
    leaves: Option<Desired>,
) -> Result<()> {
    let Some(desired) = leaves else { return mark_gone(store, tx, id, at).await };
    let leave = Statement::new(
        "UPDATE stacks SET desired = $1
         WHERE stack = (SELECT stack FROM operations WHERE id = $2) AND gone_ms IS NULL",
    );
    leave.bind(desired.as_str()).bind(id).execute(tx).await.map(drop)
}

/// Marks the stack of the operation `id` as gone, which frees its name. If the operation is a
/// removal, the deployment that created the stack counts as rolled back as well. A stack that is
/// gone already stays gone since then.
async fn mark_gone<D: Dialect>(
    store: &SqlStore<D>,
    tx: &mut Transaction<D>,
    id: &DeploymentId,
    at: Timestamp,
) -> Result<()> {
    let removed = Statement::new(
        "UPDATE operations SET state = 'rolled_back', released_ms = $1
         WHERE id = (SELECT removes FROM operations WHERE id = $2)",
    );
    let gone = Statement::new(
        "UPDATE stacks SET gone_ms = $1
         WHERE stack = (SELECT stack FROM operations WHERE id = $2) AND gone_ms IS NULL
         RETURNING name",
    );
    removed.bind(at).bind(id).execute(tx).await?;
    kept::settle(tx, id, at).await?;
    if let Some(row) = gone.bind(at).bind(id).fetch_optional(tx).await? {
        store.notify(tx, &Notification::Name(rows::name(&row)?)).await?;
    }
    Ok(())
}

/// Records the result of a clean-up after the end.
async fn record_cleanup<D: Dialect>(
    store: SqlStore<D>,
    lease: Lease,
    cleanup: CleanupRecord,
) -> Result<()> {
    let CleanupRecord { receipt, at, due, leaves } = &cleanup;
    let text = serde_json::to_string(receipt).map_err(|error| unavailable_for(error.into()))?;
    let mut tx = store.transaction().await?;
    let record = lease.guard(
        "UPDATE operations
         SET receipt = $4, tries = tries + 1,
             state = CASE WHEN $5 THEN 'rolled_back' ELSE state END,
             released_ms = CASE WHEN $5 THEN $6 ELSE released_ms END,
             due_ms = CASE WHEN $5 THEN NULL ELSE $7 END
         WHERE id = $1 AND lease_owner = $2 AND lease_token = $3 AND state = 'stuck'
         RETURNING kind, removes, from_revision",
    );
    let record = record.bind(text).bind(receipt.clean).bind(*at).bind(*due);
    let row = record.fetch_optional(&mut tx).await?.ok_or(StoreError::LeaseLost)?;
    if receipt.clean {
        revisions::conclude(&lease.id, revisions::failed(*leaves)).execute(&mut tx).await?;
        settle(&store, &mut tx, &lease.id, *at, *leaves).await?;
        let leaves = leaves.map_or(StackState::Gone, Desired::state);
        ended::<D>(&lease.id, &row, *at)?.cleaned_up(&store, &mut tx, leaves).await?;
    }
    tx.commit().await
}
