//! The button that copies the details for support to the clipboard.

use leptos::prelude::*;

/// Renders the button. Without JavaScript it is hidden, and people select the details by hand.
#[component]
pub fn CopyDetails(
    /// The text to copy.
    details: Memo<String>,
) -> impl IntoView {
    let words = RwSignal::new("Copy details for support");
    let copy = move |_| copy(details.get_untracked(), words, "Select them below");
    view! {
        <button type="button" class="button needs-script" on:click=copy>
            <span aria-live="polite">{words}</span>
        </button>
    }
}

/// Copies `text` to the clipboard, and sets `words` to "Copied", or to `otherwise` if that fails.
#[cfg(feature = "hydrate")]
pub(in crate::app) fn copy(text: String, words: RwSignal<&'static str>, otherwise: &'static str) {
    leptos::task::spawn_local(async move {
        let is_copied = crate::app::live::copy(&text).await;
        words.set(if is_copied { "Copied" } else { otherwise });
    });
}

/// Does nothing: no button can be pressed while the server renders the page.
#[cfg(feature = "ssr")]
pub(in crate::app) fn copy(
    _text: String,
    _words: RwSignal<&'static str>,
    _otherwise: &'static str,
) {
}
