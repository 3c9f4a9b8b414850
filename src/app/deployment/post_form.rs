//! A button that posts a few fields and leads to another page.

use leptos::{ev, prelude::*};

/// Renders the button. The browser itself posts the form and follows the answer; all that
/// happens here is that it cannot be pressed twice.
#[component]
pub fn PostForm(
    /// The place where the form is posted to.
    action: &'static str,
    /// The fields' names, and what is in them.
    fields: Vec<(&'static str, String)>,
    /// The label of the button.
    words: String,
    /// The label once it is pressed.
    busy: &'static str,
    /// The button's class besides `button`.
    #[prop(default = "")]
    class: &'static str,
) -> impl IntoView {
    let is_sent = RwSignal::new(false);
    Effect::new(move |_| {
        let listener = window_event_listener(ev::pageshow, move |event| {
            // Back: what the button was about may be no more, so the page must not offer it again.
            if event.persisted() && is_sent.get_untracked() {
                // Only a page that is being left fails here.
                window().location().reload().ok();
            }
        });
        on_cleanup(move || listener.remove());
    });
    let words = move || if is_sent.get() { busy.to_owned() } else { words.clone() };
    view! {
        <form class="post-form" action=action method="post" on:submit=move |_| is_sent.set(true)>
            {fields
                .into_iter()
                .map(|(name, value)| view! { <input type="hidden" name=name value=value /> })
                .collect_view()}
            <button class=format!("button {class}") type="submit" disabled=is_sent>
                {words}
            </button>
        </form>
    }
}
