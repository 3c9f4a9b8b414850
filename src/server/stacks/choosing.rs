//! Chooses the template of a stack that begins, and checks the answers to its questions.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use catalogue::{Entry, unnamed};
use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};

use super::Service;
use super::kept_secrets::KEPT_FOR;
use super::request::{New, StartError};
use super::reveal::is_lost;
use crate::server::auth::access::{Caller, Identity, Role};
use crate::server::catalogue::Audience;
use crate::server::store::{Record, StoreError};
use domain::owner::OwnerId;
use domain::refusal::Refusal;
use domain::stack_name::StackName;
use domain::stack_spec::BroughtBack;
use domain::template::answers::Answers;
use domain::template::checked::Checked;
use domain::template::parameter::{DefaultAnswer, Parameter, Source};
use domain::template::situation::{Before, Situation};
use domain::template::{DEFAULT_ID, Template};
use domain::time::later;

/// A template with answers that can be used.
pub(super) struct Chosen {
    pub(super) entry: Arc<Entry>,
    pub(super) checked: Checked,
    /// The secrets of the deployment that is tried again, by the keys of their parameters.
    pub(super) kept: BTreeMap<String, SecretString>,
    /// The keys of those that the portal generated.
    pub(super) kept_generated: Vec<String>,
    /// The data to bring back.
    pub(super) data: Option<WantedData>,
}

/// Kept data that a new stack is to bring back.
pub(super) enum WantedData {
    /// That with this id.
    Named(String),
    /// That which the deployment that is tried again brought back.
    Again(BroughtBack),
}

/// What a deployment that is tried again was started with.
#[derive(Default)]
struct Tried {
    template: Option<String>,
    before: Before,
    secrets: BTreeMap<String, SecretString>,
    /// The keys of the secrets that do not open with the portal's key.
    lost: BTreeSet<String>,
    generated: Vec<String>,
    data: Option<BroughtBack>,
}

impl Service {
    /// Returns whom templates are offered to with the rights of `caller`. A program has the groups
    /// of the person whose token it holds.
    pub(super) async fn audience(&self, caller: &Caller) -> Result<Audience, StoreError> {
        let owner = match &caller.identity {
            Identity::Anonymous | Identity::Browser(_) | Identity::Unauthenticated => {
                return Ok(Audience::Anybody);
            }
            Identity::Person { role: Role::Operator, .. } => return Ok(Audience::Operator),
            Identity::Person { owner, role: Role::Member } | Identity::Program { owner, .. } => {
                owner
            }
        };
        if !self.parts.offers.has_groups() {
            return Ok(Audience::Person(BTreeSet::new()));
        }
        let person = self.parts.accounts.person(owner).await?;
        Ok(Audience::Person(person.map(|person| person.groups).unwrap_or_default()))
    }

    /// Chooses the template of a deployment called `name`, and checks the answers.
    pub(super) async fn choose(
        &self,
        new: &New<'_>,
        name: &StackName,
    ) -> Result<Chosen, StartError> {
        let audience = self.audience(new.caller).await?;
        let Some(tried) = new.retry_of else {
            let entry = self.entry(&audience, new.request.template.as_deref())?;
            let answers = new.request.answers.read(&entry.template);
            let situation = self.situation(&entry.template, Some(name), new.owner()).await?;
            let checked = entry.template.check(&answers, &situation, &entry.patterns);
            let checked = checked.map_err(Refusal::InvalidParameters)?;
            let (kept, kept_generated) = Default::default();
            let data = new.request.data.clone().map(WantedData::Named);
            return Ok(Chosen { entry, checked, kept, kept_generated, data });
        };
        let Tried { template, before, secrets, lost, generated, data } = self.tried(tried).await?;
        // One of a version without templates, or of other settings, is not started as something else.
        let entry = self.entry(&audience, Some(template.as_deref().unwrap_or(DEFAULT_ID)))?;
        let situation = self.situation(&entry.template, Some(name), new.owner()).await?;
        let situation = Situation { before: Some(before), ..situation };
        let checked = entry.template.check(&Answers::default(), &situation, &entry.patterns);
        let checked = checked.map_err(|errors| {
            let is_secret =
                |key: &str| entry.template.parameter(key).is_some_and(Parameter::is_secret);
            if errors.iter().any(|(key, _)| lost.contains(key)) {
                Refusal::SecretsLost
            } else if errors.iter().all(|(key, _)| is_secret(key)) {
                Refusal::SecretsExpired
            } else {
                Refusal::InvalidParameters(errors)
            }
        })?;
        let data = data.map(WantedData::Again);
        Ok(Chosen { entry, checked, kept: secrets, kept_generated: generated, data })
    }

    /// Returns the template of this id, or the one that needs no id.
    fn entry(&self, audience: &Audience, id: Option<&str>) -> Result<Arc<Entry>, Refusal> {
        if let Some(id) = id {
            return self.parts.offers.find(audience, id).ok_or(Refusal::NoSuchTemplate);
        }
        let offered = self.parts.offers.offered(audience);
        let ids = || offered.iter().map(|entry| entry.template.id.clone()).collect();
        unnamed(&offered).cloned().ok_or_else(|| Refusal::TemplateRequired(ids()))
    }

    /// Returns what the answers for a new stack of `owner` are checked against.
    pub(super) async fn situation(
        &self,
        template: &Template,
        name: Option<&StackName>,
        owner: Option<&OwnerId>,
    ) -> Result<Situation, StoreError> {
        let asks_for_person = |parameter: &Parameter| {
            let sources = [Source::PersonEmail, Source::PersonName].map(DefaultAnswer::From);
            parameter.default.as_ref().is_some_and(|default| sources.contains(default))
        };
        let owner = owner.filter(|_| template.parameters.iter().any(asks_for_person));
        let person = match owner.filter(|owner| owner.person_id().is_some()) {
            Some(owner) => self.parts.accounts.person(owner).await?,
            None => None,
        };
        let (person_name, person_email) = person.map(|person| (person.name, person.email)).unzip();
        Ok(Situation {
            stack_name: name.map(ToString::to_string),
            stack_url: name.map(|name| self.parts.stack.url(name)),
            person_name,
            person_email: person_email.flatten(),
            ..Situation::default()
        })
    }

    /// Reads what the deployment `record` was started with, or what its stack was at its end. Its secrets count as not there an hour
    /// after its end, and those that do not open at any time.
    async fn tried(&self, record: &Record) -> Result<Tried, StartError> {
        let Some(spec) = self.spec_of(record).await? else { return Ok(Tried::default()) };
        let is_kept = self.keeps_secrets(record);
        let (mut secrets, mut lost) = (BTreeMap::new(), BTreeSet::new());
        for (key, opened) in spec.parameters().into_iter().filter(|_| is_kept) {
            if is_lost(&opened) {
                lost.insert(key);
            } else if let Ok(secret) = opened {
                secrets.insert(key, secret);
            }
        }
        let lengths = secrets.iter().map(|(key, text)| (key.clone(), text.expose_secret().len()));
        let before = Before {
            values: spec.stack.values.clone(),
            secrets: lengths.collect(),
            size: spec.stack.size_id.clone(),
        };
        let template = spec.stack.template.map(|template| template.id);
        let (generated, data) = (spec.stack.generated, spec.stack.brought_back);
        Ok(Tried { template, before, secrets, lost, generated, data })
    }
}

impl Service {
    /// Returns whether the secrets that were given for an operation can still be used again.
    pub(super) fn keeps_secrets(&self, record: &Record) -> bool {
        ended(record).is_none_or(|at| self.clock().now() <= later(at, KEPT_FOR))
    }
}

/// Returns when a deployment had ended and what it left was cleaned up: it could not be tried again
/// before.
fn ended(record: &Record) -> Option<Timestamp> {
    let lines = record.metadata.receipt.iter().flat_map(|receipt| &receipt.lines);
    record.metadata.completed.into_iter().chain(lines.map(|line| line.at)).max()
}
