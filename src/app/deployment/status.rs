//! The top of the deployment page: the headline with the stack, its state and the duration; the
//! current message, which screen readers announce; and the progress bar.

use leptos::prelude::*;

use super::{Connection, DeploymentSignals};
use crate::app::page_state::PageState;
use crate::app::renewed::{Piece, renewed, renewed_text};
use crate::app::words::{deployment as words, estimate, page_state, receipt, time};
use crate::wire::Usual;
use domain::deployment::Deployment;
use domain::phase::Phase;
use domain::progress::End;
use domain::time::elapsed_ms;

/// Renders the heading, the badge and the address.
#[component]
pub fn Headline(
    /// The deployment.
    deployment: Deployment,
    /// The signals to follow.
    signals: DeploymentSignals,
    /// The state that the page shows.
    page_state: Memo<PageState>,
) -> impl IntoView {
    let Deployment { name, url, started, .. } = deployment;
    let heading = move || page_state::heading(page_state.get(), &name, signals.kind);
    let badge =
        move || page_state::badge(page_state.get(), signals.kind, signals.progress.read().phase);
    let taken = move || match &signals.progress.read().end {
        None => Some(time::clock(elapsed_ms(started, signals.now.get()))),
        Some(End::Live(completion))
            if matches!(page_state.get(), PageState::Live | PageState::Done) =>
        {
            let total = std::time::Duration::try_from_secs_f64(completion.duration);
            let ms = total.unwrap_or_default().as_millis();
            Some(words::took(&time::duration(u64::try_from(ms).unwrap_or_default())))
        }
        Some(End::Live(_) | End::Failed(_) | End::Removed(_)) => None,
    };
    view! {
        <header class="headline">
            <h1 class="headline__name">{renewed_text(heading)}</h1>
            <p class="badge">
                <span class="badge__state">{renewed_text(badge)}</span>
                {renewed(move || {
                    taken().map(|taken| Piece::of_class("span", "badge__time").text(&taken))
                })}
            </p>
            <p class="headline__address" translate="no">
                {url}
            </p>
        </header>
    }
}

/// Renders the current message, which screen readers announce when it changes, and the progress
/// bar.
#[component]
pub fn StatusLine(
    /// The deployment.
    deployment: Deployment,
    /// The usual duration of a deployment.
    usual: Option<Usual>,
    /// The signals to follow.
    signals: DeploymentSignals,
    /// The state that the page shows.
    page_state: Memo<PageState>,
) -> impl IntoView {
    let Deployment { name, url, started, .. } = deployment;
    let is_lost = Memo::new(move |_| {
        page_state.get().is_under_way() && signals.connection.get() == Connection::Lost
    });
    let polling = move || {
        let is_polling = signals.connection.get() == Connection::Polling;
        (is_polling && page_state.get().is_under_way())
            .then(|| Piece::of_class("p", "status__note").text(words::POLLING))
    };
    let is_signed_out = Memo::new(move |_| signals.connection.get() == Connection::SignedOut);
    let receipt = signals.receipt();
    let is_removed_since = Memo::new(move |_| {
        let was_left = signals.progress.read().receipt().is_some_and(|receipt| !receipt.clean);
        was_left && receipt.read().clean
    });
    let message = move || {
        let progress = signals.progress.read();
        let page_state = page_state.get();
        match page_state {
            _ if is_signed_out.get() => words::SIGNED_OUT.to_owned(),
            // It replaces the message, which may be out of date, so that the layout does not
            // change.
            _ if is_lost.get() => words::LOST.to_owned(),
            _ if is_removed_since.get() => receipt::removed_since(
                signals.kind,
                &name,
                signals.after_end.read().retried_by.as_ref(),
            ),
            PageState::Cancelling if progress.phase != Phase::ROLLING_BACK => {
                words::will_cancel(signals.kind).to_owned()
            }
            PageState::Running
            | PageState::CleaningUp
            | PageState::Cancelling
            | PageState::Removing => progress.message.clone(),
            PageState::Live => words::is_live(&name, &url),
            PageState::NotRunning
            | PageState::Stopped
            | PageState::Done
            | PageState::Failed
            | PageState::NotRemoved
            | PageState::Cancelled
            | PageState::CancelledStuck
            | PageState::Removed => page_state::announcement(
                page_state,
                &name,
                signals.kind,
                &progress.message,
                &receipt.read(),
                signals.revision,
            ),
        }
    };
    let remaining = move || {
        let usual = usual.filter(|_| page_state.get() == PageState::Running);
        let remaining = estimate::remaining(usual, elapsed_ms(started, signals.now.get()));
        remaining.map(|text| Piece::new("span").text(&text))
    };
    view! {
        <section class="status">
            <div class="status__line">
                <p class="status__message" class:status__lost=is_lost role="status">
                    {renewed_text(message)}
                </p>
                <span class="status__remaining">{renewed(remaining)}</span>
            </div>
            <Bar signals page_state />
            {renewed(polling)}
        </section>
    }
}

/// Renders the progress bar. It stops during a rollback, and has no value during a removal, whose
/// progress is unknown.
#[component]
fn Bar(
    /// The signals to follow.
    signals: DeploymentSignals,
    /// The state that the page shows.
    page_state: Memo<PageState>,
) -> impl IntoView {
    let is_removing = Memo::new(move |_| page_state.get() == PageState::Removing);
    let percent = Memo::new(move |_| (!is_removing.get()).then(|| signals.progress.read().percent));
    let is_undoing =
        move || matches!(page_state.get(), PageState::CleaningUp | PageState::Cancelling);
    let direction = move || if is_undoing() { "back" } else { "forth" };
    let label = move || words::progress(signals.kind);
    view! {
        <progress
            class="bar"
            max="100"
            value=percent
            data-direction=direction
            aria-label=label
        ></progress>
    }
}
