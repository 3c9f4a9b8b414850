//! Failures: the end of a deployment that is not live, and its exact form on the wire.

use serde::{Deserialize, Serialize};

use crate::{phase::Phase, receipt::Receipt};

/// The data of an `error` event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Failure {
    /// The step that failed.
    pub phase: Phase,
    /// One sentence: what happened.
    pub message: String,
    /// The kind of failure.
    pub code: FailureCode,
    /// The outcome of what was made.
    pub receipt: Receipt,
    /// The reference by which an operator finds the full log.
    pub reference: String,
}

/// The kind of failure that ended a deployment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum FailureCode {
    /// The platform said no, and would say no again.
    PlatformRefused,
    /// The platform did not answer, or not usefully, for too long.
    PlatformUnreachable,
    /// The platform refused the portal's key for too long.
    PlatformKeyRefused,
    /// Something else answers at the stack's address already.
    AddressInUse,
    /// The platform hung, and did not come back in time.
    PlatformWedged,
    /// The image does not exist or may not be pulled.
    ImageNotFound,
    /// The registry of the image asks for another login, or refuses for another reason.
    RegistryRefused,
    /// The registry of the image does not answer, or not usefully.
    RegistryUnreachable,
    /// The platform's Docker does not answer.
    DockerUnreachable,
    /// The platform's own deploy job failed, for another reason.
    DeployFailed,
    /// The container stops again and again.
    CrashLoop,
    /// The stack did not answer in time.
    HealthTimeout,
    /// The stack's certificate did not become valid in time.
    CertificateTimeout,
    /// The deployment as a whole took too long.
    Deadline,
    /// The portal itself lacked something until the deployment's time was up: descriptors, memory,
    /// name resolution, network, or its records.
    PortalImpaired,
    /// The portal's key was changed while the deployment was under way, so that its secrets do not
    /// open any more.
    SecretsSealed,
    /// A person asked for it.
    Cancelled,
    /// We are at fault.
    Internal,
    /// Anything else; the older server's only code, and what an unknown one is read as.
    #[serde(other)]
    DeploymentFailed,
}

impl FailureCode {
    /// Returns the phase a deployment ends in on this failure.
    pub fn end(self) -> Phase {
        if self == Self::Cancelled { Phase::CANCELLED } else { Phase::FAILED }
    }
}

impl Failure {
    /// The prefix, in the message of a cancelled deployment, of the earlier failure.
    const EARLIER: &str = "The deployment was cancelled. Before that: ";

    /// Returns whether nothing had failed until somebody cancelled the deployment.
    pub fn was_requested(&self) -> bool {
        self.code == FailureCode::Cancelled && self.cause_before_cancel().is_none()
    }

    /// Writes the message of a deployment that was cancelled after it had failed with `message`.
    pub fn cancelled_after(message: &str) -> String {
        format!("{}{message}", Self::EARLIER)
    }

    /// Returns what had failed before the deployment was cancelled, if something had.
    pub fn cause_before_cancel(&self) -> Option<&str> {
        self.message.strip_prefix(Self::EARLIER).filter(|_| self.code == FailureCode::Cancelled)
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
        let failure = |code, message: &str| Failure {
            phase: Phase::DEPLOYING,
            message: message.to_owned(),
            code,
            receipt: Receipt::default(),
            reference: String::from("7F3A-22C1"),
        };
        let after = Failure::cancelled_after("The image does not exist.");
        assert_eq!(after, "The deployment was cancelled. Before that: The image does not exist.");
        let cases = [
            (FailureCode::Cancelled, "The deployment was cancelled.", None),
            (FailureCode::Cancelled, after.as_str(), Some("The image does not exist.")),
            (FailureCode::CrashLoop, after.as_str(), None),
        ];
        for (code, message, before) in cases {
            let failure = failure(code, message);
            assert_eq!(failure.cause_before_cancel(), before, "{message}");
            let was_requested = code == FailureCode::Cancelled && before.is_none();
            assert_eq!(failure.was_requested(), was_requested, "{message}");
        }
    }
}
