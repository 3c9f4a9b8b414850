//! The journal of an operation in the store: the record of each step.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::server::platform::AppName;
use domain::event::FailureCode;
use domain::kind::StepId;
use domain::last_log::LastLog;
use domain::message::MessageCode;
use domain::receipt::Line;
use domain::words;

/// The name, in the output of a step, of what the container wrote last. Persisted: never rename.
const LAST_LOG: &str = "lastLog";

/// The journal's record of one step. Persisted as JSON: never rename, only add.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum StepRecord {
    /// It is about to run or runs: its outcome is unknown.
    Started,
    /// It ran successfully.
    Succeeded {
        /// The output for later steps and for its undo.
        output: serde_json::Value,
        /// True if a response was lost, so that a retry may have created a duplicate.
        #[serde(rename = "doubtful")]
        response_lost: bool,
    },
    /// It failed.
    Failed {
        /// The reason.
        cause: Cause,
    },
    /// It is undone.
    Undone {
        /// The receipt's lines of the resources that it had created.
        lines: Vec<Line>,
        /// The reason why the operation rolled back, if this step caused it.
        cause: Option<Cause>,
    },
}

impl StepRecord {
    /// Returns why the operation rolled back, if this step caused it.
    pub fn cause(&self) -> Option<&Cause> {
        match self {
            Self::Failed { cause } => Some(cause),
            Self::Undone { cause, .. } => cause.as_ref(),
            Self::Started | Self::Succeeded { .. } => None,
        }
    }

    /// Returns the last lines of the platform's log, if the step failed with some.
    pub fn platform_log(&self) -> Option<&str> {
        self.cause()?.platform_log.as_deref()
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
    /// The time of the failure, from which the deadline of the undo counts.
    #[serde(default)]
    pub at: Option<Timestamp>,
    /// The last lines of the platform's log, secrets masked: for operators only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform_log: Option<Box<str>>,
    /// What the container wrote last, for whoever may change the stack.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_log: Option<Box<LastLog>>,
}

impl Cause {
    /// Creates a cause with the English sentence of `message`, and without a time or a log.
    pub fn new(code: FailureCode, message: MessageCode) -> Self {
        let words = words::message::sentence(&message);
        Self {
            code,
            message: words,
            reason: Some(message),
            at: None,
            platform_log: None,
            last_log: None,
        }
    }
}

/// The journal of one operation.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Steps {
    /// The record of each step.
    pub records: BTreeMap<StepId, StepRecord>,
    /// The services that the platform created for it, including removed ones.
    pub services: BTreeSet<AppName>,
}

impl Steps {
    /// Returns what a container of the stack wrote last before the operation stopped it, or undid what
    /// had failed.
    pub fn last_log(&self) -> Option<LastLog> {
        let of_cause = self.records.values().find_map(|record| record.cause()?.last_log.as_deref());
        let of_output = |record: &StepRecord| match record {
            StepRecord::Succeeded { output, .. } => {
                LastLog::deserialize(output.get(LAST_LOG)?).ok()
            }
            StepRecord::Started | StepRecord::Failed { .. } | StepRecord::Undone { .. } => None,
        };
        of_cause.cloned().or_else(|| self.records.values().find_map(of_output))
    }
}
