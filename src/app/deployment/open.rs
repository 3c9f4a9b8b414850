//! The panel of a live stack: its address, and a link to it.

use leptos::prelude::*;

use domain::deployment::Deployment;

/// Renders the address with a big link to it.
#[component]
pub fn OpenPanel(
    /// The deployment.
    deployment: Deployment,
) -> impl IntoView {
    let Deployment { url, .. } = deployment;
    view! {
        <section class="open-panel">
            <span class="open-panel__mark" aria-hidden="true"></span>
            <a class="open-panel__address" href=url.clone()>
                {url.clone()}
            </a>
            <p class="actions">
                <a class="button button--primary button--big" href=url>
                    "Open"
                </a>
                <a class="button" href="/">
                    "Start another"
                </a>
            </p>
        </section>
    }
}
