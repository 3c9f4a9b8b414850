//! How the resources of a stack are marked, by which they are found again.

use super::StackSettings;
use domain::stack_id::StackId;

impl StackSettings {
    /// Returns the marker of all resources of `stack`, by which they are found and recognised as
    /// this portal's.
    pub fn marker(&self, stack: StackId) -> String {
        format!("{}{}", self.marker_prefix(), stack.deployment())
    }

    /// Returns what the names of the volumes of `stack` begin with.
    pub fn volume_prefix(&self, stack: StackId) -> String {
        format!("asd-{}-{stack}-", self.portal_name)
    }

    /// Returns the prefix of all markers of this portal.
    pub fn marker_prefix(&self) -> String {
        format!("ai-stack-deployer/{}/", self.portal_name)
    }
}
