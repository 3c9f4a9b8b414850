//! Messages and remedies, which are codes with arguments.

use super::{FromJson, Json, by_name, field, optional};
use crate::local_fault::LocalFault;
use crate::message::MessageCode as M;
use crate::phase::Phase;
use crate::remedy::Remedy;

/// The messages without arguments.
const PLAIN: [(&str, M); 30] = [
    ("WAITING_FOR_PLATFORM", M::WaitingForPlatform),
    ("WAITING_FOR_KEY", M::WaitingForKey),
    ("WAITING_FOR_HANG", M::WaitingForHang),
    ("WAITING_FOR_TURN", M::WaitingForTurn),
    ("WAITING_FOR_ADDRESS", M::WaitingForAddress),
    ("WAITING_FOR_JOB", M::WaitingForJob),
    ("WAITING_FOR_CERTIFICATE", M::WaitingForCertificate),
    ("WAITING_FOR_CONTAINER", M::WaitingForContainer),
    ("CONTAINER_UNKNOWN", M::ContainerUnknown),
    ("WAITING_FOR_BOTH", M::WaitingForBoth),
    ("REMOVING_PROJECT", M::RemovingProject),
    ("REMOVING_ADDRESS", M::RemovingAddress),
    ("STOPPING_CONTAINER", M::StoppingContainer),
    ("REMOVING_VOLUMES", M::RemovingVolumes),
    ("CANCELLED", M::Cancelled),
    ("PANICKED", M::Panicked),
    ("STATE_LOST", M::StateLost),
    ("OVERDUE", M::Overdue),
    ("SECRETS_SEALED", M::SecretsSealed),
    ("SPEC_LOST", M::SpecLost),
    ("NO_ENVIRONMENT", M::NoEnvironment),
    ("DOCKER_UNREACHABLE", M::DockerUnreachable),
    ("IMAGE_NOT_FOUND", M::ImageNotFound),
    ("REGISTRY_REFUSED", M::RegistryRefused),
    ("REGISTRY_UNREACHABLE", M::RegistryUnreachable),
    ("START_FAILED", M::StartFailed),
    ("JOB_LOST", M::JobLost),
    ("NO_CERTIFICATE", M::NoCertificate),
    ("STILL_RUNNING", M::StillRunning),
    ("NOT_ALL_REMOVED", M::NotAllRemoved),
];

impl FromJson for M {
    fn from_json<J: Json>(json: &J) -> Option<Self> {
        let code: String = field(json, "code")?;
        if let Some((_, message)) = PLAIN.iter().find(|(name, _)| *name == code) {
            return Some(message.clone());
        }
        let args = json.get("args")?;
        let phase = || field::<Phase, _>(&args, "phase");
        let seconds = || field(&args, "seconds");
        Some(match code.as_str() {
            "WAITING_FOR_PORTAL" => Self::WaitingForPortal { fault: field(&args, "fault")? },
            "JOB_QUEUED" => Self::JobQueued { before: field(&args, "before")? },
            "CANCELLED_AFTER" => Self::CancelledAfter {
                message: field(&args, "message")?,
                reason: optional::<Self, _>(&args, "reason")?.map(Box::new),
            },
            "PLATFORM_HUNG" => Self::PlatformHung { phase: phase()? },
            "PORTAL_LACKED" => {
                Self::PortalLacked { fault: field(&args, "fault")?, phase: phase()? }
            }
            "CALL_REFUSED" => Self::CallRefused { phase: phase()? },
            "KEY_REFUSED" => Self::KeyRefused { phase: phase()? },
            "NO_ANSWER" => Self::NoAnswer { phase: phase()? },
            "ADDRESS_IN_USE" => Self::AddressInUse { host: field(&args, "host")? },
            "CRASH_LOOP" => Self::CrashLoop { exit_code: optional(&args, "exitCode")? },
            "NOT_HEALTHY" => Self::NotHealthy {
                seconds: seconds()?,
                status: field(&args, "status")?,
                path: optional(&args, "path")?,
            },
            "NO_CONTAINER" => Self::NoContainer { seconds: seconds()? },
            "STACK_SILENT" => Self::StackSilent { seconds: seconds()? },
            _ => return None,
        })
    }
}

by_name! { LocalFault:
    "resources" => Resources,
    "names" => Names,
    "network" => Network,
    "records" => Database,
}

impl FromJson for Remedy {
    /// Reads a remedy as its sentence, which stands beside the code: a page shows no more of it, and
    /// the sentence tells what kind of remedy it is.
    fn from_json<J: Json>(json: &J) -> Option<Self> {
        field(json, "remedy").map(Self::Sentence)
    }
}
