//! What a live stack's page says while no container of the stack runs.

use leptos::prelude::*;

use super::DeploymentSignals;
use crate::app::words::time;
use domain::{deployment::Deployment, progress::elapsed_ms};

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
        format!("First detected {since} ago, last checked {seen} ago.")
    });
    view! {
        <section class="ended">
            <p class="ended__message">
                {format!(
                    "{name} was deployed successfully, but the platform runs no container of it \
                     now, so its address does not answer. ",
                )}
                {found}
            </p>
            <p>
                "The operators of this portal can see the reason and a remedy: ask them. "
                "Nothing was removed, and you do not need to remove the stack. We check it regularly; "
                "reload this page to see its state."
            </p>
            <p class="actions">
                <a class="button" href=url>
                    "Open its address"
                </a>
            </p>
        </section>
    }
}
