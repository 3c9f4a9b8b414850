//! The page of a deployment whose stack was live once, and is not any more.
//!
//! Next to nothing on it changes, so all of it stays on the server: while the removal goes on the
//! page refreshes itself, with JavaScript, too.

use leptos::{either::Either, prelude::*};
use leptos_meta::{Meta, Title};

use super::deployment::{CLEAN_UP_REFRESH_S, refresh};
use crate::api::wire::StackRemoval;
use domain::{deployment::Deployment, stack_name::StackName};

/// Renders what became of the stack, and where to go from here.
#[component]
pub fn StackRemovalPage(
    /// The deployment.
    deployment: Deployment,
    /// The outcome of its stack.
    stack_removal: StackRemoval,
) -> impl IntoView {
    let Deployment { id, name, url, .. } = deployment;
    let refresh = match stack_removal {
        StackRemoval::NotYet(_) => Some(refresh(&id, CLEAN_UP_REFRESH_S)),
        StackRemoval::Done => None,
    };
    let refresh = refresh.map(|content| view! { <Meta http_equiv="refresh" content /> });
    let (heading, badge) = match stack_removal {
        StackRemoval::NotYet(_) => (format!("{name} is being removed"), "Removing"),
        StackRemoval::Done => (format!("{name} was removed"), "Removed"),
    };
    let next = match stack_removal {
        StackRemoval::NotYet(removal) => Either::Left(view! {
            <p class="ended__message">"The stack was live. Its removal has started."</p>
            <p class="actions">
                <a class="button button--primary" href=format!("/deployments/{removal}")>
                    "See the removal"
                </a>
            </p>
        }),
        StackRemoval::Done => Either::Right(view! { <NextSteps name /> }),
    };
    view! {
        <Title text=heading.clone() />
        {refresh}
        <article class="deployment" data-stage="over">
            <header class="headline">
                <h1 class="headline__name">{heading}</h1>
                <p class="badge">
                    <span class="badge__state">{badge}</span>
                </p>
                <p class="headline__address">{url}</p>
            </header>
            <section class="ended">{next}</section>
        </article>
    }
}

/// Offers the name again, or another.
#[component]
fn NextSteps(
    /// The stack's name.
    name: StackName,
) -> impl IntoView {
    view! {
        <p class="ended__message">
            "The stack was live and has been removed. No data is kept."
        </p>
        <p class="actions">
            <a class="button button--primary" href=format!("/?name={name}")>
                {format!("Deploy {name} again")}
            </a>
            <a class="button" href="/">
                "Start another"
            </a>
        </p>
    }
}
