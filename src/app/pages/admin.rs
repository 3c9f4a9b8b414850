//! The operators' page: `/admin`.
//!
//! Its forms redirect back with `?refused=<code>`, `?retried=1` or `?signed_out=1`. For everybody
//! but operators, authorization hides the page.

pub mod audit;
pub mod filter;
pub mod health;
pub mod kept;
pub mod operations;
pub mod people;
pub mod stacks;
pub mod stuck;

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use self::health::HealthSection;
use self::kept::KeptSection;
use self::operations::OperationSection;
use self::people::{LimitSection, PersonSection};
use self::stacks::StackSection;
use self::stuck::{ReconcileSection, StuckSection};
use super::notice::{NotFoundPage, Notice, Refused};
use crate::api::{caller, forbid_storing, service};
use crate::app::pages::PageTitle;
use crate::app::words::{FormPage, admin as words, refusal};
use crate::server::stacks::admin::{OperationPage, OperationQuery, Overview};
use crate::wire::ApiError;

/// Renders the operators' page.
#[component]
pub fn AdminPage() -> impl IntoView {
    forbid_storing();
    let query = use_query_map().get_untracked();
    let said = |name| query.get(name).unwrap_or_default();
    let asked = OperationQuery {
        owner: said("owner"),
        state: said("state"),
        search: said("search"),
        before: said("before"),
    };
    let refused = query.get("refused");
    let refused = refused.and_then(|code| refusal::sentence(FormPage::Admin, &code));
    let done = words::DONE.into_iter().find(|(name, _)| query.get(name).is_some());
    let done = done.map(|(_, words)| words);
    let known = service().and_then(|service| Ok((service, caller()?)));
    Suspend::new(async move {
        let found = async {
            let (service, caller) = known?;
            let overview = service.overview(&caller).await?;
            Ok((overview, service.operations(&caller, &asked).await))
        };
        match found.await {
            Ok((overview, operations)) => {
                view! { <Admin overview operations asked refused done /> }.into_any()
            }
            Err(error) => view! { <Unavailable error /> }.into_any(),
        }
    })
}

/// Renders the sections, those that need an operator first.
#[component]
fn Admin(
    /// The state of the portal.
    overview: Overview,
    /// The operations that match the filter, or the error of the filter.
    operations: Result<OperationPage, ApiError>,
    /// The filter.
    asked: OperationQuery,
    /// Why a form on the page was refused, if one was.
    refused: Option<String>,
    /// The result of a form on the page.
    done: Option<&'static str>,
) -> impl IntoView {
    let Overview { health, stuck, kept, kept_in_all, round, people, .. } = overview;
    let Overview { stacks, has_more_people, quotas, under_way, now, .. } = overview;
    let owners = people.iter().map(|person| person.owner.clone()).collect::<Vec<_>>();
    let done = done.map(|words| {
        view! {
            <p class="admin__done" role="status">
                {words}
            </p>
        }
    });
    view! {
        <PageTitle text=words::ADMIN />
        <Refused sentence=refused />
        {done}
        <div class="admin">
            <header class="admin__head">
                <h1>{words::ADMIN}</h1>
                <a href="/admin/audit">{words::AUDIT_LOG}</a>
            </header>
            <HealthSection health />
            <StuckSection stuck now />
            <ReconcileSection round />
            <StackSection counts=stacks />
            <KeptSection kept in_all=kept_in_all />
            <OperationSection operations asked owners />
            <PersonSection people has_more=has_more_people />
            <LimitSection quotas under_way />
        </div>
    }
}

/// Renders that a page of the operators cannot be shown now. The response has the status of the
/// error.
#[component]
fn Unavailable(
    /// The reason.
    error: ApiError,
) -> impl IntoView {
    if error.status() == 404 {
        return view! { <NotFoundPage /> }.into_any();
    }
    let (title, heading) = (words::UNAVAILABLE, words::UNAVAILABLE_HEADING);
    view! {
        <Notice status=error.status() title heading>
            <p>{error.message}</p>
        </Notice>
    }
    .into_any()
}
