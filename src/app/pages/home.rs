//! The home page: one field and one button, or for somebody who has stacks, those (`my_stacks`).
//!
//! `/?name=alice` fills in the field, and shows the verdict on the name at once. A form without
//! JavaScript that was refused redirects back with `refused=<code>`.

use std::sync::Arc;

use leptos::either::{Either, EitherOf3};
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use crate::api::page_data::{
    Content, HomeData, MyStacksData, NewData, NewPageData, PageData, page_data,
};
use crate::api::{caller, service};
use crate::app::islands::name_form::NameForm;
use crate::app::pages::PageTitle;
use crate::app::pages::my_stacks::MyStacks;
use crate::app::pages::new::{AllowanceLine, new_stack};
use crate::app::words::{FormPage, data as data_words, frame, home as words, refusal};
use crate::server::page::DATA;
use crate::server::stacks::Service;
use crate::wire::NameVerdict;

/// Renders the home page.
#[component]
pub fn HomePage() -> impl IntoView {
    let query = use_query_map().get_untracked();
    let name = query.get("name").unwrap_or_default();
    let refused = query.get("refused");
    let data = page_data();
    if let Some(Content::MyStacks(data)) = data.as_deref().map(|data| &data.content) {
        let MyStacksData { stacks, allowance, has_kept_data } = data.clone();
        return EitherOf3::A(view! { <MyStacks stacks allowance has_kept_data /> });
    }
    let HomeData { usual, allowance, has_kept_data, choice } =
        data.as_deref().map(home_data).unwrap_or_default();
    let kept = has_kept_data.then(|| {
        view! {
            <p class="aside">
                <a href=DATA>{data_words::HOME_LINK}</a>
            </p>
        }
    });
    let pace = usual.map_or_else(|| words::WITH_ADDRESS.to_owned(), words::pace);
    if let Some(choice) = choice {
        let lead = match &*choice {
            NewData::Templates { templates, .. } => {
                (!templates.is_empty()).then_some(words::LEAD_TEMPLATES)
            }
            NewData::Form(_) => Some(words::LEAD),
        };
        let lead = lead.map(|lead| view! { <p class="hero__lead">{lead}</p> });
        return EitherOf3::B(view! {
            <PageTitle text=frame::PORTAL />
            <section class="hero">
                <h1>{words::HEADING} {pace}</h1>
                {lead}
            </section>
            {new_stack(NewPageData { choice: *choice, allowance })}
            {kept}
            <Plan />
        });
    }
    let form = data.zip(service().ok()).map(|(data, service)| {
        let problem = refused.as_deref().and_then(|code| refusal::sentence(FormPage::Home, code));
        let (pattern, platform) = (service.address_pattern(), data.frame.platform.clone());
        if name.is_empty() && refused.as_deref() != Some("INVALID_NAME") {
            return Either::Left(view! { <NameForm name verdict=None problem pattern platform /> });
        }
        Either::Right(Suspend::new(async move {
            let verdict = verdict(service, &name).await;
            view! { <NameForm name verdict problem pattern platform /> }
        }))
    });
    EitherOf3::C(view! {
        <PageTitle text=frame::PORTAL />
        <section class="hero">
            <h1>{words::HEADING} {pace}</h1>
            <p class="hero__lead">{words::LEAD}</p>
        </section>
        {form}
        <AllowanceLine allowance />
        {kept}
        <Plan />
    })
}

/// Returns what the router has read for the home page.
fn home_data(data: &PageData) -> HomeData {
    match &data.content {
        Content::Home(data) => data.clone(),
        Content::MyStacks(_)
        | Content::New(_)
        | Content::Operation(_)
        | Content::ApiDocs
        | Content::Other => HomeData::default(),
    }
}

/// Checks the name in the address.
async fn verdict(service: Arc<Service>, name: &str) -> Option<NameVerdict> {
    Some(service.check_name_or_suggest(&caller().ok()?, name).await)
}

/// Renders the disclosure "What will be created".
#[component]
fn Plan() -> impl IntoView {
    let row = |(what, why)| {
        view! {
            <li>
                <strong>{what}</strong>
                " "
                {why}
            </li>
        }
    };
    view! {
        <details class="disclosure plan">
            <summary>{words::PLAN_HEADING}</summary>
            <ol class="plan__list">{words::PLAN.map(row).collect_view()}</ol>
            <p class="plan__promise">{words::PLAN_PROMISE}</p>
        </details>
    }
}
