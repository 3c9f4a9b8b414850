//! The quiet button that cancels a deployment under way.

use leptos::{ev::SubmitEvent, prelude::*, server_fn::ServerFn};

use super::DeploymentSignals;
use crate::api::deployments::CancelDeployment;
use domain::deployment::DeploymentId;

/// Renders the button. Without JavaScript it is a plain form, which leads back to this page.
#[component]
pub fn CancelForm(
    /// The deployment's id.
    id: DeploymentId,
    /// The signals to follow, and to put the request to cancel into.
    signals: DeploymentSignals,
) -> impl IntoView {
    let cancel = ServerAction::<CancelDeployment>::new();
    let value = id.to_string();
    let problem = RwSignal::new(None);
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        if !signals.is_cancelling.get_untracked() {
            problem.set(None);
            signals.is_cancelling.set(true);
            cancel.dispatch(CancelDeployment { id: id.to_string() });
        }
    };
    Effect::new(move |_| {
        if let Some(Err(error)) = cancel.value().get() {
            signals.is_cancelling.set(false);
            problem.set(Some(error.message));
        }
    });
    // A button that is disabled loses the focus, and with it the person's place on the page.
    let is_pressed = move || signals.is_cancelling.get().then_some("true");
    let words = move || if signals.is_cancelling.get() { "Cancelling…" } else { "Cancel" };
    view! {
        <form class="cancel" action=CancelDeployment::url() method="post" on:submit=submit>
            <input type="hidden" name="id" value=value />
            <button class="button cancel__button" type="submit" aria-disabled=is_pressed>
                {words}
            </button>
            <div class="cancel__problem" role="status">
                {move || problem.get().map(|words| view! { <p>{words}</p> })}
            </div>
        </form>
    }
}
