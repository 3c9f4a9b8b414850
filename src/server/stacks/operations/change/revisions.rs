//! Lists the revisions of a stack.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use crate::server::auth::access::{Caller, Permission};
use crate::server::spec::fingerprints;
use crate::server::stacks::operations::difference::difference;
use crate::server::stacks::{QuestionWords, Service};
use crate::server::store::{Revision, RevisionOutcome, Stack};
use crate::wire::{ApiError, RevisionView, RevisionsView, StackView};
use domain::deployment::DeploymentId;
use domain::owner::OwnerId;
use domain::stack_id::StackId;
use domain::time::written;

/// A revision, as the pages of whoever may change the stack show it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ShownRevision {
    /// The revision.
    pub(crate) view: RevisionView,
    /// The name of the person who asked for it, if that is somebody else.
    pub(crate) by: Option<String>,
    /// What became of it; `None` while the operation that makes it is under way.
    pub(crate) outcome: Option<RevisionOutcome>,
    /// Whether the stack can go back to it.
    pub(crate) is_way_back: bool,
    /// How people call its questions, and those of the revision before it.
    pub(crate) words: QuestionWords,
}

impl Service {
    /// Lists the revisions of a stack, which the deployment `of` created, for its pages, newest first.
    ///
    /// # Errors
    ///
    /// Returns an error if there is no such stack, or the store is unavailable.
    pub(crate) async fn shown_revisions(
        &self,
        caller: &Caller,
        stack: &StackView,
        of: &DeploymentId,
    ) -> Result<Vec<ShownRevision>, ApiError> {
        let RevisionsView { revisions, .. } =
            self.revisions(caller, stack.name.as_str(), Some(of)).await?;
        let stored = self.parts.store.revisions(StackId::of(of)).await?;
        let mut words = self.words_of_revisions(&stack.template, &stored).await?;
        let is_known =
            |number| stored.iter().any(|one| one.number == number && one.origin.is_known());
        let mut shown = Vec::new();
        for view in revisions {
            let outcome = view.outcome.and_then(|word| word.parse::<RevisionOutcome>().ok());
            let is_way_back =
                !view.current && outcome.is_some_and(is_good) && is_known(view.number);
            let by = view.by.as_deref().and_then(|text| OwnerId::parse(text).ok());
            let by = by.filter(|by| Some(by) != caller.identity.owner());
            let by = match by.filter(|by| by.person_id().is_some()) {
                Some(by) => self.parts.accounts.person(&by).await?.map(|person| person.name),
                None => None,
            };
            let words = words.remove(&view.number).unwrap_or_default();
            shown.push(ShownRevision { view, by, outcome, is_way_back, words });
        }
        Ok(shown)
    }

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
        let audience = self.audience(caller).await?;
        let update_available = present.and_then(|one| self.newer_version(&one.spec, &audience));
        Ok(RevisionsView { revisions: views, update_available })
    }
}

/// Returns whether a revision with this outcome has worked, or may work. One of an older version did,
/// which did not record it.
fn is_good(outcome: RevisionOutcome) -> bool {
    match outcome {
        RevisionOutcome::Live | RevisionOutcome::Untried | RevisionOutcome::Unknown => true,
        RevisionOutcome::Reverted | RevisionOutcome::NeverLive => false,
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
