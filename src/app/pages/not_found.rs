//! The page for an unknown address, and the layout of pages that only show a message.

use leptos::prelude::*;
use leptos_meta::Title;

use crate::api::respond_with;

/// Renders that there is no such page. The response has the status 404.
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

/// Renders a page with a message and a link to the home page.
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
