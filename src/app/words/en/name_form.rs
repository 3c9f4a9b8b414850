//! The words of the name form.

#[cfg(feature = "ssr")]
use crate::wire::PlatformStatus;
#[cfg(feature = "ssr")]
use domain::platform_problem::PlatformProblem;

pub(crate) use domain::words::name::rule;

#[cfg(feature = "ssr")]
pub(crate) const NAME: &str = "Name";

/// The placeholder for a name in the address line.
pub(crate) const PLACEHOLDER: &str = "your-name";
/// What follows the address of a name that is available.
pub(crate) const IS_AVAILABLE: &str = " is available";
/// What follows a name that is taken.
pub(crate) const IS_TAKEN: &str = " is taken";
/// What precedes similar names that are available.
pub(crate) const FREE: &str = "Free: ";

/// Returns a warning if a start would fail because of the platform's state.
#[cfg(feature = "ssr")]
pub(crate) fn warning(platform: &PlatformStatus) -> Option<&'static str> {
    match platform {
        PlatformStatus { too_old: true, .. } => Some(
            "The platform is too old for this portal, so a new stack could not be started. An \
             operator must update it.",
        ),
        PlatformStatus { problem: Some(PlatformProblem::Wedged), .. } => Some(
            "The platform hangs, so a new stack could not be started. The portal has reported this \
             to its operators.",
        ),
        PlatformStatus { problem: Some(PlatformProblem::KeyRefused), .. } => Some(
            "The platform does not accept the portal's key, so a new stack could not be started. \
             An operator must configure another key.",
        ),
        PlatformStatus { reachable: false, .. } => Some(
            "The platform does not answer right now, so a new stack could not be started. Try \
             again in a minute.",
        ),
        PlatformStatus { .. } => None,
    }
}
