//! The line that says what is going on: the page's one live region, and the bar.

use leptos::prelude::*;

use super::{Connection, Stage, Watched};
use crate::{
    app::words::tab,
    domain::{deployment::Deployment, phase::Phase},
};

/// What a person reads while the stream is broken.
const LOST: &str = "Reconnecting… the deployment goes on without this page";

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
    let is_lost = Memo::new(move |_| {
        stage.get() == Stage::UnderWay && watched.connection.get() == Connection::Lost
    });
    let message = Memo::new(move |_| {
        let progress = watched.progress.read();
        match stage.get() {
            // What it replaces may be out of date by now, and nothing else has to move.
            Stage::UnderWay if is_lost.get() => LOST.to_owned(),
            Stage::UnderWay | Stage::Removed => progress.message.clone(),
            Stage::Live => format!("{name} is live at {url}"),
            Stage::Failed => {
                format!("{}. {}", tab::failed(&name, progress.phase), progress.message)
            }
        }
    });
    view! {
        <section class="status">
            <div class="status__line">
                <p class="status__message" class:status__lost=is_lost role="status">
                    {message}
                </p>
                <Percent watched />
            </div>
            <Bar watched />
        </section>
    }
}

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
