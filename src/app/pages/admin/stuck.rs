//! The sections of the operators' page that need an operator: stuck operations, and differences
//! between database and platform.

use leptos::{either::Either, prelude::*};

use super::filter::OwnerLink;
use crate::app::words::admin as words;
use crate::server::{reconciler::report::ReconcileRound, stacks::admin::StuckLine};
use domain::{receipt::Line, remedy::RemedyKind, words::remedy::sentence};

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
        Either::Left(view! { <p class="admin__note">"Nothing is stuck."</p> })
    } else {
        let items = stuck.into_iter().map(|line| view! { <StuckItem line now /> }).collect_view();
        Either::Right(view! { <ul class="stuck">{items}</ul> })
    };
    view! {
        <section class="admin__part" aria-labelledby="stuck">
            <h2 id="stuck">"Stuck"</h2>
            {list}
        </section>
    }
}

#[component]
fn StuckItem(line: StuckLine, now: jiff::Timestamp) -> impl IntoView {
    let StuckLine { deployment, owner, since, tries, next_try, left } = line;
    let since =
        since.map_or(String::from("start unknown"), |at| format!("since {}", words::second(at)));
    let facts = format!(
        "{} · {since} · {} · {}",
        deployment.id.reference(),
        words::tries(tries),
        words::next_try(next_try, now)
    );
    let left = if left.is_empty() {
        Either::Left(view! { <li>"It is not known what is left. Search the log."</li> })
    } else {
        Either::Right(left.into_iter().map(|line| view! { <Remedy line /> }).collect_view())
    };
    view! {
        <li class="stuck__item">
            <p class="stuck__name">
                <a href=format!("/deployments/{}", deployment.id)>{deployment.name.to_string()}</a>
                " of " <OwnerLink owner />
            </p>
            <p class="admin__note">{facts}</p>
            <ul class="stuck__left">{left}</ul>
            <form action="/admin/stuck/retry" method="post">
                <input type="hidden" name="id" value=deployment.id.to_string() />
                <button class="button" type="submit">
                    "Try again now"
                    <span class="visually-hidden">{format!(" to remove {}", deployment.name)}</span>
                </button>
            </form>
        </li>
    }
}

#[component]
fn Remedy(line: Line) -> impl IntoView {
    let what = format!("{} {}: ", line.resource.noun(), line.name);
    let (kind, remedy) = match &line.remedy {
        Some(remedy) => (remedy.kind(), sentence(remedy)),
        None => (RemedyKind::Wait, String::from("no remedy is known")),
    };
    let remedy = match kind {
        RemedyKind::Command => Either::Left(view! { <code>{remedy}</code> }),
        RemedyKind::Instruction | RemedyKind::Wait => Either::Right(remedy),
    };
    view! { <li>{what} {remedy}</li> }
}

/// Renders the differences that the last comparison of database and platform found and could not
/// resolve.
#[component]
pub fn ReconcileSection(
    /// The last comparison, if there was one.
    round: Option<ReconcileRound>,
) -> impl IntoView {
    let (words, left) = match round {
        None => (String::from("Not compared yet."), Vec::new()),
        Some(ReconcileRound { at, left, .. }) if left.is_empty() => {
            (format!("No differences found at {}.", words::second(at)), left)
        }
        Some(ReconcileRound { at, left, .. }) => {
            (format!("Differences found at {}:", words::second(at)), left)
        }
    };
    let left = left.into_iter().map(|line| view! { <li>{line}</li> }).collect_view();
    view! {
        <section class="admin__part" aria-labelledby="round">
            <h2 id="round">"Database and platform"</h2>
            <p class="admin__note">{words}</p>
            <ul class="findings">{left}</ul>
        </section>
    }
}
