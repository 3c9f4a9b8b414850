//! What operators see and do: everything of everybody's.
//!
//! Each use case asks for [`Need::Operate`] itself, whoever let the caller in. What it returns
//! stays on the server.

mod audit;
mod operations;
mod people;
mod since;

use std::collections::HashMap;

use jiff::Timestamp;

pub use audit::{AuditLine, AuditPage, AuditQuery};
pub use operations::{OperationLine, OperationPage, OperationQuery};
pub use since::{ParseSinceError, since};

pub use crate::server::ports::{audit::Act, platform::BreakerState, store::State};

use super::{
    Health, Service, deployment_id, next_try, no_deployment, permits::refused, store_failed,
};
use crate::{
    api::wire::ApiError,
    domain::{
        deployment::{Deployment, Kind},
        receipt::{Line, Receipt},
    },
    server::{
        access::{Caller, Need, OwnerId, Role, Target},
        last_round::Round,
        notifier::Nudge,
        ports::{
            accounts::Person,
            store::{OperationFilter, Record, StoreError, Usage, hour_before},
        },
        settings::Quotas,
    },
};

/// How many lines a page has.
const PAGE: u32 = 50;
/// How many people are known by name on a page; the others by their ids.
const NAMED: u32 = 1_000;
/// Up to how many deployments under way are counted where their number is not bounded.
const COUNTED: u32 = 1_000;

/// How the portal is, as its operators see it.
#[derive(Debug)]
pub struct Overview {
    /// The portal and what it depends on.
    pub health: Health,
    /// What could not be removed yet, oldest first.
    pub stuck: Vec<StuckLine>,
    /// What the last comparison of records and platform left, if there was one.
    pub round: Option<Round>,
    /// Those who signed in last.
    pub people: Vec<PersonLine>,
    /// Whether there are more.
    pub has_more_people: bool,
    /// How much somebody may have and start.
    pub quotas: Quotas,
    /// How many deployments are under way.
    pub under_way: usize,
    /// The server's time.
    pub now: Timestamp,
}

/// An operation of which something is left.
#[derive(Debug)]
pub struct StuckLine {
    /// Which it is.
    pub deployment: Deployment,
    /// Whose it is.
    pub owner: Option<Owner>,
    /// Since when it is stuck.
    pub since: Option<Timestamp>,
    /// How often its clean-up was tried since.
    pub tries: u32,
    /// When it is tried next.
    pub next_try: Option<Timestamp>,
    /// What is left, with what an operator can do.
    pub left: Vec<Line>,
}

/// A person, and what they have.
#[derive(Debug)]
pub struct PersonLine {
    /// Who it is.
    pub owner: Owner,
    /// Whether they were an operator when they last signed in.
    pub is_operator: bool,
    /// When they last signed in.
    pub seen: Timestamp,
    /// How many stacks they have, as the quota counts them.
    pub stacks: u32,
    /// How many deployments of theirs are under way.
    pub under_way: u32,
    /// How many they have started within the last hour.
    pub within_hour: usize,
}

/// An owner, and what operators call them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// What they own things as.
    pub id: OwnerId,
    /// A person's name; what they own things as where that is not known.
    pub name: String,
}

/// What people are called.
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
    /// Tells how the portal is.
    ///
    /// # Errors
    ///
    /// Returns an error for everybody but operators, or when the store is out of reach.
    pub async fn overview(&self, caller: &Caller) -> Result<Overview, ApiError> {
        allow(caller)?;
        self.read_overview().await.map_err(|error| store_failed(&error))
    }

    async fn read_overview(&self) -> Result<Overview, StoreError> {
        let people = self.parts.accounts.people(NAMED).await?;
        let names = Names::of(&people);
        let now = self.parts.clock.now();
        let stuck = self.parts.store.stuck().await?;
        let receipts = self.parts.store.receipts(&stuck).await?;
        let stuck = stuck.into_iter().zip(receipts);
        let stuck = stuck.map(|(record, receipt)| stuck_line(record, &receipt, &names)).collect();
        let shown: Vec<_> = people.iter().take(PAGE as usize).collect();
        let owners: Vec<_> = shown.iter().map(|person| person.owner.as_str()).collect();
        let usages = self.parts.store.usages(&owners, hour_before(now)).await?;
        let counted: Vec<_> = shown
            .into_iter()
            .zip(usages)
            .map(|(person, usage)| person_line(person, &usage))
            .collect();
        Ok(Overview {
            health: self.health().await,
            stuck,
            round: self.parts.last_round.get(),
            has_more_people: people.len() > counted.len(),
            people: counted,
            quotas: self.parts.quotas,
            under_way: self.under_way_in_all().await?,
            now,
        })
    }

    /// Counts the deployments under way: removals, which are no bound to anybody, are not among
    /// them.
    async fn under_way_in_all(&self) -> Result<usize, StoreError> {
        let filter = OperationFilter {
            state: Some(State::Active),
            limit: COUNTED,
            ..OperationFilter::default()
        };
        let active = self.parts.store.operations(&filter).await?;
        Ok(active.iter().filter(|record| record.deployment.id.kind() == Kind::Deployment).count())
    }

    async fn names(&self) -> Result<Names, ApiError> {
        let people = self.parts.accounts.people(NAMED).await;
        people.map(|people| Names::of(&people)).map_err(|error| store_failed(&error))
    }

    /// Makes the clean-up of a stuck operation due at once.
    ///
    /// # Errors
    ///
    /// Returns an error for everybody but operators, and where the operation is not stuck.
    pub async fn retry_clean_up(&self, caller: &Caller, id: &str) -> Result<(), ApiError> {
        allow(caller)?;
        let hurried = self.hurry(caller, id).await;
        self.noted(caller, Act::RetryCleanUp, id, hurried).await
    }

    async fn hurry(&self, caller: &Caller, id: &str) -> Result<(), ApiError> {
        let noted = self.done(caller, Act::RetryCleanUp, id);
        let id = deployment_id(id)?;
        let hurried = self.parts.store.hurry(&id, Some(&noted)).await;
        if !hurried.map_err(|error| store_failed(&error))? {
            let message = "Nothing is left of it any more, or it has not ended yet.";
            return Err(ApiError::new(409, "NOT_STUCK", message));
        }
        tracing::info!(deployment.id = %id, "A clean-up is to be tried again");
        self.parts.notifier.nudge(&Nudge::Work);
        Ok(())
    }
}

fn stuck_line(record: Record, receipt: &Receipt, names: &Names) -> StuckLine {
    StuckLine {
        left: receipt.left().cloned().collect(),
        next_try: next_try(&record),
        tries: record.clean_up.tries,
        since: record.standing.completed,
        owner: record.owner.map(|owner| names.owner(owner)),
        deployment: record.deployment,
    }
}

fn person_line(person: &Person, usage: &Usage) -> PersonLine {
    PersonLine {
        owner: Owner { id: person.owner.clone(), name: person.name.clone() },
        is_operator: person.role == Role::Operator,
        seen: person.seen,
        stacks: usage.stacks,
        under_way: usage.under_way,
        within_hour: usage.begun.len(),
    }
}

/// Lets operators through. To all others it is not there.
fn allow(caller: &Caller) -> Result<(), ApiError> {
    let may = caller.may(Need::Operate, Target::Unnamed);
    may.map_err(|refusal| refused(refusal, no_deployment()))
}

/// Says that a filter cannot be read.
fn invalid_filter(message: impl Into<String>) -> ApiError {
    ApiError::new(400, "INVALID_FILTER", message)
}

/// Returns what was typed into a field, if something was.
fn typed(text: &str) -> Option<&str> {
    Some(text.trim()).filter(|text| !text.is_empty())
}

/// Takes a page's lines of `found`, of which one more was asked for than a page has.
fn page<T>(mut found: Vec<T>) -> (Vec<T>, bool) {
    let goes_on = found.len() > PAGE as usize;
    found.truncate(PAGE as usize);
    (found, goes_on)
}
