//! The page of one deployment: `/deployments/<id>`.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_params_map;

use super::not_found::Notice;
use crate::{
    api::{
        respond_with, service,
        wire::{ApiError, DeploymentView},
    },
    app::{islands::live_deployment::LiveDeployment, words::tab},
    domain::deployment::DeploymentId,
};

/// Renders the deployment that the address names, as it stands.
#[component]
pub fn DeploymentPage() -> impl IntoView {
    let id = use_params_map().with_untracked(|params| params.get("id")).unwrap_or_default();
    let service = service();
    Suspend::new(async move {
        let found = match (service, DeploymentId::parse(&id)) {
            (Ok(service), Ok(id)) => service.deployment(&id).await,
            (Ok(_), Err(_)) => Ok(None),
            (Err(error), _) => Err(error),
        };
        match found {
            Ok(Some(view)) => view! { <Found view /> }.into_any(),
            Ok(None) => view! { <Unknown /> }.into_any(),
            Err(error) => view! { <Unavailable error /> }.into_any(),
        }
    })
}

/// Renders a deployment. Without JavaScript the page refreshes itself until the end.
#[component]
fn Found(
    /// The deployment.
    view: DeploymentView,
) -> impl IntoView {
    let title = tab::title(&view.deployment.name, &view.progress);
    let refresh = (!view.progress.is_finished()).then(|| {
        view! {
            <noscript>
                <meta http-equiv="refresh" content="2" />
            </noscript>
        }
    });
    view! {
        <Title text=title />
        {refresh}
        <LiveDeployment view />
    }
}

/// Says that there is no such deployment, with status 404.
#[component]
fn Unknown() -> impl IntoView {
    respond_with(404);
    view! {
        <Title text="Deployment not found" />
        <Notice heading="We know no such deployment">
            <p>
                "Check the address: the part after the last slash is long and must be whole. "
                "Deployments that ended a long time ago are forgotten."
            </p>
        </Notice>
    }
}

/// Says that the deployment cannot be shown now, with the error's own status.
#[component]
fn Unavailable(
    /// Why.
    error: ApiError,
) -> impl IntoView {
    respond_with(error.status);
    view! {
        <Title text="Deployment not available" />
        <Notice heading="We cannot show this deployment now">
            <p>{error.message}</p>
            <p>"The deployment itself goes on without this page. Reload it in a moment."</p>
        </Notice>
    }
}
