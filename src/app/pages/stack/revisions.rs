//! The revisions of a stack, a part of its history, and the way back to an older one.
//!
//! `?to=<number>` shows what going back to that revision would change, with the button that does it.

use std::sync::Arc;

use jiff::Timestamp;
use leptos::prelude::*;

use super::plan::{Changes, differences};
use super::{action, address, address_with};
use crate::api::{caller, service};
use crate::app::deployment::forms::LinkButton;
use crate::app::words::account::minute;
use crate::app::words::stack_revisions as words;
use crate::app::words::stack_settings::{APPLY, BACK};
use crate::server::page::page_of;
use crate::server::stacks::{
    ChangeRequest, OwnStack, QuestionWords, REVISION, ShownRevision, Wanted,
};
use crate::wire::{ApiError, DesiredState, PlanView};

/// The field of the revision to go back to.
pub(super) const TO: &str = "to";

/// What the pages show of the revisions of a stack.
pub struct RevisionsData {
    revisions: Vec<ShownRevision>,
    /// The revision to go back to, and what that would change, if the address names one.
    way_back: Option<(u32, Result<PlanView, ApiError>)>,
}

/// Reads the revisions of a stack, and what going back to the revision `to` would change.
pub(super) async fn read(stack: &OwnStack, to: Option<u32>) -> Result<RevisionsData, ApiError> {
    let (service, caller) = (service()?, caller()?);
    let revisions = service.shown_revisions(&caller, &stack.view, &stack.id).await?;
    let way_back = match to {
        None => None,
        Some(to) => {
            let request = ChangeRequest { wanted: Wanted::Revision(to), expected: None };
            let name = stack.view.name.as_str();
            Some((to, service.plan(&caller, name, Some(&stack.id), &request).await))
        }
    };
    Ok(RevisionsData { revisions, way_back })
}

/// Renders the revisions, or what going back to one would change.
#[component]
pub fn Revisions(
    /// The stack.
    stack: Arc<OwnStack>,
    /// What the pages show.
    data: RevisionsData,
) -> impl IntoView {
    let RevisionsData { revisions, way_back } = data;
    if let Some((to, plan)) = way_back {
        let words = words_between(&revisions, [to, stack.view.revision]);
        return match plan {
            Ok(plan) => view! { <WayBack stack to plan words /> }.into_any(),
            Err(error) => view! { <p class="refused">{error.message}</p> }.into_any(),
        };
    }
    let is_busy = stack.actions().is_empty();
    let line = |shown: ShownRevision| {
        let is_way_back = shown.is_way_back && !is_busy;
        let number = shown.view.number;
        let link = is_way_back.then(|| {
            let href = address_with(&stack, "/history", TO, &number.to_string());
            view! {
                <a href=href>
                    {words::GO_BACK} <span class="visually-hidden">{words::of(number)}</span>
                </a>
            }
        });
        view! { <li class="last__line">{facts(&shown)} {link}</li> }
    };
    view! {
        <section class="stack__part" aria-labelledby="revisions">
            <h2 id="revisions">{words::HEADING}</h2>
            <ol class="last" reversed>
                {revisions.into_iter().map(line).collect_view()}
            </ol>
        </section>
    }
    .into_any()
}

/// Returns how people call the questions of these two revisions.
fn words_between(revisions: &[ShownRevision], [to, from]: [u32; 2]) -> QuestionWords {
    let of = |number| revisions.iter().find(|one| one.view.number == number);
    let words = |number| of(number).map(|one| one.words.clone()).unwrap_or_default();
    words(to).or(words(from))
}

/// Renders what is known of a revision.
fn facts(shown: &ShownRevision) -> impl IntoView + use<> {
    let ShownRevision { view, by, outcome, words: own, .. } = shown;
    let title = words::revision(view.number);
    let title = match &view.operation_id {
        Some(id) => view! { <a href=page_of(id)>{title}</a> }.into_any(),
        None => view! { <span>{title}</span> }.into_any(),
    };
    let by = by.as_deref().map(|name| view! { <span>{words::by(name)}</span> });
    let at = view.at.as_deref().and_then(|text| text.parse::<Timestamp>().ok());
    let at = at.map(|at| view! { <span class="last__time">{minute(at)}</span> });
    let changes = (!view.changes.is_empty()).then(|| differences(&view.changes, own));
    view! {
        {title}
        <span>{words::outcome(*outcome, view.current)}</span>
        {by}
        {at}
        {changes}
    }
}

/// Renders what going back to a revision would change, and the button that does it.
#[component]
fn WayBack(stack: Arc<OwnStack>, to: u32, plan: PlanView, words: QuestionWords) -> impl IntoView {
    let apply = (!plan.changes.is_empty()).then(|| {
        view! {
            <button class="button button--primary" type="submit">
                {APPLY}
            </button>
        }
    });
    let is_stopped = stack.view.desired == DesiredState::Stopped;
    view! {
        <section class="stack__part" aria-labelledby="way-back">
            <h2 id="way-back">{words::go_back_to(to)}</h2>
            <p>{words::NEW_ONE}</p>
            <Changes plan words is_stopped />
            <form action=action(&stack, "/rollback") method="post">
                <input type="hidden" name=TO value=to.to_string() />
                <input type="hidden" name=REVISION value=stack.view.revision.to_string() />
                <div class="actions">
                    {apply} <LinkButton href=address(&stack, "/history") label=BACK />
                </div>
            </form>
        </section>
    }
}
