//! The journal as the store keeps it: what is known of each step.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::server::platform::AppName;
use domain::{event::FailureCode, kind::StepId, message::MessageCode, receipt::Line, words};

/// The journal's record of one step. Persisted as JSON: never rename, only add.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum StepRecord {
    /// About to run, or running; outcome unknown.
    Started,
    /// Ran.
    Succeeded {
        /// The output for later steps and for its undo.
        output: serde_json::Value,
        /// True if an answer was lost on the way, so that it may have made something twice.
        #[serde(rename = "doubtful")]
        response_lost: bool,
    },
    /// Gave up.
    Failed {
        /// The reason.
        cause: Cause,
    },
    /// Reversed.
    Undone {
        /// The outcome of what it had made.
        lines: Vec<Line>,
        /// The reason why the saga rolled back, if it was at this step.
        cause: Option<Cause>,
    },
}

impl StepRecord {
    /// Returns the last lines of the platform's log, where the step failed with some.
    pub fn platform_log(&self) -> Option<&str> {
        match self {
            Self::Failed { cause } | Self::Undone { cause: Some(cause), .. } => {
                cause.platform_log.as_deref()
            }
            Self::Started | Self::Succeeded { .. } | Self::Undone { cause: None, .. } => None,
        }
    }
}

/// The reason why a step failed, in a form that survives a restart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cause {
    /// The kind of failure.
    pub code: FailureCode,
    /// One English sentence for the person: what happened.
    pub message: String,
    /// The code of the sentence, and its arguments, unless an older version recorded it.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        rename = "args",
        deserialize_with = "domain::message::lenient"
    )]
    pub reason: Option<MessageCode>,
    /// The time of the failure: the undo's time counts from there.
    #[serde(default)]
    pub at: Option<Timestamp>,
    /// The last lines of the platform's log, secrets masked: for operators only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform_log: Option<String>,
}

impl Cause {
    /// Tells of a failure without more than what a person reads.
    pub fn new(code: FailureCode, message: MessageCode) -> Self {
        let words = words::message::sentence(&message);
        Self { code, message: words, reason: Some(message), at: None, platform_log: None }
    }
}

/// The journal of one operation, as the store has it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Steps {
    /// The record of each step.
    pub records: BTreeMap<StepId, StepRecord>,
    /// The services that the platform made for it, removed ones included.
    pub services: BTreeSet<AppName>,
}
