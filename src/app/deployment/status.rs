//! The line that says what is going on, announced whenever it changes, and the bar.

use leptos::prelude::*;

use super::{Connection, Watched};
use crate::{
    api::wire::Usual,
    app::words::{estimate, receipt, stage::Stage},
    domain::{deployment::Deployment, phase::Phase, progress::elapsed_ms},
};

/// What a person reads while the stream is broken.
const LOST: &str = "Reconnecting… it goes on without this page";
/// What a person reads once they are signed out.
const SIGNED_OUT: &str = "Your sign-in has ended. What is under way goes on without this page";
/// What a person reads until the first of what was made is being removed.
const CANCELLING: &str = "Cancelling… what was made is removed again";

/// Renders the current message, announced once whenever it changes, and the bar.
#[component]
pub fn StatusLine(
    /// The deployment.
    deployment: Deployment,
    /// How long it usually takes.
    usual: Option<Usual>,
    /// What to follow.
    watched: Watched,
    /// Which face the page shows.
    stage: Memo<Stage>,
) -> impl IntoView {
    let Deployment { name, url, started, .. } = deployment;
    let is_lost = Memo::new(move |_| {
        stage.get().is_under_way() && watched.connection.get() == Connection::Lost
    });
    let is_signed_out = Memo::new(move |_| watched.connection.get() == Connection::SignedOut);
    let receipt = watched.receipt();
    let is_removed_since = Memo::new(move |_| {
        let was_left = watched.progress.read().receipt().is_some_and(|receipt| !receipt.clean);
        was_left && receipt.read().clean
    });
    let message = Memo::new(move |_| {
        let progress = watched.progress.read();
        let stage = stage.get();
        match stage {
            _ if is_signed_out.get() => SIGNED_OUT.to_owned(),
            // What it replaces may be out of date by now, and nothing else has to move.
            _ if is_lost.get() => LOST.to_owned(),
            _ if is_removed_since.get() => {
                receipt::removed_since(&name, watched.aftermath.read().retried_by.as_ref())
            }
            Stage::Cancelling if progress.phase != Phase::RollingBack => CANCELLING.to_owned(),
            Stage::Deploying | Stage::CleaningUp | Stage::Cancelling | Stage::Removing => {
                progress.message.clone()
            }
            Stage::Live => format!("{name} is live at {url}"),
            Stage::NotRunning
            | Stage::Failed
            | Stage::NotRemoved
            | Stage::Cancelled
            | Stage::CancelledStuck
            | Stage::Removed => stage.announcement(&name, &progress.message, &receipt.read()),
        }
    });
    let remaining = Memo::new(move |_| {
        let usual = usual.filter(|_| stage.get() == Stage::Deploying);
        estimate::remaining(usual, elapsed_ms(started, watched.now.get()))
    });
    view! {
        <section class="status">
            <div class="status__line">
                <p class="status__message" class:status__lost=is_lost role="status">
                    {message}
                </p>
                <span class="status__remaining">{remaining}</span>
            </div>
            <Bar watched stage />
        </section>
    }
}

/// Renders the bar. It stands still while what was made is being removed, and says nothing of
/// how far a removal is, since nobody knows.
#[component]
fn Bar(
    /// What to follow.
    watched: Watched,
    /// Which face the page shows.
    stage: Memo<Stage>,
) -> impl IntoView {
    let is_removing = Memo::new(move |_| stage.get() == Stage::Removing);
    let percent = Memo::new(move |_| (!is_removing.get()).then(|| watched.progress.read().percent));
    let is_undoing = move || matches!(stage.get(), Stage::CleaningUp | Stage::Cancelling);
    let direction = move || if is_undoing() { "back" } else { "forth" };
    let label = move || {
        if is_removing.get() { "Progress of the removal" } else { "Progress of the deployment" }
    };
    view! {
        <progress
            class="bar"
            max="100"
            value=percent
            data-direction=direction
            aria-label=label
        ></progress>
    }
}
