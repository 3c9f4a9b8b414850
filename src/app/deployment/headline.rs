//! The top of the deployment page: which stack, how it stands, and for how long.

use leptos::prelude::*;

use super::DeploymentSignals;
use crate::app::words::{page_state::PageState, time};
use domain::{
    deployment::Deployment,
    progress::{End, elapsed_ms},
};

/// Renders name, badge and address.
#[component]
pub fn Headline(
    /// The deployment.
    deployment: Deployment,
    /// The signals to follow.
    signals: DeploymentSignals,
    /// The state that the page shows.
    page_state: Memo<PageState>,
) -> impl IntoView {
    let Deployment { name, url, started, .. } = deployment;
    let heading = move || page_state.get().heading(&name);
    let badge = move || page_state.get().badge();
    let taken = move || match &signals.progress.read().end {
        None => Some(time::clock(elapsed_ms(started, signals.now.get()))),
        Some(End::Live(completion)) if page_state.get() == PageState::Live => {
            let total = std::time::Duration::try_from_secs_f64(completion.duration);
            let ms = total.unwrap_or_default().as_millis();
            Some(format!("in {}", time::duration(u64::try_from(ms).unwrap_or_default())))
        }
        Some(End::Live(_) | End::Failed(_) | End::Removed(_)) => None,
    };
    let taken = move || taken().map(|taken| view! { <span class="badge__time">{taken}</span> });
    view! {
        <header class="headline">
            <h1 class="headline__name">{heading}</h1>
            <p class="badge">
                <span class="badge__state">{badge}</span>
                {taken}
            </p>
            <p class="headline__address">{url}</p>
        </header>
    }
}
