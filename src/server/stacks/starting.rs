//! A requested start, and the quota that it counts against.

use std::net::IpAddr;

use super::Service;
use crate::{
    api::wire::Allowance,
    server::{
        audit::{AuditAction, AuditEntry},
        auth::access::{Caller, Identity, OwnerId},
        settings::Quotas,
        store::{Quota, Record, hour_before},
    },
};
use domain::{kind::StackState, platform_problem::PlatformProblem};

/// A deployment that somebody wants to start.
pub(super) struct New<'a> {
    caller: &'a Caller,
    /// The name of the stack.
    pub(super) name: &'a str,
    /// The ended deployment that it tries again. It keeps its owner, whoever tries it.
    pub(super) retry_of: Option<&'a Record>,
}

impl<'a> New<'a> {
    /// A first attempt.
    pub(super) fn of(caller: &'a Caller, name: &'a str) -> Self {
        Self { caller, name, retry_of: None }
    }

    /// Another attempt.
    pub(super) fn again(caller: &'a Caller, tried: &'a Record) -> Self {
        Self { caller, name: tried.deployment.name.as_str(), retry_of: Some(tried) }
    }

    /// Returns who will own it.
    pub(super) fn owner(&self) -> Option<&OwnerId> {
        match self.retry_of {
            Some(tried) => tried.owner.as_ref(),
            None => self.caller.identity.owner(),
        }
    }
}

impl Service {
    /// Describes the start, for the transaction in which it begins.
    pub(super) fn start_audit_entry(&self, new: &New<'_>) -> AuditEntry {
        let (act, target) = match new.retry_of {
            Some(tried) => (AuditAction::Retry, tried.deployment.id.as_str()),
            None => (AuditAction::Start, new.name),
        };
        self.audit_entry(new.caller, act, target)
    }

    /// Returns whether the platform is too old, without a call while it is known not to be.
    pub(super) async fn is_platform_too_old(&self) -> bool {
        match self.platform_cache.snapshot() {
            Some(snapshot) if snapshot.reachable && !snapshot.is_too_old() => false,
            Some(_) | None => self.platform_cache.current().await.is_too_old(),
        }
    }

    /// Returns whether the platform hangs, after another look at it.
    pub(super) async fn wedged(&self) -> Option<PlatformProblem> {
        let wedged = || self.parts.platform.problem().filter(|p| *p == PlatformProblem::Wedged);
        wedged()?;
        self.platform_cache.current().await;
        wedged()
    }

    /// Returns the bounds within which it may begin.
    pub(super) fn quota(&self, new: &New<'_>) -> Quota {
        let Quotas { stacks, under_way, under_way_in_all, per_hour, hold_down } = self.parts.quotas;
        // Another attempt of somebody else's counts as theirs, whoever asks for it.
        let counted_as = match new.owner().filter(|owner| owner.person_id().is_some()) {
            Some(owner) => owner.to_string(),
            None => counted_as(new.caller),
        };
        Quota {
            counted_as: Some(counted_as),
            stacks,
            under_way,
            under_way_in_all,
            per_hour,
            hold_down,
        }
    }

    /// Returns for how many hours the name of a stack is kept for its owner once it is removed, as
    /// the page of that removal says.
    pub(super) fn kept_hours(&self, record: &Record) -> Option<u64> {
        let is_a_persons = record.owner.as_ref().is_some_and(|owner| owner.person_id().is_some());
        let is_a_removal = self.kind(record).done == StackState::Gone;
        let hold_down = self.parts.quotas.hold_down.filter(|_| is_a_persons && is_a_removal)?;
        Some(hold_down.as_secs().div_ceil(3600))
    }

    /// Returns how much a caller may start yet; `None` where nothing is bounded, or nobody knows.
    pub(crate) async fn allowance(&self, caller: &Caller) -> Option<Allowance> {
        let stacks = self.parts.quotas.stacks?;
        let now = self.parts.clock.now();
        // Nice to have: the start decides.
        let counted_as = counted_as(caller);
        let usages = self.parts.store.usages(&[&counted_as], hour_before(now)).await.ok()?;
        let usage = usages.first()?;
        Some(Allowance { stacks: usage.stacks, most: stacks })
    }
}

/// Returns what a caller's deployments are counted as: a person who signed in as themselves,
/// everybody else by address, since a cookie is thrown away in a moment.
fn counted_as(caller: &Caller) -> String {
    match &caller.identity {
        Identity::Person { owner, .. } | Identity::Program { owner, .. } => owner.to_string(),
        Identity::Anonymous | Identity::Browser(_) | Identity::Unauthenticated => {
            format!("address:{}", network(caller.address))
        }
    }
}

/// Returns the network that one household or machine has: of IPv6 the first half.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let half = address.to_bits() & (u128::MAX << 64);
            std::net::Ipv6Addr::from_bits(half).into()
        }
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use crate::server::stacks::starting::*;

    #[test]
    fn anonymous_clients_count_by_their_network() {
        let caller = |address: &str, identity| Caller {
            identity,
            address: address.parse().unwrap(),
            until: None,
        };
        let guest = |address| counted_as(&caller(address, Identity::Anonymous));
        assert_eq!(guest("192.0.2.1"), "address:192.0.2.1");
        assert_eq!(guest("::ffff:192.0.2.1"), "address:192.0.2.1");
        assert_eq!(guest("2001:db8:0:1:2:3:4:5"), "address:2001:db8:0:1::");
        let browser = Identity::Browser(OwnerId::browser("00"));
        assert_eq!(counted_as(&caller("192.0.2.1", browser)), "address:192.0.2.1");
        let role = crate::server::auth::access::Role::Member;
        let person = Identity::Person { owner: OwnerId::person("7"), role };
        assert_eq!(counted_as(&caller("192.0.2.1", person)), "person:7");
    }
}
