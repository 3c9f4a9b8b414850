//! Revisions: what a stack is and was made of.

use jiff::Timestamp;
use strum::{EnumString, IntoStaticStr};

use super::SpecOrigin;
use domain::deployment::DeploymentId;
use domain::owner::OwnerId;
use domain::stack_spec::StackSpec;

/// What became of a revision. An operation that ends decides it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumString, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum RevisionOutcome {
    /// It ran, and was verified.
    Live,
    /// It did not run as it should, and the one before was verified again.
    Reverted,
    /// It did not run as it should, and there is none before it, or nobody looked at that.
    NeverLive,
    /// The stack was stopped when it was made, and has not been started since.
    Untried,
    /// An older version of the portal did not keep what it is made of.
    Unknown,
}

impl RevisionOutcome {
    /// Returns the word in the database. Persisted: never rename.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// A revision of a stack, without the values of its secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revision {
    /// Its number within the stack, from 1 on.
    pub number: u32,
    /// What became of it; `None` while the operation that makes it is under way.
    pub outcome: Option<RevisionOutcome>,
    /// The origin of its spec.
    pub origin: SpecOrigin,
    /// What it is made of.
    pub spec: StackSpec,
    /// The operation that made it, by which its container is known.
    pub made: Option<DeploymentId>,
    /// Who asked for it; `None` if that was an anonymous client.
    pub by: Option<OwnerId>,
    /// When it was asked for.
    pub at: Option<Timestamp>,
}
