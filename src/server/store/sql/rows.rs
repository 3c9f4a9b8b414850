//! Converts rows to the ports' types, for both databases.

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;
use sqlx::{ColumnIndex, Decode, Row, Type};

use crate::server::platform::AppName;
use crate::server::store::{
    CancelRequest, CleanUp, Desired, Disposal, ExpiredStack, IdempotencyKey, Lease, PresentStack,
    Record, Recorded, Result, Stack, StackOperation, State, StepId, StepRecord, StoreError,
    StoredEvent, StoredResponse, TimeToLive, Unhealthy, Usage, is_within_hour, unavailable,
};
use domain::deployment::{Deployment, DeploymentId, DeploymentMetadata, Links};
use domain::kind::KindName;
use domain::owner::OwnerId;
use domain::stack_event::StackEvent;
use domain::stack_id::{RevisionId, StackId};
use domain::stack_name::StackName;

/// A row whose columns are read by name.
pub trait Columns {
    /// Reads a text.
    fn text(&self, column: &str) -> Result<String>;
    /// Reads a text that may be NULL.
    fn optional_text(&self, column: &str) -> Result<Option<String>>;
    /// Reads bytes.
    fn bytes(&self, column: &str) -> Result<Vec<u8>>;
    /// Reads an integer.
    fn number(&self, column: &str) -> Result<i64>;
    /// Reads an integer that may be NULL.
    fn optional_number(&self, column: &str) -> Result<Option<i64>>;
}

impl<R> Columns for R
where
    R: Row,
    for<'a> &'a str: ColumnIndex<R>,
    for<'a> String: Decode<'a, R::Database> + Type<R::Database>,
    for<'a> Vec<u8>: Decode<'a, R::Database> + Type<R::Database>,
    for<'a> i64: Decode<'a, R::Database> + Type<R::Database>,
{
    fn text(&self, column: &str) -> Result<String> {
        self.try_get(column).map_err(unavailable)
    }

    fn optional_text(&self, column: &str) -> Result<Option<String>> {
        self.try_get(column).map_err(unavailable)
    }

    fn bytes(&self, column: &str) -> Result<Vec<u8>> {
        self.try_get(column).map_err(unavailable)
    }

    fn number(&self, column: &str) -> Result<i64> {
        self.try_get(column).map_err(unavailable)
    }

    fn optional_number(&self, column: &str) -> Result<Option<i64>> {
        self.try_get(column).map_err(unavailable)
    }
}

/// Reads a row of `operations` with its stack.
pub(super) fn record(row: &impl Columns) -> Result<Record> {
    let receipt = row.optional_text("receipt")?.map(|text| serde_json::from_str(&text));
    Ok(Record {
        deployment: deployment(row)?,
        revision: revision(row)?,
        from: row.optional_number("from_revision")?.and_then(|from| u32::try_from(from).ok()),
        desired: desired(row)?,
        host: row.text("host")?,
        owner: optional_owner(row, "owner")?,
        state: state(&row.text("state")?)?,
        metadata: DeploymentMetadata {
            completed: optional_time(row, "completed_ms")?,
            receipt: receipt.transpose().map_err(|_| StoreError::Corrupt { what: "receipt" })?,
            links: Links {
                retry_of: optional_id(row, "retry_of")?,
                retried_by: optional_id(row, "retried_by")?,
                removes: optional_id(row, "removes")?,
            },
        },
        seq: row.number("seq")?.cast_unsigned(),
        cancel_request: cancel_request(row)?,
        disposal: disposal(row)?,
        clean_up: CleanUp {
            tries: u32::try_from(row.number("tries")?).unwrap_or(u32::MAX),
            due: optional_time(row, "due_ms")?,
        },
        panics: u32::try_from(row.number("panics")?).unwrap_or(u32::MAX),
    })
}

/// Reads the kind. An older version, which has only removals and deployments, writes none.
pub(super) fn kind(row: &impl Columns) -> Result<KindName> {
    kind_of(row.optional_text("kind")?, row.optional_text("removes")?.is_some())
}

/// Reads the kind of an operation that this version wrote.
pub(super) fn kind_named(row: &impl Columns) -> Result<KindName> {
    kind_of(row.optional_text("kind")?, false)
}

/// Reads a row of `stack_events`.
pub(super) fn stack_event(row: &impl Columns) -> Result<StackEvent> {
    let body = serde_json::from_str(&row.text("body")?);
    Ok(StackEvent {
        seq: row.number("seq")?.cast_unsigned(),
        at: time(row.number("at_ms")?)?,
        body: body.map_err(|_| StoreError::Corrupt { what: "stack event" })?,
    })
}

/// Reads since when a stack has not worked.
fn unhealthy(row: &impl Columns) -> Result<Option<Unhealthy>> {
    let Some(since) = optional_time(row, "unhealthy_ms")? else { return Ok(None) };
    let corrupt = || StoreError::Corrupt { what: "health of a stack" };
    let why = row.optional_text("unhealthy_why")?.ok_or_else(corrupt)?;
    let why = serde_json::from_str(&why).map_err(|_| corrupt())?;
    Ok(Some(Unhealthy { since, why }))
}

fn kind_of(written: Option<String>, removes: bool) -> Result<KindName> {
    let of_older = if removes { KindName::REMOVE } else { KindName::DEPLOY };
    let Some(kind) = written else { return Ok(of_older) };
    KindName::parse(&kind).ok_or(StoreError::Corrupt { what: "kind" })
}

/// Reads what a stack should be.
pub(super) fn desired(row: &impl Columns) -> Result<Desired> {
    row.text("desired")?.parse().map_err(|_| StoreError::Corrupt { what: "desired state" })
}

fn deployment(row: &impl Columns) -> Result<Deployment> {
    Ok(Deployment {
        id: id(row, "id")?,
        kind: kind(row)?,
        name: name(row)?,
        url: row.text("url")?,
        started: time(row.number("started_ms")?)?,
    })
}

/// Reads a stack's id.
pub(super) fn stack_id(row: &impl Columns) -> Result<StackId> {
    StackId::parse(&row.text("stack")?).ok_or(StoreError::Corrupt { what: "stack id" })
}

/// Reads which revision it is.
pub(super) fn revision(row: &impl Columns) -> Result<RevisionId> {
    let number = u32::try_from(row.number("revision")?);
    let number = number.map_err(|_| StoreError::Corrupt { what: "revision" })?;
    Ok(RevisionId { stack: stack_id(row)?, number })
}

/// Reads the stack's name from the column `name`.
pub(super) fn name(row: &impl Columns) -> Result<StackName> {
    StackName::parse(&row.text("name")?).map_err(|_| StoreError::Corrupt { what: "stack name" })
}

/// Reads the cancellation state from the column `cancel_ms`.
pub(super) fn cancel_request(row: &impl Columns) -> Result<CancelRequest> {
    let requested = row.optional_number("cancel_ms")?;
    Ok(requested.map_or(CancelRequest::None, |_| CancelRequest::Requested))
}

/// Reads what a removal does with the data. An older version, whose stacks have none, writes nothing.
fn disposal(row: &impl Columns) -> Result<Disposal> {
    let Some(word) = row.optional_text("disposal")? else { return Ok(Disposal::default()) };
    word.parse().map_err(|_| StoreError::Corrupt { what: "disposal" })
}

/// Reads an operation's id.
pub(super) fn id(row: &impl Columns, column: &str) -> Result<DeploymentId> {
    parse_id(&row.text(column)?)
}

pub(super) fn optional_id(row: &impl Columns, column: &str) -> Result<Option<DeploymentId>> {
    row.optional_text(column)?.as_deref().map(parse_id).transpose()
}

fn parse_id(text: &str) -> Result<DeploymentId> {
    DeploymentId::parse(text).map_err(|_| StoreError::Corrupt { what: "deployment id" })
}

/// Reads an owner.
pub(super) fn owner(row: &impl Columns, column: &str) -> Result<OwnerId> {
    parse_owner(&row.text(column)?)
}

pub(super) fn optional_owner(row: &impl Columns, column: &str) -> Result<Option<OwnerId>> {
    row.optional_text(column)?.as_deref().map(parse_owner).transpose()
}

fn parse_owner(text: &str) -> Result<OwnerId> {
    OwnerId::parse(text).map_err(|_| StoreError::Corrupt { what: "owner" })
}

pub(super) fn time(ms: i64) -> Result<Timestamp> {
    Timestamp::from_millisecond(ms).map_err(|_| StoreError::Corrupt { what: "time" })
}

pub(super) fn optional_time(row: &impl Columns, column: &str) -> Result<Option<Timestamp>> {
    row.optional_number(column)?.map(time).transpose()
}

fn state(word: &str) -> Result<State> {
    word.parse().map_err(|_| StoreError::Corrupt { what: "deployment state" })
}

/// Reads a row of `events`.
pub(super) fn event(row: &impl Columns) -> Result<StoredEvent> {
    Ok(StoredEvent {
        seq: row.number("seq")?.cast_unsigned(),
        name: row.text("name")?,
        data: row.text("data")?,
    })
}

/// Reads a live stack with its removal, if there is one, from `removal` and `removal_state`, and its
/// operation in progress from `held`, `held_kind` and `held_state`.
pub(super) fn stack(row: &impl Columns) -> Result<Stack> {
    let removal = match optional_id(row, "removal")? {
        None => None,
        Some(id) => Some((id, state(&row.text("removal_state")?)?)),
    };
    let operation = held(row, removal.is_some())?;
    Ok(Stack {
        deployment: deployment(row)?,
        since: time(row.number("completed_ms")?)?,
        removal,
        owner: optional_owner(row, "owner")?,
        template: row.text("template")?,
        desired: desired(row)?,
        revision: revision(row)?,
        label: row.optional_text("label")?,
        operation,
        last_event: row.number("last_event")?.cast_unsigned(),
        unhealthy: unhealthy(row)?,
        expires: optional_time(row, "expires_ms")?,
    })
}

/// Reads the operation that holds a stack, if one does.
fn held(row: &impl Columns, removes: bool) -> Result<Option<StackOperation>> {
    let Some(id) = optional_id(row, "held")? else { return Ok(None) };
    let kind = kind_of(row.optional_text("held_kind")?, removes)?;
    Ok(Some(StackOperation { id, kind, state: state(&row.text("held_state")?)? }))
}

/// Reads a stack whose time is over.
pub(super) fn expired_stack(row: &impl Columns) -> Result<ExpiredStack> {
    let expires = time(row.number("expires_ms")?)?;
    Ok(ExpiredStack {
        name: name(row)?,
        deployment: id(row, "id")?,
        expires,
        // One of an older version may have no event yet.
        last: optional_time(row, "last_ms")?.unwrap_or(expires),
        desired: desired(row)?,
        operation: held(row, row.optional_text("removes")?.is_some())?,
    })
}

/// Reads a stack that is not gone as [`stack`] does, with the state of its deployment from
/// `made_state`.
pub(super) fn present_stack(row: &impl Columns) -> Result<PresentStack> {
    let is_live = state(&row.text("made_state")?)? == State::Live;
    Ok(PresentStack { stack: stack(row)?, is_live })
}

/// Computes the usage of each of `counted_as` from the columns `counted_as`, `state` and
/// `started_ms` of deployments whose stack exists, or that began after `hour_ago`.
pub(super) fn usages<R: Columns>(
    found: &[R],
    counted_as: &[&str],
    hour_ago: Timestamp,
) -> Result<Vec<Usage>> {
    let mut usages: HashMap<String, Usage> = HashMap::new();
    for row in found {
        let usage = usages.entry(row.text("counted_as")?).or_default();
        let (state, started) = (state(&row.text("state")?)?, row.number("started_ms")?);
        usage.stacks += u32::from(state != State::RolledBack);
        usage.under_way += u32::from(state == State::Active);
        usage.begun.extend(Some(time(started)?).filter(|at| is_within_hour(*at, hour_ago)));
    }
    for usage in usages.values_mut() {
        usage.begun.sort_unstable();
    }
    Ok(counted_as.iter().map(|who| usages.get(*who).cloned().unwrap_or_default()).collect())
}

/// Reads the owner of a removed stack, and when its name became free.
pub(super) fn freed(row: &impl Columns) -> Result<(Option<OwnerId>, Timestamp)> {
    Ok((optional_owner(row, "owner")?, time(row.number("released_ms")?)?))
}

/// Reads a count from the column `count`.
pub(super) fn count(row: &impl Columns) -> Result<u32> {
    Ok(u32::try_from(row.number("count")?).unwrap_or(u32::MAX))
}

/// Reads the duration of a deployment from the column `took_ms`.
pub(super) fn took(row: &impl Columns) -> Result<TimeToLive> {
    let took = Duration::from_millis(u64::try_from(row.number("took_ms")?).unwrap_or(0));
    Ok(TimeToLive { template: row.text("template")?, took })
}

/// Reads a row of `services`.
pub(super) fn service(row: &impl Columns) -> Result<(AppName, DeploymentId)> {
    Ok((app_name(row)?, id(row, "deployment_id")?))
}

/// Reads the service's name from the column `app_name`.
pub(super) fn app_name(row: &impl Columns) -> Result<AppName> {
    row.text("app_name").map(AppName)
}

/// Reads a row of `steps`.
pub(super) fn step(row: &impl Columns) -> Result<(StepId, StepRecord)> {
    let corrupt = || StoreError::Corrupt { what: "journal" };
    let step = StepId::parse(&row.text("step")?).ok_or_else(corrupt)?;
    let record = serde_json::from_str(&row.text("record")?).map_err(|_| corrupt())?;
    Ok((step, record))
}

/// Reads the platform's log from a row of `steps`, if it has one, with the operation's id.
pub(super) fn platform_log(row: &impl Columns) -> Result<Option<(DeploymentId, String)>> {
    let (_, record) = step(row)?;
    let of = id(row, "deployment_id")?;
    Ok(record.platform_log().map(|log| (of, log.to_owned())))
}

/// Reads the lease that was just granted to `owner`.
pub(super) fn lease(row: &impl Columns, owner: &str) -> Result<Lease> {
    let (id, owner, token) = (id(row, "id")?, owner.to_owned(), row.number("lease_token")?);
    Ok(Lease { id, owner, token, former: row.optional_text("lease_former")? })
}

/// Reads the result of recording a fact.
pub(super) fn recorded(row: &impl Columns) -> Result<Recorded> {
    Ok(Recorded { seq: row.number("seq")?.cast_unsigned(), cancel_request: cancel_request(row)? })
}

/// Reads the response stored under `key`.
pub(super) fn stored_response(row: &impl Columns, key: &IdempotencyKey) -> Result<StoredResponse> {
    let corrupt = |_| StoreError::Corrupt { what: "answer" };
    Ok(StoredResponse {
        key: key.clone(),
        fingerprint: row.text("fingerprint")?,
        status: u16::try_from(row.number("status")?).map_err(corrupt)?,
        location: row.optional_text("location")?,
        body: row.text("body")?,
        expires: time(row.number("expires_ms")?)?,
    })
}

/// Converts the maximum number of rows for a statement.
pub(super) fn limit(max: usize) -> i64 {
    i64::try_from(max).unwrap_or(i64::MAX)
}

/// Converts a duration to milliseconds, the unit of the databases.
pub(super) fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
