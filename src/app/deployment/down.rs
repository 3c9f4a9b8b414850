//! What a live stack's page says while no container of the stack runs.

use leptos::prelude::*;

use super::DeploymentSignals;
use crate::{
    app::words::time,
    domain::{deployment::Deployment, progress::elapsed_ms},
};

/// Renders what is known, who acts, and the address, which does not answer now.
#[component]
pub fn DownPanel(
    /// The deployment.
    deployment: Deployment,
    /// The signals to follow.
    signals: DeploymentSignals,
) -> impl IntoView {
    let Deployment { name, url, .. } = deployment;
    let now = signals.now.get_untracked();
    let ago = |at| time::about(elapsed_ms(at, now) / 1000);
    let found = signals.not_running.map(|down| {
        let (since, seen) = (ago(down.since), ago(down.seen));
        format!("First found {since} ago, and last looked at {seen} ago.")
    });
    view! {
        <section class="ended">
            <p class="ended__message">
                {format!(
                    "{name} came up well, but the platform runs no container of it now, so its \
                     address does not answer. ",
                )}
                {found}
            </p>
            <p>
                "Those who run this portal see why, and what starts it again: ask them. "
                "Nothing of it was removed, and you need not remove it. We look again and again; "
                "reload this page to see whether it is back."
            </p>
            <p class="actions">
                <a class="button" href=url>
                    "Try its address"
                </a>
            </p>
        </section>
    }
}
