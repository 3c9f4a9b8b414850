//! What became of a stack: `/stacks/<name>/history`, the newest first.
//!
//! `?before=<number>` shows what was before that event, and `?to=<number>` what going back to that
//! revision would change.

use std::sync::Arc;

use leptos::either::Either;
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::revisions::{self, Revisions, RevisionsData, TO};
use super::{Tab, address_with, stack_page};
use crate::api::{caller, service};
use crate::app::words::{account, stack_history as words};
use crate::server::page::page_of;
use crate::server::stacks::OwnStack;
use crate::wire::{ApiError, HistoryPage};
use domain::deployment::DeploymentId;
use domain::event::Seq;
use domain::stack_event::{StackEvent, StackEventBody};

/// Renders the history of the stack that the address names.
#[component]
pub fn StackHistoryPage() -> impl IntoView {
    let query = use_query_map().get_untracked();
    let before = query.get("before").and_then(|text| text.parse().ok());
    let to = query.get(TO).and_then(|text| text.parse().ok());
    stack_page(Tab::History, async move |stack: Arc<OwnStack>| {
        match read(&stack, before, to).await {
            Ok((revisions, page)) => {
                let revisions = revisions.map(|data| {
                    view! { <Revisions stack=Arc::clone(&stack) data /> }
                });
                let history = page.map(|page| view! { <History stack page /> });
                Either::Left((revisions, history))
            }
            Err(error) => Either::Right(view! { <p class="refused">{error.message}</p> }),
        }
    })
}

/// Reads what the page shows: the revisions and the newest events, older events alone, or what going
/// back to the revision `to` would change.
async fn read(
    stack: &OwnStack,
    before: Option<Seq>,
    to: Option<u32>,
) -> Result<(Option<RevisionsData>, Option<HistoryPage>), ApiError> {
    let revisions = match before {
        None => Some(revisions::read(stack, to).await?),
        Some(_) => None,
    };
    if to.is_some() && revisions.is_some() {
        return Ok((revisions, None));
    }
    let (service, caller, name) = (service()?, caller()?, stack.view.name.as_str());
    let page = service.last_events(&caller, name, Some(&stack.id), before).await?;
    Ok((revisions, Some(page)))
}

/// Renders a part of the history, with a link to what was before it.
#[component]
fn History(
    /// The stack.
    stack: Arc<OwnStack>,
    /// The events, the newest first.
    page: HistoryPage,
) -> impl IntoView {
    let HistoryPage { events, more } = page;
    let first = events.last().map(|event| event.seq).filter(|_| more);
    let older = first.map(|first| {
        let page = address_with(&stack, "/history", "before", &first.to_string());
        view! {
            <p>
                <a href=page>{words::OLDER}</a>
            </p>
        }
    });
    view! {
        <section class="stack__part" aria-labelledby="history">
            <h2 id="history">{words::HEADING}</h2>
            <ol class="last" reversed>
                {events.into_iter().map(line).collect_view()}
            </ol>
            {older}
        </section>
    }
}

/// Renders an event: what happened, with a link to the operation that it is about.
fn line(event: StackEvent) -> impl IntoView {
    let StackEvent { at, body, .. } = event;
    let (sentence, details) = (words::sentence(&body), words::details(&body));
    let sentence = match operation(&body) {
        Some(id) => Either::Left(view! { <a href=page_of(id)>{sentence}</a> }),
        None => Either::Right(view! { <span>{sentence}</span> }),
    };
    view! {
        <li class="last__line" data-event=body.name()>
            {sentence} {details.into_iter().map(|text| view! { <span>{text}</span> }).collect_view()}
            <span class="last__time">{account::minute(at)}</span>
        </li>
    }
}

/// Returns the operation that an event is about.
fn operation(body: &StackEventBody) -> Option<&DeploymentId> {
    match body {
        StackEventBody::OperationBegun { operation, .. }
        | StackEventBody::OperationEnded { operation, .. }
        | StackEventBody::CleanedUp { operation, .. } => Some(operation),
        StackEventBody::RevisionLive { .. }
        | StackEventBody::Unhealthy { .. }
        | StackEventBody::Recovered
        | StackEventBody::StoppedByItself { .. }
        | StackEventBody::ExpiryChanged { .. }
        | StackEventBody::Unknown => None,
    }
}
