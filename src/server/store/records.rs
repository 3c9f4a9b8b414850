//! The records of stacks, operations, responses and task leases that callers of the store read and
//! write.

use std::time::Duration;

use jiff::Timestamp;
use strum::{EnumString, IntoStaticStr, VariantArray};

use super::{Desired, Disposal, Unhealthy};
use domain::deployment::{Deployment, DeploymentId, DeploymentMetadata};
use domain::event::Seq;
use domain::kind::KindName;
use domain::owner::OwnerId;
use domain::stack_id::{RevisionId, StackId};
use domain::stack_name::StackName;

/// The current state of an operation. A deployment reserves its name in all states except
/// [`State::RolledBack`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumString, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum State {
    /// In progress.
    Active,
    /// Ended: the stack is live and verified.
    Live,
    /// Ended: nothing is left. A live deployment gets this state when its stack is removed.
    RolledBack,
    /// Ended: something could not be removed.
    Stuck,
}

impl State {
    /// All states.
    pub const ALL: &[Self] = Self::VARIANTS;

    /// Returns the word in the database. Persisted: never rename.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// An operation in the store.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// Its immutable part.
    pub deployment: Deployment,
    /// The stack that it is about, and the revision that it works by.
    pub revision: RevisionId,
    /// The number of the revision that the stack had when it began, if there was one.
    pub from: Option<u32>,
    /// What the stack should be.
    pub desired: Desired,
    /// The host under which its stack is reached.
    pub host: String,
    /// The owner of it and its stack; `None` if an anonymous client started it.
    pub owner: Option<OwnerId>,
    /// Its current state.
    pub state: State,
    /// Its end, its leftovers, and its links.
    pub metadata: DeploymentMetadata,
    /// Its last event.
    pub seq: Seq,
    /// The state of a request to cancel it.
    pub cancel_request: CancelRequest,
    /// What it does with the data of the stack, if it is a removal.
    pub disposal: Disposal,
    /// The progress of its clean-up or recheck.
    pub clean_up: CleanUp,
    /// The number of panics while it was driven.
    pub panics: u32,
}

/// The progress of the clean-up of a stuck operation, or of the recheck of a live one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CleanUp {
    /// The number of attempts since the end.
    pub tries: u32,
    /// The time of the next attempt, if there is one.
    pub due: Option<Timestamp>,
}

/// The state of a request to cancel an operation in progress.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CancelRequest {
    /// Nobody has asked to cancel it.
    #[default]
    None,
    /// Somebody has asked to cancel it.
    Requested,
}

/// The outcome of a request to cancel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CancelOutcome {
    /// It is recorded: the operation will end as cancelled.
    Accepted,
    /// The end came first.
    AlreadyEnded,
    /// There is no such operation.
    Unknown,
}

/// The outcome of a request to remove a stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RemovalOutcome {
    /// This removal will remove the stack.
    Accepted(DeploymentId),
    /// The new one will do it, once the lease has expired of a worker that still cleans up after
    /// another one. Nobody can drive it before.
    Later(DeploymentId),
    /// Another stack than the one that was meant has the name, or it expires at another time.
    DifferentStack,
    /// No stack of that name is live.
    NotLive,
    /// The data of this many stacks is kept, which is the limit.
    KeptFull(u32),
    /// This operation on the stack is under way.
    UnderWay(DeploymentId),
}

/// The outcome of a request for an operation on a stack that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OperationOutcome {
    /// This operation will do it: the new one, or one of the same kind that is under way.
    Accepted(DeploymentId),
    /// The new one will do it, once the lease has expired of a worker that still cleans up after
    /// another one. Nobody can drive it before.
    Later(DeploymentId),
    /// This other operation on the stack is under way.
    UnderWay(DeploymentId),
    /// The stack is what it would be afterwards.
    Unchanged,
    /// It cannot begin, since the stack should be this.
    WrongState(Desired),
    /// The stack has this revision, and not the one that is meant, or the number of the new one is
    /// not free.
    RevisionChanged(u32),
    /// Another stack than the one that was meant has the name, or it expires at another time.
    DifferentStack,
    /// No stack of that name is live.
    NotLive,
}

/// A live stack whose time is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpiredStack {
    /// Its name.
    pub name: StackName,
    /// The deployment that created it.
    pub deployment: DeploymentId,
    /// The time at which it expired.
    pub expires: Timestamp,
    /// The time of its last event.
    pub last: Timestamp,
    /// What it should be.
    pub desired: Desired,
    /// The operation on it that is in progress or stuck, if there is one.
    pub operation: Option<StackOperation>,
}

/// A live stack.
#[derive(Clone, Debug, PartialEq)]
pub struct Stack {
    /// The deployment that created it.
    pub deployment: Deployment,
    /// The time since which it has been live.
    pub since: Timestamp,
    /// Its removal that is in progress or stuck, with its state, if there is one.
    pub removal: Option<(DeploymentId, State)>,
    /// Its owner; `None` if an anonymous client started it.
    pub owner: Option<OwnerId>,
    /// The id of its template.
    pub template: String,
    /// What it should be.
    pub desired: Desired,
    /// The revision that it is made of.
    pub revision: RevisionId,
    /// What its owner calls it.
    pub label: Option<String>,
    /// The operation on it that is in progress or stuck, if there is one. It may be the removal.
    pub operation: Option<StackOperation>,
    /// The number of its last event.
    pub last_event: Seq,
    /// Since when it has not worked, if it should run and does not.
    pub unhealthy: Option<Unhealthy>,
    /// When it expires.
    pub expires: Option<Timestamp>,
}

/// A stack that is not gone. It may be one that is not live yet.
#[derive(Clone, Debug, PartialEq)]
pub struct PresentStack {
    /// The stack. Of one that is not live yet, `since` is when it was requested.
    pub stack: Stack,
    /// True if it is live, or was before it was stopped.
    pub is_live: bool,
}

/// The operation on a stack that is in progress or stuck.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StackOperation {
    /// Its id.
    pub id: DeploymentId,
    /// Its kind.
    pub kind: KindName,
    /// Its state.
    pub state: State,
}

/// The operations to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OperationFilter {
    /// Only those of this owner.
    pub owner: Option<OwnerId>,
    /// Only those about this stack.
    pub stack: Option<StackId>,
    /// Only those about a stack of this name, also about earlier ones.
    pub name: Option<StackName>,
    /// Only those of this kind.
    pub kind: Option<KindName>,
    /// Only those in this state.
    pub state: Option<State>,
    /// Only those whose stack's name contains this text, or whose id equals it.
    pub search: Option<String>,
    /// Only those that began before this one: the next page.
    pub before: Option<DeploymentId>,
    /// The maximum number of rows.
    pub limit: u32,
}

/// The lane of work to claim. Removals and clean-up have a lane of their own, so they never wait
/// for a slot among deployments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// All operations in progress.
    Forward,
    /// Removals, operations in progress with a request to cancel or past their deadline, and ended
    /// operations that are due: stuck ones, and live ones to recheck.
    CleanUp {
        /// Operations that began at or before this time are past their deadline.
        overdue: Timestamp,
    },
}

/// A request to take, extend or release the lease of a task.
#[derive(Clone, Debug)]
pub struct TaskLease {
    /// The task's name. Persisted: never rename.
    pub task: &'static str,
    /// The replica that requests it.
    pub owner: String,
    /// The time of the request.
    pub now: Timestamp,
    /// The duration of the lease. Zero releases it.
    pub ttl: Duration,
    /// The report of the last run of the task, if there is a new one.
    pub report: Option<String>,
}

/// The holder of the lease of a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TaskHolder {
    /// The replica that requested it. Contains the last report, by any replica.
    Ours(Option<String>),
    /// Another replica. Contains the last report.
    Theirs(Option<String>),
}

impl TaskLease {
    /// Returns the time at which it expires.
    pub fn until(&self) -> Timestamp {
        self.now.saturating_add(self.ttl).unwrap_or(Timestamp::MAX)
    }

    /// Returns the time after which no other replica's lease can end, unless a clock was wrong:
    /// such a lease counts as expired.
    pub fn impossible(&self) -> Timestamp {
        if self.ttl.is_zero() {
            return Timestamp::MAX;
        }
        self.until().saturating_add(self.ttl).unwrap_or(Timestamp::MAX)
    }
}

/// How long a stack took until it was live.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimeToLive {
    /// The id of its template.
    pub template: String,
    /// From the request to its being live.
    pub took: Duration,
}
