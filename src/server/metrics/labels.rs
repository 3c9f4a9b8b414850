//! The labels of metrics: words from fixed lists only.

use prometheus_client::encoding::EncodeLabelSet;

use super::{Access, Outcome};
use domain::event::FailureCode;
use domain::kind::{Kind, KindName};
use domain::phase::Phase;

/// The code of an operation that did not fail.
const NO_CODE: &str = "NONE";

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct EndLabels {
    kind: String,
    outcome: &'static str,
    code: &'static str,
}

impl EndLabels {
    pub(super) fn new(kind: KindName, outcome: Outcome, code: Option<FailureCode>) -> Self {
        let code = code.map_or(NO_CODE, FailureCode::as_str);
        Self { kind: kind.as_str().to_owned(), outcome: outcome.into(), code }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct PhaseLabels {
    kind: String,
    phase: String,
}

impl PhaseLabels {
    pub(super) fn new(kind: &Kind, phase: Phase) -> Self {
        Self { kind: kind.name.as_str().to_owned(), phase: phase.as_str().to_owned() }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct OutcomeLabels {
    pub(super) call: &'static str,
    pub(super) outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct CallLabels {
    pub(super) call: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct CodeLabels {
    pub(super) code: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct StateLabels {
    pub(super) state: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct LookLabels {
    pub(super) result: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct TurnLabels {
    pub(super) turn: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct StoreLabels {
    access: &'static str,
    outcome: &'static str,
}

impl StoreLabels {
    pub(super) fn new(access: Access, is_answered: bool) -> Self {
        let outcome = if is_answered { "answered" } else { "unavailable" };
        Self { access: access.into(), outcome }
    }
}
