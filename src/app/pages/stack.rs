//! The frame of the pages of one stack: `/stacks/<name>`, and what is below it.
//!
//! The pages are for whoever may change the stack. The right to change one without an owner is in
//! `?id=<deployment>`, which every link and form of the pages then has. A form that was refused
//! redirects back with `refused=<code>`.

pub mod ending;
pub mod health;
pub mod history;
pub mod numbers;
pub mod overview;
pub mod plan;
pub mod revisions;
pub mod settings;
pub mod usage;

use std::sync::Arc;

use leptos::prelude::*;
use leptos_router::hooks::{use_params_map, use_query_map};

use self::ending::Ending;
use super::data::ToData;
use super::notice::{Notice, Refused};
use crate::api::{caller, forbid_storing, redirect_to, respond_with, sent_settings, service};
use crate::app::pages::PageTitle;
use crate::app::words::{FormPage, refusal, stack as words, stack_history, stack_settings};
use crate::server::page::{MY_EVENTS, STACKS, page_of, percent_encode};
use crate::server::stacks::{OwnStack, deployment_id};
use crate::wire::{ApiError, StackView};
use domain::deployment::DeploymentId;
use domain::kind::StackStatus;
use domain::phase::Status;

/// A page of a stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tab {
    /// How the stack is.
    Overview,
    /// What it logs.
    Logs,
    /// What it is made of.
    Settings,
    /// What became of it.
    History,
}

/// The tabs of a stack that there are: each with the end of its path, and its label.
const TABS: [(Tab, &str, &str); 4] = [
    (Tab::Overview, "", words::OVERVIEW),
    (Tab::Logs, "/logs", words::LOGS),
    (Tab::Settings, "/settings", stack_settings::SETTINGS),
    (Tab::History, "/history", stack_history::HISTORY),
];

/// The interval in seconds at which a page is loaded again while an operation runs: without JavaScript
/// it refreshes itself, and with it, `start.js` watches its title if no events tell of it.
const REFRESH_S: u8 = 8;

/// The status of the answer to whoever asks for the page of a stack that is not live yet.
const SEE_OTHER: u16 = 303;

/// Returns the end of the path of a page.
fn path_end(tab: Tab) -> &'static str {
    TABS.iter().find(|(of, ..)| *of == tab).map_or("", |(_, end, _)| end)
}

/// Returns the address of a page or form of a stack; `end` is the part behind its name.
pub(super) fn address(stack: &OwnStack, end: &str) -> String {
    let id = if stack.is_of_its_id { format!("?id={}", stack.id) } else { String::new() };
    format!("{STACKS}{}{end}{id}", stack.view.name)
}

/// Returns the address of a page of a stack with a field in its query.
pub(super) fn address_with(stack: &OwnStack, end: &str, field: &str, value: &str) -> String {
    let page = address(stack, end);
    let separator = if page.contains('?') { '&' } else { '?' };
    format!("{page}{separator}{field}={}", percent_encode(value))
}

/// Returns the address that a form posts to. It has the id of the stack always: the page may be older
/// than the stack that has the name now.
pub(super) fn action(stack: &OwnStack, end: &str) -> String {
    format!("{STACKS}{}{end}?id={}", stack.view.name, stack.id)
}

/// Renders the page `tab` of the stack that the address names: the frame, and in it what `content`
/// returns. Whoever may not change the stack is told the same as where there is none.
pub(super) fn stack_page<F, C, V>(tab: Tab, content: F) -> impl IntoView
where
    F: FnOnce(Arc<OwnStack>) -> C + Send + 'static,
    C: Future<Output = V> + Send + 'static,
    V: IntoView + 'static,
{
    forbid_storing();
    let name = use_params_map().with_untracked(|params| params.get("name")).unwrap_or_default();
    let query = use_query_map().get_untracked();
    // What was sent must not be taken away.
    let is_refreshed = sent_settings().is_none();
    let refused = query.get("refused").and_then(|code| refusal::sentence(FormPage::Stack, &code));
    Suspend::new(async move {
        let stack = match own_stack(&name, query.get("id").as_deref()).await {
            Ok(stack) => Arc::new(stack),
            Err(error) => {
                if let Some(deployment) = not_live_yet(&name, query.get("id").as_deref()).await {
                    redirect_to(&page_of(&deployment));
                    respond_with(SEE_OTHER);
                    return ().into_any();
                }
                let leads_to_data = error.status() == 404 && keeps_data().await;
                return view! { <Unavailable name error leads_to_data /> }.into_any();
            }
        };
        let content = content(Arc::clone(&stack)).await;
        let (status, ending) = (stack.view.status, stack.view.clone());
        let is_under_way = stack
            .view
            .operation
            .as_ref()
            .is_some_and(|operation| operation.status == Status::InProgress);
        // The caller's own stacks have a stream of events, which is that of the home page.
        let is_followed = tab == Tab::Overview && !stack.is_of_its_id;
        let follows = is_followed.then_some(MY_EVENTS);
        let refresh = (is_under_way && is_refreshed).then(|| {
            let content = format!("{REFRESH_S}; url={}", address(&stack, path_end(tab)));
            view! {
                <noscript data-watched=(!is_followed).then_some("")>
                    <meta http-equiv="refresh" content=content />
                </noscript>
            }
        });
        view! {
            {refresh}
            <PageTitle text=words::title(&stack.view.name, status) />
            <article class="stack" id="stack" data-follows=follows>
                <Head stack=Arc::clone(&stack) />
                <Tabs stack tab />
                <Ending stack=ending />
                <Refused sentence=refused />
                {content}
            </article>
        }
        .into_any()
    })
}

async fn own_stack(name: &str, id: Option<&str>) -> Result<OwnStack, ApiError> {
    let of = id.map(deployment_id).transpose()?;
    service()?.own_stack(&caller()?, name, of.as_ref()).await
}

/// Finds the deployment of a stack that is not live yet, and has no page of its own.
async fn not_live_yet(name: &str, id: Option<&str>) -> Option<DeploymentId> {
    let (service, caller) = (service().ok()?, caller().ok()?);
    let of = id.and_then(|id| deployment_id(id).ok());
    service.not_live_yet(&caller, name, of.as_ref()).await.ok()?
}

/// Returns whether data of removed stacks of the caller is kept.
async fn keeps_data() -> bool {
    let (Ok(service), Ok(caller)) = (service(), caller()) else { return false };
    service.kept_data(&caller).await.is_ok_and(|kept| !kept.is_empty())
}

/// Renders that the stack is not there for this person, or cannot be shown now.
#[component]
fn Unavailable(
    /// The name in the address.
    name: String,
    /// Why.
    error: ApiError,
    /// Whether data of the person's removed stacks is kept.
    leads_to_data: bool,
) -> impl IntoView {
    match error.status() {
        404 => view! {
            <Notice status=404 title=words::NOT_FOUND heading=words::NOT_FOUND>
                <p>{words::NOT_FOUND_LEAD}</p>
                <ToData leads_to_data />
            </Notice>
        }
        .into_any(),
        409 => view! {
            <Notice status=409 title=words::ANOTHER heading=words::ANOTHER>
                <p>{words::ANOTHER_LEAD}</p>
                <p>
                    <a href=format!("{STACKS}{name}")>{words::ANOTHER_LINK}</a>
                </p>
            </Notice>
        }
        .into_any(),
        status => view! {
            <Notice status title=words::UNAVAILABLE heading=words::UNAVAILABLE_HEADING>
                <p>{error.message}</p>
            </Notice>
        }
        .into_any(),
    }
}

/// Renders the name, the state and the address of a stack.
#[component]
fn Head(
    /// The stack.
    stack: Arc<OwnStack>,
) -> impl IntoView {
    let OwnStack { view, .. } = &*stack;
    let label = view.label.clone().map(|label| view! { <p class="stack__label">{label}</p> });
    view! {
        <header class="stack__head">
            <h1 class="stack__name">{view.name.to_string()}</h1>
            <StateBadge status=view.status />
            {label}
            <a class="stack__address" href=view.url.clone() translate="no">
                {view.url.clone()}
            </a>
        </header>
    }
}

/// Renders the state of a stack: in words, with a shape of its own.
#[component]
pub fn StateBadge(
    /// The state.
    status: StackStatus,
) -> impl IntoView {
    view! {
        <p class="stack-state" data-look=look(status)>
            <span class="stack-state__mark" aria-hidden="true"></span>
            {words::state(status)}
        </p>
    }
}

/// Returns the attribute value by which styles select the look of a state: its shape and its colour.
pub(super) fn look(status: StackStatus) -> &'static str {
    match status {
        StackStatus::Running => "running",
        StackStatus::Stopped | StackStatus::Gone => "stopped",
        StackStatus::Unhealthy | StackStatus::Stuck => "bad",
        StackStatus::Deploying
        | StackStatus::Changing
        | StackStatus::Stopping
        | StackStatus::Starting
        | StackStatus::Restarting
        | StackStatus::Removing => "under-way",
    }
}

/// Returns the version to which the pages offer to update a stack: none while a change is under way, which
/// may be that update.
pub(super) fn offered_update(stack: &StackView) -> Option<&str> {
    let is_changing = stack.status == StackStatus::Changing;
    stack.update_available.as_deref().filter(|_| !is_changing)
}

/// Renders a list of facts, each a label with its text.
#[component]
pub(super) fn Facts(
    /// The facts.
    facts: Vec<(String, String)>,
) -> impl IntoView {
    let fact = |(label, text)| {
        view! {
            <div>
                <dt>{label}</dt>
                <dd>{text}</dd>
            </div>
        }
    };
    view! { <dl class="facts">{facts.into_iter().map(fact).collect_view()}</dl> }
}

/// Renders the links to the pages of a stack.
#[component]
fn Tabs(
    /// The stack.
    stack: Arc<OwnStack>,
    /// The page that is shown.
    tab: Tab,
) -> impl IntoView {
    let link = |(of, end, label): (Tab, &str, &'static str)| {
        let is_current = (of == tab).then_some("page");
        view! {
            <li>
                <a class="tabs__link" href=address(&stack, end) aria-current=is_current>
                    {label}
                </a>
            </li>
        }
    };
    view! {
        <nav class="tabs" aria-label=words::TABS>
            <ul>{TABS.map(link).collect_view()}</ul>
        </nav>
    }
}
