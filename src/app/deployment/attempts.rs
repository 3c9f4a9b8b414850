//! The link to the earlier attempt.

use leptos::prelude::*;

use domain::{deployment::DeploymentId, stack_name::StackName};

/// Renders the way back to the earlier attempt.
#[component]
pub fn EarlierAttempt(
    /// The stack's name.
    name: StackName,
    /// The earlier attempt.
    id: DeploymentId,
) -> impl IntoView {
    view! {
        <p class="earlier">
            "Retry of " {name.to_string()} ". "
            <a href=format!("/deployments/{id}")>"See the earlier attempt"</a>
        </p>
    }
}
