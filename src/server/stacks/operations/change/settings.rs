//! The form with the settings of a stack: the questions of its template with today's answers, or with
//! those that were sent and are to be reviewed or mended.

use std::collections::BTreeMap;
use std::sync::Arc;

use catalogue::Entry;
use secrecy::{ExposeSecret as _, SecretString};

use super::{ChangeRequest, Present, Wanted};
use crate::server::auth::access::{Caller, Permission};
use crate::server::spec::fingerprints;
use crate::server::stacks::authorization::is_own;
use crate::server::stacks::form::{
    AGAIN, Control, Field, Filling, PresentSecret, TemplateForm, VERSION,
};
use crate::server::stacks::{QuestionWords, SentAnswers, Service, TakenBack};
use crate::server::store::{Record, Revision, State};
use crate::wire::{ApiError, ErrorDetails, FormVerdict, PlanView};
use domain::deployment::DeploymentId;
use domain::refusal::Refusal;
use domain::template::Template;
use domain::template::answers::{CLEAR_FIELD, SECRET_FIELD};
use domain::template::situation::{Before, Kept, Situation};
use domain::template::text::FALLBACK;

/// The field of the revision that the form was made from.
pub(crate) const REVISION: &str = "revision";

/// What was sent with the form of a stack's settings, to be shown again.
#[derive(Clone, Debug, Default)]
pub(crate) struct SentSettings {
    /// The answers, without the secrets, and what is wrong with them.
    pub(crate) filling: Filling,
    /// What they would change, if that is to be reviewed.
    pub(crate) plan: Option<PlanView>,
}

/// The form with the settings of a stack.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SettingsForm {
    /// How people call the questions and their answers.
    pub(crate) words: QuestionWords,
    /// The questions that can be answered anew.
    pub(crate) form: TemplateForm,
    /// The labels of the questions that cannot, with their answers as texts.
    pub(crate) fixed: Vec<(String, String)>,
    /// The revision that the stack has.
    pub(crate) revision: u32,
    /// The revision that an earlier form was made from, if the stack has another one by now.
    pub(crate) outdated: Option<u32>,
    /// The version of the template whose questions these are.
    pub(crate) version: String,
    /// The version that the stack has.
    pub(crate) own_version: String,
    /// Another version that the caller is offered.
    pub(crate) offered_version: Option<String>,
    /// What another version changes: that whose questions these are, or else the offered one.
    pub(crate) update: Option<Update>,
    /// Whether the template is offered to nobody any more.
    pub(crate) is_withdrawn: bool,
}

/// What another version of a template changes, whatever the answers are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Update {
    /// The labels of the questions that it adds.
    pub(crate) added: Vec<String>,
    /// The labels of the questions that it no longer asks.
    pub(crate) removed: Vec<String>,
    /// The image of before and the new one, if it is another one.
    pub(crate) image: Option<(String, String)>,
}

impl Update {
    fn between(old: &Template, new: &Template) -> Self {
        let only_in = |one: &Template, other: &Template| {
            let own = one.parameters.iter().filter(|own| other.parameter(&own.key).is_none());
            own.map(|own| own.label.in_language(FALLBACK).to_owned()).collect()
        };
        let is_other_image = old.image != new.image;
        Self {
            added: only_in(new, old),
            removed: only_in(old, new),
            image: is_other_image.then(|| (old.image.clone(), new.image.clone())),
        }
    }
}

impl Service {
    /// Returns the form with the settings of the stack called `name`, which the deployment `of` created, for
    /// a caller who may change it.
    ///
    /// # Errors
    ///
    /// Returns why the stack cannot be changed.
    pub(crate) async fn settings_form(
        &self,
        caller: &Caller,
        name: &str,
        of: &DeploymentId,
        filling: &Filling,
    ) -> Result<SettingsForm, ApiError> {
        let stack = self.authorize_stack(caller, Permission::Change, name, Some(of)).await?;
        let present = self.as_it_is(stack, None).await?;
        let again = self.answers_again(caller, &present, filling).await?;
        let filling = again.as_ref().unwrap_or(filling);
        let last = |field: &str| filling.values(field).last().copied().filter(|it| !it.is_empty());
        let offered = self.newer_version(&present.sealed.spec, &self.audience(caller).await?);
        let own = self.definition(caller, &present, None).await?;
        let (entry, problem) = match self.definition(caller, &present, last(VERSION)).await {
            Err(error) if last(VERSION).is_some() => (Arc::clone(&own), Some(error.message)),
            found => (found?, None),
        };
        let update = self.update_of(caller, &present, [&own, &entry], offered.as_deref()).await;
        let situation = self.situation_of(&present, &entry, &self.secrets_of(&present)?).await?;
        let mut form = TemplateForm::new(&entry, &situation, filling, FALLBACK);
        form.problem = form.problem.or(problem);
        let words = QuestionWords::of(&entry.template).or(QuestionWords::of(&own.template));
        let fixed = take_fixed(&mut form, &entry, &situation, &words);
        for field in &mut form.fields {
            let present_secret = present_secret(&present, &field.key, filling);
            if let Control::Secret { is_generated, present, .. } = &mut field.control {
                let can_be_removed = !*is_generated && !field.is_required;
                *present = present_secret.map(|it| PresentSecret { can_be_removed, ..it });
            }
        }
        let number = present.from().number;
        let sent = last(REVISION).map(|text| text.parse().unwrap_or_default());
        let template = present.sealed.spec.template.as_ref();
        let own_version = template.map(|template| template.version.clone()).unwrap_or_default();
        Ok(SettingsForm {
            words,
            form,
            fixed,
            revision: number,
            outdated: sent.filter(|sent| *sent != number),
            version: entry.template.version.clone(),
            own_version,
            offered_version: offered,
            update,
            is_withdrawn: !self.is_offered(&entry.template.id),
        })
    }

    /// Returns what changes from the definition that the stack has to the one of the form, or to the
    /// offered one if both are the same.
    async fn update_of(
        &self,
        caller: &Caller,
        present: &Present,
        [own, shown]: [&Arc<Entry>; 2],
        offered: Option<&str>,
    ) -> Option<Update> {
        if own.template.version != shown.template.version {
            return Some(Update::between(&own.template, &shown.template));
        }
        // Without it, the page only says that there is another version.
        let newer = self.definition(caller, present, Some(offered?)).await.ok()?;
        Some(Update::between(&own.template, &newer.template))
    }

    /// Returns what the secrets that the form of a stack's settings keeps are sealed for: those of one
    /// stack are of no use in the form of another.
    pub(crate) fn settings_context(name: &str) -> String {
        format!("stack {name}")
    }

    /// Returns what fills the form with the answers of the change that failed and that a link names;
    /// `None` if it names none of this stack.
    async fn answers_again(
        &self,
        caller: &Caller,
        present: &Present,
        link: &Filling,
    ) -> Result<Option<Filling>, ApiError> {
        let id = link.values(AGAIN).last().filter(|_| link.is_link).copied();
        let Some(id) = id.and_then(|id| DeploymentId::parse(id).ok()) else { return Ok(None) };
        let is_of_stack = |record: &Record| {
            record.revision.stack == present.from().stack
                && self.kind(record).makes_revision()
                && record.state == State::RolledBack
        };
        let Some(record) = self.record(&id).await?.filter(is_of_stack) else { return Ok(None) };
        let Some(spec) = self.spec_at(record.revision).await? else { return Ok(None) };
        let mut filling = Filling::answers(&spec.stack);
        if is_own(caller, &record) && self.keeps_secrets(&record) {
            let (before, now) = (fingerprints(&present.sealed.spec), fingerprints(&spec.stack));
            let is_given = |key: &String| {
                before.get(key) != now.get(key) && !spec.stack.generated.contains(key)
            };
            let given = spec.parameters().into_iter().filter(|(key, _)| is_given(key));
            let pairs: Vec<_> = given
                .filter_map(|(key, secret)| {
                    let text = secret.ok()?.expose_secret().to_owned();
                    Some((format!("{SECRET_FIELD}{key}"), text))
                })
                .collect();
            let context = Self::settings_context(present.stack.deployment.name.as_str());
            filling.kept = self.keep_secrets(caller, &context, &pairs);
        }
        Ok(Some(filling))
    }

    /// Returns the change that the form of a stack's settings asks for.
    ///
    /// # Errors
    ///
    /// Returns an error if a secret that the form kept must be given again.
    pub(crate) fn change_of_form(form: &TakenBack) -> Result<ChangeRequest, ApiError> {
        let fields = form.expired_problems();
        if !fields.is_empty() {
            let details = ErrorDetails { fields, ..ErrorDetails::default() };
            let details = Some(Box::new(details));
            return Err(ApiError { details, ..Refusal::SecretsExpired.into() });
        }
        let pairs = &form.pairs;
        let last = |name: &str| {
            let found = pairs.iter().rev().find(|(field, _)| field == name);
            found.map(|(_, value)| value.as_str()).unwrap_or_default()
        };
        let version = Some(last(VERSION)).filter(|version| !version.is_empty());
        // A revision that cannot be read is none that a stack has.
        let expected = Some(last(REVISION).parse().unwrap_or_default());
        let answers = SentAnswers::Form(pairs.clone());
        Ok(ChangeRequest { wanted: Wanted::Answers(answers, version.map(str::to_owned)), expected })
    }

    /// Checks the fields of the form of a stack's settings. What is about no field is said in answer to
    /// the form.
    ///
    /// # Errors
    ///
    /// Returns an error if there is no such stack, or the caller may not change it.
    pub(crate) async fn check_settings(
        &self,
        caller: &Caller,
        name: &str,
        of: Option<&DeploymentId>,
        form: &TakenBack,
    ) -> Result<FormVerdict, ApiError> {
        self.authorize_stack(caller, Permission::Change, name, of).await?;
        let refused = match Self::change_of_form(form) {
            Ok(request) => self.plan(caller, name, of, &request).await.err(),
            Err(refused) => Some(refused),
        };
        let fields = refused.and_then(|refused| Some(refused.details?.fields)).unwrap_or_default();
        Ok(FormVerdict { fields, ..FormVerdict::default() })
    }

    /// Returns what answers for a stack are checked against, which has these `secrets`.
    pub(super) async fn situation_of(
        &self,
        present: &Present,
        entry: &Entry,
        secrets: &BTreeMap<String, SecretString>,
    ) -> Result<Situation, ApiError> {
        let spec = &present.sealed.spec;
        let (name, owner) = (&present.stack.deployment.name, present.stack.owner.as_ref());
        let situation = self.situation(&entry.template, Some(name), owner).await?;
        let length =
            |(key, text): (&String, &SecretString)| (key.clone(), text.expose_secret().len());
        let before = Before {
            values: spec.values.clone(),
            secrets: secrets.iter().map(length).collect(),
            size: spec.size_id.clone(),
        };
        Ok(Situation { before: Some(before), ..situation })
    }
}

/// Takes the questions out of the form that no change can answer anew. Returns their labels and
/// answers.
fn take_fixed(
    form: &mut TemplateForm,
    entry: &Entry,
    situation: &Situation,
    words: &QuestionWords,
) -> Vec<(String, String)> {
    let kept = |key: &str| match entry.template.parameter(key) {
        Some(parameter) => situation.fixed(parameter, &entry.patterns),
        None => Kept::Nothing,
    };
    let is_fixed = |key: &str| kept(key) != Kept::Nothing;
    let fixed = form.fields.extract_if(.., |field| is_fixed(&field.key));
    let answer = |field: Field| {
        let value = kept(&field.key).value().map(|value| value.to_variable('\n'));
        (field.label, words.answer(&field.key, &value.unwrap_or_default()))
    };
    fixed.map(answer).collect()
}

/// Returns what is known of the secret that answers the question `key`, if the stack has one.
fn present_secret(present: &Present, key: &str, filling: &Filling) -> Option<PresentSecret> {
    let fingerprint = fingerprints(&present.sealed.spec).remove(key)?;
    // The revisions are newest first. Those that the stack never had say nothing.
    let number = present.from().number;
    let earlier = present.revisions.iter().skip_while(|one| one.number != number);
    let has_it = |one: &&Revision| fingerprints(&one.spec).get(key) == Some(&fingerprint);
    let first = earlier.take_while(has_it).last();
    Some(PresentSecret {
        set_at: first.and_then(|one| one.at),
        fingerprint,
        can_be_removed: false,
        is_removed: !filling.values(&format!("{CLEAR_FIELD}{key}")).is_empty(),
    })
}
