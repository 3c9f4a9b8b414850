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
        format!("{}{stack}-", self.volumes_prefix())
    }

    /// Returns the stack whose volume `name` is, and the key of the volume; `None` if it is not a
    /// volume of this portal.
    pub fn parse_volume<'a>(&self, name: &'a str) -> Option<(StackId, &'a str)> {
        let (stack, key) = name.strip_prefix(&self.volumes_prefix())?.split_once('-')?;
        Some((StackId::parse(stack)?, key))
    }

    /// Returns what the names of all volumes of this portal begin with. Those of another portal may
    /// begin with it as well.
    fn volumes_prefix(&self) -> String {
        format!("asd-{}-", self.portal_name)
    }

    /// Returns the prefix of all markers of this portal.
    pub fn marker_prefix(&self) -> String {
        format!("ai-stack-deployer/{}/", self.portal_name)
    }
}
