//! A requested start, and its quota.

use std::net::IpAddr;

use super::Service;
use crate::server::{
    audit::{AuditAction, AuditEntry},
    auth::access::{Caller, Identity},
    settings::Quotas,
    store::{Quota, Record, hour_before},
};
use crate::wire::Allowance;
use domain::{kind::StackState, owner::OwnerId, platform_problem::PlatformProblem};

/// A deployment to start.
pub(super) struct New<'a> {
    caller: &'a Caller,
    /// The name of the stack.
    pub(super) name: &'a str,
    /// The deployment that it retries. The retry has the same owner, whoever requests it.
    pub(super) retry_of: Option<&'a Record>,
}

impl<'a> New<'a> {
    /// Describes a first attempt.
    pub(super) fn of(caller: &'a Caller, name: &'a str) -> Self {
        Self { caller, name, retry_of: None }
    }

    /// Describes a retry of `tried`.
    pub(super) fn again(caller: &'a Caller, tried: &'a Record) -> Self {
        Self { caller, name: tried.deployment.name.as_str(), retry_of: Some(tried) }
    }

    /// Returns the owner that the deployment will have.
    pub(super) fn owner(&self) -> Option<&OwnerId> {
        match self.retry_of {
            Some(tried) => tried.owner.as_ref(),
            None => self.caller.identity.owner(),
        }
    }
}

impl Service {
    /// Returns the audit entry of the start, for its transaction.
    pub(super) fn start_audit_entry(&self, new: &New<'_>) -> AuditEntry {
        let (act, target) = match new.retry_of {
            Some(tried) => (AuditAction::Retry, tried.deployment.id.as_str()),
            None => (AuditAction::Start, new.name),
        };
        self.parts.audit.entry(new.caller, act, target)
    }

    /// Returns whether the platform is too old. Makes no call while it is known to be supported.
    pub(super) async fn is_platform_too_old(&self) -> bool {
        match self.platform_cache.snapshot() {
            Some(snapshot) if snapshot.reachable && !snapshot.is_too_old() => false,
            Some(_) | None => self.platform_cache.current().await.is_too_old(),
        }
    }

    /// Returns the problem if the platform hangs, after reading it again.
    pub(super) async fn wedged(&self) -> Option<PlatformProblem> {
        let wedged = || self.parts.platform.problem().filter(|p| *p == PlatformProblem::Wedged);
        wedged()?;
        self.platform_cache.current().await;
        wedged()
    }

    /// Returns the quota within which the deployment may start.
    pub(super) fn quota(&self, new: &New<'_>) -> Quota {
        let Quotas { stacks, under_way, under_way_in_all, per_hour, hold_down } = self.parts.quotas;
        // A retry of another person's deployment counts as that person's.
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

    /// Returns for how many hours the name of the removed stack is reserved for its owner, for the
    /// page of the removal.
    pub(super) fn kept_hours(&self, record: &Record) -> Option<u64> {
        let is_a_persons = record.owner.as_ref().is_some_and(|owner| owner.person_id().is_some());
        let is_a_removal = self.kind(record).done == StackState::Gone;
        let hold_down = self.parts.quotas.hold_down.filter(|_| is_a_persons && is_a_removal)?;
        Some(hold_down.as_secs().div_ceil(3600))
    }

    /// Returns how much a caller may still start; `None` if there is no limit, or the store fails.
    pub(crate) async fn allowance(&self, caller: &Caller) -> Option<Allowance> {
        let stacks = self.parts.quotas.stacks?;
        let now = self.parts.clock.now();
        // This is only shown; the start decides.
        let counted_as = counted_as(caller);
        let usages = self.parts.store.usages(&[&counted_as], hour_before(now)).await.ok()?;
        let usage = usages.first()?;
        Some(Allowance { stacks: usage.stacks, most: stacks })
    }
}

/// Returns the key under which a caller's deployments are counted: a person's owner id; for
/// everybody else the address, since a cookie is easily deleted.
fn counted_as(caller: &Caller) -> String {
    match &caller.identity {
        Identity::Person { owner, .. } | Identity::Program { owner, .. } => owner.to_string(),
        Identity::Anonymous | Identity::Browser(_) | Identity::Unauthenticated => {
            format!("address:{}", network(caller.address))
        }
    }
}

/// Returns the address that stands for one household or machine: for IPv6 its /64 network.
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
