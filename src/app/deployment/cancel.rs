//! The quiet button that cancels a deployment under way.

use leptos::{ev::SubmitEvent, prelude::*, server_fn::ServerFn};

use super::Watched;
use crate::{api::deployments::CancelDeployment, domain::deployment::DeploymentId};

/// Renders the button. Without JavaScript it is a plain form, which leads back to this page.
#[component]
pub fn CancelForm(
    /// The deployment's id.
    id: DeploymentId,
    /// What to follow, and where the wish is put.
    watched: Watched,
) -> impl IntoView {
    let cancel = ServerAction::<CancelDeployment>::new();
    let value = id.to_string();
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        if !watched.is_cancelling.get_untracked() {
            watched.is_cancelling.set(true);
            cancel.dispatch(CancelDeployment { id: id.to_string() });
        }
    };
    let problem = RwSignal::new(String::new());
    Effect::new(move |_| match cancel.value().get() {
        None | Some(Ok(())) => problem.set(String::new()),
        Some(Err(error)) => {
            watched.is_cancelling.set(false);
            problem.set(error.message);
        }
    });
    let words = move || if watched.is_cancelling.get() { "Cancelling…" } else { "Cancel" };
    view! {
        <form class="cancel" action=CancelDeployment::url() method="post" on:submit=submit>
            <input type="hidden" name="id" value=value />
            <button class="button" type="submit" disabled=watched.is_cancelling>
                {words}
            </button>
            <p class="cancel__problem" role="status">
                {problem}
            </p>
        </form>
    }
}
