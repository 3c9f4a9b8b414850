//! The form of a new stack: what it shows, what is wrong with it so far, and the start.

use std::collections::BTreeMap;
use std::sync::Arc;

use secrecy::SecretString;

use super::form::{Filling, NAME, TemplateForm, answered};
use super::{Service, StartRequest};
use crate::server::auth::access::Caller;
use crate::server::catalogue::Audience;
use crate::wire::{ApiError, FieldProblem, FormVerdict, NameVerdict};
use domain::deployment::DeploymentId;
use domain::refusal::{Refusal, TakenBy};
use domain::stack_name::StackName;
use domain::template::answers::Answers;
use domain::template::text::FALLBACK;

impl Service {
    /// Returns the form of a template.
    ///
    /// # Errors
    ///
    /// Returns an error if there is no such template, the caller is not offered it, or the store is
    /// unavailable.
    pub(crate) async fn template_form(
        &self,
        caller: &Caller,
        id: &str,
        filling: &Filling,
    ) -> Result<TemplateForm, ApiError> {
        let entry = self.template(caller, id).await?;
        let name = filling.values(NAME).last().and_then(|name| StackName::parse(name).ok());
        let owner = caller.identity.owner();
        let situation = self.situation(&entry.template, name.as_ref(), owner).await?;
        let usual = self.usual_of(id).await;
        Ok(TemplateForm { usual, ..TemplateForm::new(&entry, &situation, filling, FALLBACK) })
    }

    /// Returns whether there is only one template, which asks for nothing.
    ///
    /// # Errors
    ///
    /// Returns an error if the store is unavailable.
    pub(crate) async fn has_only_a_name(&self, caller: &Caller) -> Result<bool, ApiError> {
        let offered = self.parts.offers.offered(&self.audience(caller).await?);
        Ok(matches!(&offered[..], [only] if only.template.asks_nothing()))
    }

    /// Checks the fields of a template's form.
    ///
    /// # Errors
    ///
    /// Returns an error if there is no such template, or the caller is not offered it.
    pub(crate) async fn check_form(
        self: &Arc<Self>,
        caller: &Caller,
        id: &str,
        pairs: &[(String, String)],
    ) -> Result<FormVerdict, ApiError> {
        let entry = self.template(caller, id).await?;
        let text = pairs.iter().rev().find(|(field, _)| field == NAME);
        let text = text.map(|(_, text)| text.as_str()).unwrap_or_default();
        let name = StackName::parse(text).ok();
        let owner = caller.identity.owner();
        let situation = self.situation(&entry.template, name.as_ref(), owner).await?;
        let answers = Answers::from_form(&entry.template, &answered(pairs.to_vec()));
        let checked = entry.template.check(&answers, &situation, &entry.patterns);
        let mut verdict = FormVerdict::default();
        if let Err(errors) = checked {
            let error = ApiError::from(Refusal::InvalidParameters(errors));
            verdict.fields = error.details.map(|details| details.fields).unwrap_or_default();
        }
        match self.check_name(caller, text).await {
            NameVerdict::Free { url, .. } => verdict.url = Some(url),
            NameVerdict::Taken { name, .. } => {
                let taken = ApiError::from(Refusal::NameTaken(name, TakenBy::Another));
                verdict.fields.insert(NAME.to_owned(), problem(taken));
            }
            NameVerdict::Invalid { code, sentence, .. } => {
                let (code, message) = (code, format!("{sentence}."));
                verdict.fields.insert(NAME.to_owned(), FieldProblem { code, message });
            }
        }
        Ok(verdict)
    }

    /// Starts the deployment of a form. Returns its id, and the secrets that were generated, each
    /// after the label of its question.
    ///
    /// # Errors
    ///
    /// Returns why it cannot start.
    pub(crate) async fn start_form(
        &self,
        caller: &Caller,
        request: &StartRequest,
    ) -> Result<(DeploymentId, Vec<(String, SecretString)>), ApiError> {
        let started = self.start(caller, request, |_| None).await?;
        let labels = self.labels(request.template.as_deref().unwrap_or_default());
        let labelled = |(key, secret)| (labels.get(&key).cloned().unwrap_or(key), secret);
        Ok((started.deployment.id, started.generated.into_iter().map(labelled).collect()))
    }

    /// Returns the labels of a template's questions by their keys.
    pub(super) fn labels(&self, id: &str) -> BTreeMap<String, String> {
        let entry = self.parts.offers.find(&Audience::Operator, id);
        let parameters = entry.iter().flat_map(|entry| &entry.template.parameters);
        let label = |one: &domain::template::parameter::Parameter| {
            (one.key.clone(), one.label.in_language(FALLBACK).to_owned())
        };
        parameters.map(label).collect()
    }
}

fn problem(ApiError { code, message, .. }: ApiError) -> FieldProblem {
    FieldProblem { code: code.as_str().to_owned(), message }
}
