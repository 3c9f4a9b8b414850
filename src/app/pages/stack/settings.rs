//! What a stack is made of, and the form that changes it: `/stacks/<name>/settings`.
//!
//! The form is sent for a review first, which the page shows with all answers in it: secrets are sealed
//! there. A form that is refused comes back with what was typed. `?version=` has the questions of
//! another version of the template.

use std::sync::Arc;

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::plan::{Changes, labelled};
use super::{Facts, Tab, action, address, address_with, stack_page};
use crate::api::{caller, sent_settings, service};
use crate::app::pages::new::field::id_of;
use crate::app::pages::new::form::{Problems, questions, summed_up};
use crate::app::pages::notice::Refused;
use crate::app::words::stack_settings as words;
use crate::server::stacks::form::{Filling, KEPT_FIELD};
use crate::server::stacks::{LABEL_MAX, OwnStack, REVISION, SentSettings, SettingsForm, VERSION};
use crate::wire::{ApiError, DesiredState, PlanView};
use domain::phase::Status;

/// Renders the settings of the stack that the address names, or what those that were sent would
/// change.
#[component]
pub fn SettingsPage() -> impl IntoView {
    let sent = sent_settings();
    let query = use_query_map().get_untracked().to_query_string();
    stack_page(Tab::Settings, async move |stack: Arc<OwnStack>| {
        // The page loads itself again then, which must not take away what somebody types.
        if sent.is_none() && is_under_way(&stack) {
            return view! { <p class="questions__note">{words::UNDER_WAY}</p> }.into_any();
        }
        let link = Filling::link(query.trim_start_matches('?'));
        let SentSettings { filling, plan } = match sent {
            Some(sent) => (*sent).clone(),
            None => SentSettings { filling: link, plan: None },
        };
        match (settings(&stack, &filling).await, plan) {
            (Ok(settings), Some(plan)) => {
                view! { <Review stack settings filling plan /> }.into_any()
            }
            (Ok(settings), None) => view! {
                <Form stack=Arc::clone(&stack) settings />
                <LabelForm stack />
            }
            .into_any(),
            (Err(error), _) => view! {
                <NotChangeable error />
                <LabelForm stack />
            }
            .into_any(),
        }
    })
}

fn is_under_way(stack: &OwnStack) -> bool {
    let operation = stack.view.operation.as_ref();
    operation.is_some_and(|operation| operation.status == Status::InProgress)
}

async fn settings(stack: &OwnStack, filling: &Filling) -> Result<SettingsForm, ApiError> {
    let name = stack.view.name.as_str();
    service()?.settings_form(&caller()?, name, &stack.id, filling).await
}

/// Renders why the settings of a stack cannot be changed.
#[component]
fn NotChangeable(error: ApiError) -> impl IntoView {
    let why = words::not_changeable(error.code).map_or(error.message, ToOwned::to_owned);
    view! { <p class="refused">{why}</p> }
}

/// Renders the form with the questions.
#[component]
fn Form(stack: Arc<OwnStack>, settings: SettingsForm) -> impl IntoView {
    let update = version_choice(&stack, &settings);
    let SettingsForm { form, fixed, revision, outdated, version, is_withdrawn, .. } = settings;
    let outdated = outdated.map(|made_from| words::outdated(made_from, revision));
    let first = form.fields.first().map(|field| id_of(&field.key)).unwrap_or_default();
    let nothing = (form.fields.is_empty() && form.sizes.is_empty())
        .then(|| view! { <p>{words::NO_QUESTIONS}</p> });
    let withdrawn =
        is_withdrawn.then(|| view! { <p class="questions__note">{words::WITHDRAWN}</p> });
    view! {
        <Refused sentence=form.problem.clone() />
        <Refused sentence=outdated />
        <leptos-island
            data-component="question_form"
            data-check=action(&stack, "/settings/check")
            data-busy=words::REVIEWING
        >
            <Problems summed_up=summed_up(&form, &first) />
            <form class="questions" action=action(&stack, "/settings") method="post">
                <input type="hidden" name=REVISION value=revision.to_string() />
                <input type="hidden" name=VERSION value=version />
                {withdrawn}
                {update}
                <div class="questions__fields">{nothing} {questions(&form)} <Fixed fixed /></div>
                <button class="button button--primary" type="submit" name="step" value="review">
                    {words::REVIEW}
                </button>
                <p class="questions__status hints hint hint--bad" role="status"></p>
            </form>
        </leptos-island>
    }
}

/// Renders the way to the questions of another version of the template, and back.
fn version_choice(stack: &OwnStack, settings: &SettingsForm) -> Option<impl IntoView + use<>> {
    let SettingsForm { version, own_version: own, offered_version, .. } = settings;
    let (text, href, label) = if version == own {
        let offered = offered_version.as_ref()?;
        let href = address_with(stack, "/settings", VERSION, offered);
        (words::is_offered(own, offered), href, words::update_to(offered))
    } else {
        let href = address(stack, "/settings");
        (words::is_update(version, own), href, words::stay_with(own))
    };
    let changes = settings.update.as_ref().map(words::update_changes).unwrap_or_default();
    let changes = (!changes.is_empty()).then(|| labelled(changes));
    Some(view! {
        <div class="questions__note">
            <p>{text} " " <a href=href>{label}</a></p>
            {changes}
        </div>
    })
}

/// Renders the answers that no change can replace.
#[component]
fn Fixed(fixed: Vec<(String, String)>) -> impl IntoView {
    (!fixed.is_empty()).then(|| {
        view! {
            <section class="stack__part" aria-labelledby="fixed">
                <h2 id="fixed">{words::FIXED}</h2>
                <Facts facts=fixed />
            </section>
        }
    })
}

/// Renders what the answers would change, with all of them in the form that applies it.
#[component]
fn Review(
    stack: Arc<OwnStack>,
    settings: SettingsForm,
    filling: Filling,
    plan: PlanView,
) -> impl IntoView {
    let Filling { pairs, kept, .. } = filling;
    let secrets = (!kept.is_empty()).then(|| view! { <p>{words::SECRETS_KEPT}</p> });
    let sealed = kept.into_iter().map(|(key, sealed)| (format!("{KEPT_FIELD}{key}"), sealed));
    let fields = pairs.into_iter().chain(sealed).map(|(name, value)| {
        view! { <input type="hidden" name=name value=value /> }
    });
    let apply = (!plan.changes.is_empty()).then(|| {
        view! {
            <button class="button button--primary" type="submit" name="step" value="apply">
                {words::APPLY}
            </button>
        }
    });
    let is_stopped = stack.view.desired == DesiredState::Stopped;
    view! {
        <section class="stack__part" aria-labelledby="plan">
            <h2 id="plan">{words::PLAN}</h2>
            <Changes plan words=settings.words is_stopped />
            {secrets}
            <form action=action(&stack, "/settings") method="post">
                {fields.collect_view()}
                <div class="actions">
                    {apply}
                    <button class="button" type="submit" name="step" value="edit">
                        {words::BACK}
                    </button>
                </div>
            </form>
        </section>
    }
}

/// Renders the form with what the stack is called by its owner.
#[component]
fn LabelForm(stack: Arc<OwnStack>) -> impl IntoView {
    view! {
        <form class="stack__part" action=action(&stack, "/label") method="post">
            <div class="question">
                <label for="label">{words::LABEL}</label>
                <input
                    id="label"
                    name="label"
                    type="text"
                    maxlength=LABEL_MAX.to_string()
                    value=stack.view.label.clone()
                    autocomplete="off"
                    aria-describedby="about-label"
                />
                <p id="about-label" class="question__help">
                    {words::LABEL_HELP}
                </p>
            </div>
            <div class="actions">
                <button class="button" type="submit">
                    {words::SAVE_LABEL}
                </button>
            </div>
        </form>
    }
}
