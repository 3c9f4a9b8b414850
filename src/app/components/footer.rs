//! The line at the bottom of every page.

use leptos::prelude::*;

use crate::app::islands::theme_switch::ThemeSwitch;

/// Renders the footer with the theme switch.
#[component]
pub fn Footer() -> impl IntoView {
    view! {
        <footer class="footer">
            <p>"If a deployment fails, the portal removes what it created."</p>
            <ThemeSwitch />
        </footer>
    }
}
