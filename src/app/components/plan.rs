//! The plan: the resources that a deployment creates.

use leptos::prelude::*;

/// The resources in the order of their creation, each with its purpose.
const PLAN: [(&str, &str); 4] = [
    ("A project", "on the platform, for this stack only"),
    ("An application", "in the project: your stack in a container, with its settings"),
    ("An address", "for the stack"),
    ("A health check", "the stack is live when it answers at its address"),
];

/// Renders the disclosure "What will be created".
#[component]
pub fn Plan() -> impl IntoView {
    let row = |(what, why)| {
        view! {
            <li>
                <strong>{what}</strong>
                " "
                {why}
            </li>
        }
    };
    view! {
        <details class="disclosure plan">
            <summary>"What will be created"</summary>
            <ol class="plan__list">{PLAN.map(row).collect_view()}</ol>
            <p class="plan__promise">
                "If a step fails, we remove everything that was created, and show you a receipt."
            </p>
        </details>
    }
}
