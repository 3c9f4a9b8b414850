//! How many stacks there are: in which states, and of which versions of which templates.

use std::collections::BTreeMap;

use super::super::Service;
use crate::server::catalogue::Audience;
use crate::server::store::Result;
use domain::kind::StackStatus;

/// The number of stacks that are not gone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StackCounts {
    /// The number of those in each state that some are in.
    pub states: Vec<(StackStatus, usize)>,
    /// The number of those of each version of a template, by template and version.
    pub versions: Vec<VersionLine>,
}

/// The stacks of one version of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionLine {
    /// The id of the template.
    pub template: String,
    /// The version; `None` for stacks of which it is not known.
    pub version: Option<String>,
    /// The number of stacks.
    pub stacks: usize,
    /// What is offered of the template now.
    pub offer: VersionOffer,
}

/// What is offered of a template now, to somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VersionOffer {
    /// This version.
    This,
    /// This other version.
    Other(String),
    /// None: the template is no longer offered.
    Nothing,
}

impl Service {
    /// Counts the stacks that are not gone.
    pub(super) async fn stack_counts(&self) -> Result<StackCounts> {
        let present = self.parts.store.present_stacks(None).await?;
        let revisions = present.iter().map(|one| one.stack.revision).collect();
        let versions = self.versions_of(revisions).await;
        let (mut by_state, mut by_version) = (BTreeMap::new(), BTreeMap::new());
        for one in present {
            *by_state.entry(self.status_of(&one.stack)).or_default() += 1;
            let version = versions.get(&one.stack.revision).cloned();
            *by_version.entry((one.stack.template, version)).or_default() += 1;
        }
        let line = |((template, version), stacks): ((String, Option<String>), usize)| VersionLine {
            offer: self.version_offer(&template, version.as_deref()),
            template,
            version,
            stacks,
        };
        Ok(StackCounts {
            states: by_state.into_iter().collect(),
            versions: by_version.into_iter().map(line).collect(),
        })
    }

    fn version_offer(&self, template: &str, version: Option<&str>) -> VersionOffer {
        match self.parts.offers.find(&Audience::Operator, template) {
            None => VersionOffer::Nothing,
            Some(entry) if version == Some(&*entry.template.version) => VersionOffer::This,
            Some(entry) => VersionOffer::Other(entry.template.version.clone()),
        }
    }
}
