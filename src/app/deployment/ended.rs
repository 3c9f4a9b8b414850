//! What the page says when a deployment ended without a stack, or a removal ended.

use leptos::{
    either::{Either, EitherOf4},
    prelude::*,
    server_fn::ServerFn,
};

use super::{Watched, copy::CopyDetails, post_form::PostForm, receipt::ReceiptLines};
use crate::{
    api::deployments::{RemoveStack, RetryDeployment},
    app::words::{receipt, stage::Stage},
    domain::{deployment::Deployment, event::Failure},
};

/// Renders what happened, what became of everything and what to do next.
#[component]
pub fn EndedPanel(
    /// The deployment.
    deployment: Deployment,
    /// What to follow.
    watched: Watched,
    /// Which face the page shows.
    stage: Memo<Stage>,
) -> impl IntoView {
    let message = move || {
        let progress = watched.progress.read();
        match stage.get() {
            // The heading says it all, or the receipt says it better.
            Stage::Removed | Stage::NotRemoved => None,
            Stage::Cancelled | Stage::CancelledStuck => {
                progress.failure().and_then(Failure::before_the_cancel).map(ToOwned::to_owned)
            }
            _ => Some(progress.message.clone()),
        }
    };
    let message =
        move || message().map(|message| view! { <p class="ended__message">{message}</p> });
    let failure = watched.progress.with_untracked(|progress| progress.failure().cloned());
    let reference = deployment.id.reference();
    let receipt = watched.receipt();
    let facts = deployment.clone();
    // What went as somebody wished needs no support.
    let is_wanted = Memo::new(move |_| !matches!(stage.get(), Stage::Removed | Stage::Cancelled));
    let support = Memo::new(move |_| match &failure {
        Some(failure) => receipt::support_text(&facts, failure, &receipt.read()),
        None => String::new(),
    });
    let copy = move || {
        is_wanted.get().then(|| {
            view! {
                <CopyDetails details=support />
                <p class="ended__reference">"Reference " <strong>{reference.clone()}</strong></p>
            }
        })
    };
    let by_hand = move || is_wanted.get().then(|| view! { <Details support /> });
    view! {
        <section class="ended">
            {message} <ReceiptLines name=deployment.name.clone() watched />
            <div class="actions">
                <NextStep deployment watched stage /> {copy}
            </div>
            {by_hand}
        </section>
    }
}

/// Offers what makes sense next; the name again only where it is free.
#[component]
fn NextStep(
    /// The deployment.
    deployment: Deployment,
    /// What to follow.
    watched: Watched,
    /// Which face the page shows.
    stage: Memo<Stage>,
) -> impl IntoView {
    let receipt = watched.receipt();
    let is_clean = Memo::new(move |_| receipt.read().clean);
    let retried_by = Memo::new(move |_| watched.aftermath.read().retried_by.clone());
    let Deployment { id, name, .. } = deployment;
    move || match (stage.get(), retried_by.get()) {
        (_, Some(newer)) => {
            let href = format!("/deployments/{newer}");
            EitherOf4::A(view! { <Way href words="See the newer attempt" /> })
        }
        (_, None) if !watched.may_change => {
            EitherOf4::B(view! { <Way href="/" words="Start one of your own" /> })
        }
        (Stage::Removed, None) => {
            EitherOf4::B(view! { <Way href="/" words="Deploy something new" /> })
        }
        (Stage::NotRemoved, None) => EitherOf4::C(view! {
            <PostForm
                action=RemoveStack::url()
                fields=vec![("name", name.to_string()), ("id", id.to_string())]
                words=String::from("Try now")
                busy="Trying…"
                class="button--primary"
            />
        }),
        (_, None) => EitherOf4::D(if is_clean.get() {
            Either::Left(view! {
                <PostForm
                    action=RetryDeployment::url()
                    fields=vec![("id", id.to_string())]
                    words=String::from("Try again")
                    busy="Starting…"
                    class="button--primary"
                />
            })
        } else {
            Either::Right(view! { <Way href="/" words="Choose another name" /> })
        }),
    }
}

/// Renders the details for support, to be selected by hand.
#[component]
fn Details(
    /// The text.
    support: Memo<String>,
) -> impl IntoView {
    view! {
        <details class="disclosure">
            <summary>"Details for support"</summary>
            <pre class="ended__details" tabindex="0">
                {support}
            </pre>
        </details>
    }
}

/// Renders a link that is the next step.
#[component]
fn Way(
    /// Where it leads.
    #[prop(into)]
    href: String,
    /// What it says.
    words: &'static str,
) -> impl IntoView {
    view! {
        <a class="button button--primary" href=href>
            {words}
        </a>
    }
}
