//! The wire types of changes of a stack, and of its revisions.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use super::Usual;
use domain::deployment::DeploymentId;

/// What a change would do.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PlanView {
    /// What it would change; empty if the stack is so already.
    pub changes: Vec<PlannedChange>,
    /// Whether the stack answers all the time.
    pub downtime: DowntimeView,
    /// How long a deployment of the template usually takes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usual: Option<Usual>,
}

/// Whether a stack answers while it is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum DowntimeView {
    /// It answers all the time.
    None,
    /// Requests wait for some seconds, and are answered then.
    Waits,
    /// It does not answer for some seconds.
    Seconds,
}

/// One thing that a change would change.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PlannedChange {
    /// The key of a question, or `size`, `version`, `image`, `port`, `volumes`, `settings`.
    pub field: String,
    /// What it is now; null if it is nothing, or a secret. Volumes are an object with the folder of each
    /// by its key.
    pub from: Value,
    /// What it would be.
    pub to: Value,
    /// Whether it is a secret, whose values are not shown.
    #[serde(skip_serializing_if = "is_false")]
    pub secret: bool,
    /// What it does to the stack.
    pub effect: EffectView,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it like that")]
fn is_false(value: &bool) -> bool {
    !value
}

/// What a change does to a stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum EffectView {
    /// Its container is replaced.
    Restart,
    /// The same, and the new one gets other volumes. What it gets no more stays until the stack is
    /// removed.
    Data,
}

/// The revisions of a stack.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RevisionsView {
    /// The revisions, newest first.
    pub revisions: Vec<RevisionView>,
    /// The version of the template that is offered now, if it is another one than the stack has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub update_available: Option<String>,
}

/// A revision of a stack.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RevisionView {
    /// Its number, from 1 on.
    pub number: u32,
    /// Whether the stack has it now.
    pub current: bool,
    /// What became of it; `None` while the operation that makes it is under way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<&'static str>,
    /// The operation that made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation_id: Option<DeploymentId>,
    /// Who asked for it, if that was somebody with an account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// When it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// Its template.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub template: Option<String>,
    /// The version of the template.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The id of its size.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<String>,
    /// The answers, by the keys of the questions; of a secret, its fingerprint.
    pub parameters: BTreeMap<String, Value>,
    /// The difference to the revision before it.
    pub changes: Vec<PlannedChange>,
}
