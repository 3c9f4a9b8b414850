//! Writes audit entries: decides how a caller is named, what is recorded, and how often.

use std::fmt::Display;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::throttle::{AuditThrottle, Overflow};
use super::{AuditAction, AuditEntry, AuditFilter, AuditLog};
use crate::server::proxies::{block_of, network_of, region_of};
use crate::server::store_error::Result;
use crate::wire::ApiError;
use clock::Clock;
use domain::deployment::DeploymentId;
use domain::owner::OwnerId;
use domain::refusal::RefusalCode;
use domain::time::earlier;

/// The outcome of a successful action in an audit entry.
const DONE: &str = "done";
/// The actor of what the portal does by itself.
const PORTAL: &str = "portal";
/// The maximum number of characters of a target: a path can have any length.
const TARGET_LIMIT: usize = 200;

/// The number of refusals of one network that are recorded in an hour.
const NETWORK_SHARE: usize = 20;
/// The number of those of a block, which a customer of a provider may have as a whole.
const BLOCK_SHARE: usize = 500;
/// The number of those of a provider's network.
const REGION_SHARE: usize = 3_000;

/// A caller, as the audit log records them.
pub trait Actor: Sync {
    /// Returns the actor of an audit entry.
    fn name(&self) -> String;
    /// Returns the address at the other end.
    fn address(&self) -> IpAddr;
    /// Returns whether the caller has signed in, or need not.
    fn is_known(&self) -> bool;
    /// Returns the owner id of a person who has signed in, or whose token is used.
    fn person(&self) -> Option<&OwnerId>;
    /// Returns the owner id of an operator; `None` for everybody else.
    fn operator(&self) -> Option<&OwnerId>;
}

/// Writes the audit log.
pub struct AuditTrail {
    log: Arc<dyn AuditLog>,
    clock: Arc<dyn Clock>,
    /// Throttles the entries of operators who view other people's operations.
    inspections: AuditThrottle<(OwnerId, DeploymentId)>,
    /// Throttles the entries of what is refused to people, and to clients that have not signed in:
    /// these cannot keep those of people out of the log.
    refusals_of_people: AuditThrottle<RefusalKey>,
    refusals_of_networks: AuditThrottle<RefusalKey, Group>,
}

/// The refusals that are recorded once an hour: what was refused to whom, and why.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct RefusalKey {
    source: Source,
    act: AuditAction,
    outcome: String,
}

/// Who causes refusals. A browser counts as its network, since anybody can have any number of
/// them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Source {
    Person(OwnerId),
    Network(IpAddr),
}

impl RefusalKey {
    fn new(actor: &impl Actor, act: AuditAction, outcome: &str) -> Self {
        let source = match actor.person() {
            Some(person) => Source::Person(person.clone()),
            None => Source::Network(network_of(actor.address())),
        };
        Self { source, act, outcome: outcome.to_owned() }
    }
}

/// Those who together have a share of the refusals that are recorded.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Group {
    /// One client.
    Network(IpAddr),
    /// The network that a customer of a provider may have as a whole.
    Block(IpAddr),
    /// The network that a provider may have as a whole.
    Region(IpAddr),
}

/// Returns the shares of the refusals of a network, which could otherwise keep those of everybody
/// else out of the log.
fn shares(network: IpAddr) -> [(Group, usize); 3] {
    [
        (Group::Network(network), NETWORK_SHARE),
        (Group::Block(block_of(network)), BLOCK_SHARE),
        (Group::Region(region_of(network)), REGION_SHARE),
    ]
}

impl AuditEntry {
    /// Returns the entry for what the portal does by itself.
    pub(crate) fn of_portal(at: Timestamp, act: AuditAction, target: String) -> Self {
        let (who, outcome) = (String::from(PORTAL), String::from(DONE));
        Self { at, who, act, target: Some(target), from: None, outcome }
    }
}

impl AuditTrail {
    /// Creates an audit trail that writes to `log`.
    pub fn new(log: Arc<dyn AuditLog>, clock: Arc<dyn Clock>) -> Self {
        Self {
            log,
            clock,
            inspections: AuditThrottle::new(Overflow::Record),
            refusals_of_people: AuditThrottle::new(Overflow::Drop),
            refusals_of_networks: AuditThrottle::new(Overflow::Drop),
        }
    }

    /// Lists the entries that pass `filter`, newest first, with their numbers.
    pub(crate) async fn entries(&self, filter: &AuditFilter) -> Result<Vec<(i64, AuditEntry)>> {
        self.log.entries(filter).await
    }

    /// Returns the entry for a successful action of `actor`, which the transaction of the action
    /// writes.
    pub(crate) fn entry(&self, actor: &impl Actor, act: AuditAction, target: &str) -> AuditEntry {
        self.entry_of(&actor.name(), act, Some(target), actor.address())
    }

    /// Returns the entry for a successful action of the actor `who`.
    pub(crate) fn entry_of(
        &self,
        who: &str,
        act: AuditAction,
        target: Option<&str>,
        from: IpAddr,
    ) -> AuditEntry {
        AuditEntry {
            at: self.clock.now(),
            who: who.to_owned(),
            act,
            target: target.map(|target| target.chars().take(TARGET_LIMIT).collect()),
            from: Some(from),
            outcome: String::from(DONE),
        }
    }

    /// Records the failure of an action, once an hour for each actor and code, and returns the
    /// result. A success is recorded by the transaction of the action.
    pub(crate) async fn failure<T>(
        &self,
        actor: &impl Actor,
        act: AuditAction,
        target: &str,
        result: Result<T, ApiError>,
    ) -> Result<T, ApiError> {
        if let Err(error) = &result {
            let act = if error.status() == 429 { AuditAction::ReachLimit } else { act };
            self.refusal(actor, act, Some(target), error.code.as_str()).await;
        }
        result
    }

    /// Records a denied request for the path `wanted`, once an hour for each actor and reason.
    pub(crate) async fn denial(&self, actor: &impl Actor, wanted: &str, denial: impl Display) {
        // A caller who has not signed in yet is an ordinary case.
        if actor.is_known() {
            self.refusal(actor, AuditAction::Enter, Some(wanted), &denial.to_string()).await;
        }
    }

    /// Records that a request was rejected, once an hour for each code.
    pub(crate) async fn rejection(
        &self,
        actor: &impl Actor,
        act: AuditAction,
        wanted: Option<&str>,
        code: RefusalCode,
    ) {
        self.refusal(actor, act, wanted, code.as_str()).await;
    }

    /// Records a refusal, unless this was done within the last hour: anyone can cause any number.
    /// Nothing else records one. If that fails, the entry is logged instead.
    async fn refusal(
        &self,
        actor: &impl Actor,
        act: AuditAction,
        target: Option<&str>,
        outcome: &str,
    ) {
        let (key, now) = (RefusalKey::new(actor, act, outcome), self.clock.monotonic());
        let should_record = match key.source {
            // A person has only so many actions and codes.
            Source::Person(_) => self.refusals_of_people.should_record(key, now),
            Source::Network(network) => {
                self.refusals_of_networks.should_record_share(key, now, &shares(network))
            }
        };
        if should_record {
            let entry = self.entry_of(&actor.name(), act, target, actor.address());
            let entry = AuditEntry { outcome: outcome.to_owned(), ..entry };
            if let Err(error) = self.log.append(&entry).await {
                tracing::error!(%error, ?entry, "Could not add to the audit log");
            }
        }
    }

    /// Deletes the entries that are older than `age`, and returns their number.
    ///
    /// # Errors
    ///
    /// Returns an error if the log cannot be changed.
    pub(crate) async fn purge(&self, age: Duration) -> Result<u64> {
        let at = self.clock.now();
        let cutoff = earlier(at, age);
        let entry = AuditEntry::of_portal(at, AuditAction::Purge, cutoff.to_string());
        self.log.purge_entries(cutoff, &entry).await
    }

    /// Records that secrets of the operation are shown to their owner.
    ///
    /// # Errors
    ///
    /// Returns an error if it cannot be recorded. The secrets must not be shown then.
    pub(crate) async fn reveal(&self, actor: &impl Actor, id: &DeploymentId) -> Result<()> {
        self.log.append(&self.entry(actor, AuditAction::Reveal, id.as_str())).await
    }

    /// Records that an operator views the operation of another `owner`, unless this was recorded
    /// within the last hour: an open page requests the operation repeatedly.
    ///
    /// # Errors
    ///
    /// Returns an error if it cannot be recorded. The operation must not be shown then.
    pub(crate) async fn inspection(
        &self,
        actor: &impl Actor,
        owner: Option<&OwnerId>,
        id: &DeploymentId,
    ) -> Result<()> {
        let Some(operator) = actor.operator().filter(|operator| owner != Some(*operator)) else {
            return Ok(());
        };
        let look = (operator.clone(), id.clone());
        if self.inspections.should_record(look.clone(), self.clock.monotonic()) {
            let entry = self.entry(actor, AuditAction::Inspect, id.as_str());
            self.log.append(&entry).await.inspect_err(|_| self.inspections.reset(&look))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::from_mins(1);

    fn key(source: Source, outcome: &str) -> RefusalKey {
        RefusalKey { source, act: AuditAction::Enter, outcome: outcome.to_owned() }
    }

    #[test]
    fn whoever_has_a_providers_network_leaves_room_for_everybody_else() {
        let throttle = AuditThrottle::<RefusalKey, Group>::new(Overflow::Drop);
        let record = |network: IpAddr| {
            let key = key(Source::Network(network), "CROSS_SITE");
            throttle.should_record_share(key, NOW, &shares(network))
        };
        let networks = (0..40_u16).flat_map(|block| (0..500_u16).map(move |own| (block, own)));
        let networks = networks.map(|(block, own)| [0x2001, 0xdb8, block, own, 0, 0, 0, 0].into());
        assert_eq!(networks.filter(|network| record(*network)).count(), REGION_SHARE);
        assert!(record([0x2001, 0xdb9, 0, 0, 0, 0, 0, 0].into()), "of another provider");
    }
}
