//! The receipt on the page: one line for each resource that was undone or is left.

use leptos::prelude::*;

use super::DeploymentSignals;
use super::steps::mark;
use crate::app::renewed::{Piece, renewed, renewed_text};
use crate::app::words::receipt;
use domain::receipt::Line;
use domain::remedy::{Remedy, RemedyKind};
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
        receipt::heading(signals.kind, &receipt.read(), &at_end)
    };
    let state = move || if receipt.read().clean { "clean" } else { "left" };
    let lines = renewed(move || receipt.read().lines.iter().map(line).collect::<Vec<_>>());
    let is_retried = Memo::new(move |_| signals.after_end.read().retried_by.is_some());
    let is_left = Memo::new(move |_| !is_retried.get() && !receipt.read().clean);
    let next = move || {
        is_left.get().then(|| {
            let next = receipt::clean_up(
                signals.kind,
                signals.after_end.read().next_try,
                signals.now.get(),
            );
            Piece::new("span").text(&next).text(" ")
        })
    };
    let afterwards = move || match (is_retried.get(), is_left.get()) {
        _ if signals.kind.keeps_stack() => receipt::stack_afterwards(&receipt.read()).to_owned(),
        (true, _) => receipt::RETRIED.to_owned(),
        (false, false) => receipt::name_afterwards(&name, &receipt.read(), signals.kept_hours),
        (false, true) => receipt::name_afterwards(&name, &receipt.read(), None),
    };
    view! {
        <div class="receipt" data-state=state>
            <h2 class="receipt__heading">{renewed_text(heading)}</h2>
            <ul class="receipt__lines">{lines}</ul>
            <p>
                {renewed(next)}
                {renewed_text(afterwards)}
            </p>
        </div>
    }
}

/// Returns one line, with the remedy for a leftover.
fn line(line: &Line) -> Piece {
    let name =
        Piece::of_class("bdi", "receipt__name").with("translate", "no").text(receipt::name(line));
    let piece = Piece::of_class("li", "receipt__line")
        .with("data-state", if line.is_settled() { "done" } else { "failed" })
        .piece(mark())
        .piece(Piece::of_class("span", "receipt__words").text(&receipt::line(line)))
        .piece(name);
    match &line.remedy {
        Some(remedy) => piece.piece(advice(remedy)),
        None => piece,
    }
}

fn advice(remedy: &Remedy) -> Piece {
    let advice = receipt::advice(remedy);
    let piece = Piece::of_class("p", "receipt__remedy");
    match remedy.kind() {
        RemedyKind::Command => piece
            .text(receipt::OPERATOR_CAN_RUN)
            .piece(Piece::new("code").with("translate", "no").text(&advice)),
        RemedyKind::Instruction | RemedyKind::Wait => piece.text(&advice),
    }
}
