//! What a container wrote last, before it was removed or replaced.

use serde::{Deserialize, Serialize};

/// The last lines of a container, and how it ended. Persisted and on the wire: never rename, only add.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LastLog {
    /// The name of the container; `None` if no container was there any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container: Option<String>,
    /// The exit code; `None` if it ran, or is not known to have ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<i64>,
    /// True if it was killed because it used more memory than it may.
    #[serde(default)]
    pub out_of_memory: bool,
    /// Whether its log was read.
    pub log: LogState,
    /// The lines, each with its time, oldest first. Secrets are masked.
    #[serde(default)]
    pub lines: Vec<String>,
}

/// Whether the log of a container was read before the container was removed or replaced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogState {
    /// It was read. Without lines, the container had written nothing.
    Read,
    /// The container was gone already, and its log with it.
    Gone,
    /// The platform did not show it, or it could not be masked.
    #[default]
    #[serde(other)]
    Unavailable,
}

impl LastLog {
    /// Returns the last log of a container of which there is none.
    #[must_use]
    pub fn without(log: LogState) -> Self {
        Self { log, ..Self::default() }
    }
}
