//! The button that copies the details for support.

use leptos::prelude::*;

/// Renders the button. Without JavaScript there is none: the details can be selected by hand.
#[component]
pub fn CopyDetails(
    /// The text to copy.
    details: Memo<String>,
) -> impl IntoView {
    let words = RwSignal::new("Copy details for support");
    let copy = move |_| copy(details.get_untracked(), words);
    view! {
        <button type="button" class="button needs-script" on:click=copy>
            <span aria-live="polite">{words}</span>
        </button>
    }
}

#[cfg(feature = "hydrate")]
fn copy(details: String, words: RwSignal<&'static str>) {
    leptos::task::spawn_local(async move {
        let is_copied = crate::app::live::copy(&details).await;
        words.set(if is_copied { "Copied" } else { "Select them below" });
    });
}

/// Nobody presses a button on the server.
#[cfg(feature = "ssr")]
fn copy(_details: String, _words: RwSignal<&'static str>) {}
