//! The button that copies a text.

#![expect(missing_docs, reason = "the island macro makes a struct without a doc comment")]

use leptos::prelude::*;

use crate::app::deployment::copy::copy;

/// Renders the button. Without JavaScript there is none: the text can be selected by hand.
#[island]
pub fn CopyButton(
    /// The text to copy.
    text: String,
) -> impl IntoView {
    let words = RwSignal::new("Copy");
    let press = move |_| copy(text.clone(), words, "Select it by hand");
    view! {
        <button type="button" class="button needs-script" on:click=press>
            <span aria-live="polite">{words}</span>
        </button>
    }
}
