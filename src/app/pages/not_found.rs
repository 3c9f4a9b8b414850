//! The page for an address that leads nowhere.

use leptos::prelude::*;
use leptos_meta::Title;

use crate::api::respond_with;

/// Says that there is no such page, with status 404.
#[component]
pub fn NotFoundPage() -> impl IntoView {
    respond_with(404);
    view! {
        <Title text="Page not found" />
        <Notice heading="Page not found">
            <p>"Check the address. The page may have been removed."</p>
        </Notice>
    }
}

/// Renders a page that has only something to say, and the way home.
#[component]
pub fn Notice(
    /// The heading, in a few words.
    heading: &'static str,
    /// The explanation.
    children: Children,
) -> impl IntoView {
    view! {
        <section class="notice">
            <h1>{heading}</h1>
            {children()}
            <p class="actions">
                <a class="button" href="/">
                    "Go to the home page"
                </a>
            </p>
        </section>
    }
}
