//! The identity of an operation, and its snapshot on the wire.
//!
//! It must not know how an operation is executed or stored.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::event::{FailureCode, Resources, Seq};
use super::kind::{DEPLOY, Kind, KindName};
use super::message::MessageCode;
use super::phase::{Phase, Status};
use super::progress::Progress;
use super::receipt::Receipt;
use super::stack_name::StackName;

/// The id of an operation: the prefix of its kind, which is `dep_` for a deployment, and 128 random
/// bits in hexadecimal.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct DeploymentId(String);

/// A text is not a deployment's id.
#[derive(Debug, thiserror::Error)]
#[error("not a deployment id")]
pub struct ParseDeploymentIdError;

impl DeploymentId {
    const PREFIXES: [&str; 3] = ["dep_", "rem_", "op_"];
    const DIGITS: usize = 32;

    /// Returns the id of a deployment with these random bits.
    pub fn from_random(bits: u128) -> Self {
        Self::new(&DEPLOY, bits)
    }

    /// Returns the id of an operation of this kind with these random bits.
    pub fn new(kind: &Kind, bits: u128) -> Self {
        Self(format!("{}{bits:032x}", kind.prefix))
    }

    /// Parses an id.
    ///
    /// # Errors
    ///
    /// Returns an error if `text` does not have the form of an id.
    pub fn parse(text: &str) -> Result<Self, ParseDeploymentIdError> {
        let digits = Self::PREFIXES.iter().find_map(|prefix| text.strip_prefix(prefix));
        let digits = digits.ok_or(ParseDeploymentIdError)?;
        let is_hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        if digits.len() == Self::DIGITS && digits.bytes().all(is_hex) {
            Ok(Self(text.to_owned()))
        } else {
            Err(ParseDeploymentIdError)
        }
    }

    /// Returns the id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns its random bits.
    pub(crate) fn bits(&self) -> u128 {
        u128::from_str_radix(self.digits(), 16).unwrap_or_default()
    }

    /// Returns half of its random bits, as the seed of random choices about the operation, so that
    /// they are reproducible.
    pub fn seed(&self) -> u64 {
        let digits = self.0.get(self.0.len() - 16..).unwrap_or_default();
        u64::from_str_radix(digits, 16).unwrap_or_default()
    }

    /// Returns the short reference that a person reads out and an operator searches for:
    /// the first eight digits, as in `7F3A-22C1`.
    pub fn reference(&self) -> String {
        let digits: String = self.digits().chars().take(8).collect();
        let (head, tail) = digits.split_at(digits.len() / 2);
        format!("{head}-{tail}").to_ascii_uppercase()
    }

    fn digits(&self) -> &str {
        self.0.split_once('_').unwrap_or_default().1
    }
}

impl fmt::Display for DeploymentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for DeploymentId {
    type Error = ParseDeploymentIdError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

/// The current state of an operation: the answer of `GET /api/deployment/:id`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Snapshot {
    /// Its id.
    pub id: DeploymentId,
    /// Its kind.
    pub kind: String,
    /// The stack that it is about.
    pub stack_name: StackName,
    /// Its current phase.
    pub phase: Phase,
    /// Its status.
    pub status: Status,
    /// Percent, 0 to 100.
    pub progress: u8,
    /// The present message.
    pub message: String,
    /// The same text, under the older server's name.
    pub current_step: String,
    /// The code of the message, unless it is the phase's own.
    #[serde(flatten)]
    pub code: Option<MessageCode>,
    /// The address at which the stack is, or will be, reached.
    pub url: String,
    /// The platform's resources known to exist.
    pub resources: Resources,
    /// The times of its start and its end.
    pub timestamps: Timestamps,
    /// The reason why it failed, once it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<SnapshotError>,
    /// The outcome for each created resource, once it has failed or its stack is removed. Clean-up
    /// after the end updates it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt: Option<Receipt>,
    /// True if somebody asked to cancel it, and it has not ended yet.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cancelling: bool,
    /// The time of the next clean-up attempt, while something is left.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "super::time::optional")]
    pub next_try: Option<Timestamp>,
    /// The deployment that this one retries.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_of: Option<DeploymentId>,
    /// The deployment that retries this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retried_by: Option<DeploymentId>,
    /// For a removal: the deployment whose stack it removes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub removes: Option<DeploymentId>,
    /// The last event in this snapshot.
    pub seq: Seq,
    /// The last log entries, oldest first, each a string that contains a JSON object.
    pub logs: Vec<String>,
}

/// The times of an operation's start and end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timestamps {
    /// The time at which it was accepted.
    #[serde(with = "super::time")]
    pub started: Timestamp,
    /// The time at which it ended, if it has.
    #[serde(with = "super::time::optional")]
    pub completed: Option<Timestamp>,
}

/// The reason why a deployment failed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SnapshotError {
    /// The step that failed.
    pub phase: Phase,
    /// One sentence that says what happened.
    pub message: String,
    /// The kind of failure.
    pub code: FailureCode,
    /// The code of the sentence, and its arguments.
    #[serde(rename = "args", default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<MessageCode>,
    /// The reference by which an operator finds the full log.
    pub reference: String,
}

/// The operations to which an operation is linked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Links {
    /// The deployment that this one retries.
    pub retry_of: Option<DeploymentId>,
    /// The deployment that retries this one.
    pub retried_by: Option<DeploymentId>,
    /// For a removal: the deployment whose stack it removes.
    pub removes: Option<DeploymentId>,
}

/// The data of an operation that is not in its events: its end, the results of clean-up since then,
/// and its links.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeploymentMetadata {
    /// The time at which it ended, if it has.
    #[serde(with = "super::time::optional")]
    pub completed: Option<Timestamp>,
    /// The receipt. After a clean-up it is newer than that of the terminal event.
    pub receipt: Option<Receipt>,
    /// The operations to which it is linked.
    pub links: Links,
}

/// The immutable part of an operation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Deployment {
    /// Its id.
    pub id: DeploymentId,
    /// Its kind.
    pub kind: KindName,
    /// The stack that it is about.
    pub name: StackName,
    /// The address at which the stack is, or will be, reached.
    pub url: String,
    /// The time at which it was accepted.
    #[serde(with = "super::time")]
    pub started: Timestamp,
}

impl Deployment {
    /// Returns the snapshot of this operation of `kind`, with its progress and metadata.
    pub fn snapshot(
        &self,
        kind: &Kind,
        progress: &Progress,
        metadata: DeploymentMetadata,
    ) -> Snapshot {
        let DeploymentMetadata { completed, receipt, links } = metadata;
        let failure = progress.failure();
        let message = match progress.phase.status() {
            Status::Success => kind.done_sentence.to_owned(),
            Status::InProgress | Status::Failure => progress.message.clone(),
        };
        Snapshot {
            id: self.id.clone(),
            kind: kind.noun.to_owned(),
            stack_name: self.name.clone(),
            phase: progress.phase,
            status: progress.phase.status(),
            progress: progress.percent,
            message: message.clone(),
            current_step: message,
            code: progress.code.clone(),
            url: self.url.clone(),
            resources: progress.resources.clone(),
            timestamps: Timestamps { started: self.started, completed },
            error: failure.map(|failure| SnapshotError {
                phase: failure.phase,
                message: failure.message.clone(),
                code: failure.code,
                reason: failure.reason.clone(),
                reference: failure.reference.clone(),
            }),
            receipt: progress.receipt_by_now(receipt.as_ref()).cloned(),
            cancelling: false,
            next_try: None,
            retry_of: links.retry_of,
            retried_by: links.retried_by,
            removes: links.removes,
            seq: progress.seq,
            logs: progress.logs.iter().map(ToString::to_string).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::kind::REMOVE;

    #[test]
    fn an_id_holds_its_128_bits_and_reads_back() {
        let id = DeploymentId::from_random(0x7f3a_22c1 << 96);
        assert_eq!(id.as_str(), "dep_7f3a22c1000000000000000000000000");
        assert_eq!(DeploymentId::parse(id.as_str()).unwrap(), id);
        assert_eq!(id.reference(), "7F3A-22C1");
        assert_eq!(DeploymentId::from_random((0x7f3a << 64) + 42).seed(), 42);
    }

    #[test]
    fn what_is_not_an_id_is_refused() {
        let short = format!("dep_{}", "0".repeat(31));
        let upper = format!("dep_{}", "A".repeat(32));
        for text in
            ["", "dep_", "rem_", "op_", "run_00000000000000000000000000000000", &short, &upper]
        {
            assert!(DeploymentId::parse(text).is_err(), "{text:?}");
        }
    }

    proptest! {
        #![proptest_config(test_support::properties())]

        #[test]
        fn whatever_parses_is_an_id_of_the_one_form(
            text in "\\PC{0,40}|(dep|rem|op)_[0-9a-g]{31,33}|(dep|rem|op|run)_[0-9a-f]{32}"
        ) {
            if let Ok(id) = DeploymentId::parse(&text) {
                prop_assert_eq!(id.as_str(), &text);
                prop_assert_eq!(id.reference().len(), 9);
                let (_, digits) = text.split_once('_').unwrap();
                prop_assert_eq!(digits.len(), 32);
                prop_assert!(u128::from_str_radix(digits, 16).is_ok());
            }
        }

        #[test]
        fn every_id_reads_back(bits: u128, is_removal: bool) {
            let kind = if is_removal { &REMOVE } else { &DEPLOY };
            let id = DeploymentId::new(kind, bits);
            prop_assert_eq!(&DeploymentId::parse(id.as_str()).unwrap(), &id);
            let json = serde_json::to_string(&id).unwrap();
            prop_assert_eq!(serde_json::from_str::<DeploymentId>(&json).unwrap(), id);
        }
    }
}
