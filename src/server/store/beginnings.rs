//! What operations begin with: the deployments, removals and other operations that are to be
//! inserted, and the answers to requests with a key.

use std::collections::BTreeMap;

use jiff::Timestamp;
use strum::{EnumString, IntoStaticStr};

use super::{Claim, NewKept, OperationLimit, Quota};
use crate::server::audit::AuditEntry;
use crate::server::secrets::SealedSecret;
use domain::deployment::{Deployment, DeploymentId};
use domain::event::{EventBody, ProgressUpdate};
use domain::kind::{Kind, KindName, StackState};
use domain::owner::OwnerId;
use domain::stack_id::{RevisionId, StackId};
use domain::stack_spec::{StackSpec, TemplateRef};

/// A deployment to insert.
#[derive(Clone, Debug)]
pub struct NewDeployment {
    /// Its immutable part.
    pub deployment: Deployment,
    /// The host under which its stack is reached.
    pub host: String,
    /// Its first event.
    pub first: EventBody,
    /// The ended deployment that it retries.
    pub retry_of: Option<DeploymentId>,
    /// The owner of it and its stack; `None` if an anonymous client starts it.
    pub owner: Option<OwnerId>,
    /// The limits within which it may begin.
    pub quota: Quota,
    /// Its audit entry.
    pub audit_entry: Option<AuditEntry>,
    /// The lease with which it begins, if the portal that accepts it drives it itself.
    pub claim: Option<Claim>,
    /// The definition of the template of its stack.
    pub template: TemplateDefinition,
    /// The spec of its stack.
    pub spec: SealedSpec,
    /// The stack whose kept data it brings back, if it does.
    pub data: Option<StackId>,
}

/// The definition of a template, which is kept for the stacks that are made of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateDefinition {
    /// The reference to it.
    pub reference: TemplateRef,
    /// The definition as JSON.
    pub json: String,
}

/// The origin of a revision's spec.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumString, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum SpecOrigin {
    /// The settings at the time when the operation began.
    Begun,
    /// Later settings, since an older version began the operation and stored no spec. The settings
    /// at that time are unknown.
    Assumed,
    /// The platform's row of the stack, which an older version made without storing a spec.
    Read,
}

impl SpecOrigin {
    /// Returns whether the stack is made of the spec, as far as anybody knows.
    pub fn is_known(self) -> bool {
        match self {
            Self::Begun | Self::Read => true,
            Self::Assumed => false,
        }
    }
}

/// The spec of a revision, with sealed secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedSpec {
    /// The origin of the spec.
    pub origin: SpecOrigin,
    /// The spec without its secrets.
    pub spec: StackSpec,
    /// The secrets, by the names that the spec uses for them.
    pub secrets: BTreeMap<String, SealedSecret>,
}

/// What the platform showed of the revision of a stack that an older version made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LearnedSpec {
    /// The revision.
    pub revision: RevisionId,
    /// What it is made of.
    pub spec: SealedSpec,
    /// The definition that stands for its template.
    pub template: TemplateDefinition,
    /// The owner of the stack.
    pub by: Option<OwnerId>,
    /// When the stack began.
    pub began: Timestamp,
}

/// A removal to insert. Its name, host and URL are those of the stack.
#[derive(Clone, Debug)]
pub struct NewRemoval {
    /// Its id.
    pub id: DeploymentId,
    /// Its kind.
    pub kind: KindName,
    /// The time of the request.
    pub started: Timestamp,
    /// Its first event.
    pub first: EventBody,
    /// The target: the deployment that created the stack, or its unfinished removal. `None` means
    /// whichever stack has the name.
    pub of: Option<DeploymentId>,
    /// The time at which the stack must expire, if the portal begins this because of that.
    pub expired: Option<Timestamp>,
    /// What happens to the data of the stack.
    pub disposal: Disposal,
    /// The data that it keeps, if the stack has some.
    pub kept: Option<NewKept>,
    /// Its audit entry.
    pub audit_entry: Option<AuditEntry>,
    /// The lease with which it begins, if the portal that accepts it drives it itself.
    pub claim: Option<Claim>,
}

/// An operation to insert on a stack that is there and that it leaves there, such as a stop. Its
/// name, host and URL are those of the stack.
#[derive(Clone, Debug)]
pub struct NewOperation {
    /// Its id.
    pub id: DeploymentId,
    /// Its kind.
    pub kind: &'static Kind,
    /// The time of the request.
    pub started: Timestamp,
    /// Its first event.
    pub first: EventBody,
    /// The target: the deployment that created the stack. `None` means whichever stack has the
    /// name.
    pub of: Option<DeploymentId>,
    /// The time at which the stack must expire, if the portal begins this because of that.
    pub expired: Option<Timestamp>,
    /// The limit for the owner of the stack, or for the address that counts as its owner, if it
    /// concerns this operation.
    pub limit: Option<OperationLimit>,
    /// The revision to which it leads, unless that is the one that the stack has.
    pub revision: Option<NewRevision>,
    /// Its audit entry.
    pub audit_entry: Option<AuditEntry>,
    /// The lease with which it begins, if the portal that accepts it drives it itself.
    pub claim: Option<Claim>,
}

/// What a stack should be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, EnumString, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Desired {
    /// It should run.
    #[default]
    Running,
    /// It should not run.
    Stopped,
}

impl Desired {
    /// Returns the word in the database. Persisted: never rename.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// Returns what a stack should be that is in `state`; `None` for one that is gone.
    pub fn of(state: StackState) -> Option<Self> {
        match state {
            StackState::Gone => None,
            StackState::Live => Some(Self::Running),
            StackState::Stopped => Some(Self::Stopped),
        }
    }

    /// Returns the state of a stack that is what it should be.
    pub fn state(self) -> StackState {
        match self {
            Self::Running => StackState::Live,
            Self::Stopped => StackState::Stopped,
        }
    }
}

/// What a removal does with the data of its stack.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, EnumString, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Disposal {
    /// It deletes the data.
    #[default]
    Delete,
    /// It keeps the data.
    Keep,
}

impl Disposal {
    /// Returns the word in the database. Persisted: never rename.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

impl NewRemoval {
    /// Returns the operation of `kind` that deletes the kept data of `stack`. There is one for each
    /// stack, so its id follows from that of the stack.
    pub fn of_data(
        stack: StackId,
        kind: &'static Kind,
        started: Timestamp,
        audit_entry: AuditEntry,
    ) -> Self {
        Self {
            id: stack.operation(kind),
            kind: kind.name,
            started,
            first: EventBody::Progress(ProgressUpdate::first(kind, started)),
            of: None,
            expired: None,
            disposal: Disposal::Delete,
            kept: None,
            audit_entry: Some(audit_entry),
            claim: None,
        }
    }

    /// Returns whether it means the stack that `deployment` created and whose unfinished removal,
    /// if any, is `removal`.
    pub fn means(&self, deployment: &DeploymentId, removal: Option<&DeploymentId>) -> bool {
        self.of.as_ref().is_none_or(|of| of == deployment || Some(of) == removal)
    }
}

/// An idempotency key, chosen by the caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyKey {
    /// The caller.
    pub caller: String,
    /// The key.
    pub key: String,
}

/// The stored response to the first request with a key, to be replayed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredResponse {
    /// Its key.
    pub key: IdempotencyKey,
    /// The digest of the request's body.
    pub fingerprint: String,
    /// The HTTP status.
    pub status: u16,
    /// The `Location` header.
    pub location: Option<String>,
    /// The body.
    pub body: String,
    /// The time from which it is purged.
    pub expires: Timestamp,
}

/// A revision to insert with the operation that leads to it.
#[derive(Clone, Debug)]
pub struct NewRevision {
    /// The number of the revision that the stack must have, so that nobody changes what they have
    /// not seen.
    pub from: u32,
    /// Its own number.
    pub number: u32,
    /// What it is made of.
    pub spec: SealedSpec,
    /// Who asks for it.
    pub by: Option<OwnerId>,
    /// The definition of its template, if it has one that may not be stored yet.
    pub template: Option<TemplateDefinition>,
    /// The response to the request, if that has an idempotency key.
    pub response: Option<StoredResponse>,
}
