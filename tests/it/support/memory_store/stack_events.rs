//! The events of stacks.

use std::collections::BTreeMap;

use ai_stack_deployer::server::store::{
    CleanupRecord, DayLooks, Desired, End, ExpiredStack, LookCounts, Result, StackEvents,
    StackTurn, State, Turn, Unhealthy, day_of,
};
use async_trait::async_trait;
use domain::deployment::DeploymentId;
use domain::event::{EventBody, Seq};
use domain::kind::StackState;
use domain::stack_event::{Outcome, Reason, StackEvent, StackEventBody};
use domain::stack_id::StackId;
use jiff::Timestamp;

use super::MemoryStore;
use super::tables::Tables;

/// What is stored of a stack besides its operations.
#[derive(Default)]
pub(super) struct Life {
    pub(super) events: Vec<StackEvent>,
    pub(super) unhealthy: Option<Unhealthy>,
    pub(super) expires: Option<Timestamp>,
    looks: BTreeMap<i64, LookCounts>,
}

impl Life {
    pub(super) fn last(&self) -> Seq {
        self.events.last().map_or(0, |event| event.seq)
    }

    fn append(&mut self, at: Timestamp, body: StackEventBody) {
        let seq = self.last() + 1;
        self.events.push(StackEvent { seq, at, body });
    }
}

#[async_trait]
impl StackEvents for MemoryStore {
    async fn stack_events(
        &self,
        stack: StackId,
        after: Seq,
        limit: u32,
    ) -> Result<Vec<StackEvent>> {
        let tables = self.up()?;
        let events = tables.lives.get(&stack).map(|life| life.events.clone()).unwrap_or_default();
        Ok(events.into_iter().filter(|event| event.seq > after).take(limit as usize).collect())
    }

    async fn record_turn(&self, turn: &StackTurn) -> Result<bool> {
        let mut tables = self.up()?;
        let StackTurn { stack, seen, at, turn, audit_entry } = turn.clone();
        let is_running = tables.desired_of(stack) == Desired::Running;
        let is_there = tables.deployments.iter().any(|row| {
            row.record.deployment.id == stack.deployment() && row.record.state != State::RolledBack
        });
        let life = tables.lives.entry(stack).or_default();
        let is_meant = is_there && life.last() == seen;
        match turn {
            Turn::Unhealthy(why) if is_meant && is_running && life.unhealthy.is_none() => {
                life.unhealthy = Some(Unhealthy { since: at, why: why.clone() });
                for body in StackEventBody::of_unhealthy(why) {
                    life.append(at, body);
                }
            }
            Turn::Recovered if is_meant && life.unhealthy.is_some() => {
                life.unhealthy = None;
                life.append(at, StackEventBody::Recovered);
            }
            Turn::Expires(expires_at) if is_meant => {
                life.expires = expires_at;
                life.append(at, StackEventBody::ExpiryChanged { expires_at });
            }
            Turn::Unhealthy(_) | Turn::Recovered | Turn::Expires(_) => return Ok(false),
        }
        tables.audit.extend(audit_entry);
        Ok(true)
    }

    async fn count_looks(&self, at: Timestamp, looks: &[(StackId, LookCounts)]) -> Result<()> {
        let mut tables = self.up()?;
        for (stack, counts) in looks {
            let days = &mut tables.lives.entry(*stack).or_default().looks;
            let day = days.entry(day_of(at)).or_default();
            *day = day.plus(*counts);
            days.retain(|day, _| *day >= day_of(at) - 90);
        }
        Ok(())
    }

    async fn looks(&self, stack: StackId, day: i64) -> Result<Vec<DayLooks>> {
        let tables = self.up()?;
        let Some(life) = tables.lives.get(&stack) else { return Ok(Vec::new()) };
        let of_day = |(day, counts): (&i64, &LookCounts)| DayLooks { day: *day, counts: *counts };
        Ok(life.looks.range(day..).map(of_day).collect())
    }
}

impl Tables {
    /// Records that the operation `id` began.
    pub(super) fn begun(&mut self, id: &DeploymentId, reason: Option<Reason>) {
        let record = self.row(id).unwrap().record.clone();
        let (operation, kind) = (id.clone(), record.deployment.kind);
        let body = StackEventBody::OperationBegun { operation, kind, reason };
        let life = self.lives.entry(record.revision.stack).or_default();
        life.append(record.deployment.started, body);
    }

    /// Returns whether the stack expires at `time`, if that is given.
    pub(super) fn expires_at(&self, stack: StackId, time: Option<Timestamp>) -> bool {
        let expires = self.lives.get(&stack).and_then(|life| life.expires);
        time.is_none() || expires == time
    }

    /// Records when the stack that the operation `id` made live expires, unless it does so already.
    pub(super) fn expire(&mut self, id: &DeploymentId, at: Timestamp, expires: Timestamp) {
        let stack = self.row(id).unwrap().record.revision.stack;
        let life = self.lives.entry(stack).or_default();
        if life.expires.is_none() {
            life.expires = Some(expires);
            life.append(at, StackEventBody::ExpiryChanged { expires_at: Some(expires) });
        }
    }

    /// Lists the live stacks that expired at `now` or before.
    pub(super) fn expired_stacks(&self, now: Timestamp) -> Vec<ExpiredStack> {
        let expired = self.stacks(None).into_iter().filter_map(|stack| {
            let expires = stack.expires.filter(|expires| *expires <= now)?;
            let events = &self.lives.get(&stack.revision.stack)?.events;
            Some(ExpiredStack {
                name: stack.deployment.name,
                deployment: stack.deployment.id,
                expires,
                last: events.last().map_or(expires, |event| event.at),
                desired: stack.desired,
                operation: stack.operation,
            })
        });
        let mut expired: Vec<_> = expired.collect();
        expired.sort_by_key(|stack| stack.expires);
        expired
    }

    /// Records that the operation `id` ended with `last` as its last event.
    pub(super) fn ended(&mut self, id: &DeploymentId, end: &End, last: Option<&EventBody>) {
        let record = self.row(id).unwrap().record.clone();
        let (leaves, otherwise) = match end.state {
            State::Live => (Some(StackState::Live), Outcome::Done),
            State::RolledBack => {
                let leaves = end.leaves.map_or(StackState::Gone, Desired::state);
                (Some(leaves), Outcome::Done)
            }
            State::Stuck | State::Active => (None, Outcome::Failed),
        };
        let outcome = last.and_then(Outcome::of).unwrap_or(otherwise);
        let life = self.lives.entry(record.revision.stack).or_default();
        let (operation, kind) = (id.clone(), record.deployment.kind);
        life.append(end.at, StackEventBody::OperationEnded { operation, kind, outcome, leaves });
        if outcome == Outcome::Done {
            life.unhealthy = None;
        }
        if end.state == State::Live {
            let revision = record.revision.number;
            life.append(end.at, StackEventBody::RevisionLive { revision });
        }
    }

    /// Records that nothing of the operation `id` is left to do.
    pub(super) fn cleaned_up(&mut self, id: &DeploymentId, cleanup: &CleanupRecord) {
        let record = self.row(id).unwrap().record.clone();
        let leaves = cleanup.leaves.map_or(StackState::Gone, Desired::state);
        let (operation, kind) = (id.clone(), record.deployment.kind);
        let life = self.lives.entry(record.revision.stack).or_default();
        life.append(cleanup.at, StackEventBody::CleanedUp { operation, kind, leaves });
    }
}
