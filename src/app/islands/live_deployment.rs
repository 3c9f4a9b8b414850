//! The deployment island: rendered from what the server knew, then carried on by the stream.

#![expect(missing_docs, reason = "the island macro makes a struct without a doc comment")]

use leptos::{either::EitherOf3, prelude::*};

use crate::{
    api::wire::DeploymentView,
    app::{
        deployment::{
            Stage, Watched, failure::FailurePanel, headline::Headline, log::LogPanel,
            open::OpenPanel, status::StatusLine, steps::StepList,
        },
        words::tab,
    },
    domain::stack_name::StackName,
};

/// Renders a deployment as it stands, and follows it.
#[island]
pub fn LiveDeployment(
    /// What the server knew when it rendered the page.
    view: DeploymentView,
) -> impl IntoView {
    let DeploymentView { deployment, progress, now, .. } = view;
    let watched = Watched::new(progress, now);
    let stage = watched.stage();
    follow_in_tab(deployment.name.clone(), watched);
    #[cfg(feature = "hydrate")]
    crate::app::live::follow(deployment.id.clone(), watched);
    let deployment = StoredValue::new(deployment);
    let outcome = move || match stage.get() {
        Stage::UnderWay | Stage::Removed => EitherOf3::A(()),
        Stage::Live => EitherOf3::B(view! { <OpenPanel deployment=deployment.get_value() /> }),
        Stage::Failed => {
            EitherOf3::C(view! { <FailurePanel deployment=deployment.get_value() watched /> })
        }
    };
    view! {
        <article class="deployment" data-stage=move || stage.get().as_str()>
            <Headline deployment=deployment.get_value() watched stage />
            <StatusLine deployment=deployment.get_value() watched stage />
            {outcome}
            <StepList watched stage />
            <LogPanel started=deployment.with_value(|deployment| deployment.started) watched />
        </article>
    }
}

/// Keeps the tab's title and icon true.
fn follow_in_tab(name: StackName, watched: Watched) {
    let title = Memo::new(move |_| watched.progress.with(|progress| tab::title(&name, progress)));
    let icon = Memo::new(move |_| tab::icon(watched.progress.read().phase));
    Effect::new(move |_| document().set_title(&title.read()));
    Effect::new(move |_| {
        if let Ok(Some(link)) = document().query_selector("link[rel=icon]") {
            // The attribute's name is a valid one, so this cannot fail.
            link.set_attribute("href", icon.get()).ok();
        }
    });
}
