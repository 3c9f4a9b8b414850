//! The form of a template: the name of the stack, and the template's questions.
//!
//! It is a plain form. With the page's code, `controls` checks answers as they are given, and shows
//! only the questions that are asked.

use leptos::prelude::*;

use super::field::{FieldRow, Problem, SizeChoice, id_of};
use crate::api::page_data::page_data;
use crate::api::service;
use crate::app::pages::notice::Refused;
use crate::app::words::buttons::{START_STACK, STARTING};
use crate::app::words::name_form::{self, PLACEHOLDER};
use crate::app::words::new as words;
use crate::app::words::problems::problems;
use crate::server::page::NEW;
use crate::server::stacks::form::{DATA, Field, NAME, TemplateForm};
use domain::stack_name::StackName;
use domain::template::answers::{PARAMETERS, SECRETS, SIZE};

/// Renders the form.
#[component]
pub fn QuestionForm(
    /// The form.
    form: TemplateForm,
) -> impl IntoView {
    let summed_up = summed_up(&form, &id_of(NAME));
    let questions = questions(&form);
    let TemplateForm { id, stack_name, is_size_from_link, data, fields, .. } = form;
    let (problems, offers, problem) = (form.problems, form.offers, form.problem);
    let from_link = is_size_from_link || fields.iter().any(|field| field.is_from_link);
    let from_link =
        from_link.then(|| view! { <p class="questions__note">{words::FROM_LINK_NOTE}</p> });
    let brought_back = data.map(|id| {
        view! {
            <p class="questions__note">{words::BRINGS_BACK}</p>
            <input type="hidden" name=DATA value=id />
        }
    });
    // What was refused has its reason above the form.
    let data = page_data().filter(|_| problem.is_none());
    let warning = data.and_then(|data| name_form::warning(&data.frame.platform));
    view! {
        <Refused sentence=problem />
        <leptos-island
            data-component="question_form"
            data-check=format!("{NEW}/{id}/check")
            data-busy=STARTING
        >
            <Problems summed_up />
            <form class="questions" action=format!("{NEW}/{id}") method="post">
                {from_link} {brought_back} <div class="questions__fields">
                    <NameRow stack_name problem=problems.get(NAME).cloned() offers />
                    {questions}
                </div> <button class="button button--primary" type="submit">
                    <span>{START_STACK}</span>
                </button> <p class="questions__status hints hint hint--bad" role="status"></p>
                {warning.map(|warning| view! { <p class="name-form__warning">{warning}</p> })}
            </form>
        </leptos-island>
    }
}

/// Renders the questions of a form, and the sizes. The advanced ones are folded away.
pub(in crate::app::pages) fn questions(form: &TemplateForm) -> impl IntoView + use<> {
    let TemplateForm { sizes, is_size_from_link, fields, problems, .. } = form.clone();
    let size = problems.get(SIZE).cloned();
    let row = |field: Field| {
        let problem = problems.get(&field.key).cloned();
        view! { <FieldRow field problem /> }
    };
    let (folded, open): (Vec<_>, Vec<_>) = fields.into_iter().partition(|field| field.is_folded);
    let advanced = (!folded.is_empty()).then(|| {
        view! {
            <details class="disclosure">
                <summary>{words::ADVANCED}</summary>
                <div class="questions__fields">{folded.into_iter().map(row).collect_view()}</div>
            </details>
        }
    });
    view! {
        {open.into_iter().map(row).collect_view()}
        <SizeChoice sizes is_from_link=is_size_from_link problem=size />
        {advanced}
    }
}

/// Renders the field of the stack's name.
#[component]
fn NameRow(
    /// The name, as far as it is typed.
    stack_name: String,
    /// What is wrong with it.
    problem: Option<String>,
    /// Similar names that are available, if it is taken.
    offers: Vec<StackName>,
) -> impl IntoView {
    let pattern = service().ok().map(|service| service.address_pattern());
    let is_usable = StackName::for_new_stack(&stack_name).is_ok();
    let shown_name = if is_usable { &stack_name } else { PLACEHOLDER };
    let address = pattern.map(|pattern| pattern.address(shown_name));
    let is_focused = stack_name.is_empty() && problem.is_none();
    view! {
        <div class="question" data-key=NAME data-label=name_form::NAME>
            <label for=id_of(NAME)>{name_form::NAME}</label>
            <input
                id=id_of(NAME)
                name=NAME
                type="text"
                value=stack_name
                required
                autofocus=is_focused
                autocomplete="off"
                autocapitalize="none"
                spellcheck="false"
                aria-invalid=problem.is_some().then_some("true")
                aria-describedby="problem-name about-name"
            />
            <Problem key=NAME.to_owned() sentence=problem />
            <Offers offers />
            <p id="about-name" class="question__help">
                {words::NAME_HELP} " " <span class="question__address" translate="no">
                    {address}
                </span>
            </p>
        </div>
    }
}

/// Renders free names in place of a taken one. They lead to the field; the page's code puts the name
/// into it. The element is there in any case: the page's code writes into it.
#[component]
fn Offers(
    /// The names.
    offers: Vec<StackName>,
) -> impl IntoView {
    let is_none = offers.is_empty();
    let offer = |name: StackName| {
        view! {
            <a class="chip" href=format!("#{}", id_of(NAME)) translate="no">
                {name.to_string()}
            </a>
        }
    };
    view! {
        <p id="offers-name" class="hint__offers" role="status" hidden=is_none>
            {name_form::FREE}
            {offers.into_iter().map(offer).collect_view()}
        </p>
    }
}

/// Returns what is wrong, in the order of the form: the id of the field, its label and the sentence.
/// What is about no single field goes before, and leads to the element `first`.
pub(in crate::app::pages) fn summed_up(
    form: &TemplateForm,
    first: &str,
) -> Vec<(String, String, String)> {
    let label = |field: &Field| (field.key.clone(), field.label.clone());
    let own = |key: &str, label: &str| (key.to_owned(), label.to_owned());
    let (folded, open): (Vec<_>, Vec<_>) = form.fields.iter().partition(|field| field.is_folded);
    let size = (!form.sizes.is_empty()).then(|| own(SIZE, words::SIZE));
    let fields: Vec<_> = [own(NAME, name_form::NAME)]
        .into_iter()
        .chain(open.into_iter().map(label))
        .chain(size)
        .chain(folded.into_iter().map(label))
        .collect();
    let is_field = |key: &str| fields.iter().any(|(field, _)| field == key);
    let of_all = form.problems.iter().filter(|(key, _)| !is_field(key)).map(|(key, sentence)| {
        let label =
            if [PARAMETERS, SECRETS].contains(&key.as_str()) { words::ANSWERS } else { key };
        (first.to_owned(), label.to_owned(), sentence.clone())
    });
    let of_fields = fields.iter().filter_map(|(key, label)| {
        Some((id_of(key), label.clone(), form.problems.get(key)?.clone()))
    });
    of_all.chain(of_fields).collect()
}

/// Renders what is wrong, each with a link to its field. It gets the focus. The element is there in
/// any case: the page's code writes into it.
#[component]
pub fn Problems(
    /// The id of the field, its label and what is wrong with it.
    summed_up: Vec<(String, String, String)>,
) -> impl IntoView {
    let count = summed_up.len();
    let item = |(id, label, sentence): (String, String, String)| {
        view! {
            <li>
                <a href=format!("#{id}")>{label}</a>
                ": "
                {sentence}
            </li>
        }
    };
    let is_any = count > 0;
    view! {
        <div class="refused problems" role="alert" tabindex="-1" autofocus=is_any hidden=!is_any>
            <h2>{is_any.then(|| problems(count))}</h2>
            <ul>{summed_up.into_iter().map(item).collect_view()}</ul>
        </div>
    }
}
