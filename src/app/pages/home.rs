//! The home page: one field and one button.
//!
//! `/?name=alice` fills in the field, and shows the verdict on the name at once. A form without
//! JavaScript that was refused redirects back with `refused=<code>`.

use std::sync::Arc;

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use crate::api::{caller, service};
use crate::app::islands::name_form::NameForm;
use crate::app::pages::PageTitle;
use crate::app::words::{FormPage, frame, home as words, refusal};
use crate::server::stacks::Service;
use crate::wire::{AddressPattern, NameVerdict};

/// Renders the home page.
#[component]
pub fn HomePage() -> impl IntoView {
    let query = use_query_map().get_untracked();
    let name = query.get("name").unwrap_or_default();
    let refused = query.get("refused");
    let service = service().ok();
    let pace =
        service.clone().map(|service| Suspend::new(async move { usual_time(&service).await }));
    view! {
        <PageTitle text=frame::PORTAL />
        <section class="hero">
            <h1>{words::HEADING} {pace}</h1>
            <p class="hero__lead">{words::LEAD}</p>
        </section>
        {service.map(|service| Suspend::new(filled_form(service, name, refused)))}
        <Plan />
    }
}

/// Returns the second half of the heading: the usual time to a live stack, if it was measured.
async fn usual_time(service: &Service) -> String {
    match service.usual_duration().await {
        Some(usual) => words::pace(usual),
        None => words::WITH_ADDRESS.to_owned(),
    }
}

/// Renders the form with a filled-in name and the verdict on it.
async fn filled_form(
    service: Arc<Service>,
    name: String,
    refused: Option<String>,
) -> impl IntoView {
    let caller = caller().ok();
    let verdict: Option<NameVerdict> = match (name.as_str(), &caller) {
        ("", _) if refused.as_deref() != Some("INVALID_NAME") => None,
        (name, Some(caller)) => Some(service.check_name(caller, name).await),
        (_, None) => None,
    };
    let problem = refused.and_then(|code| refusal::sentence(FormPage::Home, &code));
    let pattern: AddressPattern = service.address_pattern();
    let platform = service.platform_status().await;
    let allowance = match &caller {
        Some(caller) => service.allowance(caller).await,
        None => None,
    };
    view! {
        <NameForm name verdict problem pattern platform />
        {allowance.map(|allowance| view! { <p class="allowance">{words::allowance(allowance)}</p> })}
    }
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
