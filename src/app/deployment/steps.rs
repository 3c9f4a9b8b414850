//! The list of steps. After the end it is collapsed.

use leptos::prelude::*;

use super::DeploymentSignals;
use crate::app::page_state::PageState;
use crate::app::renewed::{Piece, renewed, renewed_text};
use crate::app::words::step;
use domain::kind::Kind;
use domain::phase::Phase;
use domain::progress::{Progress, StepState};

/// Renders all steps with their states and durations.
#[component]
pub fn StepList(
    /// The signals to follow.
    signals: DeploymentSignals,
    /// The state that the page shows.
    page_state: Memo<PageState>,
) -> impl IntoView {
    let is_open = move || page_state.get().is_under_way();
    let is_in_vain = move || {
        matches!(
            page_state.get(),
            PageState::Failed | PageState::Cancelled | PageState::CancelledStuck
        )
    };
    let summary = move || if is_in_vain() { step::ATTEMPTED } else { step::COMPLETED };
    let undoing = renewed(move || {
        let is_rolling_back = signals.progress.read().phase == Phase::ROLLING_BACK;
        is_rolling_back.then(|| undoing(signals.kind))
    });
    view! {
        <details class="disclosure steps" open=is_open>
            <summary>{renewed_text(summary)}</summary>
            <ol class="steps__list">
                {signals.kind.listed().map(|phase| view! { <Step phase signals /> }).collect_view()}
                {undoing}
            </ol>
        </details>
    }
}

/// Renders one step.
#[component]
fn Step(
    /// The step's phase.
    phase: Phase,
    /// The signals to follow.
    signals: DeploymentSignals,
) -> impl IntoView {
    let state = Memo::new(move |_| signals.progress.with(|progress| state_of(progress, phase)));
    let name = Memo::new(move |_| <&str>::from(&*state.read()));
    let label = move || step::label(signals.kind, phase, &state.read());
    let word = move || {
        let word = format!(" ({})", step::state(&state.read()));
        Some(Piece::of_class("span", "visually-hidden").text(&word))
    };
    let detail = move || {
        let detail = signals.progress.with(|progress| step::detail(&state.read(), progress));
        detail.map(|words| Piece::of_class("span", "step__detail").text(&words))
    };
    let time = move || step::time(&state.read(), signals.now.get());
    view! {
        <li class="step" data-state=name>
            <span class="step__mark" aria-hidden="true"></span>
            <span class="step__label">
                {renewed_text(label)}
                {renewed(word)}
            </span>
            {renewed(detail)}
            <span class="step__time">{renewed_text(time)}</span>
        </li>
    }
}

/// Returns the mark before a line, whose form is a matter of style.
pub(super) fn mark() -> Piece {
    Piece::of_class("span", "step__mark").with("aria-hidden", "true")
}

/// Returns the last line during a rollback.
fn undoing(kind: &Kind) -> Piece {
    let label = Piece::of_class("span", "step__label").text(step::rollback(kind));
    Piece::of_class("li", "step").with("data-state", "running").piece(mark()).piece(label)
}

fn state_of(progress: &Progress, phase: Phase) -> StepState {
    let step = progress.steps.iter().find(|step| step.phase == phase);
    step.map_or(StepState::Waiting, |step| step.state.clone())
}
