//! Chooses the template of a stack that begins, and checks the answers to its questions.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use catalogue::Entry;
use secrecy::{ExposeSecret as _, SecretString};

use super::Service;
use super::request::{New, StartError};
use crate::server::auth::access::{Caller, Identity, Role};
use crate::server::catalogue::{self as offers, Audience};
use crate::server::spec::OperationSpec;
use crate::server::store::Record;
use domain::refusal::Refusal;
use domain::stack_name::StackName;
use domain::template::DEFAULT_ID;
use domain::template::answers::Answers;
use domain::template::checked::Checked;
use domain::template::parameter::Parameter;
use domain::template::situation::{Before, Situation};

/// A template with answers that can be used.
pub(super) struct Chosen {
    pub(super) entry: Arc<Entry>,
    pub(super) checked: Checked,
    /// The secrets of the deployment that is tried again, by the keys of their parameters.
    pub(super) kept: BTreeMap<String, SecretString>,
    /// The id of the data to bring back.
    pub(super) data: Option<String>,
}

/// What a deployment that is tried again was started with.
#[derive(Default)]
struct Tried {
    template: Option<String>,
    before: Before,
    secrets: BTreeMap<String, SecretString>,
    data: Option<String>,
}

impl Service {
    /// Returns whom templates are offered to with the rights of `caller`.
    pub(super) fn audience(caller: &Caller) -> Audience {
        match &caller.identity {
            Identity::Anonymous | Identity::Browser(_) | Identity::Unauthenticated => {
                Audience::Anybody
            }
            Identity::Person { role: Role::Operator, .. } => Audience::Operator,
            Identity::Person { role: Role::Member, .. } | Identity::Program { .. } => {
                Audience::Person(BTreeSet::new())
            }
        }
    }

    /// Chooses the template of a deployment called `name`, and checks the answers.
    pub(super) async fn choose(
        &self,
        new: &New<'_>,
        name: &StackName,
    ) -> Result<Chosen, StartError> {
        let audience = Self::audience(new.caller);
        let Some(tried) = new.retry_of else {
            let entry = self.entry(&audience, new.request.template.as_deref())?;
            let answers = new.request.answers.read(&entry.template);
            let checked = entry.template.check(&answers, &self.situation(name), &entry.patterns);
            let checked = checked.map_err(Refusal::InvalidParameters)?;
            let data = new.request.data.clone();
            return Ok(Chosen { entry, checked, kept: BTreeMap::new(), data });
        };
        let Tried { template, before, secrets, data } = self.tried(tried).await?;
        // One of a version without templates, or of other settings, is not started as something else.
        let entry = self.entry(&audience, Some(template.as_deref().unwrap_or(DEFAULT_ID)))?;
        let situation = Situation { before: Some(before), ..self.situation(name) };
        let checked = entry.template.check(&Answers::default(), &situation, &entry.patterns);
        let checked = checked.map_err(|errors| {
            let is_secret =
                |key: &str| entry.template.parameter(key).is_some_and(Parameter::is_secret);
            if errors.iter().all(|(key, _)| is_secret(key)) {
                Refusal::SecretsExpired
            } else {
                Refusal::InvalidParameters(errors)
            }
        })?;
        Ok(Chosen { entry, checked, kept: secrets, data })
    }

    /// Returns the template of this id, or the one that needs no id.
    fn entry(&self, audience: &Audience, id: Option<&str>) -> Result<Arc<Entry>, Refusal> {
        if let Some(id) = id {
            return self.parts.offers.find(audience, id).ok_or(Refusal::NoSuchTemplate);
        }
        let offered = self.parts.offers.offered(audience);
        let ids = || offered.iter().map(|entry| entry.template.id.clone()).collect();
        offers::unnamed(&offered).cloned().ok_or_else(|| Refusal::TemplateRequired(ids()))
    }

    /// Returns what the answers for a new stack are checked against.
    pub(super) fn situation(&self, name: &StackName) -> Situation {
        Situation {
            stack_name: Some(name.to_string()),
            stack_url: Some(self.parts.stack.url(name)),
            ..Situation::default()
        }
    }

    /// Reads what the deployment `record` was started with. A secret that does not open counts as
    /// not there.
    async fn tried(&self, record: &Record) -> Result<Tried, StartError> {
        let revision = record.revision;
        let Some(stored) = self.parts.store.spec(revision).await? else {
            return Ok(Tried::default());
        };
        let spec = OperationSpec::stored(stored, revision, self.parts.keyring.clone());
        let secrets = spec.parameters();
        let lengths = secrets.iter().map(|(key, text)| (key.clone(), text.expose_secret().len()));
        let before = Before {
            values: spec.stack.values.clone(),
            secrets: lengths.collect(),
            size: spec.stack.size_id.clone(),
        };
        let template = spec.stack.template.map(|template| template.id);
        let data = spec.stack.brought_back.map(|data| data.id);
        Ok(Tried { template, before, secrets, data })
    }
}
