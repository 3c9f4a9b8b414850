//! The way to take a live stack down: folded away, and confirmed.

use leptos::{prelude::*, server_fn::ServerFn};

use super::post_form::PostForm;
use crate::api::deployments::RemoveStack;
use domain::{deployment::DeploymentId, stack_name::StackName};

/// Renders the disclosure with what it means and the button.
#[component]
pub fn RemovePanel(
    /// The stack's name.
    name: StackName,
    /// The deployment that brought it up: no other stack is removed.
    id: DeploymentId,
) -> impl IntoView {
    view! {
        <details class="disclosure remove">
            <summary>"Remove this stack"</summary>
            <div class="remove__panel">
                <p>"This permanently removes " <strong>{name.to_string()}</strong> ". No data is kept."</p>
                <PostForm
                    action=RemoveStack::url()
                    fields=vec![("name", name.to_string()), ("id", id.to_string())]
                    words=format!("Remove {name}")
                    busy="Removing…"
                    class="button--danger"
                />
            </div>
        </details>
    }
}
