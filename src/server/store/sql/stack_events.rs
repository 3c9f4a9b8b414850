//! The events of stacks: appends them in the transactions of what they tell, and lists them.

use async_trait::async_trait;
use jiff::Timestamp;

use super::audit::insert_audit_entry;
use super::dialect::Dialect;
use super::pool::Transaction;
use super::rows::{self, Columns as _};
use super::statement::Statement;
use super::{SqlStore, looks};
use crate::server::notifier::Notification;
use crate::server::store::{
    DayLooks, Desired, End, LookCounts, Result, StackEvents, StackTurn, State, StoreError, Turn,
    unavailable_for,
};
use domain::deployment::DeploymentId;
use domain::event::{EventBody, Seq};
use domain::kind::{KindName, StackState};
use domain::stack_event::{Outcome, Reason, StackEvent, StackEventBody};
use domain::stack_id::{RevisionId, StackId};

#[async_trait]
impl<D: Dialect> StackEvents for SqlStore<D> {
    async fn stack_events(
        &self,
        stack: StackId,
        after: Seq,
        limit: u32,
    ) -> Result<Vec<StackEvent>> {
        let list = Statement::new(
            "SELECT seq, at_ms, body FROM stack_events
             WHERE stack = $1 AND seq > $2 ORDER BY seq LIMIT $3",
        );
        let after = i64::try_from(after).unwrap_or(i64::MAX);
        let found = self.rows(list.bind(stack).bind(after).bind(i64::from(limit))).await?;
        found.iter().map(rows::stack_event).collect()
    }

    async fn record_turn(&self, turn: &StackTurn) -> Result<bool> {
        self.finish(record_turn(self.clone(), turn.clone())).await
    }

    async fn count_looks(&self, at: Timestamp, given: &[(StackId, LookCounts)]) -> Result<()> {
        let (store, given) = (self.clone(), given.to_vec());
        self.finish(async move {
            let mut tx = store.transaction().await?;
            looks::count(&mut tx, at, &given).await?;
            tx.commit().await
        })
        .await
    }

    async fn looks(&self, stack: StackId, day: i64) -> Result<Vec<DayLooks>> {
        self.rows(looks::since(stack, day)).await?.iter().map(looks::read).collect()
    }
}

/// Records what was found out about a stack, or decided, if nothing has happened to it since.
async fn record_turn<D: Dialect>(store: SqlStore<D>, turn: StackTurn) -> Result<bool> {
    let StackTurn { stack, seen, at, turn, audit_entry } = turn;
    let mut tx = store.transaction().await?;
    let bodies = match turn {
        Turn::Unhealthy(why) => {
            let text =
                serde_json::to_string(&why).map_err(|error| unavailable_for(error.into()))?;
            let mark = Statement::new(
                "UPDATE stacks SET unhealthy_ms = $3, unhealthy_why = $4
                 WHERE stack = $1 AND last_event = $2 AND gone_ms IS NULL AND desired = 'running'
                   AND unhealthy_ms IS NULL",
            );
            let mark = mark.bind(stack).bind(seen.cast_signed()).bind(at).bind(text);
            if mark.execute(&mut tx).await? == 0 {
                return Ok(false);
            }
            StackEventBody::of_unhealthy(why)
        }
        Turn::Recovered => {
            let mark = Statement::new(
                "UPDATE stacks SET unhealthy_ms = NULL, unhealthy_why = NULL
                 WHERE stack = $1 AND last_event = $2 AND gone_ms IS NULL
                   AND unhealthy_ms IS NOT NULL",
            );
            if mark.bind(stack).bind(seen.cast_signed()).execute(&mut tx).await? == 0 {
                return Ok(false);
            }
            vec![StackEventBody::Recovered]
        }
        Turn::Expires(expires_at) => {
            let mark = Statement::new(
                "UPDATE stacks SET expires_ms = $3
                 WHERE stack = $1 AND last_event = $2 AND gone_ms IS NULL",
            );
            let mark = mark.bind(stack).bind(seen.cast_signed()).bind(expires_at);
            if mark.execute(&mut tx).await? == 0 {
                return Ok(false);
            }
            vec![StackEventBody::ExpiryChanged { expires_at }]
        }
    };
    for body in bodies {
        let next = Statement::new(
            "UPDATE stacks SET last_event = last_event + 1 WHERE stack = $1
             RETURNING stack, last_event",
        );
        let row = next.bind(stack).fetch_one(&mut tx).await?;
        insert(&mut tx, stack, row.number("last_event")?, at, &body).await?;
    }
    insert_audit_entry(&mut tx, audit_entry.as_ref()).await?;
    store.notify(&mut tx, &Notification::Stacks).await?;
    tx.commit().await?;
    Ok(true)
}

/// Records that the operation `id` began, as its row says. `reason` is why the portal began it by
/// itself, if it did.
pub(super) async fn begun<D: Dialect>(
    store: &SqlStore<D>,
    tx: &mut Transaction<D>,
    id: &DeploymentId,
    reason: Option<Reason>,
) -> Result<()> {
    let next = Statement::new(
        "UPDATE stacks SET last_event = last_event + 1
         WHERE stack = (SELECT stack FROM operations WHERE id = $1)
         RETURNING stack, last_event, (SELECT kind FROM operations WHERE id = $1) AS kind,
                   (SELECT started_ms FROM operations WHERE id = $1) AS started_ms",
    );
    let row = next.bind(id).fetch_one(tx).await?;
    let (operation, kind) = (id.clone(), rows::kind_named(&row)?);
    let body = StackEventBody::OperationBegun { operation, kind, reason };
    let at = rows::time(row.number("started_ms")?)?;
    insert(tx, rows::stack_id(&row)?, row.number("last_event")?, at, &body).await?;
    store.notify(tx, &Notification::Stacks).await
}

/// Returns whether the stack that `live` created expires at `time`, if that is given. Its row is locked
/// from here on, so nobody gives it another time before the transaction ends.
pub(super) async fn expires_at<D: Dialect>(
    tx: &mut Transaction<D>,
    live: &DeploymentId,
    time: Option<Timestamp>,
) -> Result<bool> {
    let Some(time) = time else { return Ok(true) };
    let lock = Statement::new(
        "UPDATE stacks SET expires_ms = expires_ms
         WHERE stack = (SELECT stack FROM operations WHERE id = $1) AND expires_ms = $2",
    );
    Ok(lock.bind(live).bind(time).execute(tx).await? > 0)
}

/// Records when the stack that the operation `id` made live expires, unless it does so already.
pub(super) async fn expire<D: Dialect>(
    tx: &mut Transaction<D>,
    id: &DeploymentId,
    at: Timestamp,
    expires: Timestamp,
) -> Result<()> {
    let expire = Statement::new(
        "UPDATE stacks SET expires_ms = $2, last_event = last_event + 1
         WHERE stack = (SELECT stack FROM operations WHERE id = $1) AND expires_ms IS NULL
         RETURNING stack, last_event",
    );
    let Some(row) = expire.bind(id).bind(expires).fetch_optional(tx).await? else { return Ok(()) };
    let body = StackEventBody::ExpiryChanged { expires_at: Some(expires) };
    insert(tx, rows::stack_id(&row)?, row.number("last_event")?, at, &body).await
}

/// An operation that has ended, or whose clean-up has.
pub(super) struct Ended<'a> {
    pub(super) id: &'a DeploymentId,
    pub(super) kind: KindName,
    /// The revision that the stack had when it began; `None` if it made the stack.
    pub(super) from: Option<u32>,
    pub(super) at: Timestamp,
}

impl Ended<'_> {
    /// Records that the operation ended with `last` as its last event.
    pub(super) async fn record<D: Dialect>(
        self,
        store: &SqlStore<D>,
        tx: &mut Transaction<D>,
        end: &End,
        last: Option<&EventBody>,
    ) -> Result<()> {
        let (leaves, otherwise) = match end.state {
            State::Live => (Some(StackState::Live), Outcome::Done),
            State::RolledBack => {
                let leaves = end.leaves.map_or(StackState::Gone, Desired::state);
                (Some(leaves), Outcome::Done)
            }
            State::Stuck | State::Active => (None, Outcome::Failed),
        };
        let outcome = last.and_then(Outcome::of).unwrap_or(otherwise);
        let (operation, kind) = (self.id.clone(), self.kind);
        let body = StackEventBody::OperationEnded { operation, kind, outcome, leaves };
        self.append(store, tx, body, leaves, outcome == Outcome::Done).await
    }

    /// Records that nothing of the operation is left to do.
    pub(super) async fn cleaned_up<D: Dialect>(
        self,
        store: &SqlStore<D>,
        tx: &mut Transaction<D>,
        leaves: StackState,
    ) -> Result<()> {
        let (operation, kind) = (self.id.clone(), self.kind);
        let body = StackEventBody::CleanedUp { operation, kind, leaves };
        self.append(store, tx, body, Some(leaves), false).await
    }

    /// Appends `body`, and the revision that the stack is made of from now on, if it is another one.
    async fn append<D: Dialect>(
        self,
        store: &SqlStore<D>,
        tx: &mut Transaction<D>,
        body: StackEventBody,
        leaves: Option<StackState>,
        is_verified: bool,
    ) -> Result<()> {
        let next = Statement::new(
            "UPDATE stacks SET last_event = last_event + 1,
                 unhealthy_ms = CASE WHEN $2 THEN NULL ELSE unhealthy_ms END,
                 unhealthy_why = CASE WHEN $2 THEN NULL ELSE unhealthy_why END
             WHERE stack = (SELECT stack FROM operations WHERE id = $1)
             RETURNING stack, last_event, revision",
        );
        let row = next.bind(self.id).bind(is_verified).fetch_one(tx).await?;
        let (RevisionId { stack, number }, seq) =
            (rows::revision(&row)?, row.number("last_event")?);
        insert(tx, stack, seq, self.at, &body).await?;
        let is_there = leaves.is_some_and(|leaves| leaves != StackState::Gone);
        if is_there && self.from != Some(number) {
            let next =
                Statement::new("UPDATE stacks SET last_event = last_event + 1 WHERE stack = $1");
            next.bind(stack).execute(tx).await?;
            let body = StackEventBody::RevisionLive { revision: number };
            insert(tx, stack, seq + 1, self.at, &body).await?;
        }
        store.notify(tx, &Notification::Stacks).await
    }
}

async fn insert<D: Dialect>(
    tx: &mut Transaction<D>,
    stack: StackId,
    seq: i64,
    at: Timestamp,
    body: &StackEventBody,
) -> Result<()> {
    let body = serde_json::to_string(body).map_err(|error| unavailable_for(error.into()))?;
    let insert = Statement::new(
        "INSERT INTO stack_events (stack, seq, at_ms, body) VALUES ($1, $2, $3, $4)",
    );
    match insert.bind(stack).bind(seq).bind(at).bind(body).execute(tx).await? {
        1 => Ok(()),
        _ => Err(StoreError::Corrupt { what: "stack events" }),
    }
}
