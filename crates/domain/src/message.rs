//! Messages: what a person reads about an operation, as a code with its arguments.
//!
//! The journal and the events keep the code, and limits are counted by it across restarts. The
//! sentence is made from it where it leaves the portal. It must not know any language.

use serde::{Deserialize, Deserializer, Serialize};

use crate::local_fault::LocalFault;
use crate::phase::Phase;

/// A message that says more than the phase alone. On the wire it is `code` and `args`.
///
/// Its codes and arguments are persisted: never rename.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(
    tag = "code",
    content = "args",
    rename_all = "SCREAMING_SNAKE_CASE",
    rename_all_fields = "camelCase"
)]
pub enum MessageCode {
    /// Calls to the platform are paused.
    WaitingForPlatform,
    /// The platform refuses the portal's key.
    WaitingForKey,
    /// The platform hangs.
    WaitingForHang,
    /// Other operations' calls come first.
    WaitingForTurn,
    /// The portal itself has a local fault.
    WaitingForPortal {
        /// The fault.
        fault: LocalFault,
    },
    /// Something answers at the address still.
    WaitingForAddress,
    /// The list of jobs says that ours runs, and the queue does not have it.
    WaitingForJob,
    /// The job waits in the platform's queue.
    JobQueued {
        /// The number of jobs before it.
        before: usize,
    },
    /// Only the certificate is missing.
    WaitingForCertificate,
    /// Only the container is missing.
    WaitingForContainer,
    /// The platform does not show whether the container runs.
    ContainerUnknown,
    /// Neither the stack nor the platform can be reached.
    WaitingForBoth,
    /// A removal removes the project.
    RemovingProject,
    /// A removal removes the address.
    RemovingAddress,
    /// A removal removes the application, which stops the container.
    StoppingContainer,
    /// A removal removes the volumes.
    RemovingVolumes,
    /// A person cancelled the deployment.
    Cancelled,
    /// A person cancelled the deployment after it had failed.
    CancelledAfter {
        /// The English sentence of the failure, which an older version kept without its code.
        message: String,
        /// The failure.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Box<Self>>,
    },
    /// The operation panicked again and again.
    Panicked,
    /// The journal has no cause.
    StateLost,
    /// The time of the step, or of the whole deployment, was up.
    Overdue,
    /// The platform hung until the time was up.
    PlatformHung {
        /// The phase in which it did.
        phase: Phase,
    },
    /// The portal itself had a local fault until the time was up.
    PortalLacked {
        /// The fault.
        fault: LocalFault,
        /// The phase in which it did.
        phase: Phase,
    },
    /// The secrets of the stack do not open.
    SecretsSealed,
    /// What the stack is made of cannot be read.
    SpecLost,
    /// The platform refused a call.
    CallRefused {
        /// The phase in which it did.
        phase: Phase,
    },
    /// The platform refused the portal's key.
    KeyRefused {
        /// The phase in which it did.
        phase: Phase,
    },
    /// The platform did not answer.
    NoAnswer {
        /// The phase in which it did not.
        phase: Phase,
    },
    /// Something else answers at the stack's address.
    AddressInUse {
        /// The host of the address.
        host: String,
    },
    /// The platform made a project without an environment.
    NoEnvironment,
    /// The platform's Docker does not answer.
    DockerUnreachable,
    /// There is no such image.
    ImageNotFound,
    /// The registry refused to give the image.
    RegistryRefused,
    /// The registry did not answer.
    RegistryUnreachable,
    /// The platform's deploy job failed for another reason.
    StartFailed,
    /// The platform lost the deploy job again and again.
    JobLost,
    /// The container stops again and again.
    CrashLoop {
        /// Its exit code, where the platform told one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        exit_code: Option<String>,
    },
    /// There was no valid certificate in time.
    NoCertificate,
    /// The stack answered that it is not well.
    NotHealthy {
        /// The seconds that it had.
        seconds: u64,
        /// The HTTP status of its last answer.
        status: u16,
        /// The path that gave it, if several paths are asked.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        path: Option<String>,
    },
    /// The address answered, and the stack's container did not run.
    NoContainer {
        /// The seconds that it had.
        seconds: u64,
    },
    /// The stack did not answer.
    StackSilent {
        /// The seconds that it had.
        seconds: u64,
    },
    /// The container still runs.
    StillRunning,
    /// A removal could not remove everything yet.
    NotAllRemoved,
}

/// Reads a message that may be missing, or of a newer version, as `None`: its sentence stands
/// beside it.
///
/// # Errors
///
/// Fails where the text is no JSON.
pub fn lenient<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<MessageCode>, D::Error> {
    let value = serde_json::Value::deserialize(deserializer)?;
    Ok(serde_json::from_value(value).ok())
}
