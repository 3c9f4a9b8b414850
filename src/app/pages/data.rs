//! The page of kept data: `/data`, with what is kept of removed stacks.
//!
//! A form on the page that was refused redirects back to `/data?refused=<code>`.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::notice::{Refused, UnavailablePage};
use crate::api::{caller, forbid_storing, service};
use crate::app::deployment::forms::LinkButton;
use crate::app::pages::PageTitle;
use crate::app::words::{FormPage, data as words, deployment, refusal};
use crate::server::page::{DATA, NEW, page_of};
use crate::wire::{ApiError, KeptView};

/// Renders the kept data of the caller.
#[component]
pub fn DataPage() -> impl IntoView {
    forbid_storing();
    let refused = use_query_map().with_untracked(|query| query.get("refused"));
    let refused = refused.and_then(|code| refusal::sentence(FormPage::Data, &code));
    Suspend::new(async move {
        match kept().await {
            Ok(kept) => view! {
                <PageTitle text=words::TITLE />
                <Refused sentence=refused />
                <section class="account">
                    <h1 class="account__name">{words::TITLE}</h1>
                    <p class="account__lead">{words::LEAD}</p>
                    <KeptList kept listed_for=ListedFor::Use />
                </section>
            }
            .into_any(),
            Err(error) => view! { <UnavailablePage error /> }.into_any(),
        }
    })
}

async fn kept() -> Result<Vec<KeptView>, ApiError> {
    service()?.kept_data(&caller()?).await
}

/// What a list of kept data is shown for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListedFor {
    /// To see what is kept, and to bring it back or delete it.
    Use,
    /// To choose what to delete.
    Deletion,
}

/// Renders what is kept, each with what can be done with it.
#[component]
pub fn KeptList(
    /// The kept data.
    kept: Vec<KeptView>,
    /// What it is shown for.
    listed_for: ListedFor,
) -> impl IntoView {
    if kept.is_empty() {
        return view! {
            <p class="account__note">{words::NOTHING}</p>
            <p class="actions">
                <LinkButton href=NEW label=deployment::DEPLOY_NEW />
            </p>
        }
        .into_any();
    }
    let service = service().ok();
    let template_name = |id: &str| match &service {
        Some(service) => service.template_name(id),
        None => id.to_owned(),
    };
    let item = |kept: KeptView| {
        let facts = words::until(&kept);
        let KeptView { id, template, from, is_deleting, used_by, lost, .. } = kept;
        let user = used_by.as_ref().map(|user| {
            view! {
                {words::USED_BY}
                <a href=page_of(&user.deployment_id)>{user.name.to_string()}</a>
            }
        });
        let back = (lost.is_none() && listed_for == ListedFor::Use).then(|| {
            view! {
                <a class="button button--primary" href=format!("{NEW}/{template}?data={id}")>
                    {words::BRING_BACK}
                </a>
            }
        });
        let actions = (!is_deleting && used_by.is_none()).then(|| {
            view! {
                <div class="actions">
                    {back}
                    <form action=format!("{DATA}/{id}/delete") method="post">
                        <button class="button" type="submit">
                            {words::DELETE}
                            <span class="visually-hidden">{words::of(&from)}</span>
                        </button>
                    </form>
                </div>
            }
        });
        view! {
            <li class="token">
                <p class="token__name">{words::data_of(&from, &template_name(&template))}</p>
                <p class="token__facts">{facts} {user}</p>
                {actions}
            </li>
        }
    };
    view! { <ul class="tokens">{kept.into_iter().map(item).collect_view()}</ul> }.into_any()
}

/// Renders the link to the page of kept data from another one.
#[component]
pub fn ToData(
    /// Whether the page has what somebody may look for.
    leads_to_data: bool,
) -> impl IntoView {
    leads_to_data.then(|| {
        view! {
            <p class="aside">
                <a href=DATA>{words::PAGE_LINK}</a>
            </p>
        }
    })
}
