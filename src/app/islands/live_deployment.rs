//! The deployment island: rendered from the server's view, then updated by the event stream.

use leptos::prelude::*;
use leptos::tachys::html::islands::Island;
use leptos::tachys::reactive_graph::OwnedView;
#[cfg(feature = "hydrate")]
use leptos::tachys::view::Position;

use crate::app::browser;
#[cfg(feature = "hydrate")]
use crate::app::browser::{Element, Parsed};
use crate::app::deployment::ended::EndedPanel;
use crate::app::deployment::forms::CancelForm;
use crate::app::deployment::log::LogPanel;
use crate::app::deployment::panels::{
    RemovePanel, down_panel, earlier_attempt, open_panel, sign_in_again, to_stack,
};
use crate::app::deployment::status::{Headline, StatusLine};
use crate::app::deployment::steps::StepList;
use crate::app::deployment::{Connection, DeploymentSignals};
use crate::app::page_state::PageState;
use crate::app::renewed::{Pieces, renewed};
use crate::app::words::page_state;
use crate::wire::DeploymentView;
use domain::deployment::Deployment;
#[cfg(feature = "hydrate")]
use domain::read::FromJson as _;
use domain::stack_name::StackName;
#[cfg(feature = "hydrate")]
use domain::words::refusal::ANSWER;
#[cfg(feature = "hydrate")]
use wasm_bindgen::JsValue;

/// The name of the function that starts the island in the browser.
const EXPORT: &str = "live_deployment";

/// Renders the island on the server.
#[cfg(feature = "ssr")]
#[component]
pub fn LiveDeployment(
    /// The view.
    view: DeploymentView,
) -> impl IntoView {
    // Plain data becomes JSON, so this cannot fail.
    let json = serde_json::to_string(&view).unwrap_or_default();
    island(view).with_props(json)
}

/// Starts the island in `element`, which has the view that the server rendered.
///
/// # Errors
///
/// Returns an error, which the browser logs, if the view cannot be read.
#[cfg(feature = "hydrate")]
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn live_deployment(element: Element) -> Result<(), JsValue> {
    let json = element.get_attribute("data-props").unwrap_or_default();
    let view = Parsed::parse(&json).and_then(|json| DeploymentView::from_json(&json));
    let view = view.ok_or(ANSWER)?;
    let state = island(view).hydrate_from_position::<true>(&element, Position::Current);
    // It lasts as long as the page.
    std::mem::forget(state);
    Ok(())
}

/// Returns the island. The macro of Leptos would read the view with serde's code.
fn island(view: DeploymentView) -> Island<OwnedView<impl RenderHtml>> {
    let page = move || OwnedView::new(view! { <FollowedDeployment view /> });
    Island::new(EXPORT, Owner::new().with(|| Owner::with_hydration(page)))
}

/// Renders the current state of a deployment or a removal, and follows it.
#[component]
fn FollowedDeployment(
    /// The view that the server rendered.
    view: DeploymentView,
) -> impl IntoView {
    let deployment = view.deployment.clone();
    let (data_days, stack_page) = (view.data_days, view.stack_page.clone());
    let (usual, retry_of) = (view.usual, view.metadata.links.retry_of.clone());
    let signals = DeploymentSignals::new(view);
    let page_state = signals.page_state();
    follow_in_tab(deployment.name.clone(), signals, page_state);
    #[cfg(feature = "hydrate")]
    crate::app::live::follow(deployment.id.clone(), signals);
    let Deployment { id, name, started, .. } = deployment.clone();
    let earlier = Pieces(retry_of.iter().map(|id| earlier_attempt(&name, id)).collect());
    let steps =
        signals.kind.listed().next().is_some().then(|| view! { <StepList signals page_state /> });
    let may_change = signals.may_change;
    let is_cancellable = Memo::new(move |_| match page_state.get() {
        // The request would be rejected.
        _ if !may_change || signals.connection.get() == Connection::SignedOut => false,
        PageState::Running => signals.kind.can_cancel,
        PageState::Cancelling => !signals.progress.read().is_finished(),
        _ => false,
    });
    let own = id.clone();
    let sign_in =
        move || (signals.connection.get() == Connection::SignedOut).then(|| sign_in_again(&own));
    let own = id.clone();
    let cancel =
        move || is_cancellable.get().then(|| view! { <CancelForm id=own.clone() signals /> });
    let is_live = Memo::new(move |_| {
        may_change
            && matches!(
                page_state.get(),
                PageState::Live | PageState::NotRunning | PageState::Stopped
            )
    });
    let remove = move || {
        is_live.get().then(|| view! { <RemovePanel name=name.clone() id=id.clone() data_days /> })
    };
    view! {
        <article class="deployment" data-stage=move || page_state.get().as_str()>
            <Headline deployment=deployment.clone() signals page_state />
            {earlier} <StatusLine deployment=deployment.clone() usual signals page_state />
            {renewed(sign_in)}
            <Outcome deployment signals page_state stack_page /> {steps} <div class="deployment__foot">
                <LogPanel started signals /> {cancel}
            </div> {remove}
        </article>
    }
}

/// Renders the main panel after the end.
#[component]
fn Outcome(
    /// The deployment.
    deployment: Deployment,
    /// The signals to follow.
    signals: DeploymentSignals,
    /// The state that the page shows.
    page_state: Memo<PageState>,
    /// The address of the page of the stack, if it is there.
    stack_page: Option<String>,
) -> impl IntoView {
    let is_ended = Memo::new(move |_| match page_state.get() {
        PageState::Failed
        | PageState::Cancelled
        | PageState::CancelledStuck
        | PageState::NotRemoved
        | PageState::Removed => true,
        PageState::Running
        | PageState::CleaningUp
        | PageState::Cancelling
        | PageState::Removing
        | PageState::Live
        | PageState::NotRunning
        | PageState::Stopped
        | PageState::Done => false,
    });
    let facts = deployment.clone();
    let page = stack_page.clone();
    let up_or_down = move || match page_state.get() {
        PageState::Live => Some(open_panel(&facts, page.as_deref())),
        PageState::Stopped | PageState::Done => page.as_deref().map(to_stack),
        PageState::NotRunning => Some(down_panel(&facts, signals)),
        PageState::Running
        | PageState::CleaningUp
        | PageState::Cancelling
        | PageState::Removing
        | PageState::Failed
        | PageState::Cancelled
        | PageState::CancelledStuck
        | PageState::NotRemoved
        | PageState::Removed => None,
    };
    let ended = move || {
        is_ended.get().then(|| {
            let stack_page = stack_page.clone();
            view! { <EndedPanel deployment=deployment.clone() signals page_state stack_page /> }
        })
    };
    view! {
        {renewed(up_or_down)}
        {ended}
    }
}

/// Updates the tab's title and icon with the page's state.
fn follow_in_tab(name: StackName, signals: DeploymentSignals, page_state: Memo<PageState>) {
    let title = Memo::new(move |_| {
        page_state::title(page_state.get(), &name, signals.kind, signals.progress.read().percent)
    });
    let icon = Memo::new(move |_| page_state.get().icon());
    Effect::new(move |_| browser::set_title(&title.read()));
    Effect::new(move |_| browser::set_icon(icon.get()));
}
