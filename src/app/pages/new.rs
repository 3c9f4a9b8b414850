//! The pages of a new stack: `/new` with the templates to choose from, and `/new/<template>` with the
//! questions of one. The home page has the same.
//!
//! A link fills the form with `?name=alice&p.key=value`, and starts nothing. What was refused comes
//! back filled, with what is wrong at each field and summed up above.

pub mod card;
pub mod field;
pub mod form;
pub mod readme;

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use self::card::Cards;
use self::form::QuestionForm;
use super::notice::{NotFoundPage, NotOfferedPage, UnavailablePage};
use crate::api::forbid_storing;
use crate::api::page_data::{Content, NewData, NewPageData, page_data};
use crate::app::pages::PageTitle;
use crate::app::pages::new::readme::Readme;
use crate::app::words::home::allowance as allowance_words;
use crate::app::words::{name_form, new as words};
use crate::server::page::{NEW, percent_encode};
use crate::server::stacks::form::{AGAIN, TemplateForm};
use crate::wire::Allowance;
use domain::refusal::RefusalCode;

/// Renders the page of a new stack.
#[component]
pub fn NewPage() -> impl IntoView {
    let data = page_data();
    let data = data.as_deref().and_then(|data| match &data.content {
        Content::New(data) => Some(data.clone()),
        Content::Home(_)
        | Content::MyStacks(_)
        | Content::Operation(_)
        | Content::ApiDocs
        | Content::Other => None,
    });
    let data = match data {
        Some(Ok(data)) => *data,
        Some(Err(error)) if error.status() != 404 => {
            return view! { <UnavailablePage error /> }.into_any();
        }
        Some(Err(error)) if error.code == RefusalCode::NoSuchTemplate => {
            return view! { <NotOfferedPage /> }.into_any();
        }
        Some(Err(_)) | None => return view! { <NotFoundPage /> }.into_any(),
    };
    let top = match &data.choice {
        NewData::Templates { templates, .. } => {
            // Without any, the page says so below.
            let lead =
                (!templates.is_empty()).then(|| view! { <p class="hero__lead">{words::LEAD}</p> });
            view! {
                <PageTitle text=words::TITLE.to_owned() />
                <section class="hero">
                    <h1>{words::HEADING}</h1>
                    {lead}
                </section>
            }
            .into_any()
        }
        NewData::Form(form) => view! { <About form=(**form).clone() /> }.into_any(),
    };
    view! {
        {top}
        {new_stack(data)}
    }
    .into_any()
}

/// Renders what a template is.
#[component]
fn About(
    /// The form of the template.
    form: TemplateForm,
) -> impl IntoView {
    let TemplateForm { name, summary, icon, readme, usual, stack_name, has_others, .. } = form;
    let icon = icon.map(|src| {
        view! { <img class="hero__icon" src=src alt="" width="48" height="48" /> }
    });
    let usual = usual.map(|usual| view! { <p class="aside">{words::usual(usual)}</p> });
    let others = has_others.then(|| {
        let href = format!("{NEW}{}", name_query(&stack_name));
        view! {
            <p class="aside">
                <a href=href>{words::OTHERS}</a>
            </p>
        }
    });
    view! {
        <PageTitle text=words::title_of(&name) />
        <section class="hero">
            {icon} <h1>{words::heading_of(&name)}</h1> <p class="hero__lead">{summary}</p> {usual}
            {others}
        </section>
        {readme.map(|text| view! { <Readme text /> })}
    }
}

/// Returns the query that fills in the name of the stack, if there is one.
fn name_query(name: &str) -> String {
    if name.is_empty() { String::new() } else { format!("?name={}", percent_encode(name)) }
}

/// Renders the templates to choose from, or the form of one.
pub(super) fn new_stack(data: NewPageData) -> impl IntoView {
    // It has the answers of a person, and not only those of the link.
    if use_query_map().with_untracked(|query| query.get(AGAIN).is_some()) {
        forbid_storing();
    }
    let NewPageData { choice, allowance } = data;
    let choice = match choice {
        NewData::Templates { templates, name } => view! {
            {warning()}
            <Cards templates name />
        }
        .into_any(),
        NewData::Form(form) => view! { <QuestionForm form=*form /> }.into_any(),
    };
    view! {
        {choice}
        <AllowanceLine allowance />
    }
}

/// Renders a warning if the platform's state keeps stacks from being started.
fn warning() -> impl IntoView {
    let warning = page_data().and_then(|data| name_form::warning(&data.frame.platform));
    warning.map(|warning| view! { <p class="refused">{warning}</p> })
}

/// Renders the number of stacks that the person has and may have, if it is limited.
#[component]
pub(super) fn AllowanceLine(
    /// The numbers.
    allowance: Option<Allowance>,
) -> impl IntoView {
    allowance.map(|allowance| view! { <p class="aside">{allowance_words(allowance)}</p> })
}
