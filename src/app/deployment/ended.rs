//! The panel of a deployment that ended without a live stack, or of an ended removal.

use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use leptos::task::spawn_local;

use super::DeploymentSignals;
use super::forms::{PRIMARY, PostForm, link_button};
use super::receipt::ReceiptLines;
use crate::api::deployments::{RemoveStack, RetryDeployment};
use crate::app::browser;
use crate::app::page_state::PageState;
use crate::app::renewed::{Piece, Pieces, renewed, renewed_text};
use crate::app::words::{deployment as words, receipt};
use domain::deployment::Deployment;
use domain::event::{Failure, FailureCode};

/// Renders the message, the receipt and the next step.
#[component]
pub fn EndedPanel(
    /// The deployment.
    deployment: Deployment,
    /// The signals to follow.
    signals: DeploymentSignals,
    /// The state that the page shows.
    page_state: Memo<PageState>,
    /// The address of the page of the stack, if it is there.
    stack_page: Option<String>,
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
    let message = renewed(move || {
        message().map(|message| Piece::of_class("p", "ended__message").text(&message))
    });
    let failure = signals.progress.with_untracked(|progress| progress.failure().cloned());
    let waits_for_operator = failure.as_ref().is_some_and(waits_for_operator);
    let advice = waits_for_operator.then(|| Piece::new("p").text(words::ASK_TO_CORRECT));
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
                {Pieces(vec![referred(&reference)])}
            }
        })
    };
    let by_hand = move || is_wanted.get().then(|| view! { <Details support /> });
    view! {
        <section class="ended">
            {message} {Pieces(advice.into_iter().collect())}
            <ReceiptLines name=deployment.name.clone() signals />
            <div class="actions">
                <NextStep deployment signals page_state stack_page waits_for_operator /> {copy}
            </div>
            {by_hand}
        </section>
    }
}

/// Returns whether the same again fails as well until an operator has corrected something.
fn waits_for_operator(failure: &Failure) -> bool {
    failure.code == FailureCode::ImageNotFound
}

/// Returns the line with the reference, by which support finds the deployment.
fn referred(reference: &str) -> Piece {
    let reference = Piece::new("strong").with("translate", "no").text(reference);
    Piece::of_class("p", "ended__reference").text(words::REFERENCE).piece(reference)
}

/// What a person can do next.
#[derive(Clone, PartialEq)]
enum Next {
    /// Follow a link.
    Link(String, &'static str),
    /// Try the removal again.
    Remove,
    /// Try the deployment again.
    Retry,
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
    /// The address of the page of the stack, if it is there.
    stack_page: Option<String>,
    /// Whether a retry is in vain until an operator has corrected something.
    waits_for_operator: bool,
) -> impl IntoView {
    let receipt = signals.receipt();
    let next = Memo::new(move |_| {
        let to_start = |label| Next::Link(String::from("/new"), label);
        match (page_state.get(), &signals.after_end.read().retried_by) {
            (_, Some(newer)) => Next::Link(format!("/deployments/{newer}"), words::SEE_NEWER),
            (_, None) if !signals.may_change => to_start(words::START_YOUR_OWN),
            (_, None) if signals.kind.keeps_stack() => match &stack_page {
                Some(page) => Next::Link(page.clone(), words::TO_STACK),
                None => to_start(words::DEPLOY_NEW),
            },
            (PageState::Removed, None) => to_start(words::DEPLOY_NEW),
            (PageState::NotRemoved, None) => Next::Remove,
            (_, None) if receipt.read().clean => Next::Retry,
            (_, None) => to_start(words::CHOOSE_ANOTHER),
        }
    });
    let Deployment { id, name, .. } = deployment;
    let link = renewed(move || match &*next.read() {
        Next::Link(href, label) => Some(link_button(href, label, PRIMARY)),
        Next::Remove | Next::Retry => None,
    });
    let form = move || {
        let id = ("id", id.to_string());
        let (action, fields, [label, busy]) = match &*next.read() {
            Next::Link(..) => return None,
            Next::Remove => {
                let name = ("name", name.to_string());
                (RemoveStack::url(), vec![name, id], [words::TRY_REMOVAL, words::TRYING_REMOVAL])
            }
            Next::Retry => (RetryDeployment::url(), vec![id], [words::TRY_AGAIN, words::STARTING]),
        };
        let is_second = waits_for_operator && matches!(&*next.read(), Next::Retry);
        let class = if is_second { "" } else { "button--primary" };
        Some(view! { <PostForm action fields label busy class /> })
    };
    view! {
        {link}
        {form}
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
