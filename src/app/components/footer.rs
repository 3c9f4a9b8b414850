//! The line at the bottom of every page.

use leptos::prelude::*;

use crate::app::islands::theme_switch::ThemeSwitch;

/// Renders the footer with the theme switch.
#[component]
pub fn Footer() -> impl IntoView {
    view! {
        <footer class="footer">
            <p>"Stacks come up whole, or leave nothing behind."</p>
            <ThemeSwitch />
        </footer>
    }
}
