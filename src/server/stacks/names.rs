//! Checks whether a name is available.

use super::platform_cache::PlatformSnapshot;
use super::{New, Service};
use crate::server::auth::access::Caller;
use crate::wire::NameVerdict;
use domain::stack_name::{MAX_LENGTH, ParseStackNameError, StackName};

/// The number of free names that are suggested in place of a taken one.
const SUGGESTIONS: usize = 2;

impl Service {
    /// Returns whether `input` is available to a caller as a name. This is advisory: only the start
    /// reserves the name. While the platform is unavailable, only the database is checked.
    pub(crate) async fn check_name(&self, caller: &Caller, input: &str) -> NameVerdict {
        let name = match self.parse_name(input) {
            Ok(name) => name,
            Err(rule) => return NameVerdict::invalid(input, rule),
        };
        let url = self.parts.stack.url(&name);
        let mut candidates = alternatives(&name);
        candidates.retain(|candidate| self.parse_name(candidate.as_str()).is_ok());
        candidates.insert(0, name.clone());
        let mut free = self.free(candidates).await;
        if free.contains(&name) && self.is_kept(caller, &name).await {
            free.retain(|other| *other != name);
        }
        if free.contains(&name) {
            return NameVerdict::Free { name, url };
        }
        let suggestions = free.into_iter().take(SUGGESTIONS).collect();
        NameVerdict::Taken { name, url, suggestions }
    }

    /// Returns whether a free name is still reserved for a former owner other than the caller.
    async fn is_kept(&self, caller: &Caller, name: &StackName) -> bool {
        let now = self.parts.clock.now();
        let quota = self.quota(&New::of(caller, name.as_str()));
        let Some(since) = quota.held_since(now) else { return false };
        let freed = self.parts.store.freed(name, since).await.unwrap_or_default();
        quota.admit_name(caller.identity.owner(), freed.as_ref(), now).is_err()
    }

    /// Checks `input` against the rules and the names that this portal reserves.
    pub(super) fn parse_name(&self, input: &str) -> Result<StackName, ParseStackNameError> {
        if self.parts.reserved_names.iter().any(|reserved| reserved == input) {
            return Err(ParseStackNameError::Reserved);
        }
        StackName::for_new_stack(input)
    }

    async fn free(&self, mut names: Vec<StackName>) -> Vec<StackName> {
        let reserved = self.parts.store.reserved(&names).await.unwrap_or_else(|error| {
            tracing::error!(error = %error, "Could not look up names");
            Vec::new()
        });
        names.retain(|name| !reserved.contains(name));
        let elsewhere = |snapshot: &PlatformSnapshot, name: &StackName| {
            snapshot
                .names_in_use
                .as_ref()
                .is_some_and(|names_in_use| names_in_use.has(name, &self.parts.stack))
        };
        let mut snapshot = self.platform_cache.current().await;
        if names.iter().any(|name| elsewhere(&snapshot, name)) {
            let recent = self.platform_cache.recent().await;
            snapshot = if recent.names_in_use.is_some() { recent } else { snapshot };
        }
        names.retain(|name| !elsewhere(&snapshot, name));
        names
    }
}

/// Returns names like `name`, the best suggestion first.
fn alternatives(name: &StackName) -> Vec<StackName> {
    let numbered = (2..=9).map(|number| format!("-{number}"));
    let endings = ["-ai", "-lab", "-stack"].map(String::from);
    let joined = |ending: &String| {
        let room = MAX_LENGTH - ending.len();
        let base: String = name.as_str().chars().take(room).collect();
        StackName::for_new_stack(&format!("{}{ending}", base.trim_end_matches('-'))).ok()
    };
    let mut names: Vec<_> = numbered.take(2).collect();
    names.extend(endings);
    names.extend((4..=9).map(|number| format!("-{number}")));
    names.iter().filter_map(joined).filter(|other| other != name).collect()
}

#[cfg(test)]
mod tests {
    use crate::server::stacks::names::*;

    #[test]
    fn alternatives_are_valid_names_however_long_the_name_is() {
        for name in ["bob", "abcdefghijklmnopqrstuvwxyz01234-", "abcdefghijklmnopqrstuvwxyz012345"]
        {
            let Ok(name) = StackName::parse(name) else { continue };
            let names = alternatives(&name);
            assert!(names.len() > SUGGESTIONS, "{names:?}");
            assert!(!names.contains(&name));
        }
        let bob = StackName::parse("bob").unwrap();
        assert_eq!(alternatives(&bob)[0].as_str(), "bob-2");
    }
}
