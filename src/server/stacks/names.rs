//! Checks whether a name is available.

use std::slice;
use std::sync::Arc;

use jiff::Timestamp;

use super::Service;
use super::platform_cache::PlatformSnapshot;
use crate::server::auth::access::Caller;
use crate::server::name_index::{Lookup, NameState, Reading};
use crate::server::store::{Result, StoreError};
use crate::wire::NameVerdict;
use domain::refusal::{Refusal, TakenBy};
use domain::stack_name::{MAX_LENGTH, ParseStackNameError, StackName};
use domain::time::earlier;

/// The number of free names that are suggested in place of a taken one.
const SUGGESTIONS: usize = 2;

impl Service {
    /// Does the same as [`Self::check_name`], and suggests other names in place of a taken one.
    pub(crate) async fn check_name_or_suggest(
        self: &Arc<Self>,
        caller: &Caller,
        input: &str,
    ) -> NameVerdict {
        match self.check_name(caller, input).await {
            NameVerdict::Taken { name, url, .. } => {
                let suggestions = self.suggestions(caller, &name).await;
                NameVerdict::Taken { name, url, suggestions }
            }
            verdict @ (NameVerdict::Free { .. } | NameVerdict::Invalid { .. }) => verdict,
        }
    }

    /// Returns available names like `name`.
    pub(super) async fn suggestions(
        self: &Arc<Self>,
        caller: &Caller,
        name: &StackName,
    ) -> Vec<StackName> {
        let mut suggestions = Vec::new();
        for other in alternatives(name) {
            if suggestions.len() < SUGGESTIONS
                && self.parse_name(other.as_str()).is_ok()
                && self.name_refusal(caller, &other).await.is_none()
            {
                suggestions.push(other);
            }
        }
        suggestions
    }

    /// Returns whether `input` is available to a caller as a name, without suggestions. This is
    /// advisory: only the start reserves the name. While the platform is unavailable, only the names
    /// of the portal's own stacks are checked.
    pub(crate) async fn check_name(self: &Arc<Self>, caller: &Caller, input: &str) -> NameVerdict {
        let name = match self.parse_name(input) {
            Ok(name) => name,
            Err(rule) => return NameVerdict::invalid(input, rule),
        };
        let url = self.parts.stack.url(&name);
        match self.name_refusal(caller, &name).await {
            None => NameVerdict::Free { name, url },
            Some(_) => NameVerdict::Taken { name, url, suggestions: Vec::new() },
        }
    }

    /// Returns why a start would refuse the name: a stack or something on the platform has it, or it is
    /// reserved for a former owner other than the caller. Returns `None` if it is available.
    pub(super) async fn name_refusal(
        self: &Arc<Self>,
        caller: &Caller,
        name: &StackName,
    ) -> Option<Refusal> {
        let taken = || Some(Refusal::NameTaken(name.clone(), TakenBy::Another));
        match self.name_state(name).await {
            None => {}
            Some(NameState::Reserved) => return taken(),
            Some(NameState::Freed { owner, at }) => {
                let (now, quota) =
                    (self.parts.clock.now(), self.quota(caller, caller.identity.owner()));
                let is_recent = quota.held_since(now).is_some_and(|since| at > since);
                let freed = is_recent.then_some((owner, at));
                match quota.admit_name(caller.identity.owner(), freed.as_ref(), now) {
                    Ok(()) => {}
                    Err(StoreError::NameHeld { until }) => {
                        return Some(Refusal::NameHeld(name.clone(), until));
                    }
                    Err(_) => return taken(),
                }
            }
        }
        if self.is_used_elsewhere(name).await { taken() } else { None }
    }

    /// Returns whether the platform has a host or a project of this name.
    async fn is_used_elsewhere(&self, name: &StackName) -> bool {
        let has = |snapshot: Arc<PlatformSnapshot>| {
            let names = snapshot.names_in_use.as_ref();
            names.map(|names| names.has(name, &self.parts.stack))
        };
        // What an older snapshot shows may have been removed since.
        has(self.platform_cache.current().await) == Some(true)
            && has(self.platform_cache.recent().await) != Some(false)
    }

    /// Returns the state of a name; `None` if it is free. It comes from the index, if that knows
    /// it, and otherwise from the store.
    async fn name_state(self: &Arc<Self>, name: &StackName) -> Option<NameState> {
        let (names, now) = (self.parts.notifier.names(), self.parts.clock.monotonic());
        if self.parts.notifier.listening().is_on() {
            if let Some(reading) = names.reading_due(now) {
                let service = Arc::clone(self);
                let freed_since = self.freed_since();
                tokio::spawn(async move { service.read_names(reading, freed_since).await });
            }
            match names.look_up(name, now) {
                Lookup::Free => return None,
                Lookup::In(state) => return Some(state),
                Lookup::Unknown => {}
            }
        }
        Box::pin(self.stored_name_state(name)).await.unwrap_or_else(|error| {
            tracing::error!(error = %error, "Could not look up a name");
            None
        })
    }

    async fn stored_name_state(&self, name: &StackName) -> Result<Option<NameState>> {
        if !self.parts.store.reserved(slice::from_ref(name)).await?.is_empty() {
            return Ok(Some(NameState::Reserved));
        }
        let Some(since) = self.freed_since() else { return Ok(None) };
        let freed = self.parts.store.freed(name, since).await?;
        Ok(freed.map(|(owner, at)| NameState::Freed { owner, at }))
    }

    /// Returns the time since which freed names are reserved for their former owners; `None` if they
    /// are not.
    fn freed_since(&self) -> Option<Timestamp> {
        let hold_down = self.parts.quotas.hold_down?;
        Some(earlier(self.parts.clock.now(), hold_down))
    }

    /// Reads the index of names from the store.
    async fn read_names(&self, reading: Reading, freed_since: Option<Timestamp>) {
        let warn = |error| tracing::warn!(%error, "Could not read the names of the stacks");
        let names = self.parts.store.names(freed_since).await.map_err(warn).ok();
        self.parts.notifier.names().complete(&reading, names);
    }

    /// Checks `input` against the rules and the names that this portal reserves.
    pub(super) fn parse_name(&self, input: &str) -> Result<StackName, ParseStackNameError> {
        if self.parts.reserved_names.iter().any(|reserved| reserved == input) {
            return Err(ParseStackNameError::Reserved);
        }
        StackName::for_new_stack(input)
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
