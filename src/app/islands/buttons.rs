//! The buttons that work only in the browser: the theme switch and the copy button.
//!
//! The script in the document's head applies the stored theme before the first paint. The styles
//! show the pressed button from the same attribute, so nothing flickers when the island starts.

#![expect(missing_docs, reason = "the island macro makes a struct without a doc comment")]

use leptos::prelude::*;

use crate::app::browser;
use crate::app::renewed::renewed_text;
use crate::app::words::buttons as words;

/// The values of the attribute, with the labels of their buttons.
const THEMES: [(&str, &str); 3] =
    [("light", words::LIGHT), ("system", words::AUTO), ("dark", words::DARK)];

/// Renders one button for each theme. Without JavaScript they are hidden.
#[island]
pub fn ThemeSwitch() -> impl IntoView {
    let chosen = RwSignal::new(String::new());
    Effect::new(move |_| chosen.set(browser::theme()));
    let button = move |(theme, label): (&'static str, &'static str)| {
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
                {label}
            </button>
        }
    };
    view! {
        <div class="theme-switch needs-script" role="group" aria-label=words::THEME>
            {THEMES.map(button).into_iter().collect_view()}
        </div>
    }
}

/// Renders the copy button. Without JavaScript it is hidden, and the text can be selected.
#[island]
pub fn CopyButton(
    /// The text to copy.
    text: String,
) -> impl IntoView {
    let label = RwSignal::new(words::COPY);
    let press = move |_| browser::copy(text.clone(), label, words::AFTER_COPY);
    view! {
        <button type="button" class="button needs-script" on:click=press>
            <span aria-live="polite">{renewed_text(move || label.get())}</span>
        </button>
    }
}
