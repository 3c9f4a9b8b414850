//! Makes the revision to which a change leads.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use catalogue::Entry;
use secrecy::SecretString;

use super::{Draft, Present, Wanted};
use crate::server::auth::access::Caller;
use crate::server::catalogue::{Audience, versioned};
use crate::server::secrets::OpenSecretError;
use crate::server::spec::{self, Choice, OperationSpec, SealError};
use crate::server::stacks::operations::difference::difference;
use crate::server::stacks::request::StartError;
use crate::server::stacks::{SentAnswers, Service};
use crate::server::store::TemplateDefinition;
use crate::wire::ApiError;
use domain::refusal::Refusal;
use domain::stack_id::RevisionId;
use domain::stack_spec::{StackSpec, TemplateRef};
use domain::template::checked::{Checked, SecretOrigin, VariableValue};
use domain::template::{DEFAULT_ID, Offer, Template};

impl Service {
    pub(super) async fn draft(
        &self,
        caller: &Caller,
        present: &Present,
        wanted: &Wanted,
    ) -> Result<Draft, ApiError> {
        match wanted {
            Wanted::Revision(number) => self.copy(present, *number).await,
            Wanted::Answers(answers, version) => {
                self.answered(caller, present, answers, version.as_deref()).await
            }
        }
    }

    /// Makes a revision like an older one.
    async fn copy(&self, present: &Present, number: u32) -> Result<Draft, ApiError> {
        let name = || present.stack.deployment.name.clone();
        let to = present.next();
        let from = RevisionId { number, ..to };
        let Some(older) = present.revisions.iter().find(|one| one.number == number) else {
            // Of a stack of an older version only the first one can be missing.
            let is_first = number == RevisionId::FIRST;
            let refusal =
                if is_first { Refusal::SpecUnknown(name()) } else { Refusal::NoSuchRevision };
            return Err(refusal.into());
        };
        if !older.origin.is_known() {
            return Err(Refusal::SpecUnknown(name()).into());
        }
        let stored = self.parts.store.spec(from).await?.ok_or(Refusal::NoSuchRevision)?;
        let spec = spec::seal_again(&stored, from, to, self.parts.keyring.as_ref());
        let spec = spec.map_err(not_opened)?;
        let changes = difference(&present.sealed.spec, &spec.spec, &BTreeSet::new());
        Ok(Draft { spec, number: to.number, template: None, changes })
    }

    /// Makes a revision with other answers, or of another version of the template.
    async fn answered(
        &self,
        caller: &Caller,
        present: &Present,
        answers: &SentAnswers,
        version: Option<&str>,
    ) -> Result<Draft, ApiError> {
        let old = &present.sealed.spec;
        let entry = self.definition(caller, present, version).await?;
        let secrets = self.secrets_of(present)?;
        let situation = self.situation_of(present, &entry, &secrets).await?;
        let answers = answers.read(&entry.template);
        let checked = entry.template.check(&answers, &situation, &entry.patterns);
        let checked = checked.map_err(Refusal::InvalidParameters)?;
        let reference = entry.reference();
        let to = present.next();
        let choice = Choice {
            template: &entry.template,
            reference: Some(&reference),
            checked: &checked,
            settings: &self.parts.stack,
            registry: self.parts.offers.registry(&entry.template, &self.parts.stack),
            data: old.brought_back.as_ref(),
            kept: &secrets,
            kept_generated: &old.generated,
        };
        let new = spec::seal(&choice, self.parts.keyring.as_ref(), to);
        let new = new.map_err(|error| match error {
            SealError::NoKey => ApiError::from(Refusal::SecretKeyMissing),
            SealError::NotKept { .. } => ApiError::from(Refusal::SecretsLost),
        })?;
        let changes = difference(old, &new.sealed.spec, &given(&checked));
        let template = TemplateDefinition { reference, json: entry.json.clone() };
        Ok(Draft { spec: new.sealed, number: to.number, template: Some(template), changes })
    }

    /// Returns the secrets that answer the questions of the stack, as far as they open.
    pub(super) fn secrets_of(
        &self,
        present: &Present,
    ) -> Result<BTreeMap<String, SecretString>, ApiError> {
        let (sealed, keyring) = (present.sealed.clone(), self.parts.keyring.clone());
        let spec = OperationSpec::stored(sealed, present.from(), keyring);
        let opened = spec.parameters().into_iter();
        opened.map(|(key, opened)| Ok((key, opened.map_err(not_opened)?))).collect()
    }

    /// Returns the definition that the stack has, or this version of its template.
    pub(super) async fn definition(
        &self,
        caller: &Caller,
        present: &Present,
        version: Option<&str>,
    ) -> Result<Arc<Entry>, ApiError> {
        let unknown = || Refusal::SpecUnknown(present.stack.deployment.name.clone());
        let Some(TemplateRef { id, version: own, digest }) = &present.sealed.spec.template else {
            // It began before there were templates.
            let template = self.template_of(present).ok_or_else(unknown)?;
            let entry = versioned(template).map_err(|_| unknown())?;
            let id = &entry.template.id;
            return match version.filter(|version| *version != entry.template.version) {
                Some(version) => self.offered_version(caller, id, version).await,
                None => Ok(Arc::new(entry)),
            };
        };
        if let Some(version) = version.filter(|version| version != own) {
            return self.offered_version(caller, id, version).await;
        }
        let stored = self.parts.store.template(digest).await?;
        let template = stored.and_then(|json| Template::from_json(&json).ok());
        let template = template.ok_or_else(unknown)?;
        let entry = Entry::of(template, Offer::default());
        entry.map(Arc::new).map_err(|_| unknown().into())
    }

    /// Returns this version of a template, if the caller is offered it.
    async fn offered_version(
        &self,
        caller: &Caller,
        id: &str,
        version: &str,
    ) -> Result<Arc<Entry>, ApiError> {
        let audience = self.audience(caller).await.map_err(StartError::from)?;
        let entry = self.parts.offers.find(&audience, id);
        let entry = entry.filter(|entry| entry.template.version == version);
        entry.ok_or_else(|| Refusal::NoSuchTemplate.into())
    }

    /// Returns the template that stands for what a stack is made of that began before there were
    /// templates; `None` if it had one.
    fn template_of(&self, present: &Present) -> Option<Template> {
        let Present { stack, sealed, .. } = present;
        let spec = &sealed.spec;
        let variables = spec.environment.iter().map(|variable| variable.name.clone());
        (stack.template == DEFAULT_ID).then(|| Template {
            image: spec.image.clone(),
            port: spec.port,
            command: spec.command.clone(),
            inherit_env: variables.collect(),
            health: spec.health.paths.clone(),
            healthcheck: spec.healthcheck.clone(),
            volumes: spec.volumes.clone(),
            ..self.parts.stack.template()
        })
    }

    /// Returns the version of the stack's template that `audience` is offered now, if it is another
    /// one.
    pub(super) fn newer_version(&self, spec: &StackSpec, audience: &Audience) -> Option<String> {
        let own = spec.template.as_ref()?;
        let entry = self.parts.offers.find(audience, &own.id)?;
        let version = entry.template.version.clone();
        (version != own.version).then_some(version)
    }

    /// Returns whether a template of this id is offered to anybody.
    pub(super) fn is_offered(&self, id: &str) -> bool {
        self.parts.offers.find(&Audience::Operator, id).is_some()
    }
}

fn not_opened(error: OpenSecretError) -> ApiError {
    tracing::error!(%error, "A secret of a stack that is to be changed does not open");
    Refusal::SecretsLost.into()
}

/// Returns the keys of the secrets that are new.
fn given(checked: &Checked) -> BTreeSet<String> {
    let key = |value: &VariableValue| match value {
        VariableValue::Secret {
            key,
            origin: SecretOrigin::Given(_) | SecretOrigin::Generated(_),
        } => Some(key.clone()),
        VariableValue::Secret { origin: SecretOrigin::Kept, .. } | VariableValue::Plain(_) => None,
    };
    checked.variables.iter().filter_map(|variable| key(&variable.value)).collect()
}
