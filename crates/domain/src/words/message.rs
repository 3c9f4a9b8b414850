//! The sentences of the messages about an operation.

use super::{exit, fault};
use crate::local_fault::LocalFault;
use crate::message::MessageCode;
use crate::phase::Phase;

/// Returns the sentence that a person reads.
pub fn sentence(code: &MessageCode) -> String {
    use MessageCode as M;
    let plain = match code {
        M::WaitingForPlatform => WAITING_FOR_PLATFORM,
        M::WaitingForKey => WAITING_FOR_KEY,
        M::WaitingForHang => WAITING_FOR_HANG,
        M::WaitingForTurn => WAITING_FOR_TURN,
        M::WaitingForPortal { fault } => fault::waiting(*fault),
        M::WaitingForAddress => WAITING_FOR_ADDRESS,
        M::WaitingForJob => WAITING_FOR_JOB,
        M::JobQueued { before } => return format!("{QUEUED}{}", queued(*before)),
        M::WaitingForCertificate => WAITING_FOR_CERTIFICATE,
        M::WaitingForContainer => WAITING_FOR_CONTAINER,
        M::ContainerUnknown => CONTAINER_UNKNOWN,
        M::WaitingForBoth => WAITING_FOR_BOTH,
        M::RemovingProject => "Removing the project",
        M::RemovingAddress => "Removing the address",
        M::StoppingContainer => "Stopping the container",
        M::RemovingVolumes => "Removing the volumes",
        M::Cancelled => "The deployment was cancelled.",
        M::CancelledAfter { message, .. } => return format!("{CANCELLED_AFTER}{message}"),
        M::Panicked => "The portal had an internal error several times in a row.",
        M::StateLost => "The portal had an internal error and lost the state of this deployment.",
        M::Overdue => "It took too long, so the portal stopped waiting.",
        M::PlatformHung { phase } => {
            let doing = doing(*phase);
            return format!("The platform hung while {doing}, and did not come back in time.");
        }
        M::PortalLacked { fault, phase } => {
            return format!(
                "{} while {}, until the time was up.",
                fault::past(*fault),
                doing(*phase)
            );
        }
        M::SecretsSealed => {
            "The portal cannot open this deployment's secrets. Try again, or tell an operator."
        }
        M::SpecLost => {
            "The portal cannot read what this stack is made of. Try again, or tell an operator."
        }
        M::CallRefused { phase } => {
            return format!("The platform refused a request while {}.", doing(*phase));
        }
        M::KeyRefused { phase } => {
            let doing = doing(*phase);
            return format!("The platform did not accept the portal's key while {doing}.");
        }
        M::NoAnswer { phase } => {
            let doing = doing(*phase);
            return format!("The platform did not answer while {doing}, after several tries.");
        }
        M::AddressInUse { host } => {
            return format!(
                "Something else already answers at {host}, so nothing was started. Choose another \
                 name, or tell the operator."
            );
        }
        M::NoEnvironment => "The platform made the project without an environment.",
        M::DockerUnreachable => "The platform's Docker does not answer. An operator must check it.",
        M::ImageNotFound => "The stack's image could not be found. An operator must check it.",
        M::RegistryRefused => {
            "The registry denied access to the stack's image. An operator must check it."
        }
        M::RegistryUnreachable => {
            "The registry of the stack's image did not answer. Try again later, or ask an operator."
        }
        M::StartFailed => "The platform could not start the container.",
        M::JobLost => "The platform repeatedly lost the job that starts the container.",
        M::CrashLoop { exit_code: Some(code) } => {
            return format!(
                "The container stopped right after starting: it ended {}.",
                exit::with_code(code)
            );
        }
        M::CrashLoop { exit_code: None } => "The container could not be kept running.",
        M::NoCertificate => "The address did not get a valid certificate in time.",
        M::NotHealthy { seconds, status, path } => {
            let what = path.as_ref().map_or("it", |path| path);
            return format!(
                "The stack did not become healthy within {seconds} seconds ({what} answers with \
                 status {status})."
            );
        }
        M::NoContainer { seconds } => {
            return format!(
                "Something answers at the address, but the stack's container did not run within \
                 {seconds} seconds."
            );
        }
        M::StackSilent { seconds } => {
            return format!("The stack did not answer within {seconds} seconds.");
        }
        M::StillRunning => "The container still ran a minute after it was told to stop.",
        M::NotAllRemoved => "Not everything could be removed yet. We keep trying.",
    };
    plain.to_owned()
}

/// Returns the code of a message that an older version recorded as the `sentence` alone, if limits
/// are counted by it or it is taken back.
///
/// It does not ask [`sentence`], of which the browser needs nothing else.
pub(crate) fn code_of_older(sentence: &str) -> Option<MessageCode> {
    use MessageCode as M;
    if let Some((code, _)) = OLDER.iter().find(|(_, known)| *known == sentence) {
        return Some(code.clone());
    }
    if let Some(place) = sentence.strip_prefix(QUEUED) {
        let before = (0..10).find(|before| queued(*before) == place)?;
        return Some(M::JobQueued { before });
    }
    let fault = LocalFault::ALL.into_iter().find(|fault| fault::waiting(*fault) == sentence)?;
    Some(M::WaitingForPortal { fault })
}

const WAITING_FOR_PLATFORM: &str = "Waiting for the platform to answer again";
const WAITING_FOR_KEY: &str = "Waiting for the platform to accept the portal's key again";
const WAITING_FOR_HANG: &str = "The platform hangs. We wait until it answers again";
const WAITING_FOR_TURN: &str = "Waiting for its turn: the platform is busy with other stacks";
const WAITING_FOR_ADDRESS: &str = "Waiting for the address to become free";
const WAITING_FOR_JOB: &str = "Waiting for the platform to say how the start went";
const WAITING_FOR_CERTIFICATE: &str = "Waiting for the address to get its certificate";
/// What answers is the former container while a stack is changed or restarted.
const WAITING_FOR_CONTAINER: &str =
    "The address answers already, but not yet from the stack's new container";
/// The sentence of older versions.
const WAITED_FOR_CONTAINER: &str =
    "The address answers, but the stack's container does not run yet";
const CONTAINER_UNKNOWN: &str =
    "The address answers; waiting for the platform to show the stack's container";
const WAITING_FOR_BOTH: &str =
    "Neither the stack nor the platform can be reached: waiting for both";

/// What stands before the place in the platform's queue.
const QUEUED: &str = "Starting the container: ";

/// The messages without arguments that older versions recorded as their sentences alone.
const OLDER: [(MessageCode, &str); 11] = [
    (MessageCode::WaitingForPlatform, WAITING_FOR_PLATFORM),
    (MessageCode::WaitingForKey, WAITING_FOR_KEY),
    (MessageCode::WaitingForHang, WAITING_FOR_HANG),
    (MessageCode::WaitingForTurn, WAITING_FOR_TURN),
    (MessageCode::WaitingForAddress, WAITING_FOR_ADDRESS),
    (MessageCode::WaitingForJob, WAITING_FOR_JOB),
    (MessageCode::WaitingForCertificate, WAITING_FOR_CERTIFICATE),
    (MessageCode::WaitingForContainer, WAITING_FOR_CONTAINER),
    (MessageCode::WaitingForContainer, WAITED_FOR_CONTAINER),
    (MessageCode::ContainerUnknown, CONTAINER_UNKNOWN),
    (MessageCode::WaitingForBoth, WAITING_FOR_BOTH),
];

/// What stands before the failure in the sentence of a deployment that was cancelled after it.
pub(crate) const CANCELLED_AFTER: &str = "The deployment was cancelled. Before that: ";

/// Says where in the platform's queue a job is that has `before` others before it.
pub fn queued(before: usize) -> String {
    let place = before + 1;
    let ending = match (place % 10, place % 100) {
        _ if before == 0 => return String::from("next in the platform's queue"),
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    format!("{place}{ending} in the platform's queue")
}

/// Puts a phase into the middle of a sentence.
fn doing(phase: Phase) -> &'static str {
    match phase {
        Phase::INITIALIZING => "getting ready",
        Phase::CREATING_PROJECT => "creating the project",
        Phase::GETTING_ENVIRONMENT => "finding the project's environment",
        Phase::CREATING_APPLICATION => "creating the application",
        Phase::CONFIGURING_APPLICATION => "configuring the application",
        Phase::CREATING_DOMAIN => "attaching the address",
        Phase::DEPLOYING => "starting the container",
        Phase::VERIFYING_HEALTH => "checking that the stack answers",
        Phase::COMPLETED => "finishing",
        Phase::ROLLING_BACK | Phase::FAILED | Phase::CANCELLED => "removing what was made",
        Phase::REMOVING | Phase::REMOVED => "removing the stack",
        _ => "working on the stack",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_in_the_queue_is_an_ordinal() {
        let places = [0, 1, 2, 3, 10, 11, 12, 20, 21, 22, 23, 92, 110, 120].map(queued);
        let expected = [
            "next", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "22nd", "23rd", "24th",
            "93rd", "111th", "121st",
        ];
        for (place, expected) in places.iter().zip(expected) {
            assert_eq!(*place, format!("{expected} in the platform's queue"));
        }
    }

    #[test]
    fn the_codes_of_older_messages_are_known_by_their_sentences() {
        use MessageCode as M;
        let plain = OLDER.map(|(code, _)| code);
        let faults = LocalFault::ALL.map(|fault| M::WaitingForPortal { fault });
        let queued = (0..10).map(|before| M::JobQueued { before });
        for code in plain.into_iter().chain(faults).chain(queued) {
            assert_eq!(code_of_older(&sentence(&code)), Some(code));
        }
        for other in [sentence(&M::RemovingProject), sentence(&M::JobQueued { before: 10 })] {
            assert_eq!(code_of_older(&other), None);
        }
    }

    #[test]
    fn a_wait_for_a_container_is_known_by_its_former_sentence_as_well() {
        let former = "The address answers, but the stack's container does not run yet";
        assert_eq!(code_of_older(former), Some(MessageCode::WaitingForContainer));
        assert_ne!(sentence(&MessageCode::WaitingForContainer), former);
    }

    #[test]
    fn an_exit_code_is_behind_plain_words() {
        let crash =
            |code: &str| sentence(&MessageCode::CrashLoop { exit_code: Some(code.to_owned()) });
        let started = "The container stopped right after starting: it ended";
        assert_eq!(crash("1"), format!("{started} with an error (exit code 1)."));
        assert_eq!(crash("0"), format!("{started} without an error (exit code 0)."));
    }
}
