//! The home page of somebody who has stacks: a card for each, and the way to a new one.
//!
//! One stream of events tells of all of them: then `start.js` replaces the list by what the server
//! renders now. Without JavaScript, the page refreshes itself while an operation runs.

use leptos::prelude::*;

use super::PageTitle;
use super::new::AllowanceLine;
use super::stack::ending::Ending;
use super::stack::overview::UnderWay;
use super::stack::{StateBadge, look, offered_update};
use crate::api::{forbid_storing, service};
use crate::app::deployment::forms::{LinkButton, PRIMARY};
use crate::app::words::{account, data as data_words, my_stacks as words};
use crate::server::page::{DATA, MY_EVENTS, NEW, STACKS, page_of, percent_encode};
use crate::wire::{Allowance, StackView};
use domain::kind::StackStatus;
use domain::phase::Status;

/// The interval in seconds at which the page is loaded again while an operation runs.
const REFRESH_S: u8 = 8;

/// Renders the stacks.
#[component]
pub fn MyStacks(
    /// The stacks, by name.
    stacks: Vec<StackView>,
    /// The number of stacks that the person has and may have, if it is limited.
    allowance: Option<Allowance>,
    /// True if data of their removed stacks is kept.
    has_kept_data: bool,
) -> impl IntoView {
    forbid_storing();
    let is_under_way = |stack: &StackView| {
        stack.operation.as_ref().is_some_and(|operation| operation.status == Status::InProgress)
    };
    let refresh = stacks.iter().any(is_under_way).then(|| {
        let content = format!("{REFRESH_S}; url=/");
        view! {
            <noscript>
                <meta http-equiv="refresh" content=content />
            </noscript>
        }
    });
    let kept = has_kept_data.then(|| {
        view! {
            <p class="aside">
                <a href=DATA>{data_words::HOME_LINK}</a>
            </p>
        }
    });
    view! {
        <PageTitle text=words::title(&stacks) />
        {refresh}
        <header class="my-stacks__head">
            <h1>{words::HEADING}</h1>
            <LinkButton href=NEW label=words::NEW_STACK class=PRIMARY />
        </header>
        <ul class="my-stacks" id="my-stacks" data-follows=MY_EVENTS>
            {stacks.into_iter().map(|stack| view! { <Card stack /> }).collect_view()}
        </ul>
        <AllowanceLine allowance />
        {kept}
    }
}

/// Renders a stack, with the one action that fits.
#[component]
fn Card(
    /// The stack.
    stack: StackView,
) -> impl IntoView {
    let status = stack.status;
    let template = service().map(|service| service.template_name(&stack.template));
    let template = template.unwrap_or_else(|_| stack.template.clone());
    // One that is not live yet has no page of its own.
    let page = match (stack.state, &stack.deployment_id) {
        (None, Some(id)) => page_of(id),
        (Some(_), _) | (None, None) => format!("{STACKS}{}", stack.name),
    };
    let since = words::since(&stack, &account::minute(stack.since));
    let operation = stack.operation.clone().map(|operation| {
        let is_removal = stack.removal_id.as_ref() == Some(&operation.id);
        view! { <UnderWay operation is_removal /> }
    });
    let update = offered_update(&stack).map(|version| {
        let id = stack.deployment_id.as_ref().map(|id| format!("&id={id}")).unwrap_or_default();
        let version = percent_encode(version);
        let href = format!("{STACKS}{}/settings?version={version}{id}", stack.name);
        view! {
            <a class="stack-card__update" href=href>
                {words::update(&stack.name)}
            </a>
        }
    });
    let label = stack.label.clone().map(|label| view! { <p class="stack-card__label">{label}</p> });
    view! {
        <li class="stack-card" data-look=look(status)>
            <h2 class="stack-card__name">
                <a href=page.clone()>{stack.name.to_string()}</a>
            </h2>
            <StateBadge status />
            {label}
            <a class="stack-card__address" href=stack.url.clone() translate="no">
                {stack.url.clone()}
            </a>
            <p class="stack-card__facts">{template} " · " {since}</p>
            {update}
            {operation}
            <Ending stack=stack.clone() />
            <Action stack page />
        </li>
    }
}

/// Renders the one action that fits the state of a stack; while an operation runs, its card leads to
/// that.
#[component]
fn Action(
    /// The stack.
    stack: StackView,
    /// The address of its page.
    page: String,
) -> impl IntoView {
    match stack.status {
        StackStatus::Running => {
            view! { <LinkButton href=stack.url label=words::open(&stack.name) /> }.into_any()
        }
        StackStatus::Stopped => {
            let id = stack.deployment_id.map(|id| format!("?id={id}")).unwrap_or_default();
            view! {
                <form action=format!("{STACKS}{}/start{id}", stack.name) method="post">
                    <button class="button" type="submit">
                        {words::start(&stack.name)}
                    </button>
                </form>
            }
            .into_any()
        }
        StackStatus::Unhealthy | StackStatus::Stuck => {
            view! { <LinkButton href=page label=words::see_why(&stack.name) /> }.into_any()
        }
        StackStatus::Deploying
        | StackStatus::Changing
        | StackStatus::Stopping
        | StackStatus::Starting
        | StackStatus::Restarting
        | StackStatus::Removing
        | StackStatus::Gone => ().into_any(),
    }
}
