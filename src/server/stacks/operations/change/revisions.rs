//! Lists the revisions of a stack.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use crate::server::auth::access::{Caller, Permission};
use crate::server::stacks::Service;
use crate::server::stacks::operations::difference::{difference, fingerprints};
use crate::server::store::{Revision, RevisionOutcome, Stack};
use crate::wire::{ApiError, RevisionView, RevisionsView};
use domain::deployment::DeploymentId;
use domain::time::written;

impl Service {
    /// Lists the revisions of the stack called `name`, newest first.
    ///
    /// # Errors
    ///
    /// Returns an error if there is no such stack, or the store is unavailable.
    pub async fn revisions(
        &self,
        caller: &Caller,
        name: &str,
        of: Option<&DeploymentId>,
    ) -> Result<RevisionsView, ApiError> {
        let stack = self.authorize_stack(caller, Permission::Change, name, of).await?;
        let revisions = self.parts.store.revisions(stack.revision.stack).await?;
        let befores = revisions.iter().skip(1).map(Some).chain([None]);
        let views = revisions.iter().zip(befores);
        let mut views: Vec<_> = views.map(|(one, before)| view(one, before, &stack)).collect();
        if views.is_empty() {
            views.push(unknown(&stack));
        }
        let is_present = |one: &&Revision| one.number == stack.revision.number;
        let present = revisions.iter().find(is_present);
        let update_available = present.and_then(|one| self.newer_version(&one.spec));
        Ok(RevisionsView { revisions: views, update_available })
    }
}

fn view(revision: &Revision, before: Option<&Revision>, stack: &Stack) -> RevisionView {
    let Revision { number, outcome, spec, made, by, at, .. } = revision;
    let template = spec.template.as_ref();
    let answers = spec.values.iter();
    let answers = answers.filter_map(|(key, value)| Some((key.clone(), value.as_ref()?.to_json())));
    let secret = |(key, fingerprint): (String, String)| {
        (key, json!({ "secret": true, "fingerprint": fingerprint }))
    };
    let changes = before.map(|before| difference(&before.spec, spec, &BTreeSet::new()));
    RevisionView {
        number: *number,
        current: *number == stack.revision.number,
        outcome: outcome.map(RevisionOutcome::as_str),
        operation_id: made.clone(),
        by: by.as_ref().map(ToString::to_string),
        at: at.map(|at| written(at).to_string()),
        template: template.map(|template| template.id.clone()),
        version: template.map(|template| template.version.clone()),
        size: spec.size_id.clone(),
        parameters: answers.chain(fingerprints(spec).into_iter().map(secret)).collect(),
        changes: changes.unwrap_or_default(),
    }
}

/// Returns the view of the one revision of a stack of an older version, which kept none.
fn unknown(stack: &Stack) -> RevisionView {
    RevisionView {
        number: stack.revision.number,
        current: true,
        outcome: Some(RevisionOutcome::Unknown.as_str()),
        operation_id: Some(stack.deployment.id.clone()),
        by: None,
        at: Some(written(stack.deployment.started).to_string()),
        template: None,
        version: None,
        size: None,
        parameters: BTreeMap::new(),
        changes: Vec::new(),
    }
}
