//! The receipt on the page: line by line what was undone, and what is left.

use leptos::prelude::*;

use crate::{
    app::words::receipt,
    domain::{
        receipt::{Line, Receipt},
        stack_name::StackName,
    },
};

/// Renders the receipt and what it means for the name.
#[component]
pub fn ReceiptLines(
    /// The stack's name.
    name: StackName,
    /// What became of what was made.
    receipt: Receipt,
) -> impl IntoView {
    let heading = receipt::heading(&receipt);
    let afterwards = receipt::name_afterwards(&name, &receipt);
    let state = if receipt.clean { "clean" } else { "left" };
    view! {
        <div class="receipt" data-state=state>
            <h2 class="receipt__heading">{heading}</h2>
            <ul class="receipt__lines">
                {receipt.lines.into_iter().map(|line| view! { <ReceiptLine line /> }).collect_view()}
            </ul>
            <p>{afterwards}</p>
        </div>
    }
}

/// Renders one line; for what is left, with what an operator can do.
#[component]
fn ReceiptLine(
    /// The line.
    line: Line,
) -> impl IntoView {
    let state = if receipt::is_gone(&line) { "done" } else { "failed" };
    let words = receipt::line(&line);
    let remedy = line.remedy.map(|remedy| {
        view! {
            <p class="receipt__remedy">"An operator can run: " <code>{remedy}</code></p>
        }
    });
    view! {
        <li class="receipt__line" data-state=state>
            <span class="step__mark" aria-hidden="true"></span>
            <span class="receipt__words">{words}</span>
            <span class="receipt__name">{line.name}</span>
            {remedy}
        </li>
    }
}
