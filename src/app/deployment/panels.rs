//! The small panels of the deployment page: links to the earlier attempt and to the sign-in page,
//! the address of a live stack, its downtime, and the form that removes it.

use leptos::prelude::*;
use leptos::server_fn::ServerFn;

use super::DeploymentSignals;
use super::forms::{PRIMARY, PostForm, link_button};
use crate::api::deployments::RemoveStack;
use crate::app::renewed::{Piece, Pieces};
use crate::app::words::{deployment as words, time};
use domain::deployment::{Deployment, DeploymentId};
use domain::stack_name::StackName;
use domain::time::elapsed_ms;

/// Returns the link to the earlier attempt `id`.
pub(in crate::app) fn earlier_attempt(name: &StackName, id: &DeploymentId) -> Piece {
    let [before, after] = words::RETRY_OF;
    let link = Piece::new("a").with("href", &format!("/deployments/{id}")).text(words::SEE_EARLIER);
    Piece::of_class("p", "earlier").text(&format!("{before}{name}{after}")).piece(link)
}

/// Returns the link to the sign-in page, which returns to the page of the operation `id`.
pub(in crate::app) fn sign_in_again(id: &DeploymentId) -> Piece {
    let address = format!("/sign-in?return_to=/deployments/{id}");
    actions().piece(link_button(&address, words::SIGN_IN_AGAIN, PRIMARY))
}

/// Returns the link to the page of the stack.
pub(in crate::app) fn to_stack(page: &str) -> Piece {
    actions().piece(link_button(page, words::TO_STACK, PRIMARY))
}

/// Returns the panel with the address of a live stack and a large link to it.
pub(in crate::app) fn open_panel(
    Deployment { url, .. }: &Deployment,
    stack_page: Option<&str>,
) -> Piece {
    let mark = Piece::of_class("span", "open-panel__mark").with("aria-hidden", "true");
    let address = Piece::of_class("a", "open-panel__address")
        .with("href", url)
        .with("translate", "no")
        .text(url);
    let open = link_button(url, words::OPEN, "button button--primary button--big");
    let manage = stack_page.map(|page| link_button(page, words::MANAGE, "button"));
    let another = link_button("/new", words::START_ANOTHER, "button");
    let buttons = [Some(open), manage, Some(another)].into_iter().flatten();
    let actions = buttons.fold(actions(), Piece::piece);
    Piece::of_class("section", "open-panel").piece(mark).piece(address).piece(actions)
}

/// Returns what is known about a stack that is not running, and who can help.
pub(in crate::app) fn down_panel(
    Deployment { name, url, .. }: &Deployment,
    signals: DeploymentSignals,
) -> Piece {
    let now = signals.now.get_untracked();
    let ago = |at| time::about(elapsed_ms(at, now) / 1000);
    let found = signals.not_running.map(|down| words::detected(&ago(down.since), &ago(down.seen)));
    let mut message = Piece::of_class("p", "ended__message").text(&words::is_down(name));
    if let Some(found) = found {
        message = message.text(&found);
    }
    Piece::of_class("section", "ended")
        .piece(message)
        .piece(Piece::new("p").text(words::ASK_OPERATORS))
        .piece(actions().piece(link_button(url, words::OPEN_ADDRESS, "button")))
}

fn actions() -> Piece {
    Piece::of_class("p", "actions")
}

/// Renders the disclosure with the consequences of a removal and its button.
#[component]
pub fn RemovePanel(
    /// The stack's name.
    name: StackName,
    /// The deployment that created it, so that no other stack of this name is removed.
    id: DeploymentId,
    /// The number of days for which its data is kept, if it has any.
    data_days: Option<u64>,
) -> impl IntoView {
    let [before, after] =
        if data_days.is_some() { words::REMOVES_BUT_DATA } else { words::REMOVES };
    let kept = data_days.map_or_else(|| words::NO_DATA.to_owned(), words::data_is_kept);
    let removes = Piece::new("p")
        .text(before)
        .piece(Piece::new("strong").text(name.as_str()))
        .text(after)
        .text(&kept);
    let fields = vec![("name", name.to_string()), ("id", id.to_string())];
    let with_data = data_days.map(|_| {
        let fields = fields.iter().cloned().chain([("keep_data", String::from("0"))]).collect();
        view! {
            <PostForm
                action=RemoveStack::url()
                fields
                label=words::remove_with_data(&name)
                busy=words::REMOVING
            />
        }
    });
    view! {
        <details class="disclosure remove">
            <summary>{words::REMOVE_STACK}</summary>
            <div class="remove__panel">
                {Pieces(vec![removes])}
                <PostForm
                    action=RemoveStack::url()
                    fields
                    label=words::remove(&name)
                    busy=words::REMOVING
                    class="button--danger"
                />
                {with_data}
            </div>
        </details>
    }
}
