//! The page for an unknown address, the layout of pages that only show a message, and the message
//! that something was refused.

use leptos::prelude::*;

use crate::api::respond_with;
use crate::app::deployment::forms::LinkButton;
use crate::app::pages::PageTitle;
use crate::app::words::{frame as words, new, operation};
use crate::server::page::NEW;
use crate::wire::ApiError;

/// Renders that there is no such page. The response has the status 404.
#[component]
pub fn NotFoundPage() -> impl IntoView {
    view! {
        <Notice status=404 title=words::NOT_FOUND heading=words::NOT_FOUND>
            <p>{words::NOT_FOUND_LEAD}</p>
        </Notice>
    }
}

/// Renders that the portal does not offer the template of this address. The response has the status
/// 404.
#[component]
pub fn NotOfferedPage() -> impl IntoView {
    view! {
        <Notice status=404 title=new::NOT_OFFERED heading=new::NOT_OFFERED next=(NEW, new::TO_OTHERS)>
            <p>{new::NOT_OFFERED_LEAD}</p>
        </Notice>
    }
}

/// Renders that the portal cannot show the page now. The response has the status of the error.
#[component]
pub fn UnavailablePage(
    /// Why.
    error: ApiError,
) -> impl IntoView {
    let (title, heading) = (operation::UNAVAILABLE, operation::UNAVAILABLE_HEADING);
    view! {
        <Notice status=error.status() title heading>
            <p>{error.message}</p>
        </Notice>
    }
}

/// Renders a page with a message and a link: to the home page, unless it is told another one.
#[component]
pub fn Notice(
    /// The status of the response.
    status: u16,
    /// The title of the page.
    title: &'static str,
    /// The heading, in a few words.
    heading: &'static str,
    /// Where the link leads, and its label.
    #[prop(default = ("/", words::GO_HOME))]
    next: (&'static str, &'static str),
    /// The explanation.
    children: Children,
) -> impl IntoView {
    respond_with(status);
    let (href, label) = next;
    view! {
        <PageTitle text=title />
        <section class="notice">
            <h1>{heading}</h1>
            {children()}
            <p class="actions">
                <LinkButton href label />
            </p>
        </section>
    }
}

/// Renders why a form or a filter was refused, if it was.
#[component]
pub fn Refused(
    /// The reason.
    sentence: Option<String>,
) -> impl IntoView {
    sentence.map(|sentence| {
        view! {
            <p class="refused" role="alert">
                {sentence}
            </p>
        }
    })
}
