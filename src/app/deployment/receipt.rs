//! The receipt on the page: one line for each resource that was undone or is left.

use leptos::either::Either;
use leptos::prelude::*;

use super::DeploymentSignals;
use crate::app::renewed::{renewed, renewed_text};
use crate::app::words::receipt;
use domain::receipt::Line;
use domain::remedy::RemedyKind;
use domain::stack_name::StackName;

/// Renders the receipt and its consequences for the name.
#[component]
pub fn ReceiptLines(
    /// The stack's name.
    name: StackName,
    /// The signals to follow.
    signals: DeploymentSignals,
) -> impl IntoView {
    let receipt = signals.receipt();
    let heading = move || {
        let at_end = signals.progress.read().receipt().cloned().unwrap_or_default();
        receipt::heading(&receipt.read(), &at_end)
    };
    let state = move || if receipt.read().clean { "clean" } else { "left" };
    let lines = renewed(move || receipt.get().lines, |line| view! { <ReceiptLine line /> });
    let is_retried = Memo::new(move |_| signals.after_end.read().retried_by.is_some());
    let is_left = Memo::new(move |_| !is_retried.get() && !receipt.read().clean);
    let next = Memo::new(move |_| {
        is_left
            .get()
            .then(|| receipt::clean_up(signals.after_end.read().next_try, signals.now.get()))
    });
    let afterwards = move || match (is_retried.get(), is_left.get()) {
        (true, _) => receipt::RETRIED.to_owned(),
        (false, false) => receipt::name_afterwards(&name, &receipt.read(), signals.kept_hours),
        (false, true) => receipt::name_afterwards(&name, &receipt.read(), None),
    };
    view! {
        <div class="receipt" data-state=state>
            <h2 class="receipt__heading">{renewed_text(heading)}</h2>
            <ul class="receipt__lines">{lines}</ul>
            <p>
                {renewed(move || next.get(), |next| view! { <span>{next} " "</span> })}
                {renewed_text(afterwards)}
            </p>
        </div>
    }
}

/// Renders one line, with the remedy for a leftover.
#[component]
fn ReceiptLine(
    /// The line.
    line: Line,
) -> impl IntoView {
    let state = if line.is_gone() { "done" } else { "failed" };
    let words = receipt::line(&line);
    let remedy = line.remedy.map(|remedy| {
        let advice = receipt::advice(&remedy);
        let remedy = match remedy.kind() {
            RemedyKind::Command => Either::Left(
                view! { {receipt::OPERATOR_CAN_RUN} <code translate="no">{advice}</code> },
            ),
            RemedyKind::Instruction | RemedyKind::Wait => Either::Right(advice),
        };
        view! { <p class="receipt__remedy">{remedy}</p> }
    });
    view! {
        <li class="receipt__line" data-state=state>
            <span class="step__mark" aria-hidden="true"></span>
            <span class="receipt__words">{words}</span>
            <bdi class="receipt__name" translate="no">
                {line.name}
            </bdi>
            {remedy}
        </li>
    }
}
