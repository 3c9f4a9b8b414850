//! The buttons that work in the browser alone: the theme switch, and the one that copies a text.
//!
//! The script in the document's head applies the remembered theme before the first paint. Which
//! button is pressed is drawn by styles from that same attribute, so nothing flickers here.

#![expect(missing_docs, reason = "the island macro makes a struct without a doc comment")]

use leptos::prelude::*;

use crate::app::browser;

/// The values of the attribute, each with what its button says.
const THEMES: [(&str, &str); 3] = [("light", "Light"), ("system", "Auto"), ("dark", "Dark")];

/// Renders one button for each theme. Without JavaScript there are none.
#[island]
pub fn ThemeSwitch() -> impl IntoView {
    let chosen = RwSignal::new(String::new());
    Effect::new(move |_| chosen.set(browser::theme()));
    let button = move |(theme, words): (&'static str, &'static str)| {
        let choose = move |_| {
            browser::set_theme(theme);
            chosen.set(theme.to_owned());
        };
        let pressed = move || if *chosen.read() == theme { "true" } else { "false" };
        view! {
            <button
                type="button"
                class="theme-switch__option"
                data-option=theme
                aria-pressed=pressed
                on:click=choose
            >
                {words}
            </button>
        }
    };
    view! {
        <div class="theme-switch needs-script" role="group" aria-label="Theme">
            {THEMES.map(button).into_iter().collect_view()}
        </div>
    }
}

/// Renders the button. Without JavaScript there is none: the text can be selected by hand.
#[island]
pub fn CopyButton(
    /// The text to copy.
    text: String,
) -> impl IntoView {
    let words = RwSignal::new("Copy");
    let press = move |_| browser::copy(text.clone(), words, "Select it by hand");
    view! {
        <button type="button" class="button needs-script" on:click=press>
            <span aria-live="polite">{words}</span>
        </button>
    }
}
