//! Events: the recorded changes of an operation, and their exact format on the wire.
//!
//! An event is serialized once, stored, and replayed byte for byte. It must not know who records or
//! watches events.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::kind::Kind;
use super::message::MessageCode;
use super::phase::{Phase, Status};
use super::receipt::Receipt;
use super::words;

mod failure;

pub use failure::{Failure, FailureCode};

/// The number of an event within its operation, counted from 1 without gaps.
pub type Seq = u64;

/// A recorded change.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Its number.
    pub seq: Seq,
    /// The change.
    pub body: EventBody,
}

/// The change.
#[derive(Clone, Debug, PartialEq)]
pub enum EventBody {
    /// A phase began, or its message changed.
    Progress(ProgressUpdate),
    /// An entry for the log.
    Log(LogEntry),
    /// The end: the stack is live, or stopped as it was asked for.
    Complete(Completion),
    /// The end of a removal: nothing is left of the stack.
    Removed(RemovalCompletion),
    /// The end: the stack is not live.
    Error(Failure),
}

/// The data of a `progress` event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProgressUpdate {
    /// The phase that began.
    pub phase: Phase,
    /// Its status.
    pub status: Status,
    /// Percent, 0 to 100.
    pub progress: u8,
    /// The English sentence.
    pub message: String,
    /// The same text, under the older server's name.
    pub current_step: String,
    /// The code of the sentence, unless it is the phase's own.
    #[serde(flatten)]
    pub code: Option<MessageCode>,
    /// The resources known to exist so far.
    pub resources: Resources,
    /// The time at which the phase began.
    #[serde(with = "super::time")]
    pub at: Timestamp,
}

impl ProgressUpdate {
    /// Returns the update for `phase` of an operation of `kind`, which begins at `at`. `percent` is
    /// used if the phase has no percentage.
    pub fn new(
        kind: &Kind,
        phase: Phase,
        percent: u8,
        resources: Resources,
        at: Timestamp,
    ) -> Self {
        let progress = kind.percent(phase).unwrap_or(percent);
        let message = kind.sentence(phase).to_owned();
        let current_step = message.clone();
        let status = phase.status();
        Self { phase, status, progress, message, current_step, code: None, resources, at }
    }

    /// Returns the first update of an operation of `kind`, which begins at `at`.
    pub fn first(kind: &Kind, at: Timestamp) -> Self {
        Self::new(kind, kind.first_phase(), 0, Resources::default(), at)
    }

    /// Replaces the phase's sentence by a more specific message.
    #[must_use]
    pub fn with_message(mut self, code: MessageCode) -> Self {
        self.message = words::message::sentence(&code);
        self.current_step.clone_from(&self.message);
        self.code = Some(code);
        self
    }

    /// Returns the code of the sentence, also of one that an older version recorded without;
    /// `None` for the phase's own.
    pub fn message_code(&self) -> Option<MessageCode> {
        self.code.clone().or_else(|| words::message::code_of_older(&self.message))
    }
}

/// The platform's ids of the resources that a deployment created.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Resources {
    /// The project.
    pub project_id: Option<String>,
    /// Its environment.
    pub environment_id: Option<String>,
    /// The application in it.
    pub application_id: Option<String>,
    /// The application's domain.
    pub domain_id: Option<String>,
}

/// The level of a log entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// As expected.
    Info,
    /// Unexpected, and recovered from.
    Warn,
    /// Unexpected, and given up on.
    Error,
}

/// One entry of a deployment's log.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LogEntry {
    /// The time at which it was written.
    #[serde(with = "super::time")]
    pub timestamp: Timestamp,
    /// Its level.
    pub level: Level,
    /// The phase it belongs to.
    pub phase: Phase,
    /// The action, as `noun.verb`.
    pub action: String,
    /// A sentence.
    pub message: String,
    /// The time that it took, in milliseconds.
    pub duration_ms: u64,
    /// The number of the attempt, counted from 1, if there can be several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<u32>,
}

impl LogEntry {
    /// The action of the entry that reports a step's failure, which is recorded before the rollback
    /// begins.
    pub const FAILURE: &str = "deployment.fail";
}

/// The data of a `complete` event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Completion {
    /// The address at which the stack is reached.
    pub url: String,
    /// Whether the stack answers now.
    pub status: Ready,
    /// The resources that were created.
    pub resources: Resources,
    /// The time from the start to the end, in seconds.
    pub duration: f64,
}

/// The status of a `complete` event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Ready {
    /// The stack answers.
    Ready,
    /// Nothing of the stack runs, as it was asked for.
    Stopped,
}

/// The data of a removal's `complete` event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RemovalCompletion {
    /// Always [`Gone::Removed`].
    pub status: Gone,
    /// The outcome for each resource.
    pub receipt: Receipt,
}

/// The status of a removal's `complete` event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Gone {
    /// The removal was verified.
    Removed,
}

/// A stored text is not a valid event.
#[derive(Debug, thiserror::Error)]
pub enum DecodeEventError {
    /// No event has this name.
    #[error("unknown event name {0:?}")]
    UnknownName(String),
    /// The data has another shape.
    #[error("unexpected data in a {name} event")]
    Data {
        /// The event's name.
        name: &'static str,
        /// The problem with the data.
        source: serde_json::Error,
    },
}

#[derive(Serialize)]
struct Numbered<'a, T> {
    #[serde(flatten)]
    body: &'a T,
    seq: Seq,
}

impl Event {
    /// Returns the event's name on the wire.
    pub fn name(&self) -> &'static str {
        self.body.name()
    }

    /// Returns whether this is the one terminal event.
    pub fn is_end(&self) -> bool {
        self.body.is_end()
    }

    /// Returns the event's data: one line of JSON.
    pub fn data(&self) -> String {
        let seq = self.seq;
        match &self.body {
            EventBody::Progress(body) => json(&Numbered { body, seq }),
            EventBody::Log(body) => json(&Numbered { body, seq }),
            EventBody::Complete(body) => json(body),
            EventBody::Removed(body) => json(body),
            EventBody::Error(body) => json(body),
        }
    }

    /// Parses an event from its number, name and data.
    ///
    /// # Errors
    ///
    /// Returns an error if name or data were not written by [`Event::name`] and [`Event::data`].
    pub fn decode(seq: Seq, name: &str, data: &str) -> Result<Self, DecodeEventError> {
        fn read<T: serde::de::DeserializeOwned>(
            name: &'static str,
            data: &str,
        ) -> Result<T, DecodeEventError> {
            serde_json::from_str(data).map_err(|source| DecodeEventError::Data { name, source })
        }
        let body = match name {
            EventBody::PROGRESS => EventBody::Progress(read(EventBody::PROGRESS, data)?),
            EventBody::LOG => EventBody::Log(read(EventBody::LOG, data)?),
            EventBody::COMPLETE => match read(EventBody::COMPLETE, data) {
                Ok(removal) => EventBody::Removed(removal),
                Err(_) => EventBody::Complete(read(EventBody::COMPLETE, data)?),
            },
            EventBody::ERROR => EventBody::Error(read(EventBody::ERROR, data)?),
            other => return Err(DecodeEventError::UnknownName(other.to_owned())),
        };
        Ok(Self { seq, body })
    }
}

impl EventBody {
    /// The name of a progress event.
    pub const PROGRESS: &'static str = "progress";
    /// The name of a log event.
    pub const LOG: &'static str = "log";
    /// The name of the terminal event of a live stack.
    pub const COMPLETE: &'static str = "complete";
    /// The name of the terminal event of a failure. The browser's own `error` has no data.
    pub const ERROR: &'static str = "error";
    /// All names, for subscribers.
    pub const NAMES: [&'static str; 4] = [Self::PROGRESS, Self::LOG, Self::COMPLETE, Self::ERROR];

    /// Returns the name on the wire.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Progress(_) => Self::PROGRESS,
            Self::Log(_) => Self::LOG,
            Self::Complete(_) | Self::Removed(_) => Self::COMPLETE,
            Self::Error(_) => Self::ERROR,
        }
    }

    /// Returns whether it ends the deployment.
    pub fn is_end(&self) -> bool {
        match self {
            Self::Complete(_) | Self::Removed(_) | Self::Error(_) => true,
            Self::Progress(_) | Self::Log(_) => false,
        }
    }
}

impl fmt::Display for LogEntry {
    /// Writes the entry as a JSON object, as on the wire.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&json(self))
    }
}

#[expect(clippy::expect_used, reason = "our own types have string keys and cannot fail")]
fn json<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("plain data becomes JSON")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kind::DEPLOY;

    #[test]
    fn an_event_reads_back_as_it_was_written() {
        let at: Timestamp = "2026-11-23T09:55:24.515Z".parse().unwrap();
        let resources = Resources { project_id: Some(String::from("p1")), ..Resources::default() };
        let update = || ProgressUpdate::new(&DEPLOY, Phase::DEPLOYING, 0, resources.clone(), at);
        let bodies = [
            EventBody::Progress(update()),
            EventBody::Progress(update().with_message(MessageCode::JobQueued { before: 2 })),
            EventBody::Progress(update().with_message(MessageCode::WaitingForTurn)),
            EventBody::Log(LogEntry {
                timestamp: at,
                level: Level::Warn,
                phase: Phase::DEPLOYING,
                action: String::from("application.deploy"),
                message: String::from("Tried again"),
                duration_ms: 12,
                attempt: Some(2),
            }),
            EventBody::Complete(Completion {
                url: String::from("https://alice.example.com"),
                status: Ready::Ready,
                resources,
                duration: 3.25,
            }),
            EventBody::Complete(Completion {
                url: String::from("https://alice.example.com"),
                status: Ready::Stopped,
                resources: Resources::default(),
                duration: 4.5,
            }),
            EventBody::Removed(RemovalCompletion {
                status: Gone::Removed,
                receipt: Receipt::of(Vec::new()),
            }),
            EventBody::Error(Failure {
                phase: Phase::DEPLOYING,
                message: String::from("It did not start"),
                code: FailureCode::CrashLoop,
                reason: Some(MessageCode::CrashLoop { exit_code: None }),
                receipt: Receipt::default(),
                reference: String::from("7F3A-22C1"),
            }),
        ];
        for (seq, body) in (1..).zip(bodies) {
            let event = Event { seq, body };
            let data = event.data();
            assert!(!data.contains('\n'), "one line: {data}");
            let back = Event::decode(seq, event.name(), &data).unwrap();
            assert_eq!(back, event);
            assert_eq!(back.data(), data);
        }
    }

    #[test]
    fn what_is_not_an_event_is_refused_with_a_reason() {
        let unknown = Event::decode(1, "ping", "{}").unwrap_err();
        assert_eq!(unknown.to_string(), "unknown event name \"ping\"");
        let broken = Event::decode(1, "log", "{}").unwrap_err();
        assert_eq!(broken.to_string(), "unexpected data in a log event");
    }
}
