//! The sections of the operators' page that need an operator: stuck operations, and differences
//! between database and platform.

use leptos::either::Either;
use leptos::prelude::*;

use super::filter::OwnerLink;
use crate::app::kind;
use crate::app::words::admin as words;
use crate::server::reconciler::report::ReconcileRound;
use crate::server::stacks::admin::StuckLine;
use domain::receipt::Line;
use domain::remedy::RemedyKind;

/// Renders the stuck operations, with their leftovers, remedies, and a form that retries the
/// clean-up.
#[component]
pub fn StuckSection(
    /// The operations that are stuck.
    stuck: Vec<StuckLine>,
    /// The server's time.
    now: jiff::Timestamp,
) -> impl IntoView {
    let list = if stuck.is_empty() {
        Either::Left(view! { <p class="admin__note">{words::NOTHING_STUCK}</p> })
    } else {
        let items = stuck.into_iter().map(|line| view! { <StuckItem line now /> }).collect_view();
        Either::Right(view! { <ul class="stuck">{items}</ul> })
    };
    view! {
        <section class="admin__part" aria-labelledby="stuck">
            <h2 id="stuck">{words::STUCK}</h2>
            {list}
        </section>
    }
}

#[component]
fn StuckItem(line: StuckLine, now: jiff::Timestamp) -> impl IntoView {
    let facts = words::stuck(&line, now);
    let StuckLine { deployment, owner, left, .. } = line;
    let kind = kind(deployment.kind);
    let left = if left.is_empty() {
        Either::Left(view! { <li>{words::LEFT_UNKNOWN}</li> })
    } else {
        Either::Right(left.into_iter().map(|line| view! { <Remedy line /> }).collect_view())
    };
    view! {
        <li class="stuck__item">
            <p class="stuck__name">
                <a href=format!("/deployments/{}", deployment.id)>{deployment.name.to_string()}</a>
                {words::kind(kind)} {words::OF} <OwnerLink owner />
            </p>
            <p class="admin__note">{facts}</p>
            <ul class="stuck__left">{left}</ul>
            <form action="/admin/stuck/retry" method="post">
                <input type="hidden" name="id" value=deployment.id.to_string() />
                <button class="button" type="submit">
                    {words::RETRY}
                    <span class="visually-hidden">{words::retry_of(kind, &deployment.name)}</span>
                </button>
            </form>
        </li>
    }
}

#[component]
fn Remedy(line: Line) -> impl IntoView {
    let is_command =
        line.remedy.as_ref().is_some_and(|remedy| remedy.kind() == RemedyKind::Command);
    let remedy = words::remedy(line.remedy.as_ref());
    let remedy = if is_command {
        Either::Left(view! { <code>{remedy}</code> })
    } else {
        Either::Right(remedy)
    };
    view! { <li>{line.resource.noun()} " " <bdi>{line.name}</bdi> ": " {remedy}</li> }
}

/// Renders the differences that the last comparison of database and platform found and could not
/// resolve.
#[component]
pub fn ReconcileSection(
    /// The last comparison, if there was one.
    round: Option<ReconcileRound>,
) -> impl IntoView {
    let note = words::compared(round.as_ref());
    let left = round.map_or(Vec::new(), |round| round.left);
    let left = left.into_iter().map(|line| view! { <li>{line}</li> }).collect_view();
    view! {
        <section class="admin__part" aria-labelledby="round">
            <h2 id="round">{words::DIFFERENCES}</h2>
            <p class="admin__note">{note}</p>
            <ul class="findings">{left}</ul>
        </section>
    }
}
