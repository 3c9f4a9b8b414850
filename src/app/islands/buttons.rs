//! The buttons that work only in the browser: the theme switch and the copy button.
//!
//! The script in the document's head applies the stored theme before the first paint. The styles
//! show the pressed button from the same attribute, so nothing flickers when the code starts.

use leptos::prelude::*;

use crate::app::words::buttons as words;

/// The values of the attribute, with the labels of their buttons.
const THEMES: [(&str, &str); 3] =
    [("light", words::LIGHT), ("system", words::AUTO), ("dark", words::DARK)];

/// Renders one button for each theme. Without JavaScript they are hidden.
#[component]
pub fn ThemeSwitch() -> impl IntoView {
    let button = |(theme, label)| {
        view! {
            <button
                type="button"
                class="theme-switch__option"
                data-option=theme
                aria-pressed=false.to_string()
            >
                {label}
            </button>
        }
    };
    view! {
        <leptos-island data-component="theme_switch">
            <div class="theme-switch needs-script" role="group" aria-label=words::THEME>
                {THEMES.map(button).into_iter().collect_view()}
            </div>
        </leptos-island>
    }
}

/// Renders the copy button. Without JavaScript it is hidden, and the text can be selected.
#[component]
pub fn CopyButton(
    /// The text to copy.
    text: String,
) -> impl IntoView {
    view! {
        <leptos-island data-component="copy_button" data-text=text>
            <button type="button" class="button needs-script">
                <span aria-live="polite">
                    <span>{words::COPY}</span>
                </span>
            </button>
        </leptos-island>
    }
}
