//! The plan: the resources that a press on the button creates.

use leptos::prelude::*;

/// The resources that are created, in order, and their purpose.
const PLAN: [(&str, &str); 4] = [
    ("A project", "of its own on the platform, apart from everybody else's"),
    ("An application", "in it: your stack in a container, with its settings"),
    ("An address", "that leads to it"),
    ("A health check", "it counts as live only once it answers there"),
];

/// Renders the disclosure "What will be made".
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
            <summary>"What will be made"</summary>
            <ol class="plan__list">{PLAN.map(row).collect_view()}</ol>
            <p class="plan__promise">
                "If a step fails, we remove what the others made and tell you, line by line."
            </p>
        </details>
    }
}
