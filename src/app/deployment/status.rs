//! The line that says what is going on: the page's one live region, and the bar.

use leptos::prelude::*;

use super::{Connection, Stage, Watched};
use crate::{
    app::words::tab,
    domain::{deployment::Deployment, phase::Phase},
};

/// Renders the current message, announced once whenever it changes, and the bar.
#[component]
pub fn StatusLine(
    /// The deployment.
    deployment: Deployment,
    /// What to follow.
    watched: Watched,
    /// Which face the page shows.
    stage: Memo<Stage>,
) -> impl IntoView {
    let Deployment { name, url, .. } = deployment;
    let message = Memo::new(move |_| {
        let progress = watched.progress.read();
        match stage.get() {
            Stage::UnderWay => progress.message.clone(),
            Stage::Live => format!("{name} is live at {url}"),
            Stage::Failed => {
                format!("{}. {}", tab::failed(&name, progress.phase), progress.message)
            }
        }
    });
    let lost = move || {
        (stage.get() == Stage::UnderWay && watched.connection.get() == Connection::Lost)
            .then(|| view! { <p class="status__lost">{LOST}</p> })
    };
    view! {
        <section class="status">
            <div class="status__line">
                <div role="status">
                    <p class="status__message">{message}</p>
                    {lost}
                </div>
                <Percent watched />
            </div>
            <Bar watched />
        </section>
    }
}

/// What a person reads while the stream is broken.
const LOST: &str = "Reconnecting… the deployment goes on without this page";

/// Renders the percentage as text.
#[component]
fn Percent(
    /// What to follow.
    watched: Watched,
) -> impl IntoView {
    let percent = Memo::new(move |_| watched.progress.read().percent);
    view! {
        <span class="status__percent" aria-hidden="true">
            {percent}
            " %"
        </span>
    }
}

/// Renders the bar. It stands still while what was made is being removed.
#[component]
fn Bar(
    /// What to follow.
    watched: Watched,
) -> impl IntoView {
    let percent = Memo::new(move |_| watched.progress.read().percent);
    let direction = Memo::new(move |_| match watched.progress.read().phase {
        Phase::RollingBack => "back",
        _ => "forth",
    });
    view! {
        <progress
            class="bar"
            max="100"
            value=percent
            data-direction=direction
            aria-label="Progress of the deployment"
        ></progress>
    }
}
