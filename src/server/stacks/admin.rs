//! The use cases of operators, who see everybody's operations.
//!
//! Each use case checks [`Permission::Operate`] itself, in addition to the authentication layer.
//! What it returns is rendered on the server.

mod audit;
mod operations;
mod stacks;

use std::collections::HashMap;

use jiff::Timestamp;

pub use audit::{AuditLine, AuditPage, AuditQuery, ParseSinceError, since};
pub use operations::{OperationLine, OperationPage, OperationQuery};
pub use stacks::{StackCounts, VersionLine, VersionOffer};

use super::authorization::refused;
use super::{Health, Service, deployment_id, next_try, no_deployment};
use crate::server::audit::AuditAction;
use crate::server::auth::access::{Caller, Permission, Role, Target};
use crate::server::auth::accounts::Person;
use crate::server::notifier::Notification;
use crate::server::reconciler::report::ReconcileRound;
use crate::server::settings::Quotas;
use crate::server::store::{
    self, KeptData, KeptFilter, OperationFilter, Record, Result, State, Usage, hour_before,
};
use crate::wire::ApiError;
use domain::deployment::Deployment;
use domain::kind::Direction;
use domain::owner::OwnerId;
use domain::receipt::{Line, Receipt};
use domain::refusal::Refusal;

/// The number of lines that a page has.
pub(super) const PAGE: u32 = 50;
/// The maximum number of people whose names are looked up for a page; the others are shown by their
/// ids.
const NAMED: u32 = 1_000;
/// The number up to which deployments in progress are counted, if there is no limit.
const COUNTED: u32 = 1_000;

/// The state of the portal, as shown to operators.
#[derive(Debug)]
pub struct Overview {
    /// The portal and what it depends on.
    pub health: Health,
    /// The operations with resources that could not be removed yet, oldest first.
    pub stuck: Vec<StuckLine>,
    /// The number of stacks, by state, template and version.
    pub stacks: StackCounts,
    /// The data of removed stacks, the one that is deleted first at the beginning.
    pub kept: Vec<KeptLine>,
    /// The number of all that is kept, of which `kept` may be the first part.
    pub kept_in_all: usize,
    /// The report of the last reconcile round, if there was one.
    pub round: Option<ReconcileRound>,
    /// The people who signed in last.
    pub people: Vec<PersonLine>,
    /// True if there are more.
    pub has_more_people: bool,
    /// The quotas of one owner.
    pub quotas: Quotas,
    /// The number of deployments in progress.
    pub under_way: usize,
    /// The server's time.
    pub now: Timestamp,
}

/// An operation with leftovers.
#[derive(Debug)]
pub struct StuckLine {
    /// The operation.
    pub deployment: Deployment,
    /// Its owner.
    pub owner: Option<Owner>,
    /// The time at which it became stuck.
    pub since: Option<Timestamp>,
    /// The number of clean-up attempts since then.
    pub tries: u32,
    /// The time of the next attempt.
    pub next_try: Option<Timestamp>,
    /// The leftovers, with their remedies.
    pub left: Vec<Line>,
}

/// The data of a removed stack.
#[derive(Debug)]
pub struct KeptLine {
    /// The data.
    pub data: KeptData,
    /// Its owner, who was that of the stack.
    pub owner: Option<Owner>,
}

/// A person and their usage.
#[derive(Debug)]
pub struct PersonLine {
    /// The person.
    pub owner: Owner,
    /// Their role when they last signed in.
    pub role: Role,
    /// The time at which they last signed in.
    pub seen: Timestamp,
    /// What they have, as the quota counts it.
    pub usage: Usage,
}

/// An owner, with the name shown to operators.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// Their owner id.
    pub id: OwnerId,
    /// The person's name, or the owner id if the name is not known.
    pub name: String,
}

/// The names of people, by owner.
pub(super) struct Names(HashMap<OwnerId, String>);

impl Names {
    fn of(people: &[Person]) -> Self {
        Self(people.iter().map(|person| (person.owner.clone(), person.name.clone())).collect())
    }

    fn owner(&self, id: OwnerId) -> Owner {
        let name = self.0.get(&id).cloned();
        Owner { name: name.unwrap_or_else(|| id.to_string()), id }
    }
}

impl Service {
    /// Returns the state of the portal.
    ///
    /// # Errors
    ///
    /// Returns an error if the caller is not an operator, or the store is unavailable.
    pub async fn overview(&self, caller: &Caller) -> Result<Overview, ApiError> {
        allow(caller)?;
        Ok(self.read_overview().await?)
    }

    async fn read_overview(&self) -> Result<Overview> {
        let people = self.parts.accounts.people(NAMED).await?;
        let names = Names::of(&people);
        let now = self.parts.clock.now();
        let stuck = self.parts.store.stuck().await?;
        let receipts = store::receipts(&*self.parts.store, &stuck).await?;
        let stuck = stuck.into_iter().zip(receipts);
        let stuck = stuck.map(|(record, receipt)| stuck_line(record, &receipt, &names)).collect();
        let all = self.parts.store.kept_data(&KeptFilter::All).await?;
        let kept_in_all = all.len();
        let kept_line = |data: KeptData| KeptLine {
            owner: data.owner.clone().map(|owner| names.owner(owner)),
            data,
        };
        let kept = page(all).0.into_iter().map(kept_line).collect();
        let (shown, has_more_people) = page(people);
        let owners: Vec<_> = shown.iter().map(|person| person.owner.as_str()).collect();
        let usages = self.parts.store.usages(&owners, hour_before(now)).await?;
        let person_line = |(Person { owner: id, name, role, seen, .. }, usage)| PersonLine {
            owner: Owner { id, name },
            role,
            seen,
            usage,
        };
        Ok(Overview {
            health: self.health().await,
            stacks: self.stack_counts().await?,
            stuck,
            kept,
            kept_in_all,
            round: self.parts.reconcile_report.get(),
            has_more_people,
            people: shown.into_iter().zip(usages).map(person_line).collect(),
            quotas: self.parts.quotas,
            under_way: self.under_way_in_all().await?,
            now,
        })
    }

    /// Counts the deployments in progress, without removals, which no limit counts.
    async fn under_way_in_all(&self) -> Result<usize> {
        let filter = OperationFilter {
            state: Some(State::Active),
            limit: COUNTED,
            ..OperationFilter::default()
        };
        let active = self.parts.store.operations(&filter).await?;
        let is_forward = |record: &&Record| self.kind(record).direction == Direction::Forward;
        Ok(active.iter().filter(is_forward).count())
    }

    async fn names(&self) -> Result<Names, ApiError> {
        Ok(Names::of(&self.parts.accounts.people(NAMED).await?))
    }

    /// Makes the clean-up of a stuck operation due at once.
    ///
    /// # Errors
    ///
    /// Returns an error if the caller is not an operator, or the operation is not stuck.
    pub async fn retry_clean_up(&self, caller: &Caller, id: &str) -> Result<(), ApiError> {
        allow(caller)?;
        let made_due = self.make_due_now(caller, id).await;
        self.parts.audit.failure(caller, AuditAction::RetryCleanUp, id, made_due).await
    }

    async fn make_due_now(&self, caller: &Caller, id: &str) -> Result<(), ApiError> {
        let audit_entry = self.parts.audit.entry(caller, AuditAction::RetryCleanUp, id);
        let id = deployment_id(id)?;
        if !self.parts.store.make_due_now(&id, Some(&audit_entry)).await? {
            return Err(Refusal::NotStuck.into());
        }
        tracing::info!(deployment.id = %id, "Retry of a clean-up requested");
        self.parts.notifier.notify(&Notification::Work);
        Ok(())
    }

    /// Ends every session of a person, and revokes their API tokens. They can sign in again unless
    /// the provider blocks them as well.
    ///
    /// # Errors
    ///
    /// Returns an error if the caller is not an operator, or the person has no sessions and no
    /// tokens.
    pub async fn revoke_access(&self, caller: &Caller, person: &str) -> Result<(), ApiError> {
        allow(caller)?;
        let ended = self.end_access(caller, person).await;
        self.parts.audit.failure(caller, AuditAction::RevokeAccess, person, ended).await
    }

    async fn end_access(&self, caller: &Caller, person: &str) -> Result<(), ApiError> {
        let owner = OwnerId::parse(person).ok().filter(|owner| owner.person_id().is_some());
        let owner = owner.ok_or(Refusal::NoSuchPerson)?;
        let audit_entry = self.parts.audit.entry(caller, AuditAction::RevokeAccess, person);
        let (sessions, tokens) =
            self.parts.accounts.revoke_access(&owner, audit_entry.at, Some(&audit_entry)).await?;
        if sessions + tokens == 0 {
            return Err(Refusal::NotSignedIn.into());
        }
        tracing::info!(person = %owner, sessions, tokens, "An operator signed a person out");
        Ok(())
    }
}

fn stuck_line(record: Record, receipt: &Receipt, names: &Names) -> StuckLine {
    StuckLine {
        left: receipt.leftovers().cloned().collect(),
        next_try: next_try(&record),
        tries: record.clean_up.tries,
        since: record.metadata.completed,
        owner: record.owner.map(|owner| names.owner(owner)),
        deployment: record.deployment,
    }
}

/// Allows operators. To all others, the resource does not exist.
fn allow(caller: &Caller) -> Result<(), ApiError> {
    let may = caller.may(Permission::Operate, Target::Unnamed);
    may.map_err(|refusal| refused(refusal, no_deployment()))
}

/// Returns the trimmed text of a field, if it is not empty.
fn typed(text: &str) -> Option<&str> {
    Some(text.trim()).filter(|text| !text.is_empty())
}

/// Returns the lines of a page and whether there are more; `found` contains one more line than a
/// page, if so.
pub(super) fn page<T>(mut found: Vec<T>) -> (Vec<T>, bool) {
    let goes_on = found.len() > PAGE as usize;
    found.truncate(PAGE as usize);
    (found, goes_on)
}
