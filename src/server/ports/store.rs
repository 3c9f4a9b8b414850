//! The store port: the durable record of deployments, their journals and their events.
//!
//! Each method is one transaction. What a worker writes is guarded by its lease's fencing
//! token, so a worker that lost its lease cannot write. It must not know what the facts mean.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::{
    deployment::{Deployment, DeploymentId},
    event::{DecodeEventError, Event, EventBody, FailureCode, Seq},
    phase::Phase,
    progress::Progress,
    receipt::Line,
    stack_name::StackName,
};

/// Keeps deployments, journals and events.
#[async_trait]
pub trait Store: Send + Sync {
    /// Names the kind of store, as `/health` shows it.
    fn kind(&self) -> &'static str;
    /// Checks that the store answers.
    async fn check(&self) -> Result<(), StoreError>;

    /// Reserves the name, inserts the deployment with its first event and makes it
    /// claimable, all or nothing. Of several for one name, one wins.
    ///
    /// # Errors
    ///
    /// [`StoreError::NameTaken`] when the name is reserved; [`StoreError::KeyUsed`] when
    /// `answer`'s key is in use, in which case nothing is inserted either.
    async fn begin(&self, new: &NewDeployment, answer: Option<&Answer>) -> Result<(), StoreError>;
    /// Keeps the first answer to a request, unless its key has one already.
    async fn keep_answer(&self, answer: &Answer) -> Result<(), StoreError>;
    /// Finds the answer kept under `key` that has not expired at `now`.
    async fn answer(&self, key: &AnswerKey, now: Timestamp) -> Result<Option<Answer>, StoreError>;

    /// Finds a deployment.
    async fn find(&self, id: &DeploymentId) -> Result<Option<Record>, StoreError>;
    /// Lists a deployment's events after `after`, in order, at most `limit`.
    async fn events(
        &self,
        id: &DeploymentId,
        after: Seq,
        limit: u32,
    ) -> Result<Vec<StoredEvent>, StoreError>;
    /// Tells which of `names` are reserved.
    async fn reserved(&self, names: &[StackName]) -> Result<Vec<StackName>, StoreError>;
    /// Counts the deployments of which something is left.
    async fn stuck_count(&self) -> Result<u64, StoreError>;

    /// Forgets the deployments that were rolled back before `before`, with their events,
    /// and tells how many. What is live or stuck is kept: it still holds its name.
    async fn forget(&self, before: Timestamp) -> Result<u64, StoreError>;

    /// Gives `owner` the lease of one unfinished deployment that nobody holds at `now`.
    async fn claim(
        &self,
        owner: &str,
        now: Timestamp,
        lasting: Duration,
    ) -> Result<Option<Lease>, StoreError>;
    /// Extends a lease.
    async fn renew(&self, lease: &Lease, until: Timestamp) -> Result<(), StoreError>;
    /// Hands a lease back, so that the deployment can be claimed at once.
    async fn release(&self, lease: &Lease) -> Result<(), StoreError>;
    /// Reads the journal of a deployment.
    async fn journal(&self, id: &DeploymentId) -> Result<Vec<(StepId, StepRecord)>, StoreError>;
    /// Records a fact: the step's new state, its events and the end, all or nothing.
    /// Returns the number of the deployment's last event.
    async fn record(&self, lease: &Lease, fact: &Fact) -> Result<Seq, StoreError>;
}

/// How many events are read at a time.
pub const PAGE: u32 = 500;

impl dyn Store {
    /// Folds all events of a deployment, a page at a time.
    ///
    /// # Errors
    ///
    /// Returns an error when the store does not answer, or holds an event that is none.
    pub async fn progress(&self, id: &DeploymentId) -> Result<Progress, StoreError> {
        let mut progress = Progress::default();
        loop {
            let before = progress.seq;
            for event in self.events(id, before, PAGE).await? {
                let event = event.decode().map_err(|_| StoreError::Corrupt { what: "event" })?;
                progress.apply(event);
            }
            if progress.is_finished() || progress.seq < before + Seq::from(PAGE) {
                return Ok(progress);
            }
        }
    }
}

/// A deployment to begin.
#[derive(Clone, Debug)]
pub struct NewDeployment {
    /// What stays the same about it.
    pub deployment: Deployment,
    /// The host under which its stack is reached.
    pub host: String,
    /// Its first event.
    pub first: EventBody,
}

/// Who asked for what, under a key that the caller chose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnswerKey {
    /// Who asked.
    pub caller: String,
    /// The key.
    pub key: String,
}

/// The first answer to a request, to be repeated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// What it is found by.
    pub key: AnswerKey,
    /// A digest of the request's body.
    pub fingerprint: String,
    /// The HTTP status.
    pub status: u16,
    /// The `Location` header.
    pub location: Option<String>,
    /// The body.
    pub body: String,
    /// From when on it is forgotten.
    pub expires: Timestamp,
}

/// A deployment as the store has it.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// What stays the same about it.
    pub deployment: Deployment,
    /// The host under which its stack is reached.
    pub host: String,
    /// Where it is.
    pub state: State,
    /// When it ended, if it has.
    pub completed: Option<Timestamp>,
    /// Its last event.
    pub seq: Seq,
}

/// Where a deployment is. All but [`State::RolledBack`] reserve its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Under way.
    Active,
    /// Ended: up and verified.
    Live,
    /// Ended: nothing is left.
    RolledBack,
    /// Ended: something could not be removed.
    Stuck,
}

impl State {
    /// Returns the word in the database. Persisted: never rename.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Live => "live",
            Self::RolledBack => "rolled_back",
            Self::Stuck => "stuck",
        }
    }
}

/// An event as it was recorded, byte for byte.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredEvent {
    /// Its number.
    pub seq: Seq,
    /// Its name on the wire.
    pub name: String,
    /// Its data on the wire.
    pub data: String,
}

impl StoredEvent {
    /// Reads the event.
    ///
    /// # Errors
    ///
    /// Returns what does not fit.
    pub fn decode(&self) -> Result<Event, DecodeEventError> {
        Event::decode(self.seq, &self.name, &self.data)
    }

    /// Tells whether it is the terminal event.
    pub fn is_end(&self) -> bool {
        self.name == EventBody::COMPLETE || self.name == EventBody::ERROR
    }
}

/// The right to drive a deployment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The deployment.
    pub id: DeploymentId,
    /// Who holds it.
    pub owner: String,
    /// The fencing token: grows with every claim.
    pub token: i64,
}

/// Names a step in the journal. Persisted: never rename, only add.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepId {
    /// Create the project.
    Project,
    /// Find its environment.
    Environment,
    /// Create the application.
    Application,
    /// Set what it runs.
    Configuration,
    /// Attach its host.
    Domain,
    /// Let the platform start it.
    Deploy,
    /// Wait until it answers.
    Health,
}

impl StepId {
    /// All steps, in their order.
    pub const ALL: [Self; 7] = [
        Self::Project,
        Self::Environment,
        Self::Application,
        Self::Configuration,
        Self::Domain,
        Self::Deploy,
        Self::Health,
    ];

    /// Returns the word in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Project => "project",
            Self::Environment => "environment",
            Self::Application => "application",
            Self::Configuration => "configuration",
            Self::Domain => "domain",
            Self::Deploy => "deploy",
            Self::Health => "health",
        }
    }

    /// Reads the word in the database.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|id| id.as_str() == word)
    }

    /// Returns the phase that the step is on the wire.
    pub fn phase(self) -> Phase {
        match self {
            Self::Project => Phase::CreatingProject,
            Self::Environment => Phase::GettingEnvironment,
            Self::Application => Phase::CreatingApplication,
            Self::Configuration => Phase::ConfiguringApplication,
            Self::Domain => Phase::CreatingDomain,
            Self::Deploy => Phase::Deploying,
            Self::Health => Phase::VerifyingHealth,
        }
    }
}

/// What the journal knows of one step. Persisted as JSON: never rename, only add.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum StepRecord {
    /// About to run, or running; outcome unknown.
    Started,
    /// Ran.
    Succeeded {
        /// What it left for later steps and for its undo.
        output: serde_json::Value,
        /// Whether an answer was lost on the way, so that it may have made something twice.
        doubtful: bool,
    },
    /// Gave up.
    Failed {
        /// Why.
        cause: Cause,
    },
    /// Reversed.
    Undone {
        /// What became of what it had made.
        lines: Vec<Line>,
        /// Why the saga turned round, if it was at this step.
        cause: Option<Cause>,
    },
}

/// Why a step failed, in a form that survives a restart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cause {
    /// What kind of failure it was.
    pub code: FailureCode,
    /// One sentence for the person: what happened.
    pub message: String,
}

/// What becomes of a deployment when it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    /// Its last state.
    pub state: State,
    /// When it ended.
    pub at: Timestamp,
}

/// What one transaction of a worker records.
#[derive(Clone, Debug, Default)]
pub struct Fact {
    /// A step's new state.
    pub step: Option<(StepId, StepRecord)>,
    /// Events, to be numbered from the deployment's last one on.
    pub events: Vec<EventBody>,
    /// The end, with the terminal event among `events`.
    pub end: Option<End>,
}

/// The store could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The name is reserved.
    #[error("the name is taken")]
    NameTaken,
    /// The idempotency key has an answer already.
    #[error("the idempotency key is in use")]
    KeyUsed,
    /// The lease is somebody else's now, or the deployment has ended.
    #[error("the lease is lost")]
    LeaseLost,
    /// It holds something that we did not write.
    #[error("the store holds an unreadable {what}")]
    Corrupt {
        /// What cannot be read.
        what: &'static str,
    },
    /// It does not answer.
    #[error("the store is out of reach")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
}
