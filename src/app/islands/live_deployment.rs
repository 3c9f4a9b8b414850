//! The deployment island: rendered from what the server knew, then carried on by the stream.

#![expect(missing_docs, reason = "the island macro makes a struct without a doc comment")]

use leptos::{either::EitherOf4, prelude::*};

use crate::{
    api::wire::DeploymentView,
    app::{
        deployment::{
            Connection, Watched, attempts::EarlierAttempt, cancel::CancelForm, down::DownPanel,
            ended::EndedPanel, headline::Headline, log::LogPanel, open::OpenPanel,
            remove::RemovePanel, sign_in_again::SignInAgain, status::StatusLine, steps::StepList,
        },
        words::stage::Stage,
    },
    domain::{
        deployment::{Deployment, Kind},
        stack_name::StackName,
    },
};

/// Renders a deployment or a removal as it stands, and follows it.
#[island]
pub fn LiveDeployment(
    /// What the server knew when it rendered the page.
    view: DeploymentView,
) -> impl IntoView {
    let deployment = view.deployment.clone();
    let (usual, retry_of) = (view.usual, view.standing.links.retry_of.clone());
    let watched = Watched::new(view);
    let stage = watched.stage();
    follow_in_tab(deployment.name.clone(), watched, stage);
    #[cfg(feature = "hydrate")]
    crate::app::live::follow(deployment.id.clone(), watched);
    let Deployment { id, name, started, .. } = deployment.clone();
    let earlier = retry_of.map(|id| view! { <EarlierAttempt name=name.clone() id /> });
    let steps = (id.kind() == Kind::Deployment).then(|| view! { <StepList watched stage /> });
    let may_change = watched.may_change;
    let is_cancellable = Memo::new(move |_| match stage.get() {
        // It would be refused.
        _ if !may_change || watched.connection.get() == Connection::SignedOut => false,
        Stage::Deploying => true,
        Stage::Cancelling => !watched.progress.read().is_finished(),
        _ => false,
    });
    let own = id.clone();
    let cancel =
        move || is_cancellable.get().then(|| view! { <CancelForm id=own.clone() watched /> });
    let is_live =
        Memo::new(move |_| may_change && matches!(stage.get(), Stage::Live | Stage::NotRunning));
    let remove =
        move || is_live.get().then(|| view! { <RemovePanel name=name.clone() id=id.clone() /> });
    view! {
        <article class="deployment" data-stage=move || stage.get().as_str()>
            <Headline deployment=deployment.clone() watched stage />
            {earlier} <StatusLine deployment=deployment.clone() usual watched stage />
            <SignInAgain id=deployment.id.clone() watched />
            <Outcome deployment watched stage /> {steps} <div class="deployment__foot">
                <LogPanel started watched /> {cancel}
            </div> {remove}
        </article>
    }
}

/// Renders what the page is about once there is an end.
#[component]
fn Outcome(
    /// The deployment.
    deployment: Deployment,
    /// What to follow.
    watched: Watched,
    /// Which face the page shows.
    stage: Memo<Stage>,
) -> impl IntoView {
    /// Which part shows: a stage may change within one.
    #[derive(Clone, Copy, PartialEq)]
    enum Part {
        None,
        Open,
        Down,
        Ended,
    }
    let part = Memo::new(move |_| match stage.get() {
        Stage::Deploying | Stage::CleaningUp | Stage::Cancelling | Stage::Removing => Part::None,
        Stage::Live => Part::Open,
        Stage::NotRunning => Part::Down,
        Stage::Failed
        | Stage::Cancelled
        | Stage::CancelledStuck
        | Stage::NotRemoved
        | Stage::Removed => Part::Ended,
    });
    move || match part.get() {
        Part::None => EitherOf4::A(()),
        Part::Open => EitherOf4::B(view! { <OpenPanel deployment=deployment.clone() /> }),
        Part::Down => EitherOf4::C(view! { <DownPanel deployment=deployment.clone() watched /> }),
        Part::Ended => {
            EitherOf4::D(view! { <EndedPanel deployment=deployment.clone() watched stage /> })
        }
    }
}

/// Keeps the tab's title and icon true.
fn follow_in_tab(name: StackName, watched: Watched, stage: Memo<Stage>) {
    let title = Memo::new(move |_| stage.get().title(&name, watched.progress.read().percent));
    let icon = Memo::new(move |_| stage.get().icon());
    Effect::new(move |_| document().set_title(&title.read()));
    Effect::new(move |_| {
        if let Ok(Some(link)) = document().query_selector("link[rel=icon]") {
            // The attribute's name is a valid one, so this cannot fail.
            link.set_attribute("href", icon.get()).ok();
        }
    });
}
