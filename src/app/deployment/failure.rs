//! What the page says when the stack could not be started.

use leptos::prelude::*;

use super::{Watched, copy::CopyDetails, receipt::ReceiptLines};
use crate::{
    app::words::receipt,
    domain::{deployment::Deployment, event::Failure, receipt::Receipt, stack_name::StackName},
};

/// Renders what happened, what was undone and what to do next.
#[component]
pub fn FailurePanel(
    /// The deployment.
    deployment: Deployment,
    /// What to follow.
    watched: Watched,
) -> impl IntoView {
    let failure = watched.progress.with_untracked(|progress| progress.failure().cloned());
    failure.map(|failure| {
        let details = receipt::support_text(&deployment, &failure);
        let Failure { message, receipt, reference, .. } = failure;
        view! {
            <section class="failure">
                <p class="failure__message">{message}</p>
                <ReceiptLines name=deployment.name.clone() receipt=receipt.clone() />
                <div class="actions">
                    <NextStep name=deployment.name receipt />
                    <CopyDetails details=details.clone() />
                    <p class="failure__reference">"Reference " <strong>{reference}</strong></p>
                </div>
                <details class="disclosure">
                    <summary>"Details for support"</summary>
                    <pre class="failure__details" tabindex="0">
                        {details}
                    </pre>
                </details>
            </section>
        }
    })
}

/// Offers the same name again where it is free, else another.
#[component]
fn NextStep(
    /// The stack's name.
    name: StackName,
    /// What became of what was made.
    receipt: Receipt,
) -> impl IntoView {
    let (href, words) = if receipt.clean {
        (format!("/?name={name}"), "Try again")
    } else {
        (String::from("/"), "Choose another name")
    };
    view! {
        <a class="button button--primary" href=href>
            {words}
        </a>
    }
}
