//! How a stack is, and what can be done to it: `/stacks/<name>`.

use std::sync::Arc;

use leptos::either::Either;
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::health::{HealthStrip, WhySection};
use super::usage::Usage;
use super::{Facts, Tab, action, address_with, offered_update, stack_page};
use crate::api::{caller, service};
use crate::app::deployment::forms::LinkButton;
use crate::app::kind;
use crate::app::pages::data::{KeptList, ListedFor};
use crate::app::words::{
    account, data as data_words, stack as words, stack_settings as settings_words,
};
use crate::server::page::page_of;
use crate::server::stacks::{
    KeptBeside, OwnStack, StackAction, StackLooks, StackOverview, VERSION,
};
use crate::server::store::Record;
use crate::wire::{ApiError, OperationView, UsageSeries};
use domain::kind::StackStatus;
use domain::phase::Status;
use domain::progress::End;
use domain::refusal::RefusalCode;
use domain::time::elapsed_ms;

/// Renders how the stack is that the address names.
#[component]
pub fn OverviewPage() -> impl IntoView {
    let refused = use_query_map().with_untracked(|query| query.get("refused"));
    let was_full = refused.as_deref() == Some(RefusalCode::KeptDataFull.as_str());
    stack_page(Tab::Overview, async move |stack: Arc<OwnStack>| match overview(&stack).await {
        Ok((overview, looks, usage)) => {
            Either::Left(view! { <Overview stack overview looks usage was_full /> })
        }
        Err(error) => Either::Right(view! { <p class="refused">{error.message}</p> }),
    })
}

async fn overview(stack: &OwnStack) -> Result<(StackOverview, StackLooks, UsageSeries), ApiError> {
    let service = service()?;
    let overview = service.stack_overview(&caller()?, stack).await?;
    Ok((overview, service.stack_looks(stack).await?, service.usage_now(stack).await?))
}

#[component]
fn Overview(
    stack: Arc<OwnStack>,
    overview: StackOverview,
    looks: StackLooks,
    usage: UsageSeries,
    /// Whether a removal was refused because no more data can be kept.
    was_full: bool,
) -> impl IntoView {
    let StackOverview { last, data_days, beside } = overview;
    let operation = stack.view.operation.clone().map(|operation| {
        let is_removal = stack.view.removal_id.as_ref() == Some(&operation.id);
        view! { <UnderWay operation is_removal /> }
    });
    let is_unhealthy = stack.view.status == StackStatus::Unhealthy;
    let why = stack.why.clone().filter(|_| is_unhealthy).map(|why| view! { <WhySection why /> });
    view! {
        {operation}
        {why}
        <Actions stack=Arc::clone(&stack) />
        <About stack=Arc::clone(&stack) />
        <HealthStrip looks />
        <Usage series=usage />
        <LastOperations last stack=Arc::clone(&stack) />
        <Remove stack data_days beside was_full />
    }
}

/// Renders the operation that is in progress or stuck, with a link to its page.
#[component]
pub fn UnderWay(
    /// The operation.
    operation: OperationView,
    /// True if it removes the stack: how far that is, nobody knows.
    is_removal: bool,
) -> impl IntoView {
    let OperationView { id, status, progress, message, .. } = operation;
    let bar = (status == Status::InProgress).then(|| {
        let percent = (!is_removal).then(|| progress.to_string());
        view! { <progress class="bar" max="100" value=percent aria-label=message.clone()></progress> }
    });
    view! {
        <div class="under-way">
            <p>{message}</p>
            {bar}
            <a href=page_of(&id)>{words::SEE_PROGRESS}</a>
        </div>
    }
}

/// Renders the link to the stack, and the forms of what can be done to it. While an operation runs, a
/// button says which.
#[component]
fn Actions(stack: Arc<OwnStack>) -> impl IntoView {
    let status = stack.view.status;
    let open = matches!(status, StackStatus::Running | StackStatus::Unhealthy).then(|| {
        let class =
            if status == StackStatus::Running { "button button--primary" } else { "button" };
        view! { <LinkButton href=stack.view.url.clone() label=words::OPEN class /> }
    });
    let actions = stack.actions();
    let form = |(index, act): (usize, &StackAction)| {
        let is_first = index == 0 && status != StackStatus::Running;
        let class = if is_first { "button button--primary" } else { "button" };
        view! {
            <form action=action(&stack, end_of(*act)) method="post">
                <button class=class type="submit">
                    {words::action(*act)}
                </button>
            </form>
        }
    };
    let busy = (actions.is_empty() && status != StackStatus::Stuck).then(|| {
        view! {
            <button class="button" type="button" disabled>
                {words::busy(status)}
            </button>
        }
    });
    view! {
        <div class="actions">
            {open} {actions.iter().enumerate().map(form).collect_view()} {busy}
        </div>
    }
}

/// Returns the end of the path of the form of an action.
fn end_of(action: StackAction) -> &'static str {
    match action {
        StackAction::Stop => "/stop",
        StackAction::Start => "/start",
        StackAction::Restart => "/restart",
    }
}

/// Renders what is known about the stack.
#[component]
fn About(stack: Arc<OwnStack>) -> impl IntoView {
    let template = service().map(|service| service.template_name(&stack.view.template));
    let facts = [
        (words::TEMPLATE, template.unwrap_or_else(|_| stack.view.template.clone())),
        (words::SINCE, account::minute(stack.view.since)),
        (words::REVISION, stack.view.revision.to_string()),
    ];
    // Once that has been, the notice above says so.
    let ahead = stack.view.expires_at.filter(|at| *at > stack.now);
    let stops = ahead.map(|at| (words::STOPS, account::minute(at)));
    let facts = facts.into_iter().chain(stops);
    let facts = facts.map(|(label, text)| (label.to_owned(), text)).collect();
    let update = offered_update(&stack.view).map(|version| {
        let href = address_with(&stack, "/settings", VERSION, version);
        view! {
            <p>
                {words::UPDATE_AVAILABLE} " " <a href=href>{settings_words::update_to(version)}</a>
            </p>
        }
    });
    view! {
        <Facts facts />
        {update}
    }
}

/// Renders the last operations on the stack.
#[component]
fn LastOperations(last: Vec<(Record, Option<End>)>, stack: Arc<OwnStack>) -> impl IntoView {
    let line = |(record, end): (Record, Option<End>)| {
        let Record { deployment, state, metadata, .. } = record;
        let ago = elapsed_ms(deployment.started, stack.now);
        let took = metadata.completed.map(|ended| elapsed_ms(deployment.started, ended));
        view! {
            <li class="last__line">
                <a href=page_of(&deployment.id)>{words::operation(kind(deployment.kind))}</a>
                <span>{words::end(state, end.as_ref())}</span>
                <span class="last__time">{words::time(ago, took)}</span>
            </li>
        }
    };
    view! {
        <section class="stack__part" aria-labelledby="last">
            <h2 id="last">{words::LAST}</h2>
            <ul class="last">{last.into_iter().map(line).collect_view()}</ul>
        </section>
    }
}

/// Renders the form that removes the stack, unless it is being removed. If no more data can be kept, it
/// asks what of the other stacks to drop.
#[component]
fn Remove(
    stack: Arc<OwnStack>,
    data_days: Option<u64>,
    beside: KeptBeside,
    was_full: bool,
) -> impl IntoView {
    let KeptBeside { kept, is_full } = beside;
    let asks = (is_full || was_full) && !kept.is_empty();
    let full = if stack.is_of_caller { data_words::FULL } else { data_words::FULL_OF_OWNER };
    let kept_beside = asks.then(|| {
        view! {
            <p>{full}</p>
            <KeptList kept listed_for=ListedFor::Deletion />
        }
    });
    let can_remove = !stack.actions().is_empty() || stack.view.status == StackStatus::Stuck;
    can_remove.then(|| {
        let name = &stack.view.name;
        let [before, after] =
            if data_days.is_some() { words::REMOVES_BUT_DATA } else { words::REMOVES };
        let kept = data_days.map_or_else(|| words::NO_DATA.to_owned(), words::data_is_kept);
        let form = |keep_data: &'static str, class, label| {
            view! {
                <form action=action(&stack, "/remove") method="post">
                    <input type="hidden" name="keep_data" value=keep_data />
                    <button class=class type="submit">
                        {label}
                    </button>
                </form>
            }
        };
        let danger = "button button--danger";
        let with_data = data_days.map(|_| form("0", "button", words::remove_with_data(name)));
        view! {
            <details class="disclosure remove" open=was_full>
                <summary>{words::REMOVE_STACK}</summary>
                <div class="remove__panel">
                    <p>{before} <strong>{name.to_string()}</strong> {after} {kept}</p>
                    {kept_beside} {form("1", danger, words::remove(name))} {with_data}
                </div>
            </details>
        }
    })
}
