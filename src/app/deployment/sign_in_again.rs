//! The way back in for somebody whose sign-in has ended while they watched.

use leptos::prelude::*;

use super::{Connection, DeploymentSignals};
use domain::deployment::DeploymentId;

/// Renders the sign-in page, which leads back to this page, once it is needed.
#[component]
pub fn SignInAgain(
    /// The operation that is watched.
    id: DeploymentId,
    /// The signals to follow.
    signals: DeploymentSignals,
) -> impl IntoView {
    let is_needed = Memo::new(move |_| signals.connection.get() == Connection::SignedOut);
    let address = format!("/sign-in?return_to=/deployments/{id}");
    move || {
        is_needed.get().then(|| {
            view! {
                <p class="actions">
                    <a class="button button--primary" href=address.clone()>
                        "Sign in again"
                    </a>
                </p>
            }
        })
    }
}
