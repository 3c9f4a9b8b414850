//! The store port in memory, which can crash at any write.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Mutex, MutexGuard},
    time::Duration,
};

use ai_stack_deployer::{
    domain::{
        deployment::DeploymentId,
        event::{Event, Seq},
        stack_name::StackName,
    },
    server::ports::store::{
        Answer, AnswerKey, Fact, Lease, NewDeployment, Record, State, StepId, StepRecord, Store,
        StoreError, StoredEvent,
    },
};
use async_trait::async_trait;
use jiff::Timestamp;

/// The store in memory.
#[derive(Default)]
pub(crate) struct MemoryStore(Mutex<Tables>);

#[derive(Default)]
struct Tables {
    deployments: Vec<Row>,
    answers: HashMap<(String, String), Answer>,
    /// How many facts have been recorded.
    writes: u32,
    crash: Option<(u32, Crash)>,
    down: bool,
}

struct Row {
    record: Record,
    events: Vec<StoredEvent>,
    steps: BTreeMap<StepId, StepRecord>,
    owner: Option<String>,
    token: i64,
    until: Timestamp,
}

/// When a crash strikes at a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Crash {
    /// The write is lost.
    Before,
    /// The write is kept, and nobody hears of it.
    After,
}

impl MemoryStore {
    /// Crashes at the `write`-th fact from the beginning, once.
    pub(crate) fn crash_at(&self, write: u32, crash: Crash) {
        self.tables().crash = Some((write, crash));
    }

    /// Returns how many facts have been recorded.
    pub(crate) fn writes(&self) -> u32 {
        self.tables().writes
    }

    /// Takes the store out of reach, or brings it back.
    pub(crate) fn set_down(&self, down: bool) {
        self.tables().down = down;
    }

    /// Lists all deployments, oldest first.
    pub(crate) fn records(&self) -> Vec<Record> {
        self.tables().deployments.iter().map(|row| row.record.clone()).collect()
    }

    fn up(&self) -> Result<MutexGuard<'_, Tables>, StoreError> {
        let tables = self.tables();
        if tables.down { Err(StoreError::Unavailable("switched off".into())) } else { Ok(tables) }
    }

    fn tables(&self) -> MutexGuard<'_, Tables> {
        self.0.lock().unwrap()
    }
}

impl Tables {
    fn row(&mut self, id: &DeploymentId) -> Option<&mut Row> {
        self.deployments.iter_mut().find(|row| row.record.deployment.id == *id)
    }

    fn leased(&mut self, lease: &Lease) -> Result<&mut Row, StoreError> {
        self.row(&lease.id)
            .filter(|row| row.token == lease.token && row.owner.as_ref() == Some(&lease.owner))
            .filter(|row| row.record.state == State::Active)
            .ok_or(StoreError::LeaseLost)
    }

    /// Counts a write, and says whether a crash strikes at it.
    fn strike(&mut self) -> Option<Crash> {
        self.writes += 1;
        let (at, crash) = self.crash?;
        (at == self.writes).then_some(crash)
    }
}

fn crashed() -> StoreError {
    StoreError::Unavailable("crashed".into())
}

fn stored(event: &Event) -> StoredEvent {
    StoredEvent { seq: event.seq, name: event.name().to_owned(), data: event.data() }
}

#[async_trait]
impl Store for MemoryStore {
    fn kind(&self) -> &'static str {
        "memory"
    }

    async fn check(&self) -> Result<(), StoreError> {
        self.up().map(drop)
    }

    async fn begin(&self, new: &NewDeployment, answer: Option<&Answer>) -> Result<(), StoreError> {
        let mut tables = self.up()?;
        let started = new.deployment.started;
        tables.answers.retain(|_, answer| answer.expires > started);
        let key = |answer: &Answer| (answer.key.caller.clone(), answer.key.key.clone());
        if answer.is_some_and(|answer| tables.answers.contains_key(&key(answer))) {
            return Err(StoreError::KeyUsed);
        }
        let holds = |row: &Row| {
            row.record.deployment.name == new.deployment.name
                && row.record.state != State::RolledBack
        };
        if tables.deployments.iter().any(holds) {
            return Err(StoreError::NameTaken);
        }
        if let Some(answer) = answer {
            tables.answers.insert(key(answer), answer.clone());
        }
        tables.deployments.push(Row {
            record: Record {
                deployment: new.deployment.clone(),
                host: new.host.clone(),
                state: State::Active,
                completed: None,
                seq: 1,
            },
            events: vec![stored(&Event { seq: 1, body: new.first.clone() })],
            steps: BTreeMap::new(),
            owner: None,
            token: 0,
            until: Timestamp::MIN,
        });
        Ok(())
    }

    async fn keep_answer(&self, answer: &Answer) -> Result<(), StoreError> {
        let key = (answer.key.caller.clone(), answer.key.key.clone());
        self.up()?.answers.entry(key).or_insert_with(|| answer.clone());
        Ok(())
    }

    async fn answer(&self, key: &AnswerKey, now: Timestamp) -> Result<Option<Answer>, StoreError> {
        let tables = self.up()?;
        let answer = tables.answers.get(&(key.caller.clone(), key.key.clone()));
        Ok(answer.filter(|answer| answer.expires > now).cloned())
    }

    async fn find(&self, id: &DeploymentId) -> Result<Option<Record>, StoreError> {
        Ok(self.up()?.row(id).map(|row| row.record.clone()))
    }

    async fn events(
        &self,
        id: &DeploymentId,
        after: Seq,
        limit: u32,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        let mut tables = self.up()?;
        let events = tables.row(id).map(|row| row.events.clone()).unwrap_or_default();
        Ok(events.into_iter().filter(|event| event.seq > after).take(limit as usize).collect())
    }

    async fn reserved(&self, names: &[StackName]) -> Result<Vec<StackName>, StoreError> {
        let tables = self.up()?;
        let held = tables.deployments.iter().filter(|row| row.record.state != State::RolledBack);
        let held = held.map(|row| row.record.deployment.name.clone());
        Ok(held.filter(|name| names.contains(name)).collect())
    }

    async fn stuck_count(&self) -> Result<u64, StoreError> {
        let tables = self.up()?;
        Ok(tables.deployments.iter().filter(|row| row.record.state == State::Stuck).count() as u64)
    }

    async fn forget(&self, before: Timestamp) -> Result<u64, StoreError> {
        let mut tables = self.up()?;
        let count = tables.deployments.len();
        tables.deployments.retain(|row| {
            row.record.state != State::RolledBack
                || row.record.completed.is_none_or(|completed| completed >= before)
        });
        Ok((count - tables.deployments.len()) as u64)
    }

    async fn claim(
        &self,
        owner: &str,
        now: Timestamp,
        lasting: Duration,
    ) -> Result<Option<Lease>, StoreError> {
        let mut tables = self.up()?;
        let free = |row: &&mut Row| {
            row.record.state == State::Active && (row.owner.is_none() || row.until <= now)
        };
        let Some(row) = tables.deployments.iter_mut().find(free) else { return Ok(None) };
        row.owner = Some(owner.to_owned());
        row.token += 1;
        row.until = now + lasting;
        let id = row.record.deployment.id.clone();
        Ok(Some(Lease { id, owner: owner.to_owned(), token: row.token }))
    }

    async fn renew(&self, lease: &Lease, until: Timestamp) -> Result<(), StoreError> {
        self.up()?.leased(lease)?.until = until;
        Ok(())
    }

    async fn release(&self, lease: &Lease) -> Result<(), StoreError> {
        if let Ok(row) = self.up()?.leased(lease) {
            row.owner = None;
        }
        Ok(())
    }

    async fn journal(&self, id: &DeploymentId) -> Result<Vec<(StepId, StepRecord)>, StoreError> {
        let mut tables = self.up()?;
        let steps = tables.row(id).map(|row| row.steps.clone()).unwrap_or_default();
        Ok(steps.into_iter().collect())
    }

    async fn record(&self, lease: &Lease, fact: &Fact) -> Result<Seq, StoreError> {
        let mut tables = self.up()?;
        let strike = tables.strike();
        if strike == Some(Crash::Before) {
            return Err(crashed());
        }
        let row = tables.leased(lease)?;
        for body in &fact.events {
            row.record.seq += 1;
            row.events.push(stored(&Event { seq: row.record.seq, body: body.clone() }));
        }
        if let Some((step, record)) = &fact.step {
            row.steps.insert(*step, record.clone());
        }
        if let Some(end) = fact.end {
            row.record.state = end.state;
            row.record.completed = Some(end.at);
        }
        if strike == Some(Crash::After) {
            return Err(crashed());
        }
        Ok(row.record.seq)
    }
}
