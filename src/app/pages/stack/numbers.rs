//! The numbers behind a drawing, in a table that can be unfolded.

use leptos::prelude::*;

use crate::app::words::stack_history as words;

/// Renders the table.
#[component]
pub fn Numbers(
    /// The heads of its columns.
    heads: [&'static str; 3],
    /// Its rows.
    children: Children,
) -> impl IntoView {
    let head = |text| view! { <th scope="col">{text}</th> };
    view! {
        <details class="disclosure">
            <summary>{words::TABLE}</summary>
            <table>
                <thead>
                    <tr>{heads.map(head).collect_view()}</tr>
                </thead>
                <tbody>{children()}</tbody>
            </table>
        </details>
    }
}
