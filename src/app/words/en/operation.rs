//! The words of the page of an operation, except for those of its island.

use domain::stack_name::StackName;

pub(crate) const GENERATED: &str = "Generated for your stack";
pub(crate) const GENERATED_SECRETS: &str = "Generated secrets";
pub(crate) const REVEAL_LEAD: &str = "They are shown to you alone, within ten minutes after you \
                                      signed in, and it is recorded that they were.";
pub(crate) const REVEAL: &str = "Show them again";
pub(crate) const SIGN_IN_AGAIN: &str = "Sign in again";
pub(crate) const GENERATED_LEAD: &str =
    "Copy this now: it is shown only once. You need it to get into your stack.";
/// The same for the owner who can have them shown again.
pub(crate) const GENERATED_LEAD_OWN: &str = "Copy this now: you need it to get into your stack. While \
     the stack is live, you can have it shown again within ten minutes after you signed in.";
/// What is added for a page without scripts, which otherwise refreshes itself.
pub(crate) const GENERATED_STAYS: &str =
    "Then load this page again to follow your stack: while it shows this, it stays as it is.";
pub(crate) const SECRETS_LOST: &str = "The portal's key does not open the secrets of this stack. The \
     stack runs on, but its secrets must be set again: remove it, and start it anew with the form. An \
     operator can also bring back the key with which they were encrypted.";
/// The link to the form that is filled with the answers.
pub(crate) const FILL_IN_AGAIN: &str = "Fill in the form again";
pub(crate) const COOKIE_REFUSED: &str = "Your browser refused our cookie, so this stack belongs to whoever has the address of this page. \
     Keep the address: you need it to remove the stack. To own the stacks that you start, allow \
     cookies for this site.";
pub(crate) const REMOVING: &str = "Removing";
pub(crate) const REMOVED: &str = "Removed";
pub(crate) const REMOVAL_STARTED: &str = "The stack was live. Its removal has started.";
pub(crate) const SEE_REMOVAL: &str = "See the removal";
pub(crate) const REMOVAL_DONE: &str = "The stack was live and has been removed.";

pub(crate) const NOT_FOUND: &str = "Deployment not found";
pub(crate) const NOT_FOUND_LEAD: &str = "Check the address: the id after the last slash must be \
     complete. Deployments that ended a long time ago are deleted.";
pub(crate) const UNAVAILABLE: &str = "Deployment not available";
pub(crate) const UNAVAILABLE_HEADING: &str = "We cannot show this deployment now";
pub(crate) const UNAVAILABLE_LEAD: &str =
    "The deployment continues without this page. Reload the page in a moment.";

/// Returns the heading while the stack is being removed.
pub(crate) fn is_being_removed(name: &StackName) -> String {
    format!("{name} is being removed")
}

/// Returns the heading after the stack was removed.
pub(crate) fn was_removed(name: &StackName) -> String {
    format!("{name} was removed")
}

/// Returns the label of the link to deploy the name again.
pub(crate) fn deploy_again(name: &StackName) -> String {
    format!("Deploy {name} again")
}
