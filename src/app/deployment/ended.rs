//! The panel of a deployment that ended without a live stack, or of an ended removal.

use leptos::either::{Either, EitherOf4};
use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use leptos::task::spawn_local;

use super::DeploymentSignals;
use super::forms::{LinkButton, PRIMARY, PostForm};
use super::receipt::ReceiptLines;
use crate::api::deployments::{RemoveStack, RetryDeployment};
use crate::app::browser;
use crate::app::page_state::PageState;
use crate::app::renewed::{renewed, renewed_text};
use crate::app::words::{deployment as words, receipt};
use domain::deployment::Deployment;
use domain::event::Failure;

/// Renders the message, the receipt and the next step.
#[component]
pub fn EndedPanel(
    /// The deployment.
    deployment: Deployment,
    /// The signals to follow.
    signals: DeploymentSignals,
    /// The state that the page shows.
    page_state: Memo<PageState>,
) -> impl IntoView {
    let message = move || {
        let progress = signals.progress.read();
        match page_state.get() {
            // The heading is enough, or the receipt has the details.
            PageState::Removed | PageState::NotRemoved => None,
            PageState::Cancelled | PageState::CancelledStuck => {
                progress.failure().and_then(Failure::cause_before_cancel).map(ToOwned::to_owned)
            }
            _ => Some(progress.message.clone()),
        }
    };
    let message = renewed(message, |message| view! { <p class="ended__message">{message}</p> });
    let failure = signals.progress.with_untracked(|progress| progress.failure().cloned());
    let reference = deployment.id.reference();
    let receipt = signals.receipt();
    let facts = deployment.clone();
    // A removal or a cancel that succeeded needs no support.
    let is_wanted =
        Memo::new(move |_| !matches!(page_state.get(), PageState::Removed | PageState::Cancelled));
    let support = Memo::new(move |_| match &failure {
        Some(failure) => receipt::support_text(signals.kind, &facts, failure, &receipt.read()),
        None => String::new(),
    });
    let copy = move || {
        is_wanted.get().then(|| {
            view! {
                <CopyDetails details=support />
                <p class="ended__reference">{words::REFERENCE} <strong translate="no">{reference.clone()}</strong></p>
            }
        })
    };
    let by_hand = move || is_wanted.get().then(|| view! { <Details support /> });
    view! {
        <section class="ended">
            {message} <ReceiptLines name=deployment.name.clone() signals />
            <div class="actions">
                <NextStep deployment signals page_state /> {copy}
            </div>
            {by_hand}
        </section>
    }
}

/// Renders the next step. A retry with the same name is offered only if no resource is left.
#[component]
fn NextStep(
    /// The deployment.
    deployment: Deployment,
    /// The signals to follow.
    signals: DeploymentSignals,
    /// The state that the page shows.
    page_state: Memo<PageState>,
) -> impl IntoView {
    let receipt = signals.receipt();
    let is_clean = Memo::new(move |_| receipt.read().clean);
    let retried_by = Memo::new(move |_| signals.after_end.read().retried_by.clone());
    let Deployment { id, name, .. } = deployment;
    move || match (page_state.get(), retried_by.get()) {
        (_, Some(newer)) => {
            let href = format!("/deployments/{newer}");
            EitherOf4::A(view! { <LinkButton href label=words::SEE_NEWER class=PRIMARY /> })
        }
        (_, None) if !signals.may_change => EitherOf4::B(
            view! { <LinkButton href="/" label=words::START_YOUR_OWN class=PRIMARY /> },
        ),
        (PageState::Removed, None) => {
            EitherOf4::B(view! { <LinkButton href="/" label=words::DEPLOY_NEW class=PRIMARY /> })
        }
        (PageState::NotRemoved, None) => EitherOf4::C(view! {
            <PostForm
                action=RemoveStack::url()
                fields=vec![("name", name.to_string()), ("id", id.to_string())]
                label=words::TRY_REMOVAL
                busy=words::TRYING_REMOVAL
                class="button--primary"
            />
        }),
        (_, None) => EitherOf4::D(if is_clean.get() {
            Either::Left(view! {
                <PostForm
                    action=RetryDeployment::url()
                    fields=vec![("id", id.to_string())]
                    label=words::TRY_AGAIN
                    busy=words::STARTING
                    class="button--primary"
                />
            })
        } else {
            Either::Right(
                view! { <LinkButton href="/" label=words::CHOOSE_ANOTHER class=PRIMARY /> },
            )
        }),
    }
}

/// Renders the button that copies the details for support. Without JavaScript it is hidden.
#[component]
fn CopyDetails(
    /// The text to copy.
    details: Memo<String>,
) -> impl IntoView {
    let label = RwSignal::new(words::COPY_SUPPORT);
    let copy = move |_| {
        spawn_local(async move {
            let [copied, otherwise] = words::AFTER_COPY;
            let is_copied = browser::copy(&details.get_untracked()).await;
            label.set(if is_copied { copied } else { otherwise });
        });
    };
    view! {
        <button type="button" class="button needs-script" on:click=copy>
            <span aria-live="polite">{renewed_text(move || label.get())}</span>
        </button>
    }
}

/// Renders the details for support as text that people can select.
#[component]
fn Details(
    /// The text.
    support: Memo<String>,
) -> impl IntoView {
    view! {
        <details class="disclosure">
            <summary>{words::SUPPORT}</summary>
            <pre class="ended__details" tabindex="0" translate="no">
                {renewed_text(move || support.get())}
            </pre>
        </details>
    }
}
