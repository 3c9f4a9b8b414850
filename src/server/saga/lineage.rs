//! The revisions of the stack that an operation is about.
//!
//! The container of a revision carries the id of the operation that made it, and so does the
//! platform's row. It must not know how a revision is made to run.

use super::ports::Ports;
use crate::server::spec::OperationSpec;
use crate::server::store::{Record, Result, Revision, RevisionOutcome, StackVolumes, StoreError};
use domain::deployment::DeploymentId;
use domain::kind::Direction;
use domain::stack_id::RevisionId;

/// What an operation on a stack that is there, or on its data, knows of its revisions.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lineage {
    /// Whether the stack has had more than one, so that the platform's row may hold another one than
    /// that which the stack has.
    pub(crate) has_changed: bool,
    /// Whether a change to another one did not end well, so that the stack may have volumes or the port
    /// of that one.
    pub(crate) has_failed: bool,
    /// Whether the one that the operation works by has never run.
    pub(crate) is_untried: bool,
    /// The operation that made it, unless the deployment did that made the stack.
    pub(crate) made: Option<DeploymentId>,
    /// The one that the stack has, if the operation leads to another one.
    pub(crate) former: Option<FormerRevision>,
    /// The volumes of all of them that may exist.
    pub(crate) volumes: StackVolumes,
}

/// The revision that a stack has while an operation leads it to another one.
#[derive(Clone, Debug)]
pub(crate) struct FormerRevision {
    /// Its number.
    pub(crate) number: u32,
    /// The operation that made it, unless the deployment did that made the stack.
    pub(crate) made: Option<DeploymentId>,
    /// What it is made of.
    pub(crate) spec: OperationSpec,
}

impl Ports {
    /// Returns what the operation of `record` knows of the revisions of its stack.
    ///
    /// # Errors
    ///
    /// Returns a `StoreError` if they cannot be read.
    pub(crate) async fn lineage(&self, record: &Record) -> Result<Lineage> {
        let RevisionId { stack, number } = record.revision;
        let kind = self.kinds.of(record.deployment.kind);
        if !kind.keeps_stack() {
            let volumes = match kind.direction {
                Direction::Back => self.store.stack_volumes(stack).await?,
                Direction::Forward => StackVolumes::default(),
            };
            return Ok(Lineage { volumes, ..Lineage::default() });
        }
        let revisions = match self.store.revisions(stack).await {
            Err(StoreError::Corrupt { .. }) => Vec::new(),
            revisions => revisions?,
        };
        let find = |number| revisions.iter().find(|one: &&Revision| one.number == number);
        let made = |number| {
            let made = find(number).and_then(|one| one.made.clone());
            made.filter(|_| number != RevisionId::FIRST)
        };
        let untried = Some(RevisionOutcome::Untried);
        let former = match record.from.filter(|from| *from != number) {
            None => None,
            Some(number) => {
                let made = made(number);
                Some(FormerRevision { number, made, spec: self.former_spec(record, number).await? })
            }
        };
        let is_other = |one: &&Revision| one.number != number && Some(one.number) != record.from;
        Ok(Lineage {
            has_changed: revisions.len() > 1,
            has_failed: revisions.iter().filter(is_other).any(is_failed),
            is_untried: find(number).is_some_and(|one| one.outcome == untried),
            made: made(number),
            former,
            volumes: self.store.stack_volumes(stack).await?,
        })
    }

    async fn former_spec(&self, record: &Record, number: u32) -> Result<OperationSpec> {
        let revision = RevisionId { number, ..record.revision };
        let stored = match self.store.spec(revision).await {
            Err(StoreError::Corrupt { .. }) => None,
            stored => stored?,
        };
        let keyring = self.keyring.clone();
        if let Some(stored) = stored {
            return Ok(OperationSpec::stored(stored, revision, keyring));
        }
        let mut spec = OperationSpec::unsealed(&self.settings);
        spec.is_lost = true;
        Ok(spec)
    }
}

/// Returns whether the change that made this revision did not end well.
fn is_failed(revision: &Revision) -> bool {
    match revision.outcome {
        // Without an outcome, it is stuck: no other operation is under way.
        Some(RevisionOutcome::Reverted | RevisionOutcome::NeverLive) | None => true,
        Some(RevisionOutcome::Live | RevisionOutcome::Untried | RevisionOutcome::Unknown) => false,
    }
}
