//! The home page: one field and one button.
//!
//! `/?name=alice` fills in the field, and shows the verdict on the name at once. A form without
//! JavaScript that was refused redirects back with `refused=<code>`.

use std::sync::Arc;

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use crate::api::{caller, service};
use crate::app::{
    islands::name_form::NameForm,
    words::{allowance, estimate, refusal},
};
use crate::server::stacks::Service;
use crate::wire::{AddressPattern, NameVerdict};

/// The resources in the order of their creation, each with its purpose.
const PLAN: [(&str, &str); 4] = [
    ("A project", "on the platform, for this stack only"),
    ("An application", "in the project: your stack in a container, with its settings"),
    ("An address", "for the stack"),
    ("A health check", "the stack is live when it answers at its address"),
];

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
        <Title text="AI Stack Deployer" />
        <section class="hero">
            <h1>"Your own AI stack, " {pace}</h1>
            <p class="hero__lead">
                "Pick a name. We start your stack, and remove it again if a step fails."
            </p>
        </section>
        {service.map(|service| Suspend::new(filled_form(service, name, refused)))}
        <Plan />
    }
}

/// Returns the second half of the heading: the usual time to a live stack, if it was measured.
async fn usual_time(service: &Service) -> String {
    match service.usual_duration().await {
        Some(usual) => estimate::pace(usual),
        None => String::from("with its own address"),
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
    let problem = refused.and_then(|code| refusal::sentence(refusal::Page::Home, &code));
    let pattern: AddressPattern = service.address_pattern();
    let platform = service.platform_status().await;
    let allowance = match &caller {
        Some(caller) => service.allowance(caller).await,
        None => None,
    };
    view! {
        <NameForm name verdict problem pattern platform />
        {allowance.map(|allowance| view! { <p class="allowance">{allowance::sentence(allowance)}</p> })}
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
            <summary>"What will be created"</summary>
            <ol class="plan__list">{PLAN.map(row).collect_view()}</ol>
            <p class="plan__promise">
                "If a step fails, we remove everything that was created, and show you a receipt."
            </p>
        </details>
    }
}
