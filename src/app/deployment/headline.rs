//! The top of the deployment page: which stack, how it stands, and for how long.

use leptos::prelude::*;

use super::{Stage, Watched};
use crate::{
    app::words::{tab, time},
    domain::{
        deployment::Deployment,
        phase::Phase,
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
    let phase = Memo::new(move |_| watched.progress.read().phase);
    let heading = move || match stage.get() {
        Stage::UnderWay => name.to_string(),
        Stage::Live => format!("{name} is live"),
        Stage::Failed => tab::failed(&name, phase.get()),
        Stage::Removed => format!("{name} is removed"),
    };
    let badge = move || match (stage.get(), phase.get()) {
        (Stage::UnderWay, Phase::RollingBack) => "Cleaning up",
        (Stage::UnderWay, Phase::Removing) => "Removing",
        (Stage::UnderWay, _) => "Deploying",
        (Stage::Live, _) => "Live",
        (Stage::Failed, Phase::Cancelled) => "Cancelled",
        (Stage::Failed, _) => "Failed",
        (Stage::Removed, _) => "Removed",
    };
    let taken = move || match &watched.progress.read().end {
        None => Some(time::clock(elapsed_ms(started, watched.now.get()))),
        Some(End::Live(completion)) => {
            let total = std::time::Duration::try_from_secs_f64(completion.duration);
            let ms = total.unwrap_or_default().as_millis();
            Some(format!("in {}", time::duration(u64::try_from(ms).unwrap_or_default())))
        }
        Some(End::Failed(_) | End::Removed(_)) => None,
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
