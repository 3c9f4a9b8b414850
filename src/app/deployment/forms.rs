//! The forms and buttons of the deployment page: a button that posts hidden fields, the cancel
//! button, and a link in the form of a button, which other pages use as well.

use leptos::ev::{self, SubmitEvent};
use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use leptos::task::spawn_local;

use super::DeploymentSignals;
use crate::api::deployments::CancelDeployment;
use crate::app::browser;
use crate::app::renewed::{Piece, Pieces, renewed, renewed_text};
use crate::app::words::deployment as words;
use domain::deployment::DeploymentId;

/// The classes of a primary button.
pub const PRIMARY: &str = "button button--primary";

/// Renders a form with one button. The browser posts it and follows the redirect. With JavaScript,
/// the button cannot be pressed twice.
#[component]
pub fn PostForm(
    /// The URL to post to.
    action: &'static str,
    /// The names and values of the hidden fields.
    fields: Vec<(&'static str, String)>,
    /// The label of the button.
    #[prop(into)]
    label: String,
    /// The label after it is pressed.
    busy: &'static str,
    /// The button's class besides `button`.
    #[prop(default = "")]
    class: &'static str,
) -> impl IntoView {
    let is_sent = RwSignal::new(false);
    Effect::new(move |_| {
        let listener = window_event_listener(ev::pageshow, move |event| {
            // The person came back to a cached page, whose action may no longer be possible: load
            // the current page.
            if event.persisted() && is_sent.get_untracked() {
                browser::reload();
            }
        });
        on_cleanup(move || listener.remove());
    });
    let label = move || if is_sent.get() { busy.to_owned() } else { label.clone() };
    let fields = fields.iter().map(|(name, value)| hidden(name, value)).collect();
    view! {
        <form class="post-form" action=action method="post" on:submit=move |_| is_sent.set(true)>
            {Pieces(fields)}
            <button class=format!("button {class}") type="submit" disabled=is_sent>
                {renewed_text(label)}
            </button>
        </form>
    }
}

/// Renders the cancel button. Without JavaScript it is a plain form, whose answer redirects to this
/// page.
#[component]
pub fn CancelForm(
    /// The deployment's id.
    id: DeploymentId,
    /// The signals to follow. It sets the one about the request to cancel.
    signals: DeploymentSignals,
) -> impl IntoView {
    let id_field = hidden("id", id.as_str());
    let problem = RwSignal::new(None);
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        if !signals.is_cancelling.get_untracked() {
            problem.set(None);
            signals.is_cancelling.set(true);
            let id = id.clone();
            spawn_local(async move {
                let url = CancelDeployment::url();
                // It redirects to this page, which stays.
                if let Err(refused) = browser::post(url, "id", id.as_str()).await {
                    signals.is_cancelling.set(false);
                    problem.set(Some(refused.message));
                }
            });
        }
    };
    // `aria-disabled` instead of `disabled`: a disabled button loses the focus, and a keyboard user
    // their place on the page.
    let is_pressed = move || signals.is_cancelling.get().then_some("true");
    let label = move || if signals.is_cancelling.get() { words::CANCELLING } else { words::CANCEL };
    view! {
        <form class="cancel" action=CancelDeployment::url() method="post" on:submit=submit>
            {Pieces(vec![id_field])}
            <button class="button cancel__button" type="submit" aria-disabled=is_pressed>
                {renewed_text(label)}
            </button>
            <div class="cancel__problem" role="status">
                {renewed(move || problem.get().map(|problem: String| Piece::new("p").text(&problem)))}
            </div>
        </form>
    }
}

/// Returns a hidden field.
fn hidden(name: &str, value: &str) -> Piece {
    Piece::new("input").with("type", "hidden").with("name", name).with("value", value)
}

/// Returns a link in the form of a button.
pub(super) fn link_button(href: &str, label: &str, class: &str) -> Piece {
    Piece::of_class("a", class).with("href", href).text(label)
}

/// Renders a link in the form of a button.
#[component]
pub fn LinkButton(
    /// The target of the link.
    #[prop(into)]
    href: String,
    /// The label.
    #[prop(into)]
    label: String,
    /// The classes.
    #[prop(default = "button")]
    class: &'static str,
) -> impl IntoView {
    Pieces(vec![link_button(&href, &label, class)])
}
