//! The top of the deployment page: which stack, how it stands, and for how long.

use leptos::prelude::*;

use super::Watched;
use crate::{
    app::words::{stage::Stage, time},
    domain::{
        deployment::Deployment,
        progress::{End, elapsed_ms},
    },
};

/// Renders name, badge and address.
#[component]
pub fn Headline(
    /// The deployment.
    deployment: Deployment,
    /// What to follow.
    watched: Watched,
    /// Which face the page shows.
    stage: Memo<Stage>,
) -> impl IntoView {
    let Deployment { name, url, started, .. } = deployment;
    let heading = move || stage.get().heading(&name);
    let badge = move || stage.get().badge();
    let taken = move || match &watched.progress.read().end {
        None => Some(time::clock(elapsed_ms(started, watched.now.get()))),
        Some(End::Live(completion)) if stage.get() == Stage::Live => {
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
