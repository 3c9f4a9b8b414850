//! The form of a new stack: what it shows, what is wrong with it so far, and the start.

use std::collections::BTreeMap;
use std::sync::Arc;

use catalogue::Entry;

use super::authorization::is_own;
use super::form::{AGAIN, DATA, Filling, NAME, TemplateForm, answered};
use super::kept_secrets::TakenBack;
use super::shown_once::StartedForPage;
use super::{SentAnswers, Service, StartRequest};
use crate::server::auth::access::Caller;
use crate::server::catalogue::Audience;
use crate::wire::{ApiError, ErrorDetails, FieldProblem, FormVerdict};
use domain::deployment::DeploymentId;
use domain::refusal::Refusal;
use domain::stack_name::StackName;
use domain::stack_spec::StackSpec;
use domain::template::answers::Answers;
use domain::template::text::FALLBACK;
use domain::words;

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
        let offered = self.offered(caller).await?;
        let entry = offered.iter().find(|entry| entry.template.id == id);
        let entry = entry.ok_or(Refusal::NoSuchTemplate)?;
        let form = self.form_of(caller, entry, filling).await?;
        Ok(TemplateForm { has_others: offered.len() > 1, ..form })
    }

    /// Returns the form of a template that the caller is offered.
    ///
    /// # Errors
    ///
    /// Returns an error if the store is unavailable.
    pub(crate) async fn form_of(
        &self,
        caller: &Caller,
        entry: &Entry,
        filling: &Filling,
    ) -> Result<TemplateForm, ApiError> {
        let again = self.filled_again(caller, entry, filling).await?;
        let filling = again.as_ref().unwrap_or(filling);
        let name = filling.values(NAME).last().and_then(|name| StackName::parse(name).ok());
        let owner = caller.identity.owner();
        let situation = self.situation(&entry.template, name.as_ref(), owner).await?;
        let usual = self.usual_of(&entry.template.id).await;
        Ok(TemplateForm { usual, ..TemplateForm::new(entry, &situation, filling, FALLBACK) })
    }

    /// Returns what fills the form with the answers of the deployment that a link names; `None` if it
    /// names none of this template that the caller may see and owns.
    async fn filled_again(
        &self,
        caller: &Caller,
        entry: &Entry,
        link: &Filling,
    ) -> Result<Option<Filling>, ApiError> {
        let id = link.values(AGAIN).last().filter(|_| link.is_link).copied();
        let Some(id) = id.and_then(|id| DeploymentId::parse(id).ok()) else { return Ok(None) };
        let record = self.record(&id).await?.filter(|record| is_own(caller, record));
        let Some(record) = record else { return Ok(None) };
        let spec = self.spec_of(&record).await?.map(|spec| spec.stack);
        let is_of_it = |spec: &StackSpec| {
            spec.template.as_ref().is_some_and(|template| template.id == entry.template.id)
        };
        let Some(spec) = spec.filter(is_of_it) else { return Ok(None) };
        let data = self.data_again(&record, spec.brought_back.as_ref()).await?;
        Ok(Some(Filling::again(&entry.template, &record.deployment, &spec, data)))
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
        form: &TakenBack,
    ) -> Result<FormVerdict, ApiError> {
        let entry = self.template(caller, id).await?;
        let pairs = &form.pairs;
        let text = pairs.iter().rev().find(|(field, _)| field == NAME);
        let text = text.map(|(_, text)| text.as_str()).unwrap_or_default();
        let name = StackName::parse(text).ok();
        let owner = caller.identity.owner();
        let situation = self.situation(&entry.template, name.as_ref(), owner).await?;
        let answers = Answers::from_form(&entry.template, &answered(pairs.clone()));
        let checked = entry.template.check(&answers, &situation, &entry.patterns);
        let mut verdict = FormVerdict::default();
        if let Err(errors) = checked {
            let error = ApiError::from(Refusal::InvalidParameters(errors));
            verdict.fields = error.details.map(|details| details.fields).unwrap_or_default();
        }
        verdict.fields.extend(form.problems(&entry.template));
        match self.parse_name(text) {
            Ok(name) => match self.name_refusal(caller, &name).await {
                None => verdict.url = Some(self.parts.stack.url(&name)),
                Some(refusal) => {
                    verdict.offers = self.suggestions(caller, &name).await;
                    verdict.fields.insert(NAME.to_owned(), problem(refusal.into()));
                }
            },
            Err(rule) => {
                let (code, message) =
                    (rule.code().to_owned(), format!("{}.", words::name::rule(rule)));
                verdict.fields.insert(NAME.to_owned(), FieldProblem { code, message });
            }
        }
        Ok(verdict)
    }

    /// Starts the deployment of a page. Returns its id, and the ticket with which its page shows the
    /// secrets that were generated for it.
    ///
    /// # Errors
    ///
    /// Returns why it cannot start.
    pub(crate) async fn start_for_page(
        &self,
        caller: &Caller,
        request: &StartRequest,
    ) -> Result<StartedForPage, ApiError> {
        let started = self.start(caller, request, |_| None).await?;
        Ok(self.for_page(caller.identity.owner(), &started))
    }

    /// Does the same as [`Self::start_for_page`] with the fields of a template's form.
    ///
    /// # Errors
    ///
    /// Returns why it cannot start, also if a secret that the form kept must be given again.
    pub(crate) async fn start_form(
        &self,
        caller: &Caller,
        template: &str,
        form: &TakenBack,
    ) -> Result<StartedForPage, ApiError> {
        let pairs = &form.pairs;
        let last = |name: &str| {
            let found = pairs.iter().rev().find(|(field, _)| field == name);
            found.map(|(_, value)| value.clone()).filter(|value| !value.is_empty())
        };
        let fields = form.problems(&self.template(caller, template).await?.template);
        if !fields.is_empty() {
            let details = ErrorDetails { fields, ..ErrorDetails::default() };
            let details = Some(Box::new(details));
            return Err(ApiError { details, ..Refusal::SecretsExpired.into() });
        }
        let request = StartRequest {
            name: last(NAME).unwrap_or_default(),
            template: Some(template.to_owned()),
            data: last(DATA),
            answers: SentAnswers::Form(answered(pairs.clone())),
        };
        self.start_for_page(caller, &request).await
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
