//! The home page: one field and one button.
//!
//! `/?name=alice` fills the field in, and says at once what is known of the name. With
//! `refused=<code>` it is where a form posted without JavaScript comes back to.

use std::sync::Arc;

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use crate::{
    api::{
        caller, service,
        wire::{AddressPattern, NameVerdict},
    },
    app::{
        components::plan::Plan,
        islands::name_form::NameForm,
        words::{allowance, estimate, refusal},
    },
    server::stacks::Service,
};

/// Renders the home page.
#[component]
pub fn HomePage() -> impl IntoView {
    let query = use_query_map().get_untracked();
    let name = query.get("name").unwrap_or_default();
    let refused = query.get("refused");
    let service = service().ok();
    let pace = service.clone().map(|service| Suspend::new(async move { promise(&service).await }));
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

/// Says how soon a stack is there, where that was measured.
async fn promise(service: &Service) -> String {
    match service.usual_duration().await {
        Some(usual) => estimate::pace(usual),
        None => String::from("with its own address"),
    }
}

/// Renders the form as it stands: what is in the field, and what is known about that.
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
