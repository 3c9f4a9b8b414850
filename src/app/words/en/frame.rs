//! The words around every page, and of the pages that only show a message.

use crate::wire::PlatformStatus;
use domain::platform_problem::PlatformProblem;

/// The language of these words, as the document names it.
pub(crate) const LANGUAGE: &str = "en";
/// The name of the portal, which is also the title of the home page.
pub(crate) const PORTAL: &str = "AI Stack Deployer";
/// The description of the portal for search engines.
pub(crate) const DESCRIPTION: &str =
    "Start your own AI stack and watch it come up at its own address.";
pub(crate) const SKIP: &str = "Skip to the content";
pub(crate) const ADMIN: &str = "Admin";
pub(crate) const ACCOUNT: &str = "Account";
pub(crate) const SIGN_IN: &str = "Sign in";
pub(crate) const FOOTER: &str = "If a deployment fails, the portal removes what it created.";

pub(crate) const NOT_FOUND: &str = "Page not found";
pub(crate) const NOT_FOUND_LEAD: &str = "Check the address. The page may have been removed.";
pub(crate) const GO_HOME: &str = "Go to the home page";

/// Returns the words for the known state of the platform.
pub(crate) fn platform(status: &PlatformStatus) -> &'static str {
    match status {
        PlatformStatus { too_old: true, .. } => "Platform too old",
        PlatformStatus { problem: Some(PlatformProblem::Wedged), .. } => "Platform hangs",
        PlatformStatus { problem: Some(PlatformProblem::KeyRefused), .. } => {
            "Platform rejects the key"
        }
        PlatformStatus { reachable: false, .. } => "Platform not answering",
        PlatformStatus { sandbox: false, .. } => "Platform ready",
        PlatformStatus { sandbox: true, .. } => "Sandbox ready",
    }
}
