//! Failures: the unsuccessful end of an operation, and its exact format on the wire.

use serde::{Deserialize, Serialize};
use strum::{EnumIter, IntoEnumIterator, IntoStaticStr};

use crate::message::{self, MessageCode};
use crate::phase::Phase;
use crate::receipt::Receipt;
use crate::words;

/// The data of an `error` event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Failure {
    /// The step that failed.
    pub phase: Phase,
    /// One English sentence: what happened.
    pub message: String,
    /// The kind of failure.
    pub code: FailureCode,
    /// The code of the sentence, and its arguments.
    #[serde(
        rename = "args",
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "message::lenient"
    )]
    pub reason: Option<MessageCode>,
    /// The outcome for each created resource.
    pub receipt: Receipt,
    /// The reference by which an operator finds the full log.
    pub reference: String,
}

/// The kind of failure that ended a deployment.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, IntoStaticStr, Serialize, Deserialize,
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
pub enum FailureCode {
    /// The platform rejected a call, and would reject a repetition as well.
    PlatformRefused,
    /// The platform did not answer, or only with errors, for too long.
    PlatformUnreachable,
    /// The platform rejected the portal's key for too long.
    PlatformKeyRefused,
    /// Something else already answers at the stack's address.
    AddressInUse,
    /// The platform hung, and did not recover in time.
    PlatformWedged,
    /// The image does not exist or may not be pulled.
    ImageNotFound,
    /// The registry of the image rejected the login, or the pull for another reason.
    RegistryRefused,
    /// The registry of the image did not answer, or only with errors.
    RegistryUnreachable,
    /// The platform's Docker does not answer.
    DockerUnreachable,
    /// The platform's own deploy job failed, for another reason.
    DeployFailed,
    /// The container stops repeatedly.
    CrashLoop,
    /// The stack did not answer in time.
    HealthTimeout,
    /// The stack's certificate did not become valid in time.
    CertificateTimeout,
    /// The container still ran a minute after it was stopped.
    StillRunning,
    /// The deployment as a whole took too long.
    Deadline,
    /// A local fault of the portal lasted until the deployment's deadline: descriptors, memory,
    /// name resolution, network, or the database.
    PortalImpaired,
    /// The deployment's secrets could not be decrypted, because the portal no longer has the key.
    SecretsSealed,
    /// A person cancelled it.
    Cancelled,
    /// An error in the portal.
    Internal,
    /// Any other failure. It is the only code of the older server, and the meaning of an unknown
    /// code.
    #[serde(other)]
    DeploymentFailed,
}

impl FailureCode {
    /// Returns all codes.
    pub fn all() -> impl Iterator<Item = Self> {
        Self::iter()
    }

    /// Returns the code on the wire.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// Returns the phase a deployment ends in on this failure.
    pub fn end(self) -> Phase {
        if self == Self::Cancelled { Phase::CANCELLED } else { Phase::FAILED }
    }
}

impl Failure {
    /// Returns whether the deployment was cancelled before anything had failed.
    pub fn was_requested(&self) -> bool {
        self.code == FailureCode::Cancelled && self.cause_before_cancel().is_none()
    }

    /// Returns the message of the failure before the deployment was cancelled, if there was one. An
    /// older version recorded the sentence alone.
    pub fn cause_before_cancel(&self) -> Option<&str> {
        match &self.reason {
            Some(MessageCode::CancelledAfter { message, .. }) => Some(message),
            None if self.code == FailureCode::Cancelled => {
                self.message.strip_prefix(words::message::CANCELLED_AFTER)
            }
            Some(_) | None => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_failure_code_is_read_as_the_older_servers_only_one() {
        let code: FailureCode = serde_json::from_str("\"SOMETHING_NEW\"").unwrap();
        assert_eq!(code, FailureCode::DeploymentFailed);
    }

    #[test]
    fn a_cancelled_deployment_tells_what_had_failed_before() {
        let failure = |code, reason: Option<MessageCode>, message: &str| Failure {
            phase: Phase::DEPLOYING,
            message: message.to_owned(),
            code,
            reason,
            receipt: Receipt::default(),
            reference: String::from("7F3A-22C1"),
        };
        let before = "The stack's image could not be found. An operator must check it.";
        let reason = Some(Box::new(MessageCode::ImageNotFound));
        let after = MessageCode::CancelledAfter { message: before.to_owned(), reason };
        let words = words::message::sentence(&after);
        assert_eq!(words, format!("The deployment was cancelled. Before that: {before}"));
        let requested = words::message::sentence(&MessageCode::Cancelled);
        let cases = [
            (FailureCode::Cancelled, Some(MessageCode::Cancelled), requested.as_str(), None),
            (FailureCode::Cancelled, Some(after), words.as_str(), Some(before)),
            (FailureCode::CrashLoop, Some(MessageCode::StartFailed), "It failed.", None),
            // As older versions wrote them.
            (FailureCode::Cancelled, None, requested.as_str(), None),
            (FailureCode::Cancelled, None, words.as_str(), Some(before)),
            (FailureCode::CrashLoop, None, words.as_str(), None),
        ];
        for (code, reason, message, before) in cases {
            let failure = failure(code, reason, message);
            assert_eq!(failure.cause_before_cancel(), before, "{failure:?}");
            let was_requested = code == FailureCode::Cancelled && before.is_none();
            assert_eq!(failure.was_requested(), was_requested, "{failure:?}");
            let written = serde_json::to_string(&failure).unwrap();
            assert_eq!(serde_json::from_str::<Failure>(&written).unwrap(), failure);
        }
    }
}
