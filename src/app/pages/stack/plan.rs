//! What a change of a stack would change, before anything is pressed.

use leptos::either::Either;
use leptos::prelude::*;

use crate::app::words::stack_settings as words;
use crate::server::stacks::QuestionWords;
use crate::wire::{PlanView, PlannedChange};

/// Renders what a change would change, and what it means for those who use the stack meanwhile.
#[component]
pub fn Changes(
    /// The change.
    plan: PlanView,
    /// How people call the questions.
    words: QuestionWords,
    /// Whether the stack is stopped.
    is_stopped: bool,
) -> impl IntoView {
    let PlanView { changes, downtime, .. } = plan;
    if changes.is_empty() {
        return Either::Left(view! { <p>{words::NOTHING}</p> });
    }
    Either::Right(view! {
        {differences(&changes, &words)}
        <p>{words::meanwhile(downtime, is_stopped)}</p>
    })
}

/// Renders the differences between two revisions.
pub(super) fn differences(
    changes: &[PlannedChange],
    words: &QuestionWords,
) -> impl IntoView + use<> {
    labelled(changes.iter().map(|change| words::change(change, words)))
}

/// Renders sentences, each behind what it is about.
pub(super) fn labelled<L: IntoView + 'static>(
    lines: impl IntoIterator<Item = (L, String)>,
) -> AnyView {
    let line = |(label, sentence): (L, String)| {
        view! {
            <li>
                <strong>{label}</strong>
                ": "
                {sentence}
            </li>
        }
    };
    view! { <ul class="differences">{lines.into_iter().map(line).collect_view()}</ul> }.into_any()
}
