//! The way back in for somebody whose sign-in has ended while they watched.

use leptos::prelude::*;

use super::{Connection, Watched};
use crate::domain::deployment::DeploymentId;

/// Renders the way in, which leads back to this page, once it is needed.
#[component]
pub fn SignInAgain(
    /// What is watched.
    id: DeploymentId,
    /// What to follow.
    watched: Watched,
) -> impl IntoView {
    let is_needed = Memo::new(move |_| watched.connection.get() == Connection::SignedOut);
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
