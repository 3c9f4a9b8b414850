//! The small panels of the deployment page: links to the earlier attempt and to the sign-in page,
//! the address of a live stack, its downtime, and the form that removes it.

use leptos::prelude::*;
use leptos::server_fn::ServerFn;

use super::forms::{LinkButton, PRIMARY, PostForm};
use super::{Connection, DeploymentSignals};
use crate::api::deployments::RemoveStack;
use crate::app::words::{deployment as words, time};
use domain::deployment::{Deployment, DeploymentId};
use domain::stack_name::StackName;
use domain::time::elapsed_ms;

/// Renders the link to the earlier attempt.
#[component]
pub fn EarlierAttempt(
    /// The stack's name.
    name: StackName,
    /// The earlier attempt.
    id: DeploymentId,
) -> impl IntoView {
    let [before, after] = words::RETRY_OF;
    view! {
        <p class="earlier">
            {before} {name.to_string()} {after}
            <a href=format!("/deployments/{id}")>{words::SEE_EARLIER}</a>
        </p>
    }
}

/// Renders the link to the sign-in page, which returns to this page, if the session has ended.
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
                    <LinkButton href=address.clone() label=words::SIGN_IN_AGAIN class=PRIMARY />
                </p>
            }
        })
    }
}

/// Renders the address with a large link to it.
#[component]
pub fn OpenPanel(
    /// The deployment.
    deployment: Deployment,
) -> impl IntoView {
    let Deployment { url, .. } = deployment;
    view! {
        <section class="open-panel">
            <span class="open-panel__mark" aria-hidden="true"></span>
            <a class="open-panel__address" href=url.clone() translate="no">
                {url.clone()}
            </a>
            <p class="actions">
                <LinkButton href=url label=words::OPEN class="button button--primary button--big" />
                <LinkButton href="/" label=words::START_ANOTHER />
            </p>
        </section>
    }
}

/// Renders what is known about a stack that is not running, and who can help.
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
    let found = signals.not_running.map(|down| words::detected(&ago(down.since), &ago(down.seen)));
    view! {
        <section class="ended">
            <p class="ended__message">
                {words::is_down(&name)} {found}
            </p>
            <p>{words::ASK_OPERATORS}</p>
            <p class="actions">
                <LinkButton href=url label=words::OPEN_ADDRESS />
            </p>
        </section>
    }
}

/// Renders the disclosure with the consequences of a removal and its button.
#[component]
pub fn RemovePanel(
    /// The stack's name.
    name: StackName,
    /// The deployment that created it, so that no other stack of this name is removed.
    id: DeploymentId,
) -> impl IntoView {
    let [before, after] = words::REMOVES;
    view! {
        <details class="disclosure remove">
            <summary>{words::REMOVE_STACK}</summary>
            <div class="remove__panel">
                <p>{before} <strong>{name.to_string()}</strong> {after}</p>
                <PostForm
                    action=RemoveStack::url()
                    fields=vec![("name", name.to_string()), ("id", id.to_string())]
                    label=words::remove(&name)
                    busy=words::REMOVING
                    class="button--danger"
                />
            </div>
        </details>
    }
}
